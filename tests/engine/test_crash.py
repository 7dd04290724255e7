"""kill -9 of the worker before and after every step and every outgoing call.

A first run writes down which boundaries there are; then, for each of them, a fresh ticket and a
worker that dies right there, and a second worker that has to bring it to the one right end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.engine import run_steps, steps
from app.store import spending
from app.store.database import Database
from tests.engine.stage import SITE, Stage, stage, until

ROOT = Path(__file__).resolve().parent.parent.parent
SHARDS, AT_ONCE = 4, 3  # the suite runs shards side by side; each runs a few tickets at once
ONLY_AFTER_FAULTS = {"give_back", "give_up", "leave_untold"}  # test_journey.py looks at them
EVERY = {
    f"{moment} step {name}"
    for name, found in (vars(steps) | vars(run_steps)).items()
    if hasattr(found, "dbos_func_decorator_info") and name not in ONLY_AFTER_FAULTS
    for moment in ("before", "after")
} | {
    f"{moment} {call}"
    for moment in ("before", "after")
    for call in (
        "agent",
        "acceptance command",
        "git fetch",
        "git push",
        "POST /rest/api/N/issue/N/comment",
        "PUT /rest/api/N/issue/N/comment/N",
    )
}
"""What has to be among the boundaries, whatever else is."""
LONGEST = 40.0  # seconds until a crashed ticket has to be at its end


class Workers:
    """Starts crash workers from one process that has paid for the imports."""

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

    def start(self, on: Stage, log: Path | None, die_at: str = "") -> int:
        order = {
            "database": on.db.url,
            "directory": str(on.directory),
            "log": str(log or ""),
            "die_at": die_at,
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


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path / "stderr")
    yield made
    made.close()


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


def pushes(on: Stage) -> int:
    """How often the repository took something in, as its own hook counted."""
    counted = on.origin / "pushes"
    return len(counted.read_text().splitlines()) if counted.exists() else 0


def count_pushes(on: Stage) -> None:
    hook = on.origin / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncat >> "$(dirname "$0")/../pushes"\n')
    hook.chmod(0o755)


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


def ended(on: Stage) -> bool:
    """The run has told its result, the question is answered, and nothing is under way."""
    runs, workspaces = on.runs(), (on.directory / "runs").glob("*/*")
    if not runs or not on.quiet() or any(workspaces):
        return False
    return len(on.jira.comments(runs[0]["key"])) >= 5


def check_the_end(on: Stage, key: str) -> None:
    runs = on.runs()
    assert [(run["ending"], run["cause"]) for run in runs] == [("Succeeded", "")]
    issue_id = runs[0]["issue_id"]
    run_key = f"run:{SITE}:{issue_id}:1"
    asked = on.jira.comments(key)[0].id
    assert set(on.comments(key)) == {
        "readiness",
        f"reply:{asked}",
        run_key,
        f"result:{run_key}",
    }
    assert "[FINISHED]" in on.comments(key)[run_key]
    assert on.branches() == [f"agent/{key}-1"]
    assert pushes(on) == 1
    starts = (on.directory / "agent-starts").read_text().splitlines()
    assert len(set(starts)) == len(starts), f"an attempt's agent was started twice: {starts}"
    assert len(starts) <= 3
    totals = spending.totals(on.db)
    assert (totals["open_holds"], totals["held"]) == (0, 0)
    assert {outcome for outcome, _ in on.outcomes()} <= {"handled", "ignored"}
    # A git command on the repository may take a moment to see that who asked is gone.
    until(lambda: not leftovers(on.directory), 5)


def deliver(on: Stage, key: str) -> None:
    """The label, and a question in a comment."""
    question = on.jira.comment(key, "agent help", "Author")
    on.deliver_comment(key, question.id)
    on.deliver(key)


def reached(log: Path) -> set[str]:
    """The kinds of boundaries in a log; none before there is one."""
    if not log.exists():
        return set()
    return {line.rpartition(" #")[0] for line in log.read_text().splitlines()}


def play(workers: Workers, url: str, directory: Path, die_at: str) -> list[str]:
    """One ticket, one crash, one recovery. The boundaries that the first worker reached."""
    directory.mkdir()
    db = Database(url)
    log = directory / "boundaries"
    with stage(db, directory) as on:
        count_pushes(on)
        key = on.label_good_ticket()
        deliver(on, key)
        first = workers.start(on, log, die_at)
        if die_at:
            until(lambda: not alive(first), LONGEST)
            assert log.read_text().splitlines()[-1] == die_at, f"{die_at} was not reached"
            second = workers.start(on, None)
        else:
            second = first
        try:
            until(lambda: ended(on), LONGEST)
            if not die_at:
                until(lambda: reached(log) >= EVERY, LONGEST)
        finally:
            kill(second)
        check_the_end(on, key)
    db.close()
    return log.read_text().splitlines()


@pytest.mark.crash
@pytest.mark.timeout(600)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_kill_9_at_every_boundary(
    database_url: str, tmp_path: Path, workers: Workers, shard: int
) -> None:
    template = Path(database_url.removeprefix("sqlite:///"))

    def fresh(name: str) -> str:
        copy = tmp_path / f"{name}.sqlite"
        shutil.copy(template, copy)
        return f"sqlite:///{copy}"

    names = play(workers, fresh("whole"), tmp_path / "whole", "")
    assert names
    faults: list[str] = []

    def one(numbered: tuple[int, str]) -> None:
        number, name = numbered
        try:
            play(workers, fresh(str(number)), tmp_path / f"at-{number}", name)
        except AssertionError as fault:
            faults.append(f"{name}: {fault}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, list(enumerate(names))[shard::SHARDS]))
    assert not faults, "\n".join(faults)


@pytest.mark.crash
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "dialect", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
@pytest.mark.parametrize(
    "die_at", ["before step observe #1", "after agent #1", "after git push #1"]
)
def test_two_workers_on_postgres_and_one_is_killed(
    database_url: str, tmp_path: Path, workers: Workers, die_at: str
) -> None:
    db = Database(database_url)
    with stage(db, tmp_path) as on:
        count_pushes(on)
        key = on.label_good_ticket()
        first = workers.start(on, tmp_path / "boundaries", die_at)
        deliver(on, key)
        # The run is the first one's own by then: the second can only take it over.
        until(lambda: "before step prepare" in reached(tmp_path / "boundaries"), LONGEST)
        second = workers.start(on, None)
        try:
            until(lambda: not alive(first), LONGEST)
            until(lambda: ended(on), LONGEST)
            check_the_end(on, key)
        finally:
            kill(second)
    db.close()
