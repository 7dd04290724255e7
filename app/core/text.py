"""One block text for every markup: what tickets are read into and comments are written from.

`app.core.adf` and `app.core.wiki` translate to and from it. Everything is immutable.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

Tone = Literal["neutral", "green", "yellow", "red", "blue"]
Kind = Literal[
    "heading",
    "paragraph",
    "bullets",
    "numbers",
    "item",
    "tasks",
    "task",
    "code",
    "quote",
    "table",
    "row",
    "cell",
    "panel",
    "expand",
    "rule",
]


@dataclass(frozen=True, slots=True)
class Span:
    """Inline text with its marks. `status` makes it a lozenge, `mention` holds an account id."""

    text: str
    strong: bool = False
    em: bool = False
    strike: bool = False
    code: bool = False
    small: bool = False
    link: str | None = None
    mention: str | None = None
    status: Tone | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A block. Leaves (heading, paragraph, code, task) carry `spans`; the others `children`.

    level: 1-6 of a heading. language: of code. title: of an expand or panel.
    tone: of a panel. checked: of a task. header: of a table cell.
    """

    kind: Kind
    spans: tuple[Span, ...] = ()
    children: tuple[Block, ...] = ()
    level: int = 0
    language: str = ""
    title: str = ""
    tone: Tone = "neutral"
    checked: bool = False
    header: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A text as read. `unread` names macros and media that were not read. `hidden`: something in it
    a person does not see; characters and text in the colour of its ground were taken out, what
    stands far below is still there."""

    blocks: tuple[Block, ...] = ()
    unread: tuple[str, ...] = ()
    hidden: bool = field(default=False)

    def plain(self) -> str:
        """The one text that is scored, quoted, hashed and given to an agent."""
        return "\n".join(_lines(self.blocks, "")).strip("\n")

    def sha256(self) -> str:
        return hashlib.sha256(self.plain().encode()).hexdigest()


def words(spans: tuple[Span, ...]) -> str:
    return "".join(span.text for span in spans)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans with neighbours of the same marks made one; lozenges and mentions stay apart."""
    spans = tuple(spans)
    if len(spans) < 2:
        return spans
    out: list[Span] = []
    for marks, group in groupby(spans, key=_marks):
        first, *more = group
        if not more or first.status is not None or first.mention is not None:
            out.extend([first, *more])
        else:
            out.append(Span(first.text + words(tuple(more)), *marks))
    return tuple(out)


def _marks(
    s: Span,
) -> tuple[bool, bool, bool, bool, bool, str | None, str | None, Tone | None]:
    """All of a span but its text, in the order of its fields."""
    return (s.strong, s.em, s.strike, s.code, s.small, s.link, s.mention, s.status)


def paragraph(*parts: str | Span) -> Block:
    return Block("paragraph", spans=tuple(p if isinstance(p, Span) else Span(p) for p in parts))


def item(*blocks: Block) -> Block:
    return Block("item", children=blocks)


def bullets(*items: Block) -> Block:
    return Block("bullets", children=items)


def numbers(*items: Block) -> Block:
    return Block("numbers", children=items)


def expand(title: str, *blocks: Block) -> Block:
    return Block("expand", children=blocks, title=title)


def from_plain(text: str) -> Document:
    """Plain text: blank lines part paragraphs, single line breaks are kept."""
    clean, hidden = visible(text)
    parts = [part.strip("\n") for part in clean.replace("\r\n", "\n").split("\n\n")]
    blocks = tuple(paragraph(part) for part in parts if part.strip())
    return Document(blocks, hidden=hidden or far_below(clean))


FAR = 40
"""So many blank lines on end push what follows off the screen: nobody scrolls there."""


def far_below(text: str) -> bool:
    """Whether text stands below more blank lines than a screen holds."""
    blank = 0
    for line in text.split("\n"):
        if not line.strip():
            blank += 1
        elif blank > FAR:
            return True
        else:
            blank = 0
    return False


_EMOJI = (
    "\\U0001F000-\\U0001FAFF\\u2600-\\u27BF\\u2B05-\\u2B55\\u2190-\\u21FF\\u203C-\\u2049\\u20E3"
)
_PICTURE = f"{_EMOJI}#*0-9©®™ℹⓂ〰〽㊗㊙"
_LETTER = (
    "\\u0600-\\u08FF\\u0900-\\u0DFF\\u1000-\\u109F\\u1780-\\u17B3\\uFB50-\\uFDFF\\uFE70-\\uFEFC"
)
_UNSEEN = re.compile(
    "[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F-\\x9F\\xAD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5"
    "\\u180B-\\u180F\\u200B\\u200E\\u200F\\u202A-\\u202E\\u2060-\\u206F\\u3164\\uFE00-\\uFE0D\\uFEFF"
    "\\uFFA0\\uFFF0-\\uFFFB\\uD800-\\uDFFF\\U0001BCA0-\\U0001BCA3\\U0001D173-\\U0001D17A\\U000E0000-\\U000E0FFF]"
    # Seen is what changes the picture or letter before it: the joiner in a woman with a laptop,
    # the choice of a coloured heart, and both joiners in Arabic and Indian words.
    f"|\\u200D(?<![{_EMOJI}{_LETTER}]\\u200D)(?<![{_PICTURE}]\\uFE0F\\u200D)"
    f"|\\u200D(?![{_EMOJI}{_LETTER}])"
    f"|\\u200C(?<![{_LETTER}]\\u200C)|\\u200C(?![{_LETTER}])"
    f"|[\\uFE0E\\uFE0F](?<![{_PICTURE}][\\uFE0E\\uFE0F])"
)


def visible(text: str) -> tuple[str, bool]:
    """The text without characters that nobody sees but a model reads, and whether there were any.

    Tag characters, zero-width ones, variation selectors, bidirectional overrides and control
    characters hide instructions from the person who approves a ticket.
    """
    if text.isascii() and text.isprintable():
        return text, False
    kept = _UNSEEN.sub("", text)
    return kept, len(kept) != len(text)


# The host only of letters, digits, dots and dashes: what looks like a slash is none, and no name
# stands before an @. Spelt out, as to Python a long s is an s when case is ignored.
_SAFE_LINK = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]?://\w[\w.-]{0,252}(?::\d{1,5})?(?:[/?#][^\s<>\"\\^`{|}]{0,1700})?"
)


def safe_link(url: object) -> str | None:
    """The address if a comment may link to it: http and https, nothing that runs or writes."""
    if not isinstance(url, str):
        return None
    found = _SAFE_LINK.fullmatch(url.strip())
    return found[0] if found and not visible(found[0])[1] else None


def _lines(blocks: tuple[Block, ...], indent: str) -> list[str]:
    out: list[str] = []
    for block in blocks:
        out.extend(_block_lines(block, indent))
    return out


def _block_lines(block: Block, indent: str) -> list[str]:
    text = words(block.spans)
    match block.kind:
        case "heading":
            return ["", f"{indent}{'#' * max(1, block.level)} {text}"]
        case "paragraph":
            return ["", *(indent + line for line in text.split("\n"))]
        case "code":
            return ["", f"{indent}```{block.language}", *text.split("\n"), f"{indent}```"]
        case "rule":
            return ["", indent + "---"]
        case "task":
            return [f"{indent}- [{'x' if block.checked else ' '}] {text}"]
        case "bullets" | "numbers":
            return ["", *_list_lines(block, indent)]
        case "row":
            cells = (" / ".join(_flat(cell)) for cell in block.children)
            return [f"{indent}| {' | '.join(cells)} |"]
        case "quote":
            return ["", *("> " + line for line in _lines(block.children, indent)[1:])]
        case "panel" | "expand":
            head = ["", indent + block.title] if block.title else []
            return [*head, *_lines(block.children, indent)]
        case _:
            return ["", *_lines(block.children, indent)]


def _list_lines(block: Block, indent: str) -> list[str]:
    out: list[str] = []
    for position, child in enumerate(block.children, 1):
        mark = f"{position}. " if block.kind == "numbers" else "- "
        inner = [line for line in _lines(child.children, indent + " " * len(mark)) if line.strip()]
        first = inner[0].strip() if inner else ""
        out.extend([indent + mark + first, *inner[1:]])
    return out


def _flat(cell: Block) -> list[str]:
    inner = cell.children if cell.kind == "cell" else (cell,)
    return [line.strip() for line in _lines(inner, "") if line.strip()]
