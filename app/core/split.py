"""A ticket that bundles changes, as tickets of its own: the author's items, their shared context,
and the order that the text itself names. Nothing is invented: there may be nothing to propose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.core.readiness import Readiness
from app.core.reading import ROLE
from app.core.text import Block, Document, Span, paragraph, words
from app.core.ticket import Ticket
from app.core.wording import STOP

FEWEST, MOST = 2, 12
LONGEST_SUMMARY = 255
LONGEST_CONTEXT = 6000
_LISTS = ("bullets", "numbers", "tasks")
_MARKED = re.compile(r"[ \t]*(?:[-*•+]|\(?\d{1,2}[.)])[ \t]+(\S.*)")
_LATER = re.compile(
    r"(?:and )?(?:then|afterwards?|after (?:that|this)|finally|next|last(?:ly)?)\b", re.IGNORECASE
)
_FIRST = re.compile(r"(?:first(?:ly)?|before (?:all|anything))\b", re.IGNORECASE)
_NEEDS = r"(?:after|once|depends? on|needs|requires|based on|builds? on|on top of|blocked by)"
_NUMBERED = re.compile(
    rf"\b{_NEEDS}\s+(?:the\s+)?(?:items?|steps?|points?|parts?|no\.?|number|#)\s*#?(\d{{1,2}})\b",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"\b{_NEEDS}\s+((?:[\w'-]+\s*){{1,8}})", re.IGNORECASE)
_SAID_OF_IT = re.compile(r"\b(?:is|are|was|were|has|have|been|exists?|works?|stands?)\b")
_WORD = re.compile(r"[a-z][a-z0-9-]{2,}")


@dataclass(frozen=True, slots=True)
class Part:
    """One ticket to make. after: numbers of the parts that have to be done before it."""

    number: int
    summary: str
    description: tuple[Block, ...]
    after: tuple[int, ...] = ()


def propose(key: str, summary: str, description: Document) -> tuple[Part, ...]:
    """The parts in the author's order; none where the text has no list of separate changes."""
    found = _bundle(description.blocks)
    if found is None:
        return ()
    at, items = found
    context = _context(key, summary, description.blocks, at)
    told = [_told(item) for item in items]
    after = _order(told)
    return tuple(
        Part(number, _summary(text), (*item, *context), after[number])
        for number, (item, text) in enumerate(zip(items, told, strict=True), 1)
    )


def parts_of(readiness: Readiness, ticket: Ticket) -> tuple[Part, ...]:
    """What is proposed for a ticket: nothing where it is one change, or is said to be."""
    bundles = any(f.criterion == "bundle" and f.status == "unmet" for f in readiness.findings)
    return propose(ticket.key, ticket.summary, ticket.description) if bundles else ()


Item = tuple[Block, ...]


def _bundle(blocks: Sequence[Block]) -> tuple[int, list[Item]] | None:
    """Where the longest list of changes stands, and its items. What stands under a heading that
    the checklist knows (steps, acceptance criteria) is no list of changes."""
    best: tuple[int, list[Item]] | None = None
    named = False
    for at, block in enumerate(blocks):
        if block.kind == "heading" or _is_label(block):
            named = _role(words(block.spans))
            continue
        items = [item for item in _items(block) if _summary(_told(item))]
        if named or not FEWEST <= len(items) <= MOST:
            continue
        if best is None or len(items) > len(best[1]):
            best = at, items
    return best


def _is_label(block: Block) -> bool:
    return block.kind == "paragraph" and words(block.spans).rstrip().endswith(":")


def _role(text: str) -> bool:
    """Whether the name says what the list below it is: steps, criteria, an environment …"""
    return ROLE.get(text.strip(" *_:#").lower(), "other") != "other"


def _items(block: Block) -> list[Item]:
    if block.kind in _LISTS:
        return [child.children or (paragraph(*child.spans),) for child in block.children]
    if block.kind != "paragraph":
        return []
    lines = [line for line in words(block.spans).split("\n") if line.strip()]
    marked = [_MARKED.fullmatch(line) for line in lines]
    return [(paragraph(found[1].strip()),) for found in marked if found] if all(marked) else []


def _told(item: Item) -> str:
    """The first line of an item."""
    for block in item:
        text = " ".join(words(block.spans).split("\n")[0].split())
        if text:
            return text
    return ""


def _summary(text: str) -> str:
    text = _FIRST.sub("", _LATER.sub("", text, count=1), count=1).strip(" ,:;-–—*_")
    text = text.rstrip(".") if text.count(".") == 1 else text
    text = text[:1].upper() + text[1:]
    if len(text) <= LONGEST_SUMMARY:
        return text
    cut = text.rfind(" ", LONGEST_SUMMARY // 2, LONGEST_SUMMARY)
    return text[: cut if cut > 0 else LONGEST_SUMMARY - 1].rstrip(" ,;:.") + "…"


def _context(key: str, summary: str, blocks: Sequence[Block], at: int) -> tuple[Block, ...]:
    """What the parts share: the ticket they come from and its words around the list."""
    out = [Block("rule"), paragraph(Span(f"Part of {key}", strong=True), f": {summary}")]
    room = LONGEST_CONTEXT
    for block in (*blocks[:at], *blocks[at + 1 :]):
        room -= len(Document((block,)).plain())
        if room < 0:
            out.append(paragraph(f"The rest stands in {key}."))
            break
        out.append(block)
    return tuple(out)


def _order(told: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """By a part's number, those it waits for. An order that runs in a circle is no order."""
    after: dict[int, tuple[int, ...]] = dict.fromkeys(range(1, len(told) + 1), ())
    for number, before in _said(told):
        if before != number and not _reaches(after, before, number):
            after[number] = tuple(sorted({*after[number], before}))
    return after


def _said(told: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs (later, earlier), as the words of the items have it."""
    firsts = [number for number, text in enumerate(told, 1) if _FIRST.match(text)]
    for number, text in enumerate(told, 1):
        if number > 1 and _LATER.match(text):
            yield number, number - 1
        for named in _NUMBERED.finditer(text):
            if 1 <= int(named[1]) <= len(told):
                yield number, int(named[1])
        for phrase in _NAMED.finditer(text):
            if _NUMBERED.match(text, phrase.start()):
                continue
            yield from ((number, other) for other in _meant(phrase[1], number, told))
    for first in firsts:
        yield from ((number, first) for number in range(first + 1, len(told) + 1))


def _meant(phrase: str, number: int, told: Sequence[str]) -> list[int]:
    """The one other item that has all telling words of the phrase."""
    wanted = _telling(_SAID_OF_IT.split(phrase.lower())[0])
    fits = [
        other
        for other, text in enumerate(told, 1)
        if other != number and wanted and wanted <= _telling(text)
    ]
    return fits if len(fits) == 1 else []


def _telling(text: str) -> set[str]:
    """Words that say what it is about, without the endings that grammar gives them."""
    found = set(_WORD.findall(text.lower())) - STOP
    return {re.sub(r"(?:s|ed|ing)$", "", word) if len(word) > 5 else word for word in found}


def _reaches(after: dict[int, tuple[int, ...]], start: int, goal: int) -> bool:
    seen, ahead = set[int](), [start]
    while ahead:
        now = ahead.pop()
        if now == goal:
            return True
        if now not in seen:
            seen.add(now)
            ahead.extend(after[now])
    return False
