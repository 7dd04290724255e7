"""Blocks into Atlassian Document Format, always valid against Atlassian's schema.

Jira refuses a whole comment for one misplaced node, so what may not stand where it is asked for
is restructured: a table in a panel becomes lines, an expand in a list its title and its content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from app.core.text import Block, Kind, Span, Tone, safe_link, visible, words

Node = dict[str, Any]

MAX_DEPTH = 12
"""Lists deeper than this become lines; Jira's own editor stops at six levels."""

_ALWAYS: frozenset[Kind] = frozenset(["paragraph", "bullets", "numbers", "code"])
_ALLOWED: dict[str, frozenset[Kind]] = {
    "doc": _ALWAYS | {"heading", "tasks", "quote", "panel", "expand", "table", "rule"},
    "expand": _ALWAYS | {"heading", "tasks", "quote", "panel", "expand", "table", "rule"},
    "nestedExpand": _ALWAYS | {"heading", "tasks", "quote", "panel", "rule"},
    "cell": _ALWAYS | {"heading", "tasks", "quote", "panel", "expand", "rule"},
    "panel": _ALWAYS | {"heading", "tasks", "rule"},
    "quote": _ALWAYS,
    "item": _ALWAYS,
}
_PANELS: dict[Tone, str] = {
    "neutral": "note",
    "blue": "info",
    "green": "success",
    "yellow": "warning",
    "red": "error",
}
_ACCOUNT = re.compile(r"[\w:.@-]{1,128}")
_EMPTY: Node = {"type": "paragraph", "content": []}


def to_adf(blocks: Sequence[Block]) -> dict[str, object]:
    """The whole document. The same blocks give the same document, ids of tasks included."""
    writer = _Writer()
    return {"version": 1, "type": "doc", "content": writer.nodes(blocks, "doc", 0)}


class _Writer:
    def __init__(self) -> None:
        self._tasks = 0

    def nodes(self, blocks: Iterable[Block], where: str, depth: int) -> list[Node]:
        out: list[Node] = []
        for block in blocks:
            if depth > MAX_DEPTH:
                out.extend(_paragraph((Span(_all_text(block)),)))
            elif block.kind in _ALLOWED[where]:
                out.extend(self._node(block, where, depth))
            else:
                out.extend(self.nodes(_instead(block, where), where, depth + 1))
        return out

    def _node(self, block: Block, where: str, depth: int) -> list[Node]:
        match block.kind:
            case "paragraph":
                return _paragraph(block.spans)
            case "heading":
                level = min(6, max(1, block.level))
                content = _inline(block.spans)
                return [{"type": "heading", "attrs": {"level": level}, "content": content}]
            case "bullets" | "numbers":
                return self._list(block, depth)
            case "tasks":
                return self._task_list(block)
            case "code":
                return [_code(block)]
            case "table":
                return self._table(block, depth)
            case "rule":
                return [{"type": "rule"}]
            case "panel":
                return [self._panel(block, depth)]
            case "expand":
                kind = "expand" if where == "doc" else "nestedExpand"
                attrs = {"title": one_line(block.title)}
                content = self._some(block.children, kind, depth)
                return [{"type": kind, "attrs": attrs, "content": content}]
            case _:
                content = self._some(block.children, "quote", depth)
                return [{"type": "blockquote", "content": content}]

    def _some(self, blocks: Iterable[Block], where: str, depth: int) -> list[Node]:
        """Content of a node that may not be empty."""
        return self.nodes(blocks, where, depth + 1) or [_EMPTY]

    def _list(self, block: Block, depth: int) -> list[Node]:
        items: list[Node] = []
        for child in block.children:
            inner = child.children if child.kind == "item" else (child,)
            content = self._some(inner, "item", depth)
            if content[0]["type"] not in ("paragraph", "codeBlock"):
                content.insert(0, _EMPTY)  # the editor wants text before a list inside an item
            items.append({"type": "listItem", "content": content})
        kind = "bulletList" if block.kind == "bullets" else "orderedList"
        return [{"type": kind, "content": items}] if items else []

    def _task_list(self, block: Block) -> list[Node]:
        items: list[Node] = []
        for child in block.children:
            spans = child.spans if child.kind == "task" else (Span(_all_text(child)),)
            state = "DONE" if child.checked else "TODO"
            attrs = {"localId": self._id("task"), "state": state}
            items.append({"type": "taskItem", "attrs": attrs, "content": _inline(spans)})
        if not items:
            return []
        return [{"type": "taskList", "attrs": {"localId": self._id("tasks")}, "content": items}]

    def _id(self, kind: str) -> str:
        self._tasks += 1
        return f"{kind}-{self._tasks}"

    def _panel(self, block: Block, depth: int) -> Node:
        title = _paragraph((Span(block.title, strong=True),))
        content = title + self.nodes(block.children, "panel", depth + 1)
        attrs = {"panelType": _PANELS[block.tone]}
        return {"type": "panel", "attrs": attrs, "content": content or [_EMPTY]}

    def _table(self, block: Block, depth: int) -> list[Node]:
        rows: list[Node] = []
        for row in block.children:
            cells = row.children if row.kind == "row" else (Block("cell", children=(row,)),)
            content = [self._cell(cell, depth) for cell in cells]
            if content:
                rows.append({"type": "tableRow", "content": content})
        return [{"type": "table", "content": rows}] if rows else []

    def _cell(self, cell: Block, depth: int) -> Node:
        inner = cell.children if cell.kind == "cell" else (cell,)
        kind = "tableHeader" if cell.header else "tableCell"
        return {"type": kind, "attrs": {}, "content": self._some(inner, "cell", depth)}


def _instead(block: Block, where: str) -> tuple[Block, ...]:
    """What says the same where the block itself may not stand."""
    match block.kind:
        case "heading":
            strong = tuple(Span(s.text, strong=True, link=s.link) for s in block.spans)
            return (Block("paragraph", spans=strong),)
        case "tasks":
            return (Block("bullets", children=tuple(_ticked(task) for task in block.children)),)
        case "task":
            return (Block("tasks", children=(block,)),)
        case "row" if "table" in _ALLOWED[where]:
            return (Block("table", children=(block,)),)
        case "table":
            return tuple(_row_line(row) for row in block.children)
        case "row":
            return (_row_line(block),)
        case "rule":
            return ()
    title = (Block("paragraph", spans=(Span(block.title, strong=True),)),) if block.title else ()
    return (*title, *block.children)


def _ticked(task: Block) -> Block:
    tick = Span("[x] " if task.checked else "[ ] ")
    return Block("item", children=(Block("paragraph", spans=(tick, *task.spans)), *task.children))


def _row_line(row: Block) -> Block:
    cells = (_all_text(cell) for cell in row.children or (row,))
    return Block("paragraph", spans=(Span(" | ".join(cells)),))


def _all_text(top: Block) -> str:
    """Every text in a block, however deep."""
    found: list[str] = []
    waiting = [top]
    while waiting:
        block = waiting.pop()
        found.append(block.title)
        found.append(words(block.spans))
        waiting.extend(reversed(block.children))
    return " ".join(part for part in found if part)


def _paragraph(spans: Sequence[Span]) -> list[Node]:
    content = _inline(spans)
    return [{"type": "paragraph", "content": content}] if content else []


def _code(block: Block) -> Node:
    text = clean(words(block.spans))
    attrs = {"language": one_line(block.language)} if block.language else {}
    return {"type": "codeBlock", "attrs": attrs, "content": [_text(text)] if text else []}


def _inline(spans: Sequence[Span]) -> list[Node]:
    out: list[Node] = []
    for span in spans:
        text = clean(span.text)
        if span.status is not None:
            label = one_line(text)
            attrs = {"text": label, "color": span.status}
            out.extend([{"type": "status", "attrs": attrs}] if label else [])
        elif span.mention and _ACCOUNT.fullmatch(span.mention):
            out.append({"type": "mention", "attrs": {"id": span.mention, "text": one_line(text)}})
        else:
            out.extend(_lines(text, _marks(span)))
    return out


def _lines(text: str, marks: list[Node]) -> Iterable[Node]:
    for position, line in enumerate(text.split("\n")):
        if position:
            yield {"type": "hardBreak"}
        if line:
            yield _text(line, marks)


def _text(text: str, marks: Sequence[Node] = ()) -> Node:
    return {"type": "text", "text": text, "marks": list(marks)} if marks else _plain(text)


def _plain(text: str) -> Node:
    return {"type": "text", "text": text}


def _marks(span: Span) -> list[Node]:
    """Code allows no other mark than a link; small text is written as a subscript."""
    names = [
        ("code", span.code),
        ("strong", span.strong and not span.code),
        ("em", span.em and not span.code),
        ("strike", span.strike and not span.code),
    ]
    marks: list[Node] = [{"type": name} for name, wanted in names if wanted]
    if span.small and not span.code:
        marks.append({"type": "subsup", "attrs": {"type": "sub"}})
    href = safe_link(span.link)
    if href is not None:
        marks.append({"type": "link", "attrs": {"href": href}})
    return marks


def clean(text: str) -> str:
    """Without what nobody can see, so that a comment of ours never carries it on."""
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"))[0]


def one_line(text: str) -> str:
    return " ".join(clean(text).split())
