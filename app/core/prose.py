"""What of a text is prose and what is code or log; its sentences; looking up words in it.

Offsets never move: whatever is not prose is blanked out, not cut, so that every find is a quote.
Each pass is linear in the text, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

from app.core.criteria import Quote

WORD = re.compile(r"[^\W_][\w'-]*")
FENCE = re.compile(r"```|\{(?:code|noformat|quote)(?::[^}\n]{0,80})?\}|<!--|-->")
LOG = re.compile(
    r"^[ \t]*(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?(?:INFO|WARN|WARNING|ERROR|DEBUG|TRACE|FATAL)\b"
    r"|at [\w.$<>]{3,200}\(|Traceback \(|Caused by:|>).*$",
    re.MULTILINE,
)
FRAME = re.compile(r"\bat [\w.$<>]{3,200}\([\w. ]{1,80}(?::\d{1,6})?\)")
RUN = re.compile(r"[!-~]{300,}")
"""So many letters without a blank are data, no words."""
CODE_FENCES = ("```", "{code", "{noformat")
URL = re.compile(r"\b(?:https?|ftp)://[^\s|\]>)]{2,2000}")
BREAK = re.compile(
    r"\n+|[ \t]{2,}|(?<=[^\d\s][.!?])[\"')\]]?[ \t](?=[A-Z\"'(\[{*#-])"
    r"|[ \t](?=(?:[-*#•]{1,3}|\(?\d{1,2}[.)]|\(?[a-h]\)|Q:|A:)[ \t]\S)"
)
ITEM = re.compile(r"(?:[-*#•+]{1,3}|\(?\d{1,2}[.)]|\(?[a-h]\)|- \[[ x]\])[ \t]+")
HEADING = re.compile(r"(?:h[1-6]\.|#{1,6})[ \t]+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, a list item or a heading. `at` is where its words start, behind any marker."""

    start: int
    at: int
    end: int
    item: bool
    heading: bool


@dataclass(frozen=True, slots=True)
class View:
    """Prose of the same length as the text, in its own and in lower case, and its words."""

    prose: str
    low: str
    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words and phrases of one meaning, looked up by the set of words in the text."""

    words: frozenset[str]
    phrases: dict[str, tuple[str, ...]]


def vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


def lexicon(*entries: str) -> Lexicon:
    """Entries parted by commas; more words than one make a phrase."""
    every = [entry.strip() for part in entries for entry in part.split(",") if entry.strip()]
    phrases: dict[str, tuple[str, ...]] = {}
    for entry in every:
        parts = WORD.findall(entry)
        if parts != [entry]:
            phrases[parts[0]] = (*phrases.get(parts[0], ()), entry)
    return Lexicon(frozenset(e for e in every if WORD.fullmatch(e)), phrases)


def hits(view: View, lex: Lexicon) -> list[str]:
    """Which entries occur, in no order that depends on anything but the text and the lexicon."""
    found = sorted(view.tokens & lex.words)
    for first in sorted(view.tokens & lex.phrases.keys()):
        found.extend(entry for entry in lex.phrases[first] if entry in view.low)
    return found


def places(view: View, lex: Lexicon, limit: int = 12) -> list[Quote]:
    """Where entries occur as whole words, in the order of the text, at most `limit` of each."""
    spans: list[Quote] = []
    for entry in hits(view, lex):
        for count, found in enumerate(_entry(entry).finditer(view.low)):
            if count >= limit:
                break
            spans.append(found.span())
    return sorted(spans)


def first(view: View, lex: Lexicon) -> Quote | None:
    found = places(view, lex, 1)
    return found[0] if found else None


@lru_cache(maxsize=4096)
def _entry(entry: str) -> re.Pattern[str]:
    tail = r"(?!\w)" if entry[-1].isalnum() else ""
    return re.compile(rf"(?<!\w){re.escape(entry)}{tail}")


def lowered(text: str) -> str:
    """Lower case of the same length: a few letters would grow."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(_lower(char) for char in text)


def _lower(char: str) -> str:
    low = char.lower()
    return low if len(low) == 1 else char


def view(prose: str) -> View:
    low = lowered(prose)
    return View(prose, low, frozenset(WORD.findall(low)))


def blank(text: str, spans: Iterable[Quote]) -> str:
    """Blanks instead of the spans, line breaks kept; spans in order."""
    parts: list[str] = []
    done = 0
    for start, end in spans:
        if end > done:
            begin = max(start, done)
            parts.append(text[done:begin])
            parts.append("\n".join(" " * len(line) for line in text[begin:end].split("\n")))
            done = end
    return "".join([*parts, text[done:]])


def code_spans(text: str) -> Iterator[Quote]:
    """Code, quotes and template comments, each closed by its own mark; an open one ends nowhere."""
    opened = ""
    start = 0
    for mark in FENCE.finditer(text):
        name = mark.group().strip("{}").split(":")[0]
        if not opened and name != "-->":
            opened, start = "-->" if name == "<!--" else name, mark.start()
        elif opened == name:
            yield start, mark.end()
            opened = ""


def shows_code(text: str, span: Quote) -> bool:
    """Whether a fenced part is code: no quote, no template's comment, and not mostly a log."""
    if not text.startswith(CODE_FENCES, span[0]):
        return False
    lines = text[span[0] : span[1]].splitlines()
    inside = [line for line in lines if line.strip() and not FENCE.fullmatch(line.strip())]
    logged = sum(bool(LOG.match(line) or FRAME.search(line)) for line in inside)
    return 2 * logged < len(inside)


def split(prose: str, body: int) -> tuple[Unit, ...]:
    units: list[Unit] = []
    breaks = chain.from_iterable(found.span() for found in BREAK.finditer(prose))
    edges = sorted({0, *breaks, len(prose), min(body, len(prose))})
    for edge, end in pairwise(edges):
        if inside := prose[edge:end].lstrip():
            units.append(_unit(prose, end - len(inside), end))
    return tuple(units) or (Unit(0, 0, len(prose), item=False, heading=False),)


def _unit(prose: str, start: int, end: int) -> Unit:
    head = HEADING.match(prose, start, end)
    if head and (prose[start] == "h" or prose[end : end + 1] in ("", "\n")):
        return Unit(start, head.end(), end, item=False, heading=True)
    mark = ITEM.match(prose, start, end)
    return Unit(start, mark.end() if mark else start, end, item=bool(mark), heading=False)
