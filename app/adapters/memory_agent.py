"""A scripted agent and a cage that cages nothing, for tests of the stages and for trying out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.adapters.memory_calls import Calls, Guard, no_guard
from app.core.run import CallUsage, Ending
from app.ports import AgentReport, AgentTask, Cage, Progress


@dataclass(frozen=True)
class Act:
    """One attempt of a MemoryAgent: the files it writes (None deletes one) and how it ends.

    waits: it goes on until it is stopped or out of time. error: raised instead of an ending.
    """

    files: Mapping[str, str | None] = field(default_factory=dict)
    ending: Ending = Ending.SUCCEEDED
    cause: str = ""
    said: str = "done"
    usage: tuple[CallUsage, ...] = ()
    session: str | None = None
    denied: tuple[str, ...] = ()
    waits: bool = False
    error: Exception | None = None


class MemoryAgent:
    """Plays its acts in order, the last one again and again."""

    name = "memory"
    title = "Memory agent"
    simulated = True
    needs_gate = False
    prices = "list 1"

    def __init__(self, *acts: Act, guard: Guard = no_guard) -> None:
        self.acts = list(acts) or [Act()]
        self.calls = Calls(guard)
        self.tasks: list[AgentTask] = []
        self.recovered: dict[tuple[str, int, int], tuple[CallUsage, ...]] = {}
        self.sessions: dict[tuple[str, int, int], str] = {}

    async def work(
        self, task: AgentTask, cage: Cage, stop: asyncio.Event, progress: Progress
    ) -> AgentReport:
        self.calls.begin("work", task)
        self.tasks.append(task)
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        for name, text in act.files.items():
            progress(f"changes {name}")
            _put(task.worktree / name, text)
        if act.error:
            raise act.error
        ending = await _stopped(stop, task.seconds) if act.waits else act.ending
        return AgentReport(ending, act.cause, act.said, act.session, act.usage, act.denied)

    def recovered_usage(self, task: AgentTask) -> tuple[CallUsage, ...] | None:
        self.calls.begin("recovered_usage", task)
        return self.recovered.get((task.key, task.run, task.attempt))

    def session_of(self, task: AgentTask) -> str | None:
        self.calls.begin("session_of", task)
        return self.sessions.get((task.key, task.run, task.attempt))


@dataclass
class MemoryCage:
    """Wraps nothing: the command runs as we do, with the environment that it is given."""

    fault: str = ""
    name: str = "none"
    wrapped: list[list[str]] = field(default_factory=list)

    def available(self) -> str:
        return self.fault

    def wrap(
        self,
        argv: Sequence[str],
        *,
        worktree: Path,
        home: Path,
        env: Mapping[str, str],
        gate: Path | None = None,
        readable: Sequence[Path] = (),
    ) -> list[str]:
        self.wrapped.append(list(argv))
        pairs = [f"{name}={value}" for name, value in {"HOME": str(home), **env}.items()]
        return ["env", "-i", f"--chdir={worktree}", *pairs, *argv]


def _put(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


async def _stopped(stop: asyncio.Event, seconds: float) -> Ending:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return Ending.TIMED_OUT
    return Ending.CANCELLED
