"""Markdown into blocks: total, line by line, linear in the length of the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.core.markdown import lines as line
from app.core.markdown.inline import named, spans_of
from app.core.text import Block, Document, Kind, Span, far_below, visible, words
from app.core.wiki.lists import ticked

MAX_DEPTH = 8
"""Deeper quotes and lists are read as lines: nobody can read more, and the stack must not run
out."""
LONGEST_HEADING = 160
"""A longer one is a text that has lost its line breaks, not a heading."""
FRONT = 100
"""So many lines of names and values at most before the text itself."""

_TARGET = re.compile(r" {0,3}\[([^\[\]\n]{1,300})\]:[ \t]+<?([^\s<>]{1,1000})>?[^\n]{0,300}")
_NAMED = re.compile(r"[\w-]{1,60}:(?:\s|$)")
_PAIR = re.compile(r"[\w-]{1,60}:(?:\s.*)?|[\s#-].*|")
_CELLS = re.compile(r"(?<!\\)\|")

Spans = Callable[[str], tuple[Span, ...]]


def from_markdown(text: str) -> Document:
    """The text as blocks. Names and values before it are kept as code."""
    clean, hidden = visible(text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = clean.split("\n")
    unread: dict[str, None] = {}

    def miss(name: str) -> None:
        unread[" ".join(name.split())[:80] or "a picture"] = None

    targets = {
        named(found[1]): found[2]
        for each in lines
        if (found := _TARGET.fullmatch(each)) is not None
    }
    reader = _Reader(lambda text: spans_of(text, targets, miss))
    front, lines = _front(lines)
    blocks = (*front, *reader.blocks(lines, 0))
    return Document(blocks, tuple(unread), hidden or far_below(clean))


def titled(text: str) -> tuple[str, Document]:
    """A file as summary and description: its first heading, or else its first line."""
    document = from_markdown(text)
    front = tuple(block for block in document.blocks[:1] if block.kind == "code")
    first, *rest = (*document.blocks[len(front) :], Block("rule"))
    if first.kind == "heading":
        return words(first.spans).strip(), replace(document, blocks=(*front, *rest[:-1]))
    summary, _, below = text.strip().partition("\n")
    inner = from_markdown(summary.strip()).plain()
    return " ".join(inner.split()), from_markdown(below)


def _front(lines: list[str]) -> tuple[list[Block], list[str]]:
    if lines[0].rstrip() != "---" or not lines[1:] or not _NAMED.match(lines[1]):
        return [], lines
    for end, each in enumerate(lines[1:FRONT], 1):
        if each.rstrip() == "---":
            code = Block("code", spans=(Span("\n".join(lines[1:end])),), language="yaml")
            return [code], lines[end + 1 :]
        if _PAIR.fullmatch(each) is None:
            break
    return [], lines


class _Reader:
    """Reads the lines of one container after the other; `_at` functions answer where they end."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def blocks(self, lines: list[str], depth: int) -> list[Block]:
        if depth >= MAX_DEPTH:
            return self._paragraph(lines)
        fences = line.Fences(lines)
        out: list[Block] = []
        open_: list[str] = []
        at = 0
        while at < len(lines):
            made, after = self._block(lines, at, depth, fences, bool(open_))
            if after == at:
                open_.append(lines[at])
                at += 1
                continue
            if level := line.underlined(lines[at]) if open_ and not made else 0:
                made = self._heading("\n".join(open_), level)
                open_ = []
            out.extend([*self._paragraph(open_), *made])
            open_ = []
            at = after
        return [*out, *self._paragraph(open_)]

    def _block(
        self, lines: list[str], at: int, depth: int, fences: line.Fences, in_text: bool
    ) -> tuple[list[Block], int]:
        """The block that begins in this line and the line behind it; the same line for none."""
        this = lines[at]
        if not this.strip() or _TARGET.fullmatch(this):
            return [], at + 1
        if in_text and line.underlined(this):
            return [], at + 1
        if (end := fences.end(at)) is not None:
            return [_fenced(lines, at, end)], end + 1
        if found := line.heading(this):
            return self._heading(found[1], found[0]), at + 1
        if line.RULE.fullmatch(this):
            return [Block("rule")], at + 1
        if line.QUOTE.match(this):
            inner, after = line.quoted(lines, at)
            return _parent("quote", self.blocks(inner, depth + 1)), after
        if line.begins_table(lines, at):
            return self._table(lines, at)
        if (mark := line.marker(this)) is not None and not (in_text and not mark.interrupts):
            return self._list(lines, at, depth, fences)
        if not in_text and line.indent(this) >= line.CODE:
            return _indented(lines, at)
        return [], at

    def _heading(self, text: str, level: int) -> list[Block]:
        if len(text) > LONGEST_HEADING:
            return self._paragraph([text])
        spans = self._spans(" ".join(text.split()))
        return [Block("heading", spans=spans, level=level)] if words(spans).strip() else []

    def _paragraph(self, lines: Sequence[str]) -> list[Block]:
        spans = self._spans(line.flowing([each for each in lines if each.strip()]))
        return [Block("paragraph", spans=spans)] if words(spans).strip() else []

    def _list(
        self, lines: list[str], at: int, depth: int, fences: line.Fences
    ) -> tuple[list[Block], int]:
        first = line.marker(lines[at])
        kind: Kind = "numbers" if first is not None and first.number else "bullets"
        items: list[Block] = []
        while at < len(lines):
            mark = line.marker(lines[at])
            if mark is None or mark.number != (kind == "numbers") or line.RULE.fullmatch(lines[at]):
                break
            inner, at = line.item(lines, at, mark, fences)
            items.append(Block("item", children=tuple(self.blocks(inner, depth + 1))))
        return [ticked(Block(kind, children=tuple(items)))], at

    def _table(self, lines: list[str], at: int) -> tuple[list[Block], int]:
        rows = [self._row(lines[at], header=True)]
        at += 2
        while at < len(lines) and lines[at].strip() and "|" in lines[at]:
            rows.append(self._row(lines[at], header=False))
            at += 1
        return [Block("table", children=tuple(rows))], at

    def _row(self, text: str, *, header: bool) -> Block:
        inner = text.strip().removeprefix("|")
        inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
        cells = (part.replace("\\|", "|").strip() for part in _CELLS.split(inner))
        made = (
            Block("cell", children=tuple(self._paragraph([cell])), header=header) for cell in cells
        )
        return Block("row", children=tuple(made))


def _parent(kind: Kind, children: list[Block]) -> list[Block]:
    return [Block(kind, children=tuple(children))] if children else []


def _fenced(lines: list[str], at: int, end: int) -> Block:
    found = line.FENCE.fullmatch(lines[at])
    language = found[2].split()[0] if found is not None and found[2].split() else ""
    body = "\n".join(line.cut(each, line.indent(lines[at])) for each in lines[at + 1 : end])
    return Block("code", spans=(Span(body),), language=language.strip("{}.")[:20])


def _indented(lines: list[str], at: int) -> tuple[list[Block], int]:
    start = at
    while at < len(lines) and (line.indent(lines[at]) >= line.CODE or not lines[at].strip()):
        at += 1
    body = "\n".join(line.cut(each, line.CODE) for each in lines[start:at]).rstrip()
    return [Block("code", spans=(Span(body),))], at
