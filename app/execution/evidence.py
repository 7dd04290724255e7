"""What we observe ourselves on the agent's tree. Nothing an agent says is evidence."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.core.prompt import criteria
from app.core.run import Check
from app.execution.workspace import open_workspace
from app.ports import Cage

LONGEST_OUTPUT = 3_000
PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What is run where. directory: the run's own folder. description: the ticket's text."""

    cage: Cage
    directory: Path
    command: str
    description: str
    seconds: float


async def observe(wanted: Acceptance, commit: str | None, stop: asyncio.Event) -> dict[str, Any]:
    """{"passed", "cause", "checks"}: was anything changed (commit), and does the acceptance
    command succeed on it, in a cage of its own? Safe to repeat; `stop` ends it.

    What the command itself writes is not in the commit, which was made before."""
    directory, command = wanted.directory, wanted.command
    workspace = open_workspace(directory)
    if workspace is None:
        return _failed("the workspace is gone", [])
    if commit is None:
        return _failed("the agent changed nothing", [])
    home = directory / "check-home"
    home.mkdir(exist_ok=True, mode=0o700)
    code, output = await _run(wanted, workspace.path, home, stop)
    passed = code == 0
    ended = "did not end in time" if code is None else f"ended with {code}"
    checks = [
        Check(
            f"the acceptance command: {command}",
            "passed" if passed else "failed",
            f"run by Signalbox: {ended}",
        ),
        *(
            Check(criterion, "not checked", "no check of its own; read the change")
            for criterion in criteria(wanted.description)
        ),
    ]
    rows = [asdict(check) for check in checks]
    if passed:
        return {"passed": True, "cause": "", "checks": rows}
    return _failed(f"the acceptance command {ended}: {command}\n{output}", rows)


def _failed(cause: str, checks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"passed": False, "cause": cause, "checks": checks}


async def _run(
    wanted: Acceptance, worktree: Path, home: Path, stop: asyncio.Event
) -> tuple[int | None, str]:
    """Exit code (None = ended by us, at the time limit or asked to) and the end of its output."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/home/agent"}
    argv = wanted.cage.wrap(["sh", "-c", wanted.command], worktree=worktree, home=home, env=env)
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        cwd=worktree,
    )
    reading, stopped = asyncio.ensure_future(_tail(process)), asyncio.ensure_future(stop.wait())
    try:
        first = asyncio.FIRST_COMPLETED
        done, _ = await asyncio.wait({reading, stopped}, timeout=wanted.seconds, return_when=first)
        return (await process.wait(), await reading) if reading in done else (None, "")
    finally:
        await _end(process)
        for task in (reading, stopped):
            task.cancel()
        await asyncio.gather(reading, stopped, return_exceptions=True)


async def _end(process: asyncio.subprocess.Process) -> None:
    """The cage's warden ends what is below it when it is asked to; then nothing is left to ask."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _tail(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    kept = b""
    while chunk := await process.stdout.read(65536):
        kept = (kept + chunk)[-LONGEST_OUTPUT:]
    return kept.decode(errors="replace")
