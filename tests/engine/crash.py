"""Crash workers and what they leave behind: for the tests that kill them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient

from app.engine.relay import APPLICATION
from app.engine.sweeps import KEEP_INTENTS
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


class Crew:
    """One worker; where it has died at its boundary, the next."""

    def __init__(self, workers: Workers, on: Stage, log: Path, die_at: str) -> None:
        self.workers, self.on, self.log, self.die_at = workers, on, log, die_at
        self.died = False
        self.pid = 0
        self.engine = DBOSClient(system_database_url=on.db.url, application_name=APPLICATION)

    def start(self) -> None:
        """The first worker, up to where its schedules wait to be triggered."""
        self.pid = self.workers.start(self.on, self.log, self.die_at, waits=True)
        self.until(lambda: self.engine.list_schedules(status="PAUSED"))
        self.until(lambda: not self.engine.list_schedules(status="ACTIVE"))

    def until(self, came: Callable[[], Any]) -> None:
        """Wait for what has to come, whoever of the crew brings it about."""

        def now() -> Any:
            if self.die_at and not self.died and not alive(self.pid):
                self.died = True
                self.pid = self.workers.start(self.on, None, waits=True)
            return came()

        until(now, LONGEST)

    def minutes_pass(self, minutes: int) -> None:
        with (self.on.directory / "minutes").open("a") as clock:
            clock.write("x" * minutes)

    def let_agent_work(self) -> None:
        (self.on.directory / "go").touch()

    def flows(self, *status: str, **which: Any) -> list[Any]:
        found = self.engine.list_workflows(status=list(status), load_output=False, **which)
        return list(found)

    def sweep(self, *flows: str) -> None:
        """Wait for the end of these sweeps, which somebody has just enqueued."""
        self.until(lambda: len(self.flows("SUCCESS", workflow_ids=list(flows))) == len(flows))

    def trigger(self, schedule: str) -> None:
        self.sweep(self.engine.trigger_schedule(schedule).workflow_id)

    def tidy_much_later(self) -> None:
        """The nightly tidying, on a night on which all of today is too old."""
        night = datetime.now(UTC) + KEEP_INTENTS + timedelta(days=2)
        handles = self.engine.backfill_schedule("tidy", night, night + timedelta(days=1))
        self.sweep(*(handle.workflow_id for handle in handles))

    def at_rest(self) -> bool:
        """Nothing waits and nothing is under way. One look at both: a workflow that has just
        ended may have left a delivery behind."""
        both = """select (select count(*) from inbox where outcome is null)
            + (select count(*) from workflow_status
               where status in ('ENQUEUED', 'PENDING', 'DELAYED'))"""
        with self.on.db.read() as c:
            idle = c.execute(sa.text(both)).scalar() == 0
        return idle and self.on.quiet()

    def end(self) -> None:
        if self.pid:
            kill(self.pid)
        self.engine.destroy()


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
