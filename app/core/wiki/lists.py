"""Items marked `*`, `#*`, `-` one after another into nested lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.text import Block, Kind, Span

MAX_DEPTH = 8
"""Deeper marks count as this many: nobody can read more, and the stack must not run out."""
_TICK = re.compile(r"\[([ xX])\]\s+(.*)", re.DOTALL)


@dataclass(slots=True)
class Entry:
    """An item as read: its marks, the lines still to become a paragraph, the blocks before."""

    marks: str
    lines: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class _Level:
    kind: Kind
    items: list[list[Block]] = field(default_factory=list)

    def block(self) -> Block:
        items = (Block("item", children=tuple(blocks)) for blocks in self.items)
        return Block(self.kind, children=tuple(items))


def nested(entries: Sequence[Entry]) -> list[Block]:
    """The lists. A level that was skipped is not made up: its items count one level higher."""
    out: list[Block] = []
    levels: list[_Level] = []

    def close() -> None:
        done = levels.pop().block()
        (levels[-1].items[-1] if levels else out).append(done)

    for entry in entries:
        kind: Kind = "numbers" if entry.marks.endswith("#") else "bullets"
        depth = min(len(entry.marks), len(levels) + 1, MAX_DEPTH)
        while len(levels) > depth:
            close()
        if len(levels) == depth and levels[-1].kind != kind:
            close()
        if len(levels) < depth:
            levels.append(_Level(kind))
        levels[-1].items.append(list(entry.blocks))
    while levels:
        close()
    return out


def ticked(block: Block) -> Block:
    """The list; one of "[ ] this" and "[x] that" is a list of tasks."""
    found = [_task(child) for child in block.children]
    tasks = tuple(task for task in found if task is not None)
    return Block("tasks", children=tasks) if len(tasks) == len(found) else block


def _task(item: Block) -> Block | None:
    if len(item.children) != 1 or item.children[0].kind != "paragraph":
        return None
    spans = item.children[0].spans
    tick = _TICK.fullmatch(spans[0].text) if spans else None
    if tick is None:
        return None
    return Block("task", spans=(Span(tick[2]), *spans[1:]), checked=tick[1] != " ")
