"""The LLM judge deepens what the checklist found: asked once a version of the text, money first.

Nothing here lets anything through: on any fault the checklist stands, and the comment says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.assessment.assess import judge_ticket
from app.core.judge import stored
from app.core.judge_answer import BadAnswer, read_answer
from app.core.judge_request import LONGEST_TEXT, JudgeRequest, build_request
from app.core.readiness import Readiness
from app.core.ticket import Ticket
from app.ports import (
    Clock,
    CodeHost,
    JudgeAnswer,
    NoJudgement,
    NotFound,
    Outline,
    PortError,
    SpecJudge,
    Tracker,
)
from app.store import judgements, sites, tickets
from app.store.database import Database
from app.store.judgements import Asking, Spent
from app.store.ledger import NoRoom
from app.store.sites import Row

LOST_AFTER = timedelta(minutes=10)
"""Far longer than a call may take: whoever has not ended it by then is gone."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Bench:
    """What a judging works with. judge: None where this worker has no key for one."""

    db: Database
    tracker: Tracker
    code_host: CodeHost
    judge: SpecJudge | None
    clock: Clock


def judge(bench: Bench, site: Row, issue_id: str, spec_hash: str) -> str:
    """Have the text `spec_hash` judged where that is wanted and not done yet; what became of it,
    in a word. Score and verdict on record are then those with the judge's doubts."""
    try:
        ticket = bench.tracker.ticket(issue_id)
    except NotFound:
        return "gone"
    project = sites.get_project(bench.db, site["id"], ticket.project_key)
    if project is None or not project["judge"] or ticket.spec_hash() != spec_hash:
        return "not wanted"
    readiness = judge_ticket(bench.db, ticket, project)
    if readiness.score is None:
        return "nothing to judge"
    done = _known(bench, site, ticket) or _ask(bench, site, project, ticket, readiness)
    lowered = judge_ticket(bench.db, ticket, project)
    found = {"score": lowered.score, "verdict": lowered.verdict}
    tickets.record(bench.db, site["id"], issue_id, found)
    return done


def _known(bench: Bench, site: Row, ticket: Ticket) -> str:
    """One request a version of the text: an answer holds while text, prompt and model do."""
    row = judgements.of_text(bench.db, site["id"], ticket.project_key, ticket.spec_hash())
    if row is None or (bench.judge is not None and row["model"] != bench.judge.model):
        return ""
    if row["state"] == "answered":
        return "known"
    resting = row["state"] == "failed" and judgements.asked_enough(row, bench.clock.now())
    return "rests" if resting else ""


def _ask(bench: Bench, site: Row, project: Row, ticket: Ticket, readiness: Readiness) -> str:
    asking = _asking(bench, site, ticket)
    if why := _hindrance(bench, site, project, ticket, readiness.text):
        judgements.not_asked(bench.db, asking, why, bench.clock.now())
        return "not asked"
    assert bench.judge is not None, "that would have been a hindrance"
    outline = _outline(bench, project)
    request = build_request(readiness.text, ticket.issue_type, outline.guidelines, outline.names)
    amount = bench.judge.worst_case(request)
    asking = _asking(bench, site, ticket, request.key(bench.judge.model), amount or 0)
    if amount is None:
        why = f"the price of {bench.judge.model} is not known"
        judgements.not_asked(bench.db, asking, why, bench.clock.now())
        return "not asked"
    begun = judgements.begin(bench.db, asking, bench.clock.now())
    if isinstance(begun, NoRoom):
        judgements.not_asked(bench.db, asking, _no_room(begun), bench.clock.now())
        return "not asked"
    return _call(bench, asking, begun, request, readiness.text) if begun else "rests"


def _asking(bench: Bench, site: Row, ticket: Ticket, key: str = "", amount: int = 0) -> Asking:
    model = bench.judge.model if bench.judge else ""
    return Asking(
        site_id=site["id"],
        key=key or f"unasked:{ticket.project_key}:{ticket.spec_hash()}",
        project_key=ticket.project_key,
        issue_id=ticket.id,
        spec_hash=ticket.spec_hash(),
        model=model,
        zone=site["zone"],
        currency=site["currency"],
        amount=amount,
        prices=bench.judge.prices if bench.judge else "",
        simulated=bench.judge is not None and bench.judge.simulated,
        ends_at=bench.clock.now() + LOST_AFTER,
    )


def _hindrance(bench: Bench, site: Row, project: Row, ticket: Ticket, text: str) -> str:
    """Why no money is even asked for; half a sentence for people, empty = nothing."""
    if bench.judge is None:
        return "no key for it is set up here"
    if site["paused_at"] or project["paused_at"]:
        return "Signalbox is paused"
    if len(text) > LONGEST_TEXT:
        return "the text is too long for it"
    row = tickets.get(bench.db, site["id"], ticket.id)
    return "too many labels were set at once" if row is not None and row["quiet"] else ""


def _outline(bench: Bench, project: Row) -> Outline:
    """The repository's own words; without them the text is judged alone."""
    if not project["repository"]:
        return Outline()
    try:
        return bench.code_host.outline(project["repository"], project["base_branch"])
    except PortError as fault:
        log.warning("a text is judged without its repository", fault=str(fault))
        return Outline()


def _call(bench: Bench, asking: Asking, hold_id: str, request: JudgeRequest, text: str) -> str:
    assert bench.judge is not None, "a call has begun"
    try:
        answer = bench.judge.judge(request)
    except NoJudgement as fault:
        spent = Spent(fault.cost, fault.usage)
        _failed(bench, asking, hold_id, str(fault), spent)
        return "failed"
    return _taken(bench, asking, hold_id, answer, text)


def _taken(bench: Bench, asking: Asking, hold_id: str, answer: JudgeAnswer, text: str) -> str:
    try:
        judgement = read_answer(answer.body, text)
    except BadAnswer:
        spent = Spent(answer.usage.cost, answer.usage)
        _failed(bench, asking, hold_id, "its answer was not what was asked for", spent)
        return "failed"
    now = bench.clock.now()
    judgements.answered(bench.db, asking, hold_id, stored(judgement), answer.usage, now)
    return "judged"


def _failed(bench: Bench, asking: Asking, hold_id: str, why: str, spent: Spent) -> None:
    log.warning("the judge did not answer", site=asking.site_id, hold=hold_id, why=why)
    now: datetime = bench.clock.now()
    judgements.failed(bench.db, asking, hold_id, why, spent, now)


def _no_room(room: NoRoom) -> str:
    if room.reason == "no_limit":
        return "no budget is set for it"
    if room.reason == "overrun":
        return "an admin has to look at a budget first"
    return f"the {room.kind}'s budget has no room for it"
