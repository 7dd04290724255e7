"""Keeps a comment below the size at which Jira refuses it, in both of its markups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from app.core.adf import to_adf
from app.core.text import Block, Span, paragraph, words
from app.core.wiki import to_wiki

LIMIT = 32_000
"""Jira's field ends at 32,767 characters; whether Cloud counts text or JSON is not documented."""

_PARTED = frozenset(["bullets", "numbers", "item", "tasks", "quote", "panel", "expand", "table"])


def size(blocks: Sequence[Block]) -> int:
    """Characters as Jira's Java counts them, where a picture is two: of the document as it is sent
    or of its wiki markup, whose escapes can make it the longer one."""
    document = json.dumps(to_adf(blocks), ensure_ascii=False)
    return max(_units(document), _units(to_wiki(blocks)))


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(
    blocks: Sequence[Block], limit: int = LIMIT, address: str | None = None
) -> tuple[Block, ...]:
    """The blocks as they are if they fit; else less of the expands first, then of the end.

    A cut comment ends with a line that says so, with the address of the whole text where there
    is one.
    """
    if size(blocks) <= limit:
        return tuple(blocks)
    notice = _notice(address)
    room = limit - size([notice])
    cut = (*_shortened(blocks, room), notice)
    # What frames and titles add inside of each other is only known once they stand there.
    while (over := size(cut) - limit) > 0 and len(cut) > 1:
        room -= over
        cut = (*_shortened(blocks, room), notice)
    return cut


def _notice(address: str | None) -> Block:
    said = Span("This comment was too long for Jira and was cut here.", em=True)
    if not address:
        return paragraph(said)
    return paragraph(said, Span(" The rest: ", em=True), Span(address, link=address))


def _shortened(blocks: Sequence[Block], room: int) -> tuple[Block, ...]:
    folded = [block.kind == "expand" for block in blocks]
    shown = size([b for b, fold in zip(blocks, folded, strict=True) if not fold])
    kept: list[Block] = []
    spare = room - shown
    if spare < 0:
        return _cut(blocks, room)
    for block, fold in zip(blocks, folded, strict=True):
        part = _cut([block], spare) if fold else (block,)
        kept.extend(part)
        spare -= size(part) if fold else 0
    return tuple(kept)


def _cut(blocks: Sequence[Block], room: int, frame: Block | None = None) -> tuple[Block, ...]:
    """As many blocks from the start as there is room for, the last one perhaps in part.

    `frame` is what they stand in: an item or a row has its size only there.
    """
    kept: list[Block] = []
    for block in blocks:
        needed = size([replace(frame, children=(block,)) if frame else block])
        if needed > room:
            kept.extend(_part(block, room))
            break
        kept.append(block)
        room -= needed
    return tuple(kept)


def _part(block: Block, room: int) -> tuple[Block, ...]:
    if block.kind in _PARTED:
        children = _cut(block.children, room, replace(block, title=""))
        return (replace(block, children=children),) if children else ()
    if block.kind not in ("paragraph", "code"):
        return ()
    text = words(block.spans)
    # A character may take six in JSON, a line break forty: halve until it fits, a few times.
    length = min(len(text), max(0, room))
    while length > 20:
        less = replace(block, spans=(Span(text[:length].rstrip() + " …"),))
        if size([less]) <= room:
            return (less,)
        length //= 2
    return ()
