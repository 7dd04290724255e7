"""Crash workers and what they leave behind: for the tests that kill them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.engine.stage import Stage, until

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST = 40.0  # seconds until what a crash has left undone has to be done


class Workers:
    """Starts crash workers from one process that has paid for the imports. steps: the names of
    all durable steps that a worker has."""

    def __init__(self, errors: Path) -> None:
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.crash_worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors.open("w"),
            text=True,
        )
        assert self.process.stdout is not None
        self.steps = frozenset(json.loads(self.process.stdout.readline()))

    def start(self, on: Stage, log: Path | None, die_at: str = "", waits: bool = False) -> int:
        order = {
            "database": on.db.url,
            "directory": str(on.directory),
            "log": str(log or ""),
            "die_at": die_at,
            "waits": waits,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self.lock:  # an order and its answer belong together
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int) -> None:
    if alive(pid):
        os.kill(pid, 9)
    until(lambda: not alive(pid))


def around(names: frozenset[str], what: str = "step ") -> set[str]:
    """The kinds of boundaries that these steps or calls have."""
    return {f"{moment} {what}{name}" for name in names for moment in ("before", "after")}


def kind(boundary: str) -> str:
    return boundary.rpartition(" #")[0]


def reached(log: Path) -> list[str]:
    """The boundaries in a log; none before there is one."""
    return log.read_text().splitlines() if log.exists() else []


def pushes(on: Stage) -> int:
    """How often the repository took something in, as its own hook counted."""
    counted = on.origin / "pushes"
    return len(counted.read_text().splitlines()) if counted.exists() else 0


def count_pushes(on: Stage) -> None:
    hook = on.origin / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncat >> "$(dirname "$0")/../pushes"\n')
    hook.chmod(0o755)


def agent_starts(on: Stage) -> list[str]:
    written = on.directory / "agent-starts"
    return written.read_text().splitlines() if written.exists() else []


def leftovers(directory: Path) -> list[str]:
    """Processes that still name the directory: agents, cages, commands."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            cwd = str((entry / "cwd").readlink())
        except OSError:
            continue
        if str(directory) in line or cwd.startswith(str(directory)):
            found.append(line)
    return found
