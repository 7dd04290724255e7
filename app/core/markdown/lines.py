"""What a line of Markdown begins, and which of the following lines belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

CODE = 4
"""Columns of indent that make code of a line outside of a list."""
WRAPPED = 60
"""A line that could not have held the next word within this many columns was broken by an editor,
not by its author."""
LONGEST_FENCE = 10

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t](.*))?")
RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
QUOTE = re.compile(r" {0,3}> ?")
FENCE = re.compile(r"[ \t]*(`{3,}(?!`)|~{3,}(?!~))([^`\n]*)")
_UNDER = re.compile(r" {0,3}(?:(={2,})|-{2,})[ \t]*")
_ITEM = re.compile(r"([ \t]*)([-*+]|\d{1,9}[.)])(?:([ \t]+)(\S.*)?|$)", re.DOTALL)
_COLUMNS = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")
_LABEL = re.compile(r"[*_]{0,3}[A-Z][\w'/-]{0,20}(?: [\w'/-]{1,20}){0,3}[*_]{0,3}:")
_HARD = ("\\", "  ")


@dataclass(frozen=True, slots=True)
class Marker:
    """The mark of an item: its column, the column of its text, and the text."""

    column: int
    inner: int
    number: bool
    text: str
    interrupts: bool


class Fences:
    """Where fenced code ends. One that is never closed is text, not hidden as code."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._endless: set[tuple[str, int]] = set()

    def end(self, at: int) -> int | None:
        found = FENCE.fullmatch(self._lines[at])
        if found is None:
            return None
        sign, least = found[1][0], min(len(found[1]), LONGEST_FENCE)
        if (sign, least) in self._endless:
            return None
        for position in range(at + 1, len(self._lines)):
            each = self._lines[position].strip()
            if len(each) >= least and not each.strip(sign):
                return position
        self._endless.add((sign, least))
        return None


def indent(line: str) -> int:
    """Columns of blanks before the text; a tab goes on to the next fourth."""
    bare = line.lstrip(" \t")
    return len(line[: len(line) - len(bare)].expandtabs(4)) if bare else 0


def cut(line: str, columns: int) -> str:
    """The line without so many columns of blanks."""
    bare = line.lstrip(" \t")
    return " " * max(0, indent(line) - columns) + bare


def heading(line: str) -> tuple[int, str] | None:
    """Level and text of a heading; the same signs may stand behind it."""
    found = _HEADING.fullmatch(line)
    if found is None:
        return None
    text = (found[2] or "").strip()
    bare = text.rstrip("#")
    return len(found[1]), bare.rstrip() if not bare or bare[-1] in " \t" else text


def underlined(line: str) -> int:
    """The level of the heading whose underline this is; 0 for none."""
    found = _UNDER.fullmatch(line)
    return 0 if found is None else 1 if found[1] else 2


def marker(line: str) -> Marker | None:
    found = _ITEM.fullmatch(line)
    if found is None:
        return None
    column = len(found[1].expandtabs(4))
    gap = len((found[3] or " ").expandtabs(4))
    inner = column + len(found[2]) + (gap if gap <= CODE else 1)
    number = found[2][0].isdigit()
    text = found[4] or ""
    return Marker(column, inner, number, text, bool(text) and (not number or found[2][:-1] == "1"))


def item(lines: list[str], at: int, mark: Marker, fences: Fences) -> tuple[list[str], int]:
    """The lines of the item, without its indent, and the line behind it."""
    inner = [mark.text]
    closed = fences.end(at + 1) if at + 1 < len(lines) and FENCE.match(lines[at + 1]) else None
    at += 1
    blank = 0
    while at < len(lines):
        this = lines[at]
        if not this.strip():
            blank += 1
        elif indent(this) >= mark.column + 2 or (closed is not None and at <= closed):
            inner.extend([""] * blank)
            inner.append(cut(this, mark.inner))
            blank = 0
        elif blank or _begins(this):
            break
        else:
            inner.append(this.strip())
        at += 1
    return inner, at


def _begins(line: str) -> bool:
    found = (heading(line), QUOTE.match(line), FENCE.fullmatch(line), marker(line))
    return any(each is not None for each in found) or RULE.fullmatch(line) is not None


def quoted(lines: list[str], at: int) -> tuple[list[str], int]:
    """What is quoted, without its marks; a line without one goes on with the quoted text."""
    inner: list[str] = []
    while at < len(lines):
        this = lines[at]
        found = QUOTE.match(this)
        if found is not None:
            inner.append(this[found.end() :])
        elif not this.strip() or not inner[-1].strip() or _begins(this):
            break
        else:
            inner.append(this)
        at += 1
    return inner, at


def begins_table(lines: list[str], at: int) -> bool:
    under = lines[at + 1] if at + 1 < len(lines) else ""
    return "|" in lines[at] and "|" in under and bool(_COLUMNS.fullmatch(under.strip()))


def flowing(lines: list[str]) -> str:
    """Lines as one text: a line broken for its length goes on, one that was ended stays ended."""
    if not lines:
        return ""
    width = max(WRAPPED, *(len(each.rstrip()) for each in lines))
    parts = [lines[0].strip() if len(lines) > 1 else lines[0].strip(" \t")]
    for before, this in pairwise(lines):
        bare = this.strip()
        parts[-1] = parts[-1].removesuffix("\\").rstrip()
        fits = len(before.rstrip()) + 1 + len(bare.split(maxsplit=1)[0]) <= width
        ended = fits or before.endswith(_HARD) or _LABEL.match(bare)
        parts.extend(["\n" if ended else " ", bare])
    return "".join(parts)
