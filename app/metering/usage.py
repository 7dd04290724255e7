"""Reads what a request used out of the model's answer, streamed or whole, without touching it.

Counts are absolute: what a later event says of a figure replaces what an earlier one said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.run import CallUsage

LONGEST_LINE = 32 * 1024 * 1024


class Price(Protocol):
    """Micro-units of one request, None when the model is unknown."""

    def __call__(
        self,
        model: str,
        *,
        fresh: int = 0,
        written: int = 0,
        written_long: int = 0,
        read: int = 0,
        out: int = 0,
    ) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Used:
    """One answer. written_long: the part of `written` that is cached for an hour."""

    message_id: str
    model: str
    fresh: int
    written: int
    written_long: int
    read: int
    out: int

    def priced(self, price: Price) -> CallUsage:
        cost = price(
            self.model,
            fresh=self.fresh,
            written=self.written - self.written_long,
            written_long=self.written_long,
            read=self.read,
            out=self.out,
        )
        return CallUsage(
            self.message_id, self.model, self.fresh, self.written, self.read, self.out, cost
        )


class UsageReader:
    """Fed with the answer's bytes as they pass. `used` is None until the answer is complete."""

    def __init__(self, content_type: str) -> None:
        self._streamed = "text/event-stream" in content_type
        self._rest = b""
        self._message: dict[str, Any] = {}
        self._counts: dict[str, Any] = {}
        self._complete = False
        self.failed_early = False
        """An error came instead of an answer, before anything was used."""

    def feed(self, piece: bytes) -> None:
        self._rest += piece
        if not self._streamed:
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(_object(line[5:]))
        self._rest = self._rest[:LONGEST_LINE]

    def used(self) -> Used | None:
        """What a complete answer used. A cut one tells less than what will be billed: None."""
        if not self._streamed and not self._complete:
            self._message = _object(self._rest)
            self._add(self._message.get("usage"))
            self._complete = self._message.get("type") == "message" and bool(self._counts)
        if not self._complete:
            return None
        written = _count(self._counts, "cache_creation_input_tokens")
        by_time = self._counts.get("cache_creation")
        long = _count(by_time, "ephemeral_1h_input_tokens") if isinstance(by_time, dict) else 0
        return Used(
            message_id=str(self._message.get("id") or ""),
            model=str(self._message.get("model") or ""),
            fresh=_count(self._counts, "input_tokens"),
            written=written,
            written_long=min(long, written),
            read=_count(self._counts, "cache_read_input_tokens"),
            out=_count(self._counts, "output_tokens"),
        )

    def _event(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind == "message_start" and isinstance(event.get("message"), dict):
            self._message = event["message"]
            self._add(self._message.get("usage"))
        elif kind == "message_delta":
            self._add(event.get("usage"))
            self._complete = bool(self._message) and isinstance(event.get("usage"), dict)
        elif kind == "error":
            self.failed_early = not self._message

    def _add(self, usage: object) -> None:
        if isinstance(usage, dict):
            self._counts |= {name: value for name, value in usage.items() if value is not None}


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _count(counts: dict[str, Any], name: str) -> int:
    value = counts.get(name)
    return value if isinstance(value, int) and value > 0 else 0
