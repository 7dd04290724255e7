"""The real command line in the real cage, through the real gate, to the scripted model."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.adapters.bwrap import Bubblewrap
from app.adapters.claude_code import ClaudeCode
from app.adapters.prices import price
from app.ports import AgentReport, AgentTask, Cage, ModelGate
from tests.fakes.messages_api import FakeMessagesApi
from tests.metering.opened_gate import MODEL, Ledger, opened

SOURCE = "def add(a, b):\n    return a - b\n"
TEST = """\
import unittest

from calc import add


class AddTest(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(2, 2), 4)
"""


@dataclass
class ClaudeBench:
    """A clone with a broken function in `place`, and all that an attempt needs around it."""

    place: Path
    api: FakeMessagesApi
    cage: Cage = field(default_factory=Bubblewrap)
    ledger: Ledger = field(default_factory=Ledger)
    lines: list[str] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    gates: list[ModelGate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.worktree, self.home = self.place / "worktree", self.place / "home"
        self.worktree.mkdir(parents=True)
        self.home.mkdir()
        (self.worktree / "calc.py").write_text(SOURCE)
        (self.worktree / "test_calc.py").write_text(TEST)
        (self.worktree / ".gitignore").write_text("__pycache__/\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("-c", "user.name=x", "-c", "user.email=x@x.invalid", "commit", "-qm", "first")

    async def run(
        self,
        scenario: str,
        *,
        budget: int = 3_000_000,
        seconds: float = 90,
        attempt: int = 1,
        resume: str | None = None,
        when: tuple[str, Callable[[], None]] | None = None,
    ) -> AgentReport:
        """when: (word, action): the action is done at the first line for people with the word."""
        inside = "/workspace" if self.cage.name == "bubblewrap" else self.worktree
        waiting = [when] if when else []

        def progress(line: str) -> None:
            self.lines.append(line)
            if waiting and waiting[0][0] in line:
                asyncio.get_running_loop().call_later(0.3, waiting.pop()[1])

        async with opened(self.api, self.ledger, budget) as gate:
            self.gates.append(gate.way)
            task = self.task(budget, seconds, attempt, resume, gate.way)
            prompt = f"SCENARIO:{scenario} make add add CWD:{inside}"
            agent = ClaudeCode(MODEL, retries=1)
            task = replace(task, prompt=prompt)
            return await agent.work(task, self.cage, self.stop, progress)

    def task(
        self,
        budget: int = 3_000_000,
        seconds: float = 90,
        attempt: int = 1,
        resume: str | None = None,
        gate: ModelGate | None = None,
    ) -> AgentTask:
        return AgentTask(
            key="CALC-1",
            run=1,
            attempt=attempt,
            prompt="",
            guidelines="GUIDELINE-OF-THE-REPOSITORY: keep it short.",
            worktree=self.worktree,
            home=self.home,
            budget=budget,
            seconds=seconds,
            gate=gate,
            resume=resume,
        )

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.worktree), *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def changed(self) -> list[str]:
        return [line[3:] for line in self.git("status", "--porcelain", "-uall").splitlines()]

    @property
    def billed(self) -> int:
        """What the fake billed, priced by the same list."""
        total = 0
        for call in self.api.calls:
            cost = price(
                call.model, fresh=call.fresh, written=call.written, read=call.read, out=call.out
            )
            assert cost is not None
            total += cost
        return total

    def processes(self) -> list[str]:
        """Everything alive on this machine that has to do with this bench."""
        found, mine = [], str(self.place).encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if not entry.name.isdigit() or int(entry.name) == os.getpid():
                    continue
                line = (entry / "cmdline").read_bytes()
                environment = (entry / "environ").read_bytes()
                mounts = (entry / "mountinfo").read_bytes()
                if mine in line or mine in environment or mine in mounts:
                    found.append(line.replace(b"\0", b" ").decode(errors="replace")[:100])
        return found
