"""What we observe ourselves on the agent's tree. Nothing an agent says is evidence."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.core.prompt import criteria
from app.core.run import Check
from app.execution.workspace import open_workspace
from app.ports import Cage

LONGEST_OUTPUT = 3_000


async def observe(
    cage: Cage, directory: Path, commit: str | None, command: str, description: str, seconds: float
) -> dict[str, Any]:
    """{"passed", "cause", "checks"}: was anything changed (commit), and does the acceptance
    command succeed on it, in a cage of its own? Safe to repeat.

    What the command itself writes is not in the commit, which was made before."""
    workspace = open_workspace(directory)
    if workspace is None:
        return _failed("the workspace is gone", [])
    if commit is None:
        return _failed("the agent changed nothing", [])
    home = directory / "check-home"
    home.mkdir(exist_ok=True, mode=0o700)
    code, output = await _run(cage, workspace.path, home, command, seconds)
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
            for criterion in criteria(description)
        ),
    ]
    rows = [asdict(check) for check in checks]
    if passed:
        return {"passed": True, "cause": "", "checks": rows}
    return _failed(f"the acceptance command {ended}: {command}\n{output}", rows)


def _failed(cause: str, checks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"passed": False, "cause": cause, "checks": checks}


async def _run(
    cage: Cage, worktree: Path, home: Path, command: str, seconds: float
) -> tuple[int | None, str]:
    """Exit code (None = stopped at the time limit) and the end of what it printed."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/home/agent"}
    argv = cage.wrap(["sh", "-c", command], worktree=worktree, home=home, env=env)
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        cwd=worktree,
    )
    try:
        tail = await asyncio.wait_for(_tail(process), seconds)
        return await process.wait(), tail
    except TimeoutError:
        return None, ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _tail(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    kept = b""
    while chunk := await process.stdout.read(65536):
        kept = (kept + chunk)[-LONGEST_OUTPUT:]
    return kept.decode(errors="replace")
