"""The issue panel: what the readiness comment says, judged afresh, and the run as it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.admin.frame_tokens import Viewer
from app.admin.surfaces import (
    NO_RIGHTS,
    Asked,
    Button,
    Frame,
    Hidden,
    Rights,
    asked_of,
    may,
    render,
    sees_costs,
    site_of,
)
from app.assessment.feedback import Desk, readiness_view
from app.core.comments import NoStart, ReadinessView, readiness_comment, run_comment
from app.core.eligibility import Defer, older_label
from app.core.rights import left_alone
from app.core.text import Block, words
from app.core.ticket import Ticket, label_set_by
from app.ports import NotFound, PortError, Tracker
from app.reporting.report import run_view
from app.store import runs, sites, spending, surfaces, tickets
from app.store.sites import Row


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket with all that its panel needs. row: what we know of it, None = nothing yet."""

    frame: Frame
    site: Row
    project: Row
    ticket: Ticket
    row: Row | None
    rights: Rights
    tracker: Tracker
    viewer: Viewer


def resolve(frame: Frame, site: Row, issue: str) -> str:
    """Id of a ticket named by id or key. Raises Hidden; Jira may be away."""
    try:
        return frame.tracker(site).ticket(issue).id
    except NotFound:
        raise Hidden from None
    except PortError:
        if issue.isdigit():
            return issue
        row = tickets.by_key(frame.db, site["id"], issue)
        if row is None:
            raise Hidden from None  # we cannot tell whether it is one of this site
        return str(row["issue_id"])


def panel(frame: Frame, viewer: Viewer) -> str:
    """The whole panel as HTML. Raises Hidden."""
    site = site_of(frame, viewer.site_id)
    row = tickets.get(frame.db, site["id"], viewer.subject)
    tracker = frame.tracker(site)
    try:
        ticket = tracker.ticket(viewer.subject)
        rights = may(frame, site, tracker, viewer, ticket.project_key)
        project = sites.get_project(frame.db, site["id"], ticket.project_key)
        if project is None or project["mode"] == "off":
            state = "off" if project is not None else "not_connected"
            return render(frame, "apart.html", site, state=state, project_key=ticket.project_key)
        if why := left_alone(ticket, dict(project)):
            return render(frame, "apart.html", site, state="restricted", why=why)
        return _whole(Seen(frame, site, project, ticket, row, rights, tracker, viewer))
    except NotFound:
        raise Hidden from None
    except PortError as fault:
        return _remembered(frame, viewer, site, row, str(fault))


def _whole(seen: Seen) -> str:
    desk = Desk(seen.frame.db, seen.tracker, seen.site, seen.frame.titles())
    view = readiness_view(desk, seen.project, seen.ticket, seen.row)
    view = replace(view, decision=_decision(seen, view))
    blocks = readiness_comment(view)
    before = runs.of_ticket(seen.frame.db, seen.site["id"], seen.ticket.id)
    last = before[-1] if before else None
    asked = asked_of(seen.frame, seen.site, seen.ticket.id)
    costs = sees_costs(seen.viewer, seen.project, seen.rights)
    return render(
        seen.frame,
        "panel.html",
        seen.site,
        fault="",
        first=blocks[0],
        blocks=_fitting(blocks[1:-1], last),
        small=blocks[-1],
        names=_names(seen, last),
        run=_run(seen.frame, seen.site, seen.project, last, costs),
        cost=_cost(seen.frame, seen.site, seen.ticket.id, costs),
        buttons=_buttons(seen, view, last, asked),
        asked=asked,
    )


def _fitting(blocks: tuple[Block, ...], last: Row | None) -> tuple[Block, ...]:
    """Without what is true of a comment alone, and during a run without what was before it."""
    if last is not None and last["ended_at"] is None:
        return tuple(block for block in blocks if block.kind == "expand")
    return tuple(block for block in blocks if "update this comment" not in words(block.spans))


def _remembered(frame: Frame, viewer: Viewer, site: Row, row: Row | None, fault: str) -> str:
    """Jira is away: what we decided and spent is ours to tell; the text is not kept."""
    if row is None or not row["project_key"]:
        return render(frame, "apart.html", site, state="away", why=fault)
    project = sites.get_project(frame.db, site["id"], row["project_key"])
    if project is None:
        state = "not_connected"
        return render(frame, "apart.html", site, state=state, project_key=row["project_key"])
    before = runs.of_ticket(frame.db, site["id"], row["issue_id"])
    costs = sees_costs(viewer, project, NO_RIGHTS)
    return render(
        frame,
        "panel.html",
        site,
        fault=fault,
        row=row,
        names=dict.fromkeys(_people(before[-1] if before else None), "somebody"),
        run=_run(frame, site, project, before[-1] if before else None, costs),
        cost=_cost(frame, site, row["issue_id"], costs),
        buttons=[],
        asked=asked_of(frame, site, row["issue_id"]),
    )


def _decision(seen: Seen, view: ReadinessView) -> Any:
    """What was decided, where it was about this text; else what that means now."""
    label = seen.site["label"]
    if seen.row is not None and seen.row["decision"]:
        same = seen.row["spec_hash"] == seen.ticket.spec_hash()
        return view.decision if same else NoStart("text_changed")
    if not seen.ticket.shows(label, seen.site["account_id"]):
        mode = seen.project["mode"] in ("watch", "advise")
        return NoStart("mode" if mode else "no_label")
    if label in seen.ticket.labels:
        found = label_set_by(seen.tracker.label_history(seen.ticket.id), label)
        if found is None or found.at < seen.project["connected_at"]:
            return Defer((older_label(label),))
    return NoStart("text_changed")  # it was set a moment ago


def _run(
    frame: Frame, site: Row, project: Row, last: Row | None, costs: bool
) -> dict[str, Any] | None:
    if last is None:
        return None
    view = run_view(frame.db, site, project, frame.agent(last), last)
    first, _, *rest = run_comment(replace(view, doing=last["doing"] or "", costs=costs))
    return {
        "first": first,
        "blocks": rest[:-1],
        "small": rest[-1],
        "number": last["number"],
        "on": last["ended_at"] is None,
        "ticks": view.ticks,
        "branch": view.branch,
        "pull_request": last["pull_request"],
        "simulated": last["simulated"],
    }


def _people(last: Row | None) -> set[str]:
    return set() if last is None else {last["actor"], last["approved_by"]} - {None}


def _names(seen: Seen, last: Row | None) -> dict[str, str]:
    """Who asked for the run and who approved it, as Jira calls them now; never kept."""
    names = {}
    for account_id in _people(last):
        try:
            names[account_id] = seen.tracker.account(account_id).name
        except PortError:
            names[account_id] = "somebody"
    return names


def _cost(frame: Frame, site: Row, issue_id: str, shown: bool) -> dict[str, Any] | None:
    """Over the ticket's life."""
    money = spending.ticket_cost(frame.db, site["id"], issue_id)
    if not shown or money == (0, 0):
        return None
    play = surfaces.simulated(frame.db, site["id"], issue_id=issue_id)
    return {"spent": money.posted, "held": money.held, "simulated": play}


def _buttons(seen: Seen, view: ReadinessView, last: Row | None, asked: list[Asked]) -> list[Button]:
    """Those that make sense now and that this person may press."""
    on = last is not None and last["ended_at"] is None
    row, decision = seen.row, view.decision
    commands = []
    if isinstance(decision, Defer) and row is not None:
        waits = any(reason.code == "approval" for reason in decision.reasons)
        if waits and row["told_hash"] == seen.ticket.spec_hash():
            commands.append("approve")
    if last is not None and on and last["stop_why"] is None:
        commands.append("stop")
    used = isinstance(decision, NoStart) and decision.why == "label_used"
    if last is not None and not on and used:
        commands.append("retry")
    return seen.rights.buttons(asked, *commands, "score")
