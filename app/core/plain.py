"""Blocks as a person would read them in a terminal: folds opened, lozenges in brackets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.core.text import Block, Span

MAX_DEPTH = 24


def render(blocks: Sequence[Block]) -> str:
    """The comment as plain text, one line for each paragraph, a fold as "▸ title"."""
    return "\n".join(_lines(blocks, 0))


def render_spans(spans: Iterable[Span]) -> str:
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:
    if span.status is not None:
        return f"[{span.text.upper()}]"
    if span.link and span.link != span.text:
        return f"{span.text} ({span.link})"
    return span.text


def _lines(blocks: Iterable[Block], depth: int) -> list[str]:
    return [line for block in blocks for line in _block(block, depth)]


def _block(block: Block, depth: int) -> list[str]:
    if depth > MAX_DEPTH:
        return ["…"]
    inner = _lines(block.children, depth + 1) if block.kind not in ("table", "row") else []
    text = render_spans(block.spans).split("\n") if block.spans else []
    match block.kind:
        case "code":
            return _indented(text, "    ")
        case "rule":
            return ["---"]
        case "task":
            return _marked(f"[{'x' if block.checked else ' '}] ", text)
        case "bullets" | "numbers":
            return _list(block, depth)
        case "quote":
            return _indented(inner, "> ")
        case "expand":
            return [f"▸ {block.title}", *_indented(inner, "    ")]
        case "table":
            return [line for row in block.children for line in _block(row, depth + 1)]
        case "row":
            cells = (" / ".join(_lines(cell.children, depth + 1)) for cell in block.children)
            return ["| " + " | ".join(cells) + " |"]
    return [*([block.title] if block.title else []), *text, *inner]


def _list(block: Block, depth: int) -> list[str]:
    out: list[str] = []
    for position, child in enumerate(block.children, 1):
        mark = f"{position}. " if block.kind == "numbers" else "• "
        out.extend(_marked(mark, _block(child, depth + 1)))
    return out


def _marked(mark: str, lines: list[str]) -> list[str]:
    first, *rest = lines or [""]
    return [(mark + first).rstrip(), *_indented(rest, " " * len(mark))]


def _indented(lines: Iterable[str], by: str) -> list[str]:
    return [(by + line).rstrip() for line in lines]
