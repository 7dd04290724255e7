"""Blocks into Markdown. Text comes out inert: what it says is shown, never carried out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.core.text import Block, Span, joined, safe_link, visible, words

MAX_DEPTH = 12
"""Deeper blocks are written as lines."""

_ANYWHERE = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|(?<=_)_|&(?=[#\w])|@(?=\w)|!(?=\[)")
_LINE_START = re.compile(r"^(\s*)(?:(#{1,6}|[-+=]+)(?=\s|$|[-=])|(\d{1,9})([.)])(?=\s|$))", re.M)
_LINE_ENDS = re.compile(r"\r\n|[\r\u2028\u2029]")
_RUNS = re.compile(r"`+")
_BAR = re.compile(r"(?<!\\)\|")
_LANGUAGE = re.compile(r"[\w+#-]{1,20}")


def to_markdown(blocks: Sequence[Block]) -> str:
    """The markup, one blank line between blocks."""
    return "\n\n".join("\n".join(lines) for lines in _all(blocks, 0))


def escaped(text: str) -> str:
    """Outside text so that no character of it is markup, and no name in it calls anybody."""
    shown = visible(_LINE_ENDS.sub("\n", text))[0]
    return _LINE_START.sub(_start, _ANYWHERE.sub(_escape, shown))


def _escape(found: re.Match[str]) -> str:
    return {"&": "&amp;", "@": "@<!-- -->", "<": "&lt;"}.get(found[0], "\\" + found[0])


def _start(found: re.Match[str]) -> str:
    if found[3]:
        return f"{found[1]}{found[3]}\\{found[4]}"
    return f"{found[1]}\\{found[2]}"


def _all(blocks: Iterable[Block], depth: int) -> list[list[str]]:
    """Each block as its lines; empty ones are left out."""
    return [lines for block in blocks if any(lines := _block(block, depth))]


def _lines(blocks: Iterable[Block], depth: int) -> list[str]:
    out: list[str] = []
    for lines in _all(blocks, depth):
        out.extend(["", *lines] if out else lines)
    return out


def _block(block: Block, depth: int) -> list[str]:
    if depth > MAX_DEPTH:
        return [escaped(_one_line(_all_text(block)))]
    match block.kind:
        case "heading":
            text = _inline(block.spans, " ")
            return [f"{'#' * min(6, max(1, block.level))} {text}"] if text else []
        case "paragraph":
            return _inline(block.spans, "\\\n").split("\n")
        case "code":
            return _code(block)
        case "rule":
            return ["---"]
        case "task":
            return [f"- [{'x' if block.checked else ' '}] {_inline(block.spans, ' ')}"]
    return _container(block, depth)


def _container(block: Block, depth: int) -> list[str]:
    match block.kind:
        case "tasks":
            return [line for child in block.children for line in _block(child, depth + 1)]
        case "bullets" | "numbers":
            return _list(block, depth)
        case "table" | "row":
            return _table(block.children if block.kind == "table" else (block,))
        case "quote":
            return [f"> {line}".rstrip() for line in _lines(block.children, depth + 1)]
        case "panel":
            title = [made] if (made := _title(block)) else []
            return _lines((*title, *block.children), depth + 1)
        case "expand":
            summary = f"<summary>{escaped(_one_line(block.title))}</summary>"
            return ["<details>", summary, "", *_lines(block.children, depth + 1), "", "</details>"]
    return _lines(block.children, depth + 1)


def _title(block: Block) -> Block | None:
    if not block.title.strip():
        return None
    return Block("paragraph", spans=(Span(_one_line(block.title), strong=True),))


def _list(block: Block, depth: int) -> list[str]:
    out: list[str] = []
    for position, child in enumerate(block.children, 1):
        mark = f"{position}. " if block.kind == "numbers" else "- "
        blocks = child.children if child.kind == "item" else (child,)
        first, *rest = _tight(blocks, depth + 1) or [""]
        out.append((mark + first).rstrip())
        out.extend((" " * len(mark) + line).rstrip() for line in rest)
    return out


def _tight(blocks: Sequence[Block], depth: int) -> list[str]:
    """An item's lines; a list goes on under its text, everything else is parted by a blank."""
    out: list[str] = []
    for block in blocks:
        lines = _block(block, depth)
        near = not out or block.kind in ("bullets", "numbers", "tasks", "code")
        out.extend(lines if near else ["", *lines])
    return out


def _table(rows: Sequence[Block]) -> list[str]:
    """The first row is the head: Markdown knows no table without one."""
    cells = [[_cell(cell) for cell in row.children] or [""] for row in rows]
    if not cells:
        return []
    width = max(len(row) for row in cells)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in cells]
    return [lines[0], "|" + " --- |" * width, *lines[1:]]


def _cell(cell: Block) -> str:
    blocks = cell.children if cell.kind == "cell" else (cell,)
    text = "<br>".join(line for block in blocks for line in _cell_lines(block, 0))
    return _BAR.sub(r"\\|", text)  # one in code would end the cell too


def _cell_lines(block: Block, depth: int) -> list[str]:
    if depth > MAX_DEPTH:
        return [escaped(_one_line(_all_text(block)))]
    if block.kind == "code":
        return [_span(Span(line, code=True)) for line in words(block.spans).split("\n") if line]
    if block.kind in ("paragraph", "heading"):
        return [_inline(block.spans, "<br>")]
    if block.kind == "task":
        return [f"- \\[{'x' if block.checked else ' '}\\] {_inline(block.spans, ' ')}"]
    if block.kind in ("bullets", "numbers"):
        return _listed(block, depth)
    return [line for child in block.children for line in _cell_lines(child, depth + 1)]


def _listed(block: Block, depth: int) -> list[str]:
    """A cell holds no list: its marks stand there as text."""
    out: list[str] = []
    for position, child in enumerate(block.children, 1):
        mark = f"{position}. " if block.kind == "numbers" else "- "
        first, *rest = _cell_lines(child, depth + 1) or [""]
        out.extend([mark + first, *rest])
    return out


def _code(block: Block) -> list[str]:
    text = visible(_LINE_ENDS.sub("\n", words(block.spans)))[0]
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    language = block.language if _LANGUAGE.fullmatch(block.language) else ""
    return [fence + language, *text.split("\n"), fence]


def _inline(spans: Sequence[Span], line_break: str) -> str:
    text = "".join(_span(span) for span in joined(span for span in spans if span.text))
    return line_break.join(line for each in text.split("\n") if (line := each.strip()))


def _span(span: Span) -> str:
    if span.status is not None:
        return f"**{escaped(_one_line(span.text).upper())}**"
    url = safe_link(span.link)
    if url is not None and span.text == url:
        return f"<{url}>"
    if url is not None:
        target = re.sub(r"[()\[\]|\\]", lambda found: f"%{ord(found[0]):02X}", url)
        return f"[{escaped(_one_line(span.text))}]({target})"
    return "\n".join(_wrapped(line, span) for line in _LINE_ENDS.sub("\n", span.text).split("\n"))


def _wrapped(line: str, span: Span) -> str:
    """One line with its marks, blanks outside of them."""
    text = line.strip()
    if not text:
        return line
    before = line[: len(line) - len(line.lstrip())]
    after = line[len(line.rstrip()) :]
    if span.code:
        return f"{before}{_fixed(visible(text)[0])}{after}"
    text = escaped(text)
    for mark, wanted in (("**", span.strong), ("_", span.em), ("~~", span.strike)):
        text = f"{mark}{text}{mark}" if wanted else text
    return f"{before}{text}{after}"


def _fixed(text: str) -> str:
    """In backticks, one more than stand in it."""
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    gap = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _all_text(top: Block) -> str:
    found: list[str] = []
    waiting = [top]
    while waiting:
        block = waiting.pop()
        found.extend([block.title, words(block.spans)])
        waiting.extend(reversed(block.children))
    return " ".join(part for part in found if part)
