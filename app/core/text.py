"""One block text for every markup: what tickets are read into and comments are written from.

`app.core.adf` and `app.core.wiki` translate to and from it. Everything is immutable.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
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
    """A text as read. `unread` names macros and media that were not read, `hidden` whether
    characters that a person cannot see were taken out of it."""

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
    out: list[Span] = []
    for _, group in groupby(spans, key=_marks):
        first, *more = group
        if not more or first.status is not None or first.mention is not None:
            out.extend([first, *more])
        else:
            out.append(replace(first, text=first.text + words(tuple(more))))
    return tuple(out)


def _marks(s: Span) -> tuple[object, ...]:
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
    return Document(tuple(paragraph(part) for part in parts if part.strip()), hidden=hidden)


_EMOJI = "\\U0001F000-\\U0001FAFF\\u2600-\\u27BF\\uFE0F"
_UNSEEN = re.compile(
    "[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F-\\x9F\\u200B\\u200C\\u200E\\u200F\\u202A-\\u202E"
    "\\u2060-\\u206F\\uFEFF\\uD800-\\uDFFF\\U000E0000-\\U000E0FFF]"
    # The joiner inside one emoji, as in a woman with a laptop, is seen: it is the picture.
    f"|\\u200D(?<![{_EMOJI}]\\u200D)|\\u200D(?![{_EMOJI}])"
)


def visible(text: str) -> tuple[str, bool]:
    """The text without characters that nobody sees but a model reads, and whether there were any.

    Tag characters, zero-width ones, bidirectional overrides and control characters hide
    instructions from the person who approves a ticket.
    """
    kept = _UNSEEN.sub("", text)
    return kept, len(kept) != len(text)


_SAFE_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"\\^`{|}]{1,2000}", re.IGNORECASE)


def safe_link(url: object) -> str | None:
    """The address if a comment may link to it: http, https and mailto, nothing that runs."""
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
    return [line.strip() for line in _lines(cell.children, "") if line.strip()]
