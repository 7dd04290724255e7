"""A worker that dies by kill -9 at one named boundary: before or after a step, or an outgoing call.

Run as a process: it says which steps there are, then reads one JSON object a line (database,
directory, log, die_at, waits) and forks a worker for each, so that the imports are paid once. It
answers each with the worker's pid.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import inspect
import json
import os
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


class Boundaries:
    """Writes each boundary it passes to a log, and dies at the one it was told."""

    def __init__(self) -> None:
        self.log: int | None = None
        self.die_at = ""
        self.seen: Counter[str] = Counter()
        self.lock = threading.Lock()

    def reach(self, name: str) -> None:
        with self.lock:
            self.seen[name] += 1
            here = f"{name} #{self.seen[name]}"
            if self.log is not None:
                os.write(self.log, here.encode() + b"\n")
            if here == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: Callable[..., str], function: Any) -> Any:
        """The function with a boundary before and after; async ones too."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def later(*args: Any, **kwargs: Any) -> Any:
                self.reach("before " + name(*args))
                result = await function(*args, **kwargs)
                self.reach("after " + name(*args))
                return result

            return later

        @functools.wraps(function)
        def now(*args: Any, **kwargs: Any) -> Any:
            self.reach("before " + name(*args))
            result = function(*args, **kwargs)
            self.reach("after " + name(*args))
            return result

        return now


boundaries = Boundaries()


def instrument_steps() -> list[str]:
    """Boundaries around each step that is declared from now on; their names, as they come."""
    from dbos import DBOS

    real_step, names = DBOS.step, list[str]()

    def step(**options: Any) -> Any:
        def declare(function: Any) -> Any:
            names.append(function.__name__)
            return real_step(**options)(
                boundaries.around(lambda *_: f"step {function.__name__}", function)
            )

        return declare

    DBOS.step = step  # type: ignore[method-assign]
    return names


def instrument_calls() -> None:
    """Every HTTP request, every git call to a repository, every start of an agent or workflow."""
    import re

    import requests

    def http(_session: Any, request: Any, **_options: Any) -> str:
        path = re.sub(r"/\d+|/[A-Z]+-\d+", "/N", request.path_url.partition("?")[0])
        return f"{request.method} {path}"

    requests.Session.send = boundaries.around(http, requests.Session.send)  # type: ignore[method-assign]

    from app.adapters import jira
    from app.engine import relay, worker
    from app.execution import evidence
    from app.execution.git import Git
    from app.sandbox import rehearsal

    Git.reach = boundaries.around(lambda _git, verb, *_: f"git {verb}", Git.reach)  # type: ignore[method-assign]
    rehearsal.RehearsalAgent.work = boundaries.around(  # type: ignore[method-assign]
        lambda *_: "agent", rehearsal.RehearsalAgent.work
    )
    evidence._run = boundaries.around(lambda *_: "acceptance command", evidence._run)
    relay.Enqueuer.__call__ = boundaries.around(  # type: ignore[method-assign]
        lambda _self, _c, workflow, *_: f"enqueue {workflow}", relay.Enqueuer.__call__
    )
    # Only apps may ask that, and the stage is none: whoever is kept has closed the account.
    jira.JiraTracker.report_accounts = lambda _self, stored: frozenset(stored)  # type: ignore[method-assign,assignment]
    from app.adapters.claude_judge import ClaudeJudge

    ClaudeJudge.judge = boundaries.around(lambda *_: "model call", ClaudeJudge.judge)  # type: ignore[method-assign]
    worker.POLL_SECONDS = 0.03
    relay.IDLE_SECONDS = 0.02


class SetClock:
    """The machine's clock, set forward by one minute for each byte of a file."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "minutes"

    def now(self) -> datetime:
        ahead = self.file.stat().st_size if self.file.exists() else 0
        return datetime.now(UTC) + timedelta(minutes=ahead)


class CountedAgent:
    """The rehearsal agent, with each start written down beside the workspace. Either it waits
    until it is told to go, or its first attempt changes nothing, so that a run has two."""

    def __new__(cls, directory: Path, waits: bool) -> Any:
        from app.sandbox.rehearsal import Behaviour, RehearsalAgent

        class Counted(RehearsalAgent):
            async def work(self, task: Any, *rest: Any) -> Any:
                with (directory / "agent-starts").open("a") as starts:
                    starts.write(f"{task.key} {task.run} {task.attempt}\n")
                first = task.attempt == 1 and not waits
                self._behaviour = Behaviour.EDITS_NOTHING if first else Behaviour.WORKS
                while waits and not (directory / "go").exists():
                    await asyncio.sleep(0.02)
                return await super().work(task, *rest)

        return Counted(pace=0)


def judge(directory: Path) -> Any:
    """The judge by the vendor's client, where the story has a model's address for it."""
    address = directory / "model"
    if not address.exists():
        return None
    from app.adapters.claude_judge import ClaudeJudge
    from tests.fakes.messages_api import KEY

    return ClaudeJudge("claude-sonnet-5-5", KEY, address.read_text())


def work(order: dict[str, Any]) -> None:
    """The forked worker: runs until it is killed. Its sweeps run only when they are triggered."""
    from dbos import DBOS

    from app.engine.sweeps import Rhythm
    from app.engine.worker import Worker
    from app.store.database import Database
    from tests.engine.stage import parts

    directory = Path(order["directory"])
    if order["log"]:
        boundaries.log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    boundaries.die_at = order["die_at"]
    db = Database(order["database"])
    agent = CountedAgent(directory, order["waits"])
    ready = parts(db, directory, agent=agent, judge=judge(directory))
    Worker(replace(ready, clock=SetClock(directory)), 2, Rhythm(3600, 3600), ttl=2.0).start()
    for known in DBOS.list_schedules():
        DBOS.pause_schedule(known["schedule_name"])
    threading.Event().wait()


def main() -> None:
    names = instrument_steps()
    instrument_calls()
    import tests.engine.stage  # noqa: F401 - imports all that a worker needs, once

    sys.stdout.write(json.dumps(names) + "\n")
    sys.stdout.flush()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no worker outlives its test
            sys.stdin.close()
            os.dup2(2, 1)  # answers are the parent's alone: a worker's log lines go elsewhere
            try:
                work(json.loads(line))
            except BaseException:  # noqa: BLE001 - whatever it is, it ends here and has to be read
                traceback.print_exc()
            finally:
                os._exit(1)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
