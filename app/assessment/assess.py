"""Read the ticket as it is in Jira now, judge its text, record what was found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core.judge import with_judge
from app.core.readiness import Readiness
from app.core.readiness import assess as judge
from app.core.rights import left_alone
from app.core.run import RunRef
from app.core.ticket import Ticket, label_set_by
from app.ports import NotFound, Tracker
from app.store import judgements, objections, runs, sites, storms, tickets
from app.store.database import Database
from app.store.sites import Row

GONE = "the ticket is gone, or hidden from Signalbox"


def assess(
    db: Database, tracker: Tracker, site_id: str, issue_id: str, gen: int, now: datetime
) -> dict[str, Any]:
    """{"outcome": handled | ignored, "reason", "spec_hash", "judge": is an LLM to read the text};
    the payload plays no part in it."""
    tickets.begin(db, site_id, issue_id, gen)
    try:
        ticket = tracker.ticket(issue_id)
    except NotFound:
        _stop_active(db, site_id, issue_id, GONE)
        tickets.record(db, site_id, issue_id, {"look_again": False})
        return _ignored(GONE)
    project = sites.get_project(db, site_id, ticket.project_key)
    if why := _hands_off(ticket, project):
        _stop_active(db, site_id, issue_id, why)
        return _ignored(why)
    assert project is not None, "hands are off an unknown project"
    site = sites.get_site(db, site_id)
    if not concerns_us(db, site, ticket):
        return _ignored(f'the ticket does not carry the label "{site["label"]}"')
    label = _label(tracker, site, project, ticket)
    storms.note_label(db, site_id, issue_id, label, now)
    readiness = judge_ticket(db, ticket, project)
    found = {
        "key": ticket.key,
        "project_key": ticket.project_key,
        "spec_hash": ticket.spec_hash(),
        "score": readiness.score,
        "verdict": readiness.verdict,
        "rubric": readiness.rubric,
        "assessed_at": now,
        "seen_updated": ticket.updated,
    }
    tickets.record(db, site_id, issue_id, found)
    done = {"outcome": "handled", "reason": "", "spec_hash": ticket.spec_hash()}
    return done | {"judge": project["judge"]}


def _hands_off(ticket: Ticket, project: Row | None) -> str:
    """Why nothing at all may be done with it; a run that is on ends for the same reason."""
    if project is None:
        return f"project {ticket.project_key} is not connected"
    if project["mode"] == "off":
        return f"project {ticket.project_key} is switched off"
    apart = left_alone(ticket, project)
    return f"left alone by default: {apart}" if apart else ""


def _label(tracker: Tracker, site: Row, project: Row, ticket: Ticket) -> storms.Label | None:
    """Who set the label as it stands, and when; None where there is none, or nobody can tell."""
    if site["label"] not in ticket.labels:
        return None
    found = label_set_by(tracker.label_history(ticket.id), site["label"])
    if found is None:
        return None
    return storms.Label(project["key"], found.actor, found.at, project["connected_at"])


def concerns_us(db: Database, site: Row, ticket: Ticket) -> bool:
    """A ticket is ours while it carries the label or is assigned to us, and from then on for as
    long as we told it something or ran on it: its comment has to stay true."""
    if ticket.shows(site["label"], site["account_id"]):
        return True
    row = tickets.get(db, site["id"], ticket.id)
    return row is not None and bool(row["comment_id"] or row["asked_at"] or row["decision"])


def judge_ticket(db: Database, ticket: Ticket, project: Row) -> Readiness:
    """By the checklist, less what people called wrong, and by what the LLM judge has said of this
    text where it may be asked."""
    must_haves, threshold = frozenset(project["must_haves"]), project["threshold"]
    wrong = objections.held(db, ticket.site_id, ticket.id, ticket.spec_hash())
    readiness = judge(
        ticket.summary,
        ticket.description,
        ticket.issue_type,
        must_haves=must_haves,
        threshold=threshold,
        objections=wrong,
    )
    if not project["judge"]:
        return readiness
    known = judgements.judged(db, ticket.site_id, ticket.project_key, ticket.spec_hash())
    return with_judge(readiness, known, must_haves, threshold, wrong)


def _stop_active(db: Database, site_id: str, issue_id: str, why: str) -> None:
    for row in runs.of_ticket(db, site_id, issue_id):
        if row["ended_at"] is None:
            runs.ask_stop(db, RunRef(site_id, issue_id, row["key"], row["number"]), "", why)


def _ignored(reason: str) -> dict[str, Any]:
    return {"outcome": "ignored", "reason": reason, "spec_hash": None, "judge": False}
