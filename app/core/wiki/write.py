"""Blocks into wiki markup. Text comes out inert: what it says is shown, never carried out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.core.text import Block, Span, joined, safe_link, visible, words

MAX_DEPTH = 12
"""Deeper blocks are written as lines."""

_ANYWHERE = re.compile(
    r"[{}\[\]|!\\]|&(?=[#\w])|\((?=[!?xyni/*+-]|on\)|off\))|[:;](?=[)(DP])|:(?=//)|(?<=mailto):"
)
_NEAR_WORD = re.compile(r"(?:(?<!\w)|(?<=_))[*_+~^?-]|[*_+~^?-](?!\w)|(?<=[*_+~^?])[*_+~^?-]")
_LINE_START = re.compile(
    r"^([^\S\n]*)(h[1-6]|bq)\.|^([^\S\n]*)([#*|-])", re.IGNORECASE | re.MULTILINE
)
_LINE_ENDS = re.compile(r"\r\n|[\r\u2028\u2029]")
_LANGUAGE = re.compile(r"[\w+#-]{1,20}")
_ACCOUNT = re.compile(r"[\w:.@-]{1,128}")
_NOT_IN_TITLE = re.compile(r"[{}|\\]")
_NOT_IN_URL = re.compile(r"[\[\]|!{}\\]")
_COLORS = {
    "neutral": "#707070",
    "green": "green",
    "yellow": "#b8860b",
    "red": "red",
    "blue": "blue",
}


def to_wiki(blocks: Sequence[Block]) -> str:
    """The markup, one blank line between blocks."""
    return "\n\n".join(_blocks(blocks, frozenset(), 0))


def escaped(text: str) -> str:
    """Outside text so that no character of it is markup. A backslash has no escape but its entity:
    two of them are a line break."""
    shown = visible(_LINE_ENDS.sub("\n", text))[0]
    marked = _ANYWHERE.sub(_escape, shown)
    marked = _NEAR_WORD.sub(lambda found: "\\" + found[0], marked)
    return _LINE_START.sub(_start, marked)


def _escape(found: re.Match[str]) -> str:
    return {"\\": "&#92;", "&": "&#38;"}.get(found[0], "\\" + found[0])


def _start(found: re.Match[str]) -> str:
    if found[2]:
        return f"{found[1]}{found[2]}\\."
    return f"{found[3]}\\{found[4]}"


def _blocks(blocks: Iterable[Block], within: frozenset[str], depth: int) -> list[str]:
    """`within` names the macros around: the same one inside would close it."""
    out: list[str] = []
    for block in blocks:
        out.extend(part for part in _block(block, within, depth) if part.strip())
    return out


def _block(block: Block, within: frozenset[str], depth: int) -> list[str]:
    if depth > MAX_DEPTH:
        return [escaped(_all_text(block))]
    match block.kind:
        case "heading":
            level = min(6, max(1, block.level))
            return [f"h{level}. {_inline(block.spans, ' ')}"] if words(block.spans).strip() else []
        case "paragraph":
            return [_inline(block.spans)]
        case "code":
            return [_code(block)]
        case "rule":
            return ["----"]
        case "bullets" | "numbers" | "tasks" | "task":
            tasks = Block("tasks", children=(block,))
            return ["\n".join(_items(tasks if block.kind == "task" else block, "", depth))]
        case "table" | "row":
            rows = block.children if block.kind == "table" else (block,)
            return ["\n".join(_row(row) for row in rows)]
        case "quote" | "panel" | "expand":
            return _framed(block, within, depth)
        case _:
            return _blocks(block.children, within, depth + 1)


def _framed(block: Block, within: frozenset[str], depth: int) -> list[str]:
    """A macro around its content; Data Center has no expand, so it becomes a titled panel."""
    name = "quote" if block.kind == "quote" else "panel"
    # Inside a macro nothing is escaped: what could end the title is left out of it.
    title = _one_line(_NOT_IN_TITLE.sub(" ", visible(block.title)[0]))[:200]
    if name in within or within & {"item"}:
        head = [_inline((Span(_one_line(block.title), strong=True),))] if title else []
        return [*head, *_blocks(block.children, within, depth + 1)]
    inner = "\n\n".join(_blocks(block.children, within | {name}, depth + 1))
    opened = f"{{{name}:title={title}}}" if title and name == "panel" else f"{{{name}}}"
    return [f"{opened}\n{inner}\n{{{name}}}"] if inner or title else []


def _items(block: Block, marks: str, depth: int) -> list[str]:
    marks += "#" if block.kind == "numbers" else "*"
    lines: list[str] = []
    for child in block.children:
        tick = f"\\[{'x' if child.checked else ' '}\\] " if child.kind == "task" else ""
        first, rest = _item(child, marks, depth)
        if first.strip() or tick or rest:
            lines.extend([f"{marks} {tick}{first or '&nbsp;'}", *rest])
    return lines


def _item(child: Block, marks: str, depth: int) -> tuple[str, list[str]]:
    """The item's first line and what follows it. No blank line: one would end the list."""
    if child.kind != "item":
        return _one_line(_inline(child.spans, " ") or escaped(_all_text(child))), []
    first, rest = "", list[str]()
    for block in child.children:
        if block.kind in ("bullets", "numbers") and depth < MAX_DEPTH:
            rest.extend(_items(block, marks, depth + 1))
        elif block.kind == "paragraph" and not first and not rest:
            first = _inline(block.spans)
        else:
            written = "\n".join(_block(block, frozenset(["item"]), depth + 1))
            rest.extend([written] if written.strip() else [])
    return first, rest


def _row(row: Block) -> str:
    if row.kind != "row":
        return f"| {escaped(_one_line(_all_text(row))) or ' '} |"
    line, end = "", "|"
    for cell in row.children:
        bar = "||" if cell.header else "|"
        line += f"{bar} {_cell(cell) or ' '} "
        end = bar
    return line + end if line else ""


def _cell(cell: Block) -> str:
    inner = cell.children if cell.kind == "cell" else (cell,)
    lines = [line for block in inner for line in _cell_lines(block, 0)]
    return "\\\\ ".join(line for line in lines if line.strip())


def _cell_lines(block: Block, depth: int) -> list[str]:
    """A block as lines of a cell: lists with their marks as text, code in fixed width."""
    if depth > MAX_DEPTH:
        return [escaped(_one_line(_all_text(block)))]
    match block.kind:
        case "paragraph" | "heading":
            return [_inline(block.spans, "\\\\ ")]
        case "code":
            lines = words(block.spans).split("\n")
            return [_span(Span(line, code=True)) for line in lines if line.strip()]
        case "task":
            tick = "x" if block.checked else " "
            return [f"\\- \\[{tick}\\] {_inline(block.spans, ' ')}"]
        case "bullets" | "numbers":
            return _listed(block, depth)
    title = [escaped(_one_line(block.title))] if block.title else []
    return [*title, *(line for child in block.children for line in _cell_lines(child, depth + 1))]


def _listed(block: Block, depth: int) -> list[str]:
    out: list[str] = []
    for position, child in enumerate(block.children, 1):
        mark = f"{position}. " if block.kind == "numbers" else "\\- "
        first, *rest = _cell_lines(child, depth + 1) or [""]
        out.extend([mark + first, *rest])
    return out


def _code(block: Block) -> str:
    """Nothing is escaped in code, so code that could end its own block is altered by a blank."""
    text = visible(words(block.spans))[0]
    if "{code" not in text.lower():
        language = block.language if _LANGUAGE.fullmatch(block.language) else ""
        opened = f"{{code:{language}}}" if language else "{code}"
        return f"{opened}\n{text}\n{{code}}"
    safe = re.sub(r"\{(?=noformat)", "{ ", text, flags=re.IGNORECASE)
    return f"{{noformat}}\n{safe}\n{{noformat}}"


def _inline(spans: Sequence[Span], line_break: str = "\n") -> str:
    # Joined first: "h" and "1. x" in two spans would be a heading in one line.
    text = "".join(_span(span) for span in joined(span for span in spans if span.text))
    lines = (line.strip() for line in text.split("\n"))
    return line_break.join(line for line in lines if line)


def _span(span: Span) -> str:
    if span.mention and _ACCOUNT.fullmatch(span.mention):
        return f"[~{span.mention}]"
    if span.status is not None:
        label = f"{{*}}\\[{escaped(_one_line(span.text))}\\]{{*}}"
        return f"{{color:{_COLORS[span.status]}}}{label}{{color}}"
    url = safe_link(span.link)
    if url is not None:
        target = _NOT_IN_URL.sub(lambda found: f"%{ord(found[0]):02X}", url)
        label = escaped(_one_line(span.text))
        return f"[{target}]" if span.text == url else f"[{label}|{target}]"
    return "\n".join(_wrapped(line, span) for line in _LINE_ENDS.sub("\n", span.text).split("\n"))


def _wrapped(line: str, span: Span) -> str:
    """One line with its marks, in braces: those hold also in the middle of a word."""
    text = escaped(line)
    if not text.strip():
        return text
    if span.code:
        return f"{{{{{text}}}}}"
    before = text[: len(text) - len(text.lstrip())]
    after = text[len(text.rstrip()) :]
    text = text.strip()
    for mark, wanted in (("*", span.strong), ("_", span.em), ("-", span.strike)):
        text = f"{{{mark}}}{text}{{{mark}}}" if wanted else text
    if span.small:
        text = f"{{color:#707070}}{text}{{color}}"
    return before + text + after


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
