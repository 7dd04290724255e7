"""The durable steps of assessment, dispatch and answers: each binds ports and store to one stage
function, and is safe to repeat."""

from __future__ import annotations

from typing import Any

import structlog
from dbos import DBOS

from app.assessment import assess as assessing
from app.assessment import feedback
from app.assessment import judge as judging
from app.dispatch import cancel as cancelling
from app.dispatch.admit import Gate
from app.dispatch.admit import admit as decide_start
from app.engine.binding import PATIENT, agent_of, bound, find_run, parts, tracker_of
from app.intake.look_up import look_up
from app.intake.mention import hear as find_comment
from app.reporting import alert, answer
from app.reporting import report as reporting
from app.reporting.asked import Desk
from app.store import inbox, sites, storms, tickets

log = structlog.get_logger()


@DBOS.step(**PATIENT)
def find(site_id: str, key: str, delivery: int) -> dict[str, str]:
    _, tracker = tracker_of(site_id)
    return look_up(parts().db, tracker, key, delivery)


@DBOS.step(**PATIENT)
def hear(site_id: str, issue_id: str, delivery: int) -> dict[str, str]:
    site, tracker = tracker_of(site_id)
    return find_comment(parts().db, tracker, site, issue_id, delivery)


@DBOS.step(**PATIENT)
def assess(site_id: str, issue_id: str, gen: int) -> dict[str, Any]:
    _, tracker = tracker_of(site_id)
    now = parts().clock.now()
    return assessing.assess(parts().db, tracker, site_id, issue_id, gen, now)


@DBOS.step(**PATIENT)
def judge(site_id: str, issue_id: str, spec_hash: str) -> str:
    ports = parts()
    site, tracker = tracker_of(site_id)
    bench = judging.Bench(ports.db, tracker, ports.code_host, ports.judge, ports.clock)
    return judging.judge(bench, site, issue_id, spec_hash)


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
def give_back(
    workflow_id: str, site_id: str, issue_id: str, fault: str, gen: int | None = None
) -> str:
    """In bad weather the deliveries wait for the relay again; a fault of ours, or a credential
    that is refused, is parked where an admin sees it. Both ways the sweep looks again at a ticket
    whose assessment `gen` this was."""
    db, now = parts().db, parts().clock.now()
    if gen is not None:
        tickets.undecide(db, site_id, issue_id, gen)
    if fault == "weather":
        inbox.wait_again(db, workflow_id, "Jira did not answer; tried again later", now)
        return "waiting"
    log.error("a delivery is parked", workflow=workflow_id, fault=fault)
    inbox.settle(db, workflow_id, "parked", fault)
    return "parked"


@DBOS.step(**PATIENT)
def obey(site_id: str, issue_id: str, comment_id: str) -> dict[str, Any]:
    return answer.obey(_desk(site_id), issue_id, comment_id, parts().clock.now())


@DBOS.step(**PATIENT)
def press(site_id: str, subject: str, delivery: int) -> dict[str, Any]:
    wish = inbox.pressed(parts().db, delivery)
    return answer.obey_press(_desk(site_id), subject, wish, parts().clock.now())


def _desk(site_id: str) -> Desk:
    site, tracker = tracker_of(site_id)
    return Desk(parts().db, tracker, site, agent_of)


@DBOS.step(**PATIENT)
def notify(site_id: str, delivery: int) -> None:
    site, tracker = tracker_of(site_id)
    alert.tell_storm(parts().db, tracker, site, storms.notice(parts().db, delivery))


@DBOS.step(**PATIENT)
def cancel(site_id: str, issue_id: str, delivery: int) -> dict[str, Any]:
    _, tracker = tracker_of(site_id)
    return cancelling.cancel(parts().db, tracker, site_id, issue_id, delivery)


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
