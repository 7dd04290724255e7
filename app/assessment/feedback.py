"""The one readiness comment: written once, edited in place, true for the text as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.assessment.assess import judge_ticket
from app.core.comments.readiness import NoStart, ReadinessView, Starts, readiness_comment
from app.core.eligibility import Defer, Reason
from app.core.readiness import Readiness, numbered, waiting
from app.core.rights import roles_with
from app.core.split import parts_of
from app.core.ticket import Ticket
from app.ports import NotFound, Tracker
from app.store import objections, sites, spending, splits, tickets
from app.store.database import Database
from app.store.sites import Row

COMMENT = "readiness"  # the key in the comment's property
PROPERTY = "signalbox.readiness"

Titles = Mapping[str, tuple[str, bool]]
"""By an agent's name: its title for people, and whether it is simulated."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the comment is written with. titles: by an agent's name, see Titles."""

    db: Database
    tracker: Tracker
    site: Row
    titles: Titles


def tell(desk: Desk, issue_id: str, spec_hash: str, gen: int, now: datetime) -> None:
    """Say in the ticket what was found and decided for the text `spec_hash`.

    Where the text has changed since, nothing is said: it is assessed once more instead.
    """
    db, tracker, site = desk.db, desk.tracker, desk.site
    try:
        ticket = tracker.ticket(issue_id)
    except NotFound:
        return
    project = sites.get_project(db, site["id"], ticket.project_key)
    row = tickets.get(db, site["id"], issue_id)
    if project is None or row is None:
        return
    if ticket.spec_hash() != spec_hash:
        tickets.again(db, site["id"], issue_id, f"changed:{issue_id}:{gen}", "text-changed", now)
        return
    readiness = judge_ticket(db, ticket, project)
    tracker.set_property(issue_id, PROPERTY, _property(readiness, row["decision"] or {}))
    if project["mode"] == "watch" or (row["quiet"] and not _heard_of(row)):
        return
    view = readiness_view(desk, project, ticket, row)
    comment_id = tracker.put_comment(issue_id, COMMENT, readiness_comment(view))
    _keep_shown(desk, ticket, readiness, comment_id)
    if comment_id != row["comment_id"] or spec_hash != row["told_hash"]:
        # By Jira's clock: who approves this text has to have written after it was in Jira.
        told = {"comment_id": comment_id, "told_hash": spec_hash, "told_at": ticket.updated}
        tickets.record(db, site["id"], issue_id, told)


def _keep_shown(desk: Desk, ticket: Ticket, readiness: Readiness, comment_id: str) -> None:
    """Which question has which number there, so that "agent wrong 2" means the one that was read;
    by Jira's clock, as comments are timed by it."""
    site_id = desk.site["id"]
    findings = numbered(readiness)
    before = objections.as_shown(desk.db, site_id, ticket.id)
    known = before["findings"] if before is not None else []
    same_text = before is not None and before["spec_hash"] == ticket.spec_hash()
    if known == findings and (same_text or not findings):
        return
    stands = {
        "site_id": site_id,
        "issue_id": ticket.id,
        "shown_at": desk.tracker.comment(ticket.id, comment_id).updated,
        "rubric": readiness.rubric,
        "spec_hash": ticket.spec_hash(),
        "findings": findings,
    }
    objections.show(desk.db, stands)


def readiness_view(desk: Desk, project: Row, ticket: Ticket, row: Row | None) -> ReadinessView:
    """What there is to say of the ticket as it is now: the comment and the panel say the same."""
    db, site = desk.db, desk.site
    readiness = judge_ticket(db, ticket, project)
    grants = sites.grants(db, site["id"], ticket.project_key)
    return ReadinessView(
        readiness=readiness,
        decision=_decision((row and row["decision"]) or {}, desk.titles.get(project["agent"])),
        label=site["label"],
        assigned=ticket.shows(site["label"], site["account_id"]) == {"assign"},
        nothing_spent=spending.ticket_cost(db, site["id"], ticket.id) == (0, 0),
        unread=ticket.description.unread,
        hidden=ticket.description.hidden,
        approvers=roles_with("approve", grants),
        waiting=waiting(readiness, frozenset(project["must_haves"])),
        lifters=roles_with("dispatch", grants),
        parts=parts_of(readiness, ticket),
        made=splits.made(db, site["id"], ticket.id),
        costs=project["costs_in_comments"],
        asked=(row["asked_at"], ZoneInfo(site["zone"])) if row and row["asked_at"] else None,
    )


def _heard_of(row: Row) -> bool:
    """One of a storm gets no comment, but the one it has stays true, and who asks is answered."""
    return bool(row["comment_id"] or row["asked_at"])


def _decision(
    decision: Mapping[str, Any], agent: tuple[str, bool] | None
) -> Starts | Defer | NoStart:
    match decision.get("decision"):
        case "admit":
            title, simulated = agent or ("An agent", False)
            return Starts(title, simulated, decision["run"])
        case "defer":
            return Defer(tuple(Reason(**reason) for reason in decision["reasons"]))
    return NoStart(decision.get("why", "no_label"), decision.get("run"))


def _property(readiness: Readiness, decision: Mapping[str, Any]) -> dict[str, Any]:
    """What panels, filters and other apps may read. No text of the ticket."""
    return {
        "score": readiness.score,
        "verdict": readiness.verdict,
        "rubric": readiness.rubric,
        "judge": _judge(readiness),
        "decision": decision.get("decision", "none"),
        "reasons": [reason["code"] for reason in decision.get("reasons", ())],
    }


def _judge(readiness: Readiness) -> str:
    """Has an LLM had its part in it?"""
    if readiness.judged is None:
        return "off"
    return "failed" if readiness.judged.judgement is None else "on"
