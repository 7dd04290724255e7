"""What Claude Code wrote down under HOME while it worked; survives a kill of the process.

Its usage is final for each message id, but the very last call can be missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from app.core.run import CallUsage

Price = Callable[..., int | None]
LARGEST = 200 * 1024 * 1024


def transcripts(home: Path) -> list[Path]:
    """Each session's file, the newest last. The agent may write here: links are not followed."""
    found = [
        path
        for path in home.glob(".claude/projects/*/*.jsonl")
        if path.is_file() and path.resolve().is_relative_to(home.resolve())
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime)


def read_usage(lines: Iterable[str]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """(model, counts) by message id. A later record of the same id replaces an earlier one."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue  # the last line of a killed process may be cut
        message = record.get("message") if isinstance(record, dict) else None
        if not isinstance(message, dict) or record.get("type") != "assistant":
            continue
        identity, model, usage = message.get("id"), message.get("model"), message.get("usage")
        if isinstance(identity, str) and isinstance(usage, dict) and model != "<synthetic>":
            found[identity] = (str(model), usage)
    return found


def sizes(home: Path) -> dict[str, int]:
    """How long each transcript is, to be told before an attempt begins."""
    return {str(path.relative_to(home)): path.stat().st_size for path in transcripts(home)}


def usage_since(
    home: Path, before: Mapping[str, int]
) -> dict[str, tuple[str, Mapping[str, Any]]] | None:
    """What was written after `before`, all sessions together; None where nothing was."""
    paths = transcripts(home)
    if not paths or sum(path.stat().st_size for path in paths) > LARGEST:
        return None
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for path in paths:
        with path.open(encoding="utf-8", errors="replace") as lines:
            lines.seek(before.get(str(path.relative_to(home)), 0))
            found |= read_usage(lines)
    return found


def priced(
    usage: Mapping[str, tuple[str, Mapping[str, Any]]], price: Price
) -> tuple[CallUsage, ...]:
    return tuple(
        _call(identity, model, counts, price) for identity, (model, counts) in usage.items()
    )


def _call(identity: str, model: str, counts: Mapping[str, Any], price: Price) -> CallUsage:
    fresh, out = _count(counts, "input_tokens"), _count(counts, "output_tokens")
    read, written = (
        _count(counts, "cache_read_input_tokens"),
        _count(counts, "cache_creation_input_tokens"),
    )
    by_time = counts.get("cache_creation")
    long = _count(by_time, "ephemeral_1h_input_tokens") if isinstance(by_time, dict) else 0
    long = min(long, written)
    cost = price(model, fresh=fresh, written=written - long, written_long=long, read=read, out=out)
    return CallUsage(identity, model, fresh, written, read, out, cost)


def _count(counts: Mapping[str, Any], name: str) -> int:
    value = counts.get(name)
    return value if isinstance(value, int) and value > 0 else 0
