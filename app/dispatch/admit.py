"""The gate: facts are gathered, core decides, and a start is one transaction: claim the ticket,
set the money aside, freeze the text, start the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from app.core.criteria import BY_NAME
from app.core.eligibility import Admit, Defer, Facts, Reason, Trigger, decide
from app.core.judge import with_judge
from app.core.readiness import Readiness, waiting
from app.core.readiness import assess as judge
from app.core.rights import left_alone, roles_with
from app.core.run import DRIFTED, RunRef
from app.core.ticket import Ticket
from app.dispatch import room, trigger
from app.ports import Cage, CodeHost, CodingAgent, NotFound, PortError, Tracker
from app.store import judgements, objections, run_money, runs, sites, tickets
from app.store.database import Database
from app.store.inbox import Enqueue
from app.store.ledger import NoRoom
from app.store.sites import Row


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate works with. `agent` and `cage` are those that the project has chosen."""

    db: Database
    tracker: Tracker
    code_host: CodeHost
    agent: CodingAgent | None
    cage: Cage
    enqueue: Enqueue


def admit(
    gate: Gate, site: Row, project: Row, issue_id: str, spec_hash: str, now: datetime
) -> dict[str, Any]:
    """{"decision": admit | defer | none, "reasons": [...], "run": n}, recorded on the ticket.

    "none" = nobody asks for a start (no label, not assigned to us, or a mode without runs), or what
    asks has had its run. Safe to repeat: a trigger that has its run is answered with that run.
    """
    decision = _decide(gate, site, project, issue_id, spec_hash, now)
    # A mode that starts nothing may become one that does: then its tickets are looked at again.
    waits = decision["decision"] == "defer" or decision.get("why") == "mode"
    tickets.record(gate.db, site["id"], issue_id, {"decision": decision, "look_again": waits})
    return decision


def _decide(
    gate: Gate, site: Row, project: Row, issue_id: str, spec_hash: str, now: datetime
) -> dict[str, Any]:
    try:
        ticket = gate.tracker.ticket(issue_id)
    except NotFound:
        return _none("gone")
    before = runs.of_ticket(gate.db, site["id"], issue_id)
    active = next((row for row in before if row["ended_at"] is None), None)
    if active is not None:
        return _watch(gate, site, ticket, active)
    if project["mode"] in ("watch", "advise"):
        return _none("mode")
    wish = trigger.find(gate.db, gate.tracker, site, ticket, before)
    if wish is None:
        shown = ticket.shows(site["label"], site["account_id"])
        return _none("label_used" if shown else "no_label", before)
    if ticket.spec_hash() != spec_hash:
        return _none("text_changed")
    facts = gather(gate, site, project, ticket, wish)
    verdict = decide(facts)
    if isinstance(verdict, Admit):  # only now is it worth a look at the repository and the cage
        waiting = _open_pull_requests(gate, project)
        fault = gate.cage.available()
        verdict = decide(replace(facts, open_pull_requests=waiting, cage_fault=fault))
    if isinstance(verdict, Defer):
        return _defer(verdict.reasons)
    return _start(gate, site, project, ticket, wish, now)


def _watch(gate: Gate, site: Row, ticket: Ticket, active: Row) -> dict[str, Any]:
    """A run is on: withdrawing all that asked for it stops it (also where it was asked for anew
    since), and so does a text that is no longer the one that was let out."""
    ref = RunRef(site["id"], ticket.id, active["key"], active["number"])
    now = trigger.signals(gate.tracker, site, ticket, [active])
    if now.withdrawn_since(*trigger.past([active])):
        assigned = active["trigger_id"].startswith("assign:")
        label = f'the label "{site["label"]}" was removed'
        why = "the ticket was assigned to somebody else" if assigned else label
        runs.ask_stop(gate.db, ref, "", why)
    elif ticket.spec_hash() != active["spec_hash"]:
        runs.ask_stop(gate.db, ref, "", DRIFTED)
    return {"decision": "admit", "reasons": [], "run": active["number"]}


def gather(gate: Gate, site: Row, project: Row, ticket: Ticket, wish: Trigger) -> Facts:
    """Look up now what is quick to be had. What can't be found out is None and speaks against a
    start."""
    readiness = _readiness(gate, project, ticket)
    paused = "site" if site["paused_at"] else "project" if project["paused_at"] else ""
    row = tickets.get(gate.db, site["id"], ticket.id)
    approved = row is not None and row["approved_hash"] == ticket.spec_hash()
    dear = None if approved else room.dear(gate.db, gate.agent, site, project, ticket)
    kind, may = trigger.may(gate.db, gate.tracker, ticket, wish.actor)
    return Facts(
        label=site["label"],
        mode=project["mode"],
        paused=paused,  # type: ignore[arg-type]
        storm=row is not None and row["quiet"] and wish.is_label,
        restricted=left_alone(ticket, project),
        done=ticket.done,
        ready=readiness.verdict == "ready",
        score=readiness.score,
        threshold=project["threshold"],
        trigger=wish,
        project_connected_at=project["connected_at"],
        actor_kind=kind,
        actor_may_dispatch=may,
        needs_approval=project["mode"] == "approve" and not approved,
        blockers=ticket.blockers,
        repository=project["repository"],
        acceptance=project["acceptance"],
        running=runs.running_in(gate.db, site["id"], project["key"]),
        slots=project["slots"],
        open_pull_requests=0,
        open_pull_requests_limit=project["open_pull_requests"],
        cage_fault="",
        agent_fault="" if gate.agent else f'The agent "{project["agent"]}" is not set up here.',
        unlifted=_titles(waiting(readiness, frozenset(project["must_haves"]))),
        lifters=roles_with("dispatch", sites.grants(gate.db, site["id"], ticket.project_key)),
        dear=dear,
    )


def _titles(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(BY_NAME[name].title for name in names)


def _readiness(gate: Gate, project: Row, ticket: Ticket) -> Readiness:
    """Of the text as it is now; what the LLM judge has said of it can only lower it."""
    must_haves, threshold = frozenset(project["must_haves"]), project["threshold"]
    wrong = objections.held(gate.db, ticket.site_id, ticket.id, ticket.spec_hash())
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
    known = judgements.judged(gate.db, ticket.site_id, ticket.project_key, ticket.spec_hash())
    return with_judge(readiness, known, must_haves, threshold, wrong)


def _open_pull_requests(gate: Gate, project: Row) -> int | None:
    if not project["repository"]:
        return 0
    try:
        open_ones = gate.code_host.open_agent_pull_requests(
            project["repository"], project["base_branch"]
        )
    except PortError:
        return None
    return len(open_ones)


def _start(
    gate: Gate, site: Row, project: Row, ticket: Ticket, wish: Trigger, now: datetime
) -> dict[str, Any]:
    assert gate.agent is not None, "decide() refuses without an agent"
    approval = tickets.get(gate.db, site["id"], ticket.id)
    if project["mode"] != "approve" and project["approve_above"] is None:
        approval = None
    values = {
        "site_id": site["id"],
        "issue_id": ticket.id,
        "key": ticket.key,
        "project_key": project["key"],
        "trigger_id": wish.id,
        "actor": wish.actor,
        "triggered_at": wish.at,
        "approved_by": approval["approved_by"] if approval else None,
        "approved_at": approval["approved_at"] if approval else None,
        "agent": gate.agent.name,
        "simulated": gate.agent.simulated,
        "repository": project["repository"],
        "base_branch": project["base_branch"],
        "cage": gate.cage.name,
        "spec_hash": ticket.spec_hash(),
        "spec": {
            "summary": ticket.summary,
            "description": ticket.description.plain(),
            "type": ticket.issue_type,
        },
        "spec_as_of": ticket.updated,
        **room.foreseen(gate.db, gate.agent, project, ticket),
    }
    money = run_money.Money(project["attempt_cap"], site["zone"], gate.agent.prices)
    try:
        started = runs.start(gate.db, values, money, project["slots"], gate.enqueue, now)
    except runs.AlreadyRunning:
        return _none("label_used")
    if isinstance(started, NoRoom):
        return _defer((room.no_room(started, site),))
    if started is None:
        full = Reason("slots", "All agents of this project are at work.", "I look again soon.")
        return _defer((full,))
    return {"decision": "admit", "reasons": [], "run": started.number}


def _defer(reasons: tuple[Reason, ...]) -> dict[str, Any]:
    return {"decision": "defer", "reasons": [asdict(reason) for reason in reasons], "run": None}


def _none(why: str, before: list[Row] | None = None) -> dict[str, Any]:
    last = before[-1]["number"] if before else None
    return {"decision": "none", "why": why, "reasons": [], "run": last}
