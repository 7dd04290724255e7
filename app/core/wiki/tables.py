"""One row of a wiki table: `||` before a heading, `|` before a cell."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.core.text import Block, Span, words
from app.core.wiki.inline import spans_of

_PIPES = re.compile(
    r"\\.|\[[^\[\]\n]*\]|\{\{[^{}\n]*\}\}|!(?=\S)[^!\n|]{1,200}(?:\|[^!\n|]{1,200})?!|(\|\|?)"
)


def row_of(line: str, miss: Callable[[str], None]) -> Block:
    """The row. A bar inside a link, a picture or fixed-width text parts no cells."""
    cells: list[Block] = []
    start, header = -1, False
    for found in _PIPES.finditer(line):
        if found[1] is None:
            continue
        if start >= 0:
            cells.append(_cell(line[start : found.start()], header, miss))
        start, header = found.end(), found[1] == "||"
    if line[start:].strip():
        cells.append(_cell(line[start:], header, miss))
    return Block("row", children=tuple(cells))


def _cell(text: str, header: bool, miss: Callable[[str], None]) -> Block:
    spans: list[Span] = []
    for position, line in enumerate(text.strip().split("\n")):
        spans.extend([Span("\n")] if position else [])
        spans.extend(spans_of(line, miss))
    content = (Block("paragraph", spans=tuple(spans)),) if words(tuple(spans)).strip() else ()
    return Block("cell", children=content, header=header)
