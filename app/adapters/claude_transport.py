"""Claude Code's process in its cage, as the transport of claude-agent-sdk.

Ours and not the SDK's own, because that one inherits our environment and cannot be killed by
its namespace. It has the methods of `claude_agent_sdk.Transport` without importing it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

LONGEST_LINE = 64 * 1024 * 1024
LAST_WORDS = 4096
POLITE_SECONDS = 5.0
ENDING_SECONDS = 6.0
"""The warden takes five at the most; whoever kills it earlier leaves its work undone."""

Event = Mapping[str, Any]


class CagedProcess:
    """`seen` gets every event before the SDK does. `code` is None while it runs."""

    def __init__(self, argv: Sequence[str], seen: Callable[[Event], None]) -> None:
        self._argv = list(argv)
        self._seen = seen
        self._process: asyncio.subprocess.Process | None = None
        self._errors: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._ready = False
        self.last_words = ""

    @property
    def code(self) -> int | None:
        return None if self._process is None else self._process.returncode

    async def connect(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        self._errors = asyncio.create_task(self._read_errors())
        self._ready = True

    async def write(self, data: str) -> None:
        async with self._writing:
            stdin = self._process.stdin if self._process else None
            if stdin is None or not self._ready:
                raise ConnectionError("Claude Code is not running")
            stdin.write(data.encode())
            await stdin.drain()

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """Every JSON object that it prints; other lines are none of our business."""
        from claude_agent_sdk import ProcessError

        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            event = _object(line)
            if event is not None:
                self._seen(event)
                yield event
        code = await self._process.wait()
        if code != 0:
            raise ProcessError(f"Claude Code ended with exit code {code}", exit_code=code)

    async def end_input(self) -> None:
        async with self._writing:
            self._ready = False
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()

    async def close(self) -> None:
        """First its input, so that it can finish its transcript; then its namespace."""
        with contextlib.suppress(OSError):
            await self.end_input()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), POLITE_SECONDS)
        await self.kill()

    def is_ready(self) -> bool:
        return self._ready and self.code is None

    async def kill(self) -> None:
        """TERM ends bubblewrap and all that is in it at once; KILL is for what is deaf to it."""
        self._ready = False
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), ENDING_SECONDS)
            except (TimeoutError, asyncio.CancelledError):
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
        if self._errors is not None:
            await asyncio.gather(self._errors, return_exceptions=True)

    async def _read_errors(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        kept = b""
        while piece := await self._process.stderr.read(65536):
            kept = (kept + piece)[-LAST_WORDS:]
            self.last_words = kept.decode(errors="replace")


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
