"""The durable steps of assessment, dispatch and answers: each binds ports and store to one stage
function, and is safe to repeat."""

from __future__ import annotations

from typing import Any

import structlog
from dbos import DBOS

from app.assessment import assess as assessing
from app.assessment import feedback
from app.dispatch.admit import Gate
from app.dispatch.admit import admit as decide_start
from app.engine.binding import PATIENT, agent_of, bound, find_run, parts, tracker_of
from app.reporting import answer
from app.reporting import report as reporting
from app.store import inbox, sites, tickets

log = structlog.get_logger()


@DBOS.step(**PATIENT)
def assess(site_id: str, issue_id: str, gen: int) -> dict[str, Any]:
    _, tracker = tracker_of(site_id)
    now = parts().clock.now()
    return assessing.assess(parts().db, tracker, site_id, issue_id, gen, now)


@DBOS.step(**PATIENT)
def admit(site_id: str, issue_id: str, spec_hash: str) -> dict[str, Any]:
    ports, enqueue, _ = bound()
    site, tracker = tracker_of(site_id)
    ticket = tracker.ticket(issue_id)
    project = sites.get_project(ports.db, site_id, ticket.project_key)
    if project is None:
        return {"decision": "none", "why": "mode", "reasons": [], "run": None}
    gate = Gate(
        ports.db,
        tracker,
        ports.code_host,
        ports.agents.get(project["agent"]),
        ports.cage_for(project),
        enqueue,
    )
    return decide_start(gate, site, project, issue_id, spec_hash, ports.clock.now())


@DBOS.step(**PATIENT)
def tell(site_id: str, issue_id: str, spec_hash: str, gen: int) -> None:
    ports = parts()
    site, tracker = tracker_of(site_id)
    titles = {name: (agent.title, agent.simulated) for name, agent in ports.agents.items()}
    desk = feedback.Desk(ports.db, tracker, site, titles)
    feedback.tell(desk, issue_id, spec_hash, gen, ports.clock.now())


@DBOS.step(**PATIENT)
def settle(workflow_id: str, outcome: str, reason: str) -> None:
    inbox.settle(parts().db, workflow_id, outcome, reason)


@DBOS.step(**PATIENT)
def catch_up(site_id: str, issue_id: str) -> None:
    """An assessment has come through: what an earlier fault had parked is done with."""
    inbox.unpark(parts().db, site_id, issue_id, "handled by a later assessment")


@DBOS.step(**PATIENT)
def give_back(workflow_id: str, site_id: str, issue_id: str, fault: str) -> str:
    """In bad weather the deliveries wait for the relay again; a fault of ours, or a credential
    that is refused, is parked where an admin sees it. Both ways the sweep looks again."""
    db, now = parts().db, parts().clock.now()
    tickets.record(db, site_id, issue_id, {"look_again": True, "decision": None})
    if fault == "weather":
        inbox.wait_again(db, workflow_id, "Jira did not answer; tried again later", now)
        return "waiting"
    log.error("a delivery is parked", workflow=workflow_id, fault=fault)
    inbox.settle(db, workflow_id, "parked", fault)
    return "parked"


@DBOS.step(**PATIENT)
def obey(site_id: str, issue_id: str, comment_id: str) -> dict[str, Any]:
    ports = parts()
    site, tracker = tracker_of(site_id)
    return answer.obey(ports.db, tracker, site, issue_id, comment_id, ports.clock.now())


@DBOS.step(**PATIENT)
def tell_result(site_id: str, issue_id: str, number: int) -> None:
    ports = parts()
    ref, row, project = find_run(site_id, issue_id, number)
    site, tracker = tracker_of(site_id)
    reporting.report(ports.db, tracker, site, project, agent_of(row), ref)
    reporting.report_end(ports.db, tracker, site, agent_of(row), ref, ports.clock.now())


@DBOS.step()
def leave_untold(site_id: str, issue_id: str, number: int, fault: str) -> None:
    """The sweep tells it later; meanwhile nobody waits in a slot."""
    log.warning("a result is not told yet", site=site_id, issue=issue_id, run=number, fault=fault)
