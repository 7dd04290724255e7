"""The project page: tickets by readiness, live runs, money of the period, pause and resume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.admin.frame_tokens import Viewer
from app.admin.surfaces import NO_RIGHTS, Frame, Look, asked_of, may, render, sees_costs, site_of
from app.core.backlog import APART
from app.core.backlog import GROUPS as STANDINGS
from app.core.comments.phrases import named
from app.core.criteria import BY_NAME
from app.ports import Found, PortError, Tracker
from app.reporting.answer import OF_PROJECT
from app.reporting.report import run_view
from app.store import scans, sites, spending, surfaces
from app.store.sites import Row

PAGE = 50
NEAREST = 10
"""Tickets of each group that are shown of a scan; the rest is in its CSV."""
MOST_OLD = 1000
"""Old labels are looked for in Jira, page by page of a hundred: so many are enough to act on."""
GROUPS = {
    "ready": ("Ready", "An agent could start on these, if nothing else holds them back."),
    "nearly": ("Nearly ready", "An answer or two is missing."),
    "not_yet": ("Not ready yet", "Their authors have open questions to answer."),
    "unjudged": ("Not judged", "Their text could not be judged, or not yet."),
    "quiet": ("Kept quiet", "Many labels came at once: judged, but no comment was written."),
    "old": ("Old labels", "Labelled before Signalbox was connected: nothing starts by itself."),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a group. fault: why Jira could not be asked; more: there is a next page."""

    rows: list[dict[str, Any]]
    more: bool
    total: int | None
    fault: str = ""
    cut: bool = False


def project_page(frame: Frame, viewer: Viewer, look: Look) -> str:
    """The whole page as HTML. Raises Hidden."""
    site = site_of(frame, viewer.site_id)
    project = sites.get_project(frame.db, site["id"], viewer.subject)
    if project is None or project["mode"] == "off":
        state = "off" if project is not None else "not_connected"
        return render(frame, "apart.html", site, state=state, project_key=viewer.subject)
    tracker, fault, rights = frame.tracker(site), "", NO_RIGHTS
    try:
        rights = may(frame, site, tracker, viewer, project["key"])
    except PortError as away:
        fault = str(away)
    costs = sees_costs(viewer, project, rights)
    counts = surfaces.counts(frame.db, project)
    group = look.group if look.group in GROUPS else _first(counts)
    asked = asked_of(frame, site, OF_PROJECT + project["key"])
    paused = project["paused_at"] is not None
    return render(
        frame,
        "project.html",
        site,
        project=project,
        fault=fault,
        groups=GROUPS,
        counts=counts,
        group=group,
        page=look.page,
        listing=_listing(frame, site, project, tracker, Look(group, look.page), fault),
        runs=[_live(frame, site, project, row) for row in _live_rows(frame, project)],
        costs=costs,
        money=_money(frame, site, project) if costs else [],
        scan=_scan(frame, site, project, tracker, fault),
        simulated=surfaces.simulated(frame.db, site["id"], project_key=project["key"]),
        buttons=rights.buttons(asked, "resume" if paused else "pause"),
        asked=asked,
    )


def _first(counts: dict[str, int]) -> str:
    return next((name for name in GROUPS if counts.get(name)), "ready")


def _listing(
    frame: Frame, site: Row, project: Row, tracker: Tracker, look: Look, fault: str
) -> Listing:
    skip = (look.page - 1) * PAGE
    if look.group == "old":
        return _old(frame, site, project, tracker, skip)
    rows = surfaces.listed(frame.db, project, look.group, skip, PAGE + 1)
    shown = rows[:PAGE]
    summaries = {} if fault else _summaries(tracker, [row["key"] for row in shown])
    lines = [_line(row, summaries.get(row["issue_id"], "")) for row in shown]
    total = surfaces.counts(frame.db, project).get(look.group, 0)
    return Listing(lines, len(rows) > PAGE, total)


def _line(row: Row, summary: str) -> dict[str, Any]:
    decision = row["decision"] or {}
    told = [each for each in decision.get("reasons", ()) if each["code"] != "not_ready"]
    why = " ".join(f"{each['text']} {each['next']}".strip() for each in told[:2])
    if decision.get("decision") == "admit":
        why = f"Run {decision['run']} was let out."
    elif decision.get("why") == "label_used":
        why = "It has had its run."
    return {
        "key": row["key"],
        "summary": summary,
        "score": row["score"],
        "verdict": row["verdict"],
        "why": why,
        "at": row["assessed_at"],
    }


def _summaries(tracker: Tracker, keys: list[str]) -> dict[str, str]:
    """Headlines by id, read now and not kept. Without them the list still says all of ours."""
    if not keys:
        return {}
    try:
        found = tracker.search(f"issuekey in ({', '.join(keys)}) ORDER BY issuekey", len(keys))
    except PortError:  # one of them was deleted or moved, or Jira is away
        return {}
    return {ticket.id: ticket.summary for ticket in found}


def _old(frame: Frame, site: Row, project: Row, tracker: Tracker, skip: int) -> Listing:
    """Tickets with a label from before the connection: most of them we never looked at."""
    jql = f'project = "{project["key"]}" AND labels = "{_quoted(site["label"])}" ORDER BY key'
    try:
        found = tracker.search(jql, MOST_OLD)
    except PortError as fault:
        rows = surfaces.listed(frame.db, project, "old", skip, PAGE + 1)
        lines = [_line(row, "") for row in rows[:PAGE]]
        return Listing(lines, len(rows) > PAGE, None, str(fault))
    known = surfaces.known(frame.db, project)
    old = [ticket for ticket in found if ticket.id not in known]
    lines = [_found(ticket) for ticket in old[skip : skip + PAGE]]
    cut = len(found) >= MOST_OLD
    return Listing(lines, len(old) > skip + PAGE, len(old), cut=cut)


def _scan(
    frame: Frame, site: Row, project: Row, tracker: Tracker, fault: str
) -> dict[str, Any] | None:
    """The newest scan of the project's backlog: the nearest tickets of each group."""
    row = scans.newest(frame.db, site["id"], project["key"])
    if row is None:
        return None
    counts = scans.counts(frame.db, row, project["key"])
    found = {
        group: scans.ranked(frame.db, row, group, NEAREST, project["key"]) for group in STANDINGS
    }
    keys = [line["key"] for lines in found.values() for line in lines]
    summaries = {} if fault else _summaries(tracker, keys)
    groups = [
        {
            "title": title,
            "count": counts[group],
            "rows": [
                {**line, "summary": summaries.get(line["issue_id"], ""), "asked": _asked(line)}
                for line in found[group]
            ],
        }
        for group, title in STANDINGS.items()
    ]
    read = sum(counts.values())
    return {**row, "groups": groups, "read": read, "apart": counts[APART]}


def _asked(line: Row) -> str:
    """What the ticket is asked first, if an answer is what it waits for."""
    if line["group"] == "ready" or line["top"] not in BY_NAME:
        return ""
    more = line["questions"] - 1
    return BY_NAME[line["top"]].title + (f" and {more} more" if more else "")


def _found(ticket: Found) -> dict[str, Any]:
    line = {"key": ticket.key, "summary": ticket.summary, "at": ticket.updated}
    return {**line, "score": None, "verdict": None, "why": ""}


def _quoted(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"')


def _live_rows(frame: Frame, project: Row) -> list[Row]:
    return surfaces.live_runs(frame.db, project["site_id"], project["key"])


def _live(frame: Frame, site: Row, project: Row, row: Row) -> dict[str, Any]:
    view = run_view(frame.db, site, project, frame.agent(row), row)
    title = named(view.agent_title, simulated=row["simulated"])
    return {"key": row["key"], "title": title, "view": view, "steps": len(view.ticks)}


def _money(frame: Frame, site: Row, project: Row) -> list[spending.Balance]:
    """Budgets of this project; those of its site belong to the site's admins."""
    present = spending.balances(frame.db, site["id"], frame.clock.now())
    mine = ("project", project["key"])
    return [balance for balance in present if (balance.kind, balance.subject) == mine]
