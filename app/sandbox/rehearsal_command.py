"""Runs a caged command until it ends or is stopped, and keeps the last line that it wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

KEPT = 4096


class Stopped(Exception):
    """Someone asked to stop while the command ran."""


async def run_caged(argv: Sequence[str], stop: asyncio.Event) -> tuple[int, str]:
    """Exit code and last line. When this returns or raises, the whole cage has ended."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    reading = asyncio.create_task(_tail(process))
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((reading, asked), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            raise Stopped
        last = reading.result()
        return await process.wait(), last
    finally:
        reading.cancel()
        asked.cancel()
        await _end(process)


async def _tail(process: asyncio.subprocess.Process) -> str:
    kept = b""
    assert process.stdout is not None
    while piece := await process.stdout.read(65536):
        kept = (kept + piece)[-KEPT:]
    lines = kept.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """TERM ends bubblewrap and with it the namespace; KILL is for what is deaf to it."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 1)
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
