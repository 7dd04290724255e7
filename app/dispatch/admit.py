"""The gate: facts are gathered, core decides, and a start is one transaction: claim the ticket,
set the money aside, freeze the text, start the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.core.eligibility import Admit, Defer, Facts, Reason, Trigger, decide
from app.core.money import show
from app.core.readiness import assess as judge
from app.core.rights import holds
from app.core.run import DRIFTED, RunRef
from app.core.ticket import Ticket, label_set_by
from app.ports import Cage, CodeHost, CodingAgent, NotFound, PortError, Refused, Tracker
from app.store import runs, sites, tickets
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

    "none" = nobody asks for a start (no label, or a mode without runs), or this label has had its
    run. Safe to repeat: a trigger that has its run is answered with that run.
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
    trigger = _trigger(gate, site, ticket, before)
    if project["mode"] in ("watch", "advise"):
        return _none("mode")
    if trigger is None:
        return _none("no_label" if site["label"] not in ticket.labels else "label_used", before)
    if ticket.spec_hash() != spec_hash:
        return _none("text_changed")
    facts = gather(gate, site, project, ticket, trigger)
    verdict = decide(facts)
    if isinstance(verdict, Admit):  # only now is it worth a look at the repository and the cage
        waiting = _open_pull_requests(gate, project)
        fault = gate.cage.available()
        verdict = decide(replace(facts, open_pull_requests=waiting, cage_fault=fault))
    if isinstance(verdict, Defer):
        return _defer(verdict.reasons)
    return _start(gate, site, project, ticket, trigger, now)


def _trigger(gate: Gate, site: Row, ticket: Ticket, before: list[Row]) -> Trigger | None:
    """The newest intent, if it is newer than every one that has had its run: the label as it
    stands, or a person's retry. An older one was overtaken."""
    if site["label"] not in ticket.labels:
        return None
    found = label_set_by(gate.tracker.label_history(ticket.id), site["label"])
    wishes = [] if found is None else [Trigger(f"label:{found.id}", found.actor, found.at)]
    row = tickets.get(gate.db, site["id"], ticket.id)
    if row is not None and row["retry_id"]:
        wishes.append(Trigger(f"retry:{row['retry_id']}", row["retry_by"], row["retry_at"]))
    used = {row["trigger_id"] for row in before}
    newest = max((row["triggered_at"] for row in before), default=None)
    fresh = [w for w in wishes if w.id not in used and (newest is None or w.at > newest)]
    return max(fresh, key=lambda wish: wish.at, default=None)


def _watch(gate: Gate, site: Row, ticket: Ticket, active: Row) -> dict[str, Any]:
    """A run is on: the label's removal stops it (also when it was set anew since), and so does a
    text that is no longer the one that was let out."""
    ref = RunRef(site["id"], ticket.id, active["key"], active["number"])
    found = label_set_by(gate.tracker.label_history(ticket.id), site["label"])
    newer = found is not None and found.at > active["triggered_at"]
    set_anew = newer and found is not None and f"label:{found.id}" != active["trigger_id"]
    if site["label"] not in ticket.labels or set_anew:
        runs.ask_stop(gate.db, ref, "", f'the label "{site["label"]}" was removed')
    elif ticket.spec_hash() != active["spec_hash"]:
        runs.ask_stop(gate.db, ref, "", DRIFTED)
    return {"decision": "admit", "reasons": [], "run": active["number"]}


def gather(gate: Gate, site: Row, project: Row, ticket: Ticket, trigger: Trigger) -> Facts:
    """Look up now what is quick to be had. What can't be found out is None and speaks against a
    start."""
    readiness = judge(
        ticket.summary,
        ticket.description,
        ticket.issue_type,
        must_haves=frozenset(project["must_haves"]),
        threshold=project["threshold"],
    )
    paused = "site" if site["paused_at"] else "project" if project["paused_at"] else ""
    row = tickets.get(gate.db, site["id"], ticket.id)
    approved = row is not None and row["approved_hash"] == ticket.spec_hash()
    kind, may = _person(gate, site["id"], project["key"], trigger.actor)
    return Facts(
        label=site["label"],
        mode=project["mode"],
        paused=paused,  # type: ignore[arg-type]
        restricted=ticket.restricted,
        done=ticket.done,
        ready=readiness.verdict == "ready",
        score=readiness.score,
        threshold=project["threshold"],
        trigger=trigger,
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
    )


def _person(
    gate: Gate, site_id: str, project_key: str, account_id: str
) -> tuple[str | None, bool | None]:
    """What kind of account it is and whether it may dispatch; None where Jira does not tell."""
    try:
        account = gate.tracker.account(account_id)
        roles = gate.tracker.roles(project_key, account_id)
    except Refused:
        return None, None
    grants = sites.grants(gate.db, site_id, project_key)
    return account.kind, account.active and holds("dispatch", grants, account_id, roles)


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
    gate: Gate, site: Row, project: Row, ticket: Ticket, trigger: Trigger, now: datetime
) -> dict[str, Any]:
    assert gate.agent is not None, "decide() refuses without an agent"
    approval = tickets.get(gate.db, site["id"], ticket.id)
    if project["mode"] != "approve":
        approval = None
    values = {
        "site_id": site["id"],
        "issue_id": ticket.id,
        "key": ticket.key,
        "project_key": project["key"],
        "trigger_id": trigger.id,
        "actor": trigger.actor,
        "triggered_at": trigger.at,
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
    }
    money = runs.Money(project["attempt_cap"], site["zone"])
    try:
        started = runs.start(gate.db, values, money, project["slots"], gate.enqueue, now)
    except runs.AlreadyRunning:
        return _none("label_used")
    if isinstance(started, NoRoom):
        return _defer((_no_room(started, site),))
    if started is None:
        full = Reason("slots", "All agents of this project are at work.", "I look again soon.")
        return _defer((full,))
    return {"decision": "admit", "reasons": [], "run": started.number}


def _no_room(room: NoRoom, site: Row) -> Reason:
    """In the words of somebody who has to explain it to the author of the ticket."""
    name = {"site": "Site", "project": "Project", "ticket": "Ticket"}.get(room.kind, room.kind)
    if room.reason == "overrun":
        return Reason(
            "overrun",
            "An attempt in this project cost more than was set aside for it.",
            "An admin confirms that it was seen by setting the budget again: signalbox budget set.",
        )
    if room.limit is None:
        return Reason(
            "no_budget",
            "No budget is set for this project or its site, so nothing may be spent.",
            "An admin sets one: signalbox budget set.",
        )
    free = max(0, room.limit - room.posted - room.held)
    currency, until = site["currency"], ""
    if room.resets_at is not None:
        until = f" until {room.resets_at.astimezone(ZoneInfo(site['zone'])):%-d %b}"
    text = (
        f"{name} budget: this needs {show(room.needed, currency)} set aside, "
        f"{show(free, currency)} is free{until}."
    )
    return Reason("budget", text, "A project admin can raise it: signalbox budget set.")


def _defer(reasons: tuple[Reason, ...]) -> dict[str, Any]:
    return {"decision": "defer", "reasons": [asdict(reason) for reason in reasons], "run": None}


def _none(why: str, before: list[Row] | None = None) -> dict[str, Any]:
    last = before[-1]["number"] if before else None
    return {"decision": "none", "why": why, "reasons": [], "run": last}
