"""One execution of an agent: opened once, watched for stops, ended with its money settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.core.prompt import build_prompt
from app.core.run import CallUsage, Ending, RunRef
from app.execution.watchdog import watch
from app.execution.workspace import guideline_files, open_workspace
from app.ports import AgentReport, AgentTask, Cage, Clock, CodingAgent, ModelGate, PortError
from app.store import calls, runs
from app.store.database import Database
from app.store.sites import Row

SIGN_SECONDS = 2.0  # a last sign of life is written at most this often

OpenGate = Callable[[RunRef, int, int], AbstractAsyncContextManager[ModelGate]]
"""(run, attempt, budget in micro-units): the attempt's way to the model, while it is open."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What an attempt works with. directory: the run's own folder."""

    db: Database
    clock: Clock
    agent: CodingAgent
    cage: Cage
    open_gate: OpenGate
    directory: Path


async def attempt(bench: Bench, ref: RunRef, number: int, project: Row) -> dict[str, Any]:
    """Run the agent once: {"ending", "cause", "cost"}.

    When the engine repeats this step, the attempt that was open ends as Interrupted; its agent is
    never started a second time.
    """
    opened = await asyncio.to_thread(runs.open_attempt, bench.db, ref, number, bench.clock.now())
    task = await asyncio.to_thread(_task, bench, ref, number, project)
    if task is None or not opened:
        cause = "the worker stopped in the middle of it" if task else "its workspace is gone"
        return await asyncio.to_thread(_interrupt, bench, ref, number, task, cause)
    report = await _work(bench, ref, task)
    return await asyncio.to_thread(_close, bench, ref, number, report)


def _task(bench: Bench, ref: RunRef, number: int, project: Row) -> AgentTask | None:
    workspace = open_workspace(bench.directory)
    if workspace is None:
        return None
    row = runs.get(bench.db, ref.site_id, ref.issue_id, ref.number)
    before = runs.attempts(bench.db, ref)[: number - 1]
    last = before[-1] if before else None
    interrupted = last is not None and last["ending"] == Ending.INTERRUPTED
    feedback = last["cause"] or "" if last is not None and not interrupted else ""
    home = bench.directory / "home"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return AgentTask(
        key=ref.key,
        run=ref.number,
        attempt=number,
        prompt=build_prompt(ref, row["spec"], project["acceptance"], feedback),
        guidelines=guideline_files(workspace),
        worktree=workspace.path,
        home=home,
        budget=project["attempt_cap"],
        seconds=project["attempt_seconds"],
        gate=None,
        resume=last["session"] if last is not None and interrupted else None,
        feedback=feedback,
    )


async def _work(bench: Bench, ref: RunRef, task: AgentTask) -> AgentReport:
    """The agent behind its gate. A broken client is a failed attempt, not a broken run."""
    stop = asyncio.Event()
    watching = asyncio.create_task(watch(bench.db, ref, stop))
    signs = _Signs(bench, ref)
    gate: AbstractAsyncContextManager[ModelGate | None] = nullcontext()
    if bench.agent.needs_gate:
        gate = bench.open_gate(ref, task.attempt, task.budget)
    try:
        async with gate as way:
            return await bench.agent.work(replace(task, gate=way), bench.cage, stop, signs.write)
    except PortError as fault:
        return AgentReport(Ending.FAILED, str(fault), "", None, ())
    except Exception as fault:  # noqa: BLE001 - an agent's client may break in any way
        cause = f"the agent's client broke: {type(fault).__name__}: {fault}"
        return AgentReport(Ending.FAILED, cause[:500], "", None, ())
    finally:
        watching.cancel()
        await signs.settle()


class _Signs:
    """Signs of life: the newest line counts, written seldom and never in the agent's way."""

    def __init__(self, bench: Bench, ref: RunRef) -> None:
        self.bench, self.ref = bench, ref
        self.pending: asyncio.Task[None] | None = None
        self.line = ""

    def write(self, line: str) -> None:
        self.line = line[:200]
        if self.pending is None or self.pending.done():
            self.pending = asyncio.create_task(self._later())

    async def _later(self) -> None:
        now = self.bench.clock.now()
        await asyncio.to_thread(runs.note, self.bench.db, self.ref, doing=self.line, sign_at=now)
        await asyncio.sleep(SIGN_SECONDS)

    async def settle(self) -> None:
        if self.pending is not None:
            self.pending.cancel()
            await asyncio.gather(self.pending, return_exceptions=True)


def _close(bench: Bench, ref: RunRef, number: int, report: AgentReport) -> dict[str, Any]:
    cost, source = _cost(bench, ref, number, report.usage)
    values = {
        "ending": report.ending,
        "cause": report.cause[:1000],
        "session": report.session,
        "said": report.said[:2000],
        "cost": cost,
        "cost_source": source,
    }
    return _told(runs.close_attempt(bench.db, ref, number, values, bench.clock.now()))


def _interrupt(
    bench: Bench, ref: RunRef, number: int, task: AgentTask | None, cause: str
) -> dict[str, Any]:
    usage = bench.agent.recovered_usage(task) if task else None
    cost, source = _cost(bench, ref, number, usage or ())
    values = {
        "ending": Ending.INTERRUPTED,
        "cause": cause,
        "session": None if task is None else bench.agent.session_of(task),
        "said": "",
        "cost": cost,
        "cost_source": "transcript" if source == "agent" else source,
    }
    return _told(runs.close_attempt(bench.db, ref, number, values, bench.clock.now()))


def _cost(
    bench: Bench, ref: RunRef, number: int, usage: tuple[CallUsage, ...]
) -> tuple[int | None, str]:
    """What it cost, and who says so. None = nobody can tell: the full hold is taken."""
    if bench.agent.needs_gate:
        return calls.cost(bench.db, ref, number), "meter"
    costs = [call.cost for call in usage]
    if not costs or None in costs:
        return None, "full hold"
    return sum(cost for cost in costs if cost is not None), "agent"


def _told(row: Row) -> dict[str, Any]:
    return {"ending": row["ending"], "cause": row["cause"], "cost": row["cost"]}
