"""What Claude Code's event stream says, folded line by line. Unknown events are passed over.

Usage is taken from `message_delta` alone: what `assistant` events carry is a placeholder.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT_CALLS = 8
SAME_CALLS = 4
LINE_LENGTH = 120
CHANGES = frozenset({"Edit", "MultiEdit", "Write", "NotebookEdit", "Bash"})
VERBS = {
    "Bash": "runs",
    "Edit": "changes",
    "MultiEdit": "changes",
    "Write": "writes",
    "NotebookEdit": "changes",
    "Read": "reads",
    "Glob": "looks for",
    "Grep": "searches for",
}
SUBJECTS = ("command", "file_path", "notebook_path", "pattern", "path", "query", "description")
TIMES = re.compile(r"\d+(?:\.\d+)?\s*(?:ms|s)\b")


@dataclass
class Told:
    """`usage`: absolute counts by message id, with the model. `repeated`: the call it is stuck in.

    refused: HTTP status of the first retry that no retry can mend.
    """

    session: str | None = None
    version: str | None = None
    result: Mapping[str, Any] | None = None
    refused: int | None = None
    repeated: str = ""
    denied: list[str] = field(default_factory=list)
    changed: bool = False
    usage: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    _open: dict[str, tuple[str, str, Mapping[str, Any]]] = field(default_factory=dict)
    _calls: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    _last: deque[tuple[str, str, str]] = field(default_factory=lambda: deque(maxlen=KEPT_CALLS))

    def take(self, event: Mapping[str, Any]) -> list[str]:
        """Fold one event in; lines for people, one for each tool call that begins."""
        kind = event.get("type")
        if kind == "system":
            self._system(event)
        elif kind == "stream_event":
            self._partial(event)
        elif kind == "assistant":
            return self._assistant(event)
        elif kind == "user":
            self._user(event)
        elif kind == "result":
            self.result = event
            self.session = _text(event.get("session_id")) or self.session
            self.denied = [_denied(denial) for denial in _list(event.get("permission_denials"))]
        return []

    def _system(self, event: Mapping[str, Any]) -> None:
        if event.get("subtype") == "init":
            self.session = _text(event.get("session_id")) or self.session
            self.version = _text(event.get("claude_code_version"))
        elif event.get("subtype") == "api_retry" and event.get("error_status") in (401, 402, 403):
            self.refused = int(event["error_status"])
        elif event.get("subtype") == "permission_denied":
            self.denied.append(_text(event.get("tool_name")) or "a tool")

    def _partial(self, event: Mapping[str, Any]) -> None:
        """Sub-agents' messages interleave: which one a delta ends is told by their parent."""
        inner = _dict(event.get("event"))
        parent = _text(event.get("parent_tool_use_id")) or ""
        if inner.get("type") == "message_start":
            message = _dict(inner.get("message"))
            begun = _dict(message.get("usage"))
            self._open[parent] = (str(message.get("id")), str(message.get("model")), begun)
        elif inner.get("type") == "message_delta" and parent in self._open:
            identity, model, begun = self._open.pop(parent)
            known = {name: n for name, n in _dict(inner.get("usage")).items() if n is not None}
            self.usage[identity] = (model, {**begun, **known})

    def _assistant(self, event: Mapping[str, Any]) -> list[str]:
        lines = []
        for block in map(_dict, _list(_dict(event.get("message")).get("content"))):
            if block.get("type") == "tool_use":
                name, arguments = str(block.get("name")), _dict(block.get("input"))
                line = _line(name, arguments)
                self._calls[str(block.get("id"))] = (name, repr(sorted(arguments.items())), line)
                lines.append(line)
        return lines

    def _user(self, event: Mapping[str, Any]) -> None:
        for block in map(_dict, _list(_dict(event.get("message")).get("content"))):
            call = self._calls.pop(str(block.get("tool_use_id")), None)
            if block.get("type") == "tool_result" and call is not None:
                self._ended(*call, block)

    def _ended(self, name: str, arguments: str, line: str, block: Mapping[str, Any]) -> None:
        if name in CHANGES and not block.get("is_error"):
            self.changed = True
        result = " ".join(TIMES.sub("#", str(block.get("content"))).split())
        self._last.append((name, arguments, result))
        if self._last.count(self._last[-1]) >= SAME_CALLS:
            self.repeated = line


def clean(text: str, longest: int) -> str:
    """One printable line of it: it comes from an agent, and people will read it."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _line(name: str, arguments: Mapping[str, Any]) -> str:
    subject = next((str(arguments[key]) for key in SUBJECTS if arguments.get(key)), "")
    subject = subject.removeprefix("/workspace/")
    return clean(
        f"{VERBS.get(name, f'uses {name}:' if subject else f'uses {name}')} {subject}", LINE_LENGTH
    )


def _denied(denial: object) -> str:
    return _text(_dict(denial).get("tool_name")) or "a tool"


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
