"""The rehearsal agent: no model, but real edits and real tests in the cage; its cost is made up.

It shows and teaches what overseeing an agent is like, without an account and without money.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import IO

from app.core.run import CallUsage, Ending
from app.ports import AgentReport, AgentTask, Cage, Progress
from app.sandbox.rehearsal_command import Stopped, run_caged
from app.sandbox.rehearsal_recipes import (
    WRITER,
    NotAsExpected,
    Recipe,
    add_tests,
    change_writer,
    find_recipe,
    write_plan,
)

MODEL = "rehearsal (simulated)"
TEST_COMMAND = ("python3", "-m", "unittest", "-q")
READ, FIND, CHANGE, TEST, TELL = 50_000, 80_000, 170_000, 60_000, 60_000
"""What the steps of a recipe are said to cost: $0.42 in all."""


class Behaviour(StrEnum):
    """How a rehearsal goes: as it should, or as one that an overseer has to notice."""

    WORKS = "works"
    FAILS = "fails"
    HANGS = "hangs"
    EDITS_NOTHING = "edits nothing"
    ASKS = "asks"


class _Ended(Exception):
    def __init__(self, ending: Ending, cause: str, said: str = "") -> None:
        super().__init__(cause)
        self.ending, self.cause, self.said = ending, cause, said


class RehearsalAgent:
    """`pace` is the pause before each step in seconds; a rehearsal has five steps."""

    name = "rehearsal"
    title = "Rehearsal agent (simulated)"
    simulated = True
    needs_gate = False
    prices = ""

    def __init__(self, pace: float = 0.25, behaviour: Behaviour = Behaviour.WORKS) -> None:
        self._pace = pace
        self._behaviour = behaviour

    async def work(
        self, task: AgentTask, cage: Cage, stop: asyncio.Event, progress: Progress
    ) -> AgentReport:
        rehearsal = _Rehearsal(task, cage, stop, progress, self._pace)
        try:
            async with asyncio.timeout(task.seconds):
                said = await rehearsal.play(self._behaviour)
            return rehearsal.report(Ending.SUCCEEDED, "", said)
        except _Ended as ended:
            return rehearsal.report(ended.ending, ended.cause, ended.said)
        except Stopped:
            return rehearsal.report(Ending.CANCELLED, "It was asked to stop.", "")
        except NotAsExpected as error:
            return rehearsal.report(Ending.FAILED, f"{error}.", "")
        except TimeoutError:
            cause = f"It was not done after {task.seconds:.0f} seconds."
            return rehearsal.report(Ending.TIMED_OUT, cause, "")

    def recovered_usage(self, task: AgentTask) -> tuple[CallUsage, ...] | None:
        try:
            with _open_record(task, os.O_RDONLY | os.O_NONBLOCK) as record:
                return tuple(CallUsage(**json.loads(line)) for line in record)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError):
            return None

    def session_of(self, task: AgentTask) -> str | None:
        return _session(task) if _record(task).exists() else None


class _Rehearsal:
    """One attempt: steps that cost something, and what they cost so far."""

    def __init__(
        self, task: AgentTask, cage: Cage, stop: asyncio.Event, progress: Progress, pace: float
    ) -> None:
        self.task, self.cage, self.stop = task, cage, stop
        self.progress, self.pace = progress, pace
        self.usage: list[CallUsage] = []
        self.percent = 100

    async def play(self, behaviour: Behaviour) -> str:
        recipe = find_recipe(self.task.prompt)
        self.percent = recipe.percent if recipe else 100
        await self.step("reads the task and the rules of the repository", READ)
        await self.step("looks for the place", FIND)
        await self._misbehave(behaviour)
        if behaviour is Behaviour.EDITS_NOTHING:
            await self.step("says what it did", TELL)
            return "The change is made and the tests pass."
        return await (self._follow(recipe) if recipe else self._plan())

    async def step(self, line: str, cost: int) -> None:
        """Begins only what the budget can still pay, and says so when it cannot."""
        cost = cost * self.percent // 100
        spent = sum(call.cost or 0 for call in self.usage)
        if spent + cost > self.task.budget:
            raise _Ended(Ending.OVER_BUDGET, "The next step would cost more than is left.")
        if self.stop.is_set():
            raise Stopped
        self.progress(line)
        self._charge(cost)
        try:
            await asyncio.wait_for(self.stop.wait(), self.pace)
        except TimeoutError:
            return
        raise Stopped

    def _charge(self, cost: int) -> None:
        task = self.task
        identity = f"rehearsal-{task.key}-{task.run}-{task.attempt}-{len(self.usage) + 1}"
        call = CallUsage(identity, MODEL, cost // 100, 0, cost // 10, cost // 1000, cost)
        self.usage.append(call)
        with _open_record(task, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as record:
            record.write(json.dumps(asdict(call)) + "\n")

    async def _misbehave(self, behaviour: Behaviour) -> None:
        if behaviour is Behaviour.FAILS:
            raise _Ended(Ending.FAILED, "It gave up: the rehearsal was told to fail.")
        if behaviour is Behaviour.ASKS:
            question = "Which of the two exports is meant, the one for a person or the nightly one?"
            raise _Ended(Ending.NEEDS_ANSWER, "It has a question.", question)
        if behaviour is Behaviour.HANGS:
            await self.step("waits for something that never comes", CHANGE)
            await self.run(("sleep", "86400"))

    async def _follow(self, recipe: Recipe) -> str:
        await self.step(f"changes {WRITER}", CHANGE)
        change_writer(recipe, self.task.worktree)
        add_tests(recipe, self.task.worktree)
        await self.step(f"runs {' '.join(TEST_COMMAND)}", TEST)
        code, last = await self.run(TEST_COMMAND)
        if code != 0:
            raise _Ended(Ending.FAILED, f"The tests fail after the change: {last or code}.")
        await self.step("says what it did", TELL)
        return recipe.said

    async def _plan(self) -> str:
        await self.step("writes a plan, as it knows no recipe for this ticket", READ)
        path = write_plan(self.task.worktree, self.task.key, self.task.prompt)
        return f"A rehearsal knows no recipe for this ticket; a plan stands in {path}."

    async def run(self, argv: tuple[str, ...]) -> tuple[int, str]:
        wrapped = self.cage.wrap(
            argv,
            worktree=self.task.worktree,
            home=self.task.home,
            env={"PYTHONDONTWRITEBYTECODE": "1"},
        )
        return await run_caged(wrapped, self.stop)

    def report(self, ending: Ending, cause: str, said: str) -> AgentReport:
        return AgentReport(ending, cause, said, _session(self.task), tuple(self.usage))


def _record(task: AgentTask) -> Path:
    return task.home / f"rehearsal-{task.run}-{task.attempt}.jsonl"


def _open_record(task: AgentTask, flags: int) -> IO[str]:
    """Tests of the repository ran in this home: no link that they made is followed."""
    descriptor = os.open(_record(task), flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "a" if flags & os.O_WRONLY else "r", encoding="utf-8")


def _session(task: AgentTask) -> str:
    return f"rehearsal-{task.key}-{task.run}"
