"""The durable steps: each binds ports and store to one stage function, and is safe to repeat."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

from dbos import DBOS
from dbos import error as engine_error

from app.assessment import assess as assessing
from app.assessment import feedback
from app.core.eligibility import OUTSIDE
from app.core.run import RETRYABLE, Ending, RunRef
from app.dispatch.admit import Gate
from app.dispatch.admit import admit as decide_start
from app.engine.parts import Parts
from app.execution import attempt as attempting
from app.execution import evidence
from app.execution import keep as keeping
from app.execution.workspace import make_workspace, refresh_mirror, remove_workspace
from app.ports import PortError, RateLimited, Refused, Tracker, Transient
from app.reporting import answer, handoff
from app.reporting import report as reporting
from app.store import inbox, ledger, runs, sites, tickets
from app.store.inbox import Enqueue
from app.store.sites import Row

MOST_INTERRUPTIONS = 3
LONGEST_WAIT = 60.0  # seconds that a step waits where Jira says how long

_bound: list[tuple[Parts, Enqueue]] = []


def bind(parts: Parts, enqueue: Enqueue) -> None:
    """Give the steps of this process what they work with."""
    _bound[:] = [(parts, enqueue)]


def _parts() -> Parts:
    return _bound[0][0]


def _tracker(site_id: str) -> tuple[Row, Tracker]:
    site = sites.get_site(_parts().db, site_id)
    return site, _parts().tracker(site)


def _weather(fault: BaseException) -> bool:
    """Worth another try later? Waits as long as the far side asks."""
    if isinstance(fault, RateLimited):
        time.sleep(min(fault.after, LONGEST_WAIT))
    return isinstance(fault, Transient)


async def _weather_async(fault: BaseException) -> bool:
    """The same where a sleeping thread would hold up every run."""
    if isinstance(fault, RateLimited):
        await asyncio.sleep(min(fault.after, LONGEST_WAIT))
    return isinstance(fault, Transient)


# 0.5 s, 1 s, 2 s …: about four minutes in all before somebody is told.
_again: dict[str, Any] = {
    "retries_allowed": True,
    "max_attempts": 9,
    "interval_seconds": 0.5,
    "backoff_rate": 2.0,
}
_patient = _again | {"should_retry": _weather}
_patient_async = _again | {"should_retry": _weather_async}
# What a run ended with has to reach the ticket, if Jira is back within the hours of a bad night.
_stubborn = _patient_async | {"max_attempts": 15}


def fault_of(fault: Exception) -> str:
    """What broke, in one line. "weather" stands for: the far side was down for minutes."""
    if isinstance(fault, engine_error.DBOSMaxStepRetriesExceeded | Transient):
        return "weather"
    return str(fault)[:500] if isinstance(fault, PortError) else repr(fault)[:500]


# Assessment and dispatch


@DBOS.step(**_patient)
def assess(site_id: str, issue_id: str, gen: int) -> dict[str, Any]:
    _, tracker = _tracker(site_id)
    now = _parts().clock.now()
    return assessing.assess(_parts().db, tracker, site_id, issue_id, gen, now)


@DBOS.step(**_patient)
def admit(site_id: str, issue_id: str, spec_hash: str) -> dict[str, Any]:
    parts, enqueue = _bound[0]
    site, tracker = _tracker(site_id)
    ticket = tracker.ticket(issue_id)
    project = sites.get_project(parts.db, site_id, ticket.project_key)
    if project is None:
        return {"decision": "none", "why": "mode", "reasons": [], "run": None}
    gate = Gate(
        parts.db,
        tracker,
        parts.code_host,
        parts.agents.get(project["agent"]),
        parts.cage_for(project),
        enqueue,
    )
    return decide_start(gate, site, project, issue_id, spec_hash, parts.clock.now())


@DBOS.step(**_patient)
def tell(site_id: str, issue_id: str, spec_hash: str, gen: int) -> None:
    parts = _parts()
    site, tracker = _tracker(site_id)
    titles = {name: (agent.title, agent.simulated) for name, agent in parts.agents.items()}
    desk = feedback.Desk(parts.db, tracker, site, titles)
    feedback.tell(desk, issue_id, spec_hash, gen, parts.clock.now())


@DBOS.step()
def settle(workflow_id: str, outcome: str, reason: str) -> None:
    inbox.settle(_parts().db, workflow_id, outcome, reason)


@DBOS.step()
def give_back(workflow_id: str, site_id: str, issue_id: str, fault: str) -> str:
    """After minutes of bad weather the deliveries wait for the relay again, and the ticket for
    the next sweep; a fault of ours is parked where an admin sees it."""
    if fault == "weather":
        tickets.record(_parts().db, site_id, issue_id, {"look_again": True})
        inbox.wait_again(_parts().db, workflow_id, "Jira did not answer; tried again")
        return "waiting"
    inbox.settle(_parts().db, workflow_id, "parked", fault)
    return "parked"


@DBOS.step(**_patient)
def obey(site_id: str, issue_id: str, comment_id: str) -> dict[str, Any]:
    parts = _parts()
    site, tracker = _tracker(site_id)
    return answer.obey(parts.db, tracker, site, issue_id, comment_id, parts.clock.now())


# Execution


def worth_another(last: dict[str, Any]) -> bool:
    return Ending(last["ending"]) in RETRYABLE


def _run(site_id: str, issue_id: str, number: int) -> tuple[RunRef, Row, Row]:
    row = runs.get(_parts().db, site_id, issue_id, number)
    project = sites.get_project(_parts().db, site_id, row["project_key"])
    if project is None:
        raise Refused(f"project {row['project_key']} was removed")
    return RunRef(site_id, issue_id, row["key"], number), row, project


def _prepare(site_id: str, issue_id: str, number: int) -> dict[str, Any]:
    parts = _parts()
    ref, row, project = _run(site_id, issue_id, number)
    mirror = refresh_mirror(parts.data / "mirrors", row["repository"])
    directory = parts.directory(site_id, issue_id, number)
    workspace = make_workspace(directory, mirror, row["base_branch"], ref.branch)
    now = parts.clock.now()
    runs.note(parts.db, ref, base_commit=workspace.base_commit, step=2, sign_at=now)
    return {"ending": None, "cause": "", "attempts": project["attempts"]}


@DBOS.step(**_patient_async)
async def prepare(site_id: str, issue_id: str, number: int) -> dict[str, Any]:
    return await asyncio.to_thread(_prepare, site_id, issue_id, number)


def _reserve(site_id: str, issue_id: str, number: int, n: int) -> dict[str, Any]:
    parts = _parts()
    ref, _, project = _run(site_id, issue_id, number)
    if runs.stop_asked(parts.db, ref):
        return {"granted": False}
    zone = sites.get_site(parts.db, site_id)["zone"]
    money = runs.Money(project["attempt_cap"], zone)
    room = runs.reserve_attempt(parts.db, ref, n, money, parts.clock.now())
    return {"granted": isinstance(room, ledger.Reserved)}


@DBOS.step()
async def reserve(site_id: str, issue_id: str, number: int, n: int) -> dict[str, Any]:
    return await asyncio.to_thread(_reserve, site_id, issue_id, number, n)


@DBOS.step(preemptible=True)
async def attempt(site_id: str, issue_id: str, number: int, n: int) -> dict[str, Any]:
    parts = _parts()
    ref, row, project = await asyncio.to_thread(_run, site_id, issue_id, number)
    if row["agent"] not in parts.agents:
        raise Refused(f'The agent "{row["agent"]}" is not set up on this worker.')
    bench = attempting.Bench(
        parts.db,
        parts.clock,
        parts.agents[row["agent"]],
        parts.cage_for(project),
        parts.open_gate,
        parts.directory(site_id, issue_id, number),
    )
    await asyncio.to_thread(runs.note, parts.db, ref, step=3, sign_at=parts.clock.now())
    return await attempting.attempt(bench, ref, n, project)


@DBOS.step(preemptible=True)
async def observe(site_id: str, issue_id: str, number: int, n: int) -> dict[str, Any]:
    parts = _parts()
    ref, row, project = await asyncio.to_thread(_run, site_id, issue_id, number)
    directory = parts.directory(site_id, issue_id, number)
    commit = await asyncio.to_thread(keeping.commit, parts.db, ref, directory)
    seen = await evidence.observe(
        parts.cage_for(project),
        directory,
        commit,
        project["acceptance"],
        row["spec"]["description"],
        project["attempt_seconds"],
    )
    ending = Ending.SUCCEEDED if seen["passed"] else Ending.FAILED
    await asyncio.to_thread(_judge, ref, n, ending, seen)
    return {"ending": ending, "cause": seen["cause"], "commit": commit}


def _judge(ref: RunRef, n: int, ending: Ending, seen: dict[str, Any]) -> None:
    runs.judge_attempt(_parts().db, ref, n, ending, seen["cause"][:4000])
    runs.note(_parts().db, ref, acceptance=seen["checks"])


# Reporting


@DBOS.step(**_patient_async)
async def report(site_id: str, issue_id: str, number: int, moment: str) -> None:
    await asyncio.to_thread(_report, site_id, issue_id, number, moment)


def _report(site_id: str, issue_id: str, number: int, moment: str) -> None:
    parts = _parts()
    ref, row, project = _run(site_id, issue_id, number)
    if moment.startswith("check"):
        runs.note(parts.db, ref, step=4, doing=None, sign_at=parts.clock.now())
    site, tracker = _tracker(site_id)
    reporting.report(parts.db, tracker, site, project, _agent(row), ref)


def _agent(row: Row) -> reporting.Agent:
    agent = _parts().agents.get(row["agent"])
    if agent is None:
        return reporting.Agent(row["agent"], row["simulated"], gated=False)
    return reporting.Agent(agent.title, agent.simulated, agent.needs_gate)


@DBOS.step(**_patient_async)
async def keep(site_id: str, issue_id: str, number: int, last: dict[str, Any]) -> dict[str, Any]:
    ref, _, _ = await asyncio.to_thread(_run, site_id, issue_id, number)
    directory = _parts().directory(site_id, issue_id, number)
    return await asyncio.to_thread(keeping.keep, _parts().db, ref, directory, last)


@DBOS.step(**_patient_async)
async def hand_over(
    site_id: str, issue_id: str, number: int, kept: dict[str, Any]
) -> dict[str, Any]:
    return await asyncio.to_thread(_hand_over, site_id, issue_id, number, kept)


def _hand_over(site_id: str, issue_id: str, number: int, kept: dict[str, Any]) -> dict[str, Any]:
    parts = _parts()
    ref, _, _ = _run(site_id, issue_id, number)
    _, tracker = _tracker(site_id)
    return handoff.hand_over(parts.db, tracker, parts.code_host, ref, kept)


@DBOS.step()
async def give_up(site_id: str, issue_id: str, number: int, fault: str) -> dict[str, Any]:
    """The run can't go on for a reason outside of the agent."""
    cause = "Jira or the repository did not answer for minutes" if fault == "weather" else fault
    return {"ending": Ending.FAILED, "cause": cause}


@DBOS.step()
async def finish(site_id: str, issue_id: str, number: int, handed: dict[str, Any]) -> str:
    parts = _parts()
    ref = RunRef(site_id, issue_id, "", number)
    row = await asyncio.to_thread(runs.finish, parts.db, ref, handed, parts.clock.now())
    return str(row["ending"])


@DBOS.step(**_stubborn)
async def report_end(site_id: str, issue_id: str, number: int) -> None:
    await asyncio.to_thread(_report_end, site_id, issue_id, number)


def _report_end(site_id: str, issue_id: str, number: int) -> None:
    parts = _parts()
    ref, row, project = _run(site_id, issue_id, number)
    site, tracker = _tracker(site_id)
    reporting.report(parts.db, tracker, site, project, _agent(row), ref)
    reporting.report_end(parts.db, tracker, site, _agent(row), ref)


@DBOS.step()
async def clean(site_id: str, issue_id: str, number: int) -> None:
    directory = _parts().directory(site_id, issue_id, number)
    await asyncio.to_thread(remove_workspace, directory)


# Sweeps


@DBOS.step()
def wake_deferred() -> int:
    """A wake for each ticket that waits for something nobody tells us of."""
    return tickets.wake_waiting(_parts().db, OUTSIDE, _parts().clock.now())


@DBOS.step()
def erase_bodies(before: str) -> int:
    return inbox.erase_bodies(_parts().db, datetime.fromisoformat(before))


@DBOS.step()
def delete_workflows(before: str, names: list[str]) -> int:
    """Ended workflows of these names, a few hundred at a time."""
    deleted = 0
    while ended := DBOS.list_workflows(
        status=["SUCCESS", "ERROR", "CANCELLED"],
        name=names,
        completed_before=before,
        limit=500,
        load_input=False,
        load_output=False,
    ):
        DBOS.delete_workflows([flow.workflow_id for flow in ended])
        deleted += len(ended)
    return deleted
