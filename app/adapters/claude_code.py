"""Claude Code as a coding agent: its command line in a cage, driven through claude-agent-sdk.

Nothing that the repository brings is loaded: no settings, hooks, MCP servers or memory files.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import uuid
from pathlib import Path

from app.adapters.claude_home import put_file, read_file
from app.adapters.claude_session import Session
from app.adapters.claude_transcript import Price, priced, sizes, transcripts, usage_since
from app.adapters.prices import VERSION, price
from app.core.run import CallUsage
from app.ports import AgentReport, AgentTask, Cage, Progress, Refused

RELAY = Path(__file__).with_name("cage_relay.py")
TOOLS = ("Bash", "Edit", "Glob", "Grep", "Read", "TodoWrite", "Write")
ALLOWED = ("Bash", "Edit(./**)", "Glob", "Grep", "Read", "TodoWrite", "Write(./**)")
TURNS = 150
MISSING = (
    "The Claude Code client is not installed: run `make claude`, or install signalbox[claude]."
)
ENVIRONMENT = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_CODE_SDK_READS_SESSION_STATE": "1",
    "DISABLE_AUTOUPDATER": "1",
    "TERM": "dumb",
}
TOKEN_FILE = ".signalbox-token"  # noqa: S105 - its name, not the token
GUIDELINES_FILE = ".signalbox-guidelines.md"
RULES = "Only edit files: commits and pushes are made for you after you have ended."


class ClaudeCode:
    """`cli`: another command line than the one that the SDK brings. `retries`: how often its
    client asks again while the model is overloaded."""

    name = "claude"
    title = "Claude Code"
    simulated = False
    needs_gate = True
    prices = VERSION

    def __init__(
        self,
        model: str,
        cli: str | Path | None = None,
        *,
        price: Price = price,
        turns: int = TURNS,
        retries: int = 4,
    ) -> None:
        self._model = model
        self._cli = cli
        self._price = price
        self._turns = turns
        self._retries = retries

    async def work(
        self, task: AgentTask, cage: Cage, stop: asyncio.Event, progress: Progress
    ) -> AgentReport:
        if task.gate is None:
            raise Refused("Claude Code has no gate to the model: SIGNALBOX_ANTHROPIC_API_KEY.")
        cli = find_cli(self._cli)
        resumed = any(path.stem == task.resume for path in transcripts(task.home))
        session = task.resume if task.resume and resumed else str(uuid.uuid4())
        _prepare(task)
        argv = cage.wrap(
            [
                "python3",
                "-I",
                str(RELAY),
                TOKEN_FILE,
                str(cli),
                *self._flags(task, session, resumed),
            ],
            worktree=task.worktree,
            home=task.home,
            env={**ENVIRONMENT, "CLAUDE_CODE_MAX_RETRIES": str(self._retries)},
            gate=task.gate.socket,
            readable=[cli, RELAY],
        )
        running = Session(argv, task, progress)
        ending, cause = await running.run(stop)
        told = running.told
        written = usage_since(task.home, _before(task)) or {}
        return AgentReport(
            ending=ending,
            cause=cause,
            said=running.said,
            session=told.session or session,
            usage=priced({**written, **told.usage}, self._price),
            denied=tuple(told.denied),
        )

    def recovered_usage(self, task: AgentTask) -> tuple[CallUsage, ...] | None:
        written = usage_since(task.home, _before(task))
        return None if written is None else priced(written, self._price)

    def session_of(self, task: AgentTask) -> str | None:
        """The newest transcript's name, when that attempt wrote one at all."""
        before = _before(task)
        found = [
            path.stem
            for path in transcripts(task.home)
            if path.stat().st_size > before.get(str(path.relative_to(task.home)), 0)
        ]
        return found[-1] if found else task.resume

    def _flags(self, task: AgentTask, session: str, resumed: bool) -> list[str]:
        """--restricted: also keeps its own file tools inside the worktree."""
        return [
            *("--output-format", "stream-json", "--verbose", "--input-format", "stream-json"),
            "--include-partial-messages",
            *("--restricted", "--setting-sources=", "--strict-mcp-config"),
            *("--permission-mode", "dontAsk", "--tools", ",".join(TOOLS)),
            *("--allowedTools", ",".join(ALLOWED)),
            *("--max-turns", str(self._turns)),
            *("--model", self._model),
            *("--append-system-prompt-file", f"~/{GUIDELINES_FILE}"),
            f"--{'resume' if resumed else 'session-id'}={session}",
        ]


def find_cli(given: str | Path | None = None) -> Path:
    """The command line that the SDK brings, or the given one. Raises Refused with what to do."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        raise Refused(MISSING)
    cli = Path(given) if given else Path(spec.origin).parent / "_bundled" / "claude"
    if not cli.is_file():
        raise Refused(f"There is no Claude Code command line at {cli}: run `make claude`.")
    return cli


def _prepare(task: AgentTask) -> None:
    """What its home must hold before it starts; what an earlier attempt left is not trusted."""
    assert task.gate is not None
    put_file(task.home, TOKEN_FILE, task.gate.token)
    put_file(task.home, GUIDELINES_FILE, f"{RULES}\n\n{task.guidelines}")
    put_file(task.home, _start_file(task), json.dumps(sizes(task.home)))


def _start_file(task: AgentTask) -> str:
    return f".signalbox-start-{task.run}-{task.attempt}.json"


def _before(task: AgentTask) -> dict[str, int]:
    try:
        found = json.loads(read_file(task.home, _start_file(task)))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {str(name): size for name, size in entries if isinstance(size, int) and size >= 0}
