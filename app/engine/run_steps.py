"""The durable steps of a run, from its workspace to its end; each is safe to repeat."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from dbos import DBOS

from app.core.run import RETRYABLE, Ending, RunRef
from app.engine.binding import (
    GIVEN_UP,
    PATIENT_ASYNC,
    agent_of,
    bound,
    find_run,
    parts,
    tracker_of,
)
from app.execution import attempt as attempting
from app.execution import evidence
from app.execution import keep as keeping
from app.execution.commit import changed
from app.execution.watchdog import watch
from app.execution.workspace import (
    make_workspace,
    open_workspace,
    refresh_mirror,
    remove_workspace,
)
from app.ports import CodingAgent, PortError, Refused
from app.reporting import handoff
from app.reporting import report as reporting
from app.store import ledger, run_money, runs, sites
from app.store.sites import Row

MOST_INTERRUPTIONS = 3

log = structlog.get_logger()


def worth_another(last: dict[str, Any]) -> bool:
    return Ending(last["ending"]) in RETRYABLE


def _prepare(site_id: str, issue_id: str, number: int) -> dict[str, Any]:
    ports = parts()
    ref, row, project = find_run(site_id, issue_id, number)
    mirror = refresh_mirror(ports.data / "mirrors", row["repository"])
    directory = ports.directory(site_id, issue_id, number)
    workspace = make_workspace(directory, mirror, row["base_branch"], ref.branch)
    now = ports.clock.now()
    runs.note(ports.db, ref, base_commit=workspace.base_commit, step=3, sign_at=now)
    return {"ending": None, "cause": "", "attempts": project["attempts"]}


@DBOS.step(**PATIENT_ASYNC)
async def prepare(site_id: str, issue_id: str, number: int) -> dict[str, Any]:
    return await asyncio.to_thread(_prepare, site_id, issue_id, number)


def _called_off(ref: RunRef, project: Row) -> bool:
    """No attempt begins while somebody wants a stop or holds everything up."""
    db = parts().db
    site = sites.get_site(db, ref.site_id)
    if site["paused_at"] or project["paused_at"] or project["mode"] == "off":
        runs.ask_stop(db, ref, "", "Signalbox was paused before the next attempt began")
    return runs.stop_asked(db, ref) is not None


def _reserve(site_id: str, issue_id: str, number: int, n: int) -> dict[str, Any]:
    ports = parts()
    ref, row, project = find_run(site_id, issue_id, number)
    if _called_off(ref, project):
        return {"granted": False}
    zone = sites.get_site(ports.db, site_id)["zone"]
    money = run_money.Money(project["attempt_cap"], zone, _agent(row).prices)
    room = runs.reserve_attempt(ports.db, ref, n, money, ports.clock.now())
    return {"granted": isinstance(room, ledger.Reserved)}


@DBOS.step(**PATIENT_ASYNC)
async def reserve(site_id: str, issue_id: str, number: int, n: int) -> dict[str, Any]:
    return await asyncio.to_thread(_reserve, site_id, issue_id, number, n)


@DBOS.step(preemptible=True)
async def attempt(site_id: str, issue_id: str, number: int, n: int) -> dict[str, Any]:
    ports = parts()
    bench, ref, project = await asyncio.to_thread(_bench, site_id, issue_id, number, n)
    if bench is None:
        return {"ending": Ending.CANCELLED.value, "cause": "", "cost": 0}
    await asyncio.to_thread(runs.note, ports.db, ref, step=3, sign_at=ports.clock.now())
    return await attempting.attempt(bench, ref, n, project)


def _agent(row: Row) -> CodingAgent:
    agent = parts().agents.get(row["agent"])
    if agent is None:
        raise Refused(f'The agent "{row["agent"]}" is not set up on this worker.')
    return agent


def _bench(
    site_id: str, issue_id: str, number: int, n: int
) -> tuple[attempting.Bench | None, RunRef, Row]:
    """What the attempt works with; None where it may not begin any more."""
    ports = parts()
    ref, row, project = find_run(site_id, issue_id, number)
    begun = any(known["number"] == n for known in runs.attempts(ports.db, ref))
    if not begun and _called_off(ref, project):
        return None, ref, project
    agent = _agent(row)
    directory = ports.directory(site_id, issue_id, number)
    if not begun and open_workspace(directory) is None:
        _prepare(site_id, issue_id, number)  # it was made on another machine
    cage, gate = ports.cage_of(row), ports.open_gate
    return attempting.Bench(ports.db, ports.clock, agent, cage, gate, directory), ref, project


@DBOS.step(preemptible=True)
async def observe(site_id: str, issue_id: str, number: int, n: int) -> dict[str, Any]:
    ports = parts()
    ref, row, project = await asyncio.to_thread(find_run, site_id, issue_id, number)
    directory = ports.directory(site_id, issue_id, number)
    commit = await asyncio.to_thread(keeping.commit, ports.db, ref, directory)
    wanted = evidence.Acceptance(
        ports.cage_of(row),
        directory,
        project["acceptance"],
        row["spec"]["description"],
        project["attempt_seconds"],
    )
    stop = asyncio.Event()
    watching = asyncio.create_task(watch(ports.db, ref, stop))
    try:
        seen = await evidence.observe(wanted, commit, stop)
    finally:
        watching.cancel()
    ending = Ending.SUCCEEDED if seen["passed"] else Ending.FAILED
    await asyncio.to_thread(_judge, ref, n, ending, seen)
    return {"ending": ending.value, "commit": commit}


def _judge(ref: RunRef, n: int, ending: Ending, seen: dict[str, Any]) -> None:
    runs.judge_attempt(parts().db, ref, n, ending, seen["cause"][:4000])
    runs.note(parts().db, ref, acceptance=seen["checks"])


@DBOS.step()
async def report(site_id: str, issue_id: str, number: int, moment: str) -> None:
    await asyncio.to_thread(_report, site_id, issue_id, number, moment)


def _report(site_id: str, issue_id: str, number: int, moment: str) -> None:
    """Telling how far it is must not end what is under way."""
    ports = parts()
    ref, row, project = find_run(site_id, issue_id, number)
    if moment.startswith("check"):
        runs.note(ports.db, ref, step=4, doing=None, sign_at=ports.clock.now())
        if int(moment.split()[1]) > reporting.CHECKS_TOLD:
            return
    try:
        site, tracker = tracker_of(site_id)
        reporting.report(ports.db, tracker, site, project, agent_of(row), ref)
    except PortError as fault:
        log.warning("the run comment is behind", run=ref.workflow_id, fault=str(fault))


@DBOS.step(**PATIENT_ASYNC)
async def keep(site_id: str, issue_id: str, number: int, last: dict[str, Any]) -> dict[str, Any]:
    ref, _, _ = await asyncio.to_thread(find_run, site_id, issue_id, number)
    directory = parts().directory(site_id, issue_id, number)
    return await asyncio.to_thread(keeping.keep, parts().db, ref, directory, last)


@DBOS.step(**PATIENT_ASYNC)
async def hand_over(
    site_id: str, issue_id: str, number: int, kept: dict[str, Any]
) -> dict[str, Any]:
    return await asyncio.to_thread(_hand_over, site_id, issue_id, number, kept)


def _hand_over(site_id: str, issue_id: str, number: int, kept: dict[str, Any]) -> dict[str, Any]:
    ports = parts()
    ref, _, _ = find_run(site_id, issue_id, number)
    _, tracker = tracker_of(site_id)
    return handoff.hand_over(ports.db, tracker, ports.code_host, ref, kept)


@DBOS.step(**PATIENT_ASYNC)
async def give_up(site_id: str, issue_id: str, number: int, fault: str) -> dict[str, Any]:
    """The run can't go on for a reason outside of the agent. What it has made is kept."""
    return await asyncio.to_thread(_give_up, site_id, issue_id, number, fault)


def _give_up(site_id: str, issue_id: str, number: int, fault: str) -> dict[str, Any]:
    ports = parts()
    ref = RunRef(site_id, issue_id, runs.get(ports.db, site_id, issue_id, number)["key"], number)
    log.error("a run is given up", run=ref.workflow_id, fault=fault)
    last = {"ending": Ending.FAILED.value, "cause": GIVEN_UP.get(fault, fault)}
    try:
        kept = keeping.keep(ports.db, ref, ports.directory(site_id, issue_id, number), last)
    except PortError as also:
        log.error("its work could not be pushed", run=ref.workflow_id, fault=str(also))
        kept = last | {"commit": None, "change": ""}
    return {**kept, "pull_request": None}


@DBOS.step(**PATIENT_ASYNC)
async def finish(site_id: str, issue_id: str, number: int, handed: dict[str, Any]) -> str:
    return await asyncio.to_thread(_finish, site_id, issue_id, number, handed)


def _finish(site_id: str, issue_id: str, number: int, handed: dict[str, Any]) -> str:
    ports, enqueue, _ = bound()
    ref = RunRef(site_id, issue_id, runs.get(ports.db, site_id, issue_id, number)["key"], number)
    return str(runs.finish(ports.db, ref, handed, enqueue, ports.clock.now())["ending"])


@DBOS.step(**PATIENT_ASYNC)
async def clean(site_id: str, issue_id: str, number: int) -> None:
    await asyncio.to_thread(_clean, site_id, issue_id, number)


def _clean(site_id: str, issue_id: str, number: int) -> None:
    """Remove the workspace; not where it holds the only copy of what an agent made."""
    directory = parts().directory(site_id, issue_id, number)
    workspace = open_workspace(directory)
    kept = runs.get(parts().db, site_id, issue_id, number)["commit"]
    if workspace is not None and kept is None and changed(workspace):
        log.warning("the workspace is kept, as its work could not be pushed", path=str(directory))
        return
    remove_workspace(directory)
