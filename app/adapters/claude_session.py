"""One process of Claude Code from its first word to its last, whoever ends it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.claude_outcome import Ended, outcome
from app.adapters.claude_stream import Told
from app.adapters.claude_transport import POLITE_SECONDS, CagedProcess, Event
from app.core.run import Ending
from app.ports import AgentTask, Progress

COMMITS = re.compile(r"\bgit\b[^\n;&|]*\b(?:commit|push)\b")
LEAVE_COMMITS = "Commits and pushes are made for you after you have ended; only edit files."
SAID_LENGTH = 2000


class Session:
    """`told` is what its stream has said so far."""

    def __init__(self, argv: Sequence[str], task: AgentTask, progress: Progress) -> None:
        self.told = Told()
        self._task = task
        self._progress = progress
        self._enough = asyncio.Event()
        self._process = CagedProcess(argv, self._see)
        self._client: Any = None
        self._fault = ""

    @property
    def said(self) -> str:
        result = (self.told.result or {}).get("result")
        return result[:SAID_LENGTH] if isinstance(result, str) else ""

    async def run(self, stop: asyncio.Event) -> tuple[Ending, str]:
        """Until it ends, is stopped, is stuck or out of time. Leaves no process."""
        talking = asyncio.create_task(self._talk())
        waits = {asyncio.create_task(each.wait()) for each in (stop, self._enough)}
        try:
            await asyncio.wait(
                {talking, *waits},
                timeout=self._task.seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            cut = not talking.done()
            if cut:
                await self._interrupt(talking)
        finally:
            for each in (talking, *waits):
                each.cancel()
            await asyncio.shield(self._process.kill())
        asked = cut and stop.is_set()
        out_of_time = cut and not asked and not self._enough.is_set()
        words = self._process.last_words or self._fault
        return outcome(self.told, Ended(self._process.code, asked, out_of_time, words))

    def _see(self, event: Event) -> None:
        for line in self.told.take(event):
            self._progress(line)
        if self.told.repeated or self.told.refused is not None:
            self._enough.set()

    async def _talk(self) -> None:
        """The SDK raises again what the result already said, so only the words are kept."""
        from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, HookMatcher

        deny: Any = _deny_commits
        hook = HookMatcher(matcher="Bash", hooks=[deny], on_failure="block")
        options = ClaudeAgentOptions(hooks={"PreToolUse": [hook]}, verbatim_prompts=True)
        transport: Any = self._process
        try:
            async with ClaudeSDKClient(options, transport=transport) as client:
                self._client = client
                await client.query(self._task.prompt)
                async for _message in client.receive_response():
                    continue
        except Exception as fault:  # noqa: BLE001 - the outcome is judged by what was told
            self._fault = f"{type(fault).__name__}: {fault}"

    async def _interrupt(self, talking: asyncio.Task[None]) -> None:
        """Politely first, as then the tool's result and the cost are still written down."""
        if self._client is None:
            return
        asking = asyncio.create_task(self._client.interrupt())
        await asyncio.wait({talking}, timeout=POLITE_SECONDS)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await asking


async def _deny_commits(
    given: Mapping[str, Any], _tool_use_id: str | None, _context: object
) -> dict[str, Any]:
    command = (given.get("tool_input") or {}).get("command", "")
    if not COMMITS.search(str(command)):
        return {}
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": LEAVE_COMMITS,
        }
    }
