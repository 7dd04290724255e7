"""One row of a wiki table: `||` before a heading, `|` before a cell."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.core.text import Block

_PIPES = re.compile(
    r"\\.|\[[^\[\]\n]*\]|\{\{[^{}\n]*\}\}|!(?=\S)[^!\n|]{1,200}(?:\|[^!\n|]{1,200})?!|(\|\|?)"
)


def row_of(line: str, read: Callable[[str], tuple[Block, ...]]) -> Block:
    """The row. A bar inside a link, a picture or fixed-width text parts no cells."""
    cells: list[Block] = []
    start, header = -1, False
    for found in _PIPES.finditer(line):
        if found[1] is None:
            continue
        if start >= 0:
            cells.append(_cell(read(line[start : found.start()].strip()), header))
        start, header = found.end(), found[1] == "||"
    if line[start:].strip():
        cells.append(_cell(read(line[start:].strip()), header))
    return Block("row", children=tuple(cells))


def _cell(content: tuple[Block, ...], header: bool) -> Block:
    return Block("cell", children=content, header=header)


def in_cell(code: str) -> str:
    """Code as fixed-width lines: a block of code inside a cell must not part the row. As entities,
    so that nothing in it is markup."""
    return "\n".join(f"{{{{{_entities(line)}}}}}" for line in code.split("\n") if line.strip())


def _entities(line: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else f"&#{ord(c)};" for c in line)
