"""Texts whose line breaks an export or an integration has turned into blanks.

Two blanks stand where a line break was, four where a blank line was: headings, lists and code
that would be one long paragraph otherwise can be read again.
"""

from __future__ import annotations

import re

SHORT = 200
"""A line without any markup and no longer than this was written as one line."""

_MARKUP = re.compile(r"h[1-6]\. |\{(?:code|noformat|quote|panel)|\|\|| [*#] ", re.IGNORECASE)
_BLANK_LINE = re.compile(r" {4,}")
_LINE = re.compile(r" {2,3}")
_HEADING = re.compile(r"(?<=\S) (?=h[1-6]\. ?\S)")
_BULLET = re.compile(r"(?<=[\w.:;,)\]\"'}]) (?=[*#] [A-Za-z\"'\[{(])")
_LONG_HEADING = re.compile(r"^h[1-6]\. ?(?=[^\n]{120})", re.MULTILINE)


def with_lines(text: str) -> tuple[str, bool]:
    """The text, with line breaks put back where all of them have been lost, and whether so."""
    if "\n" in text.strip() or (len(text) < SHORT and not _MARKUP.search(text)):
        return text, False
    spaced = "  " in text.strip()
    text = _LINE.sub("\n", _BLANK_LINE.sub("\n\n", text.strip()))
    text = _HEADING.sub("\n\n", text)
    if not spaced and len(_BULLET.findall(text)) > 1:
        text = _BULLET.sub("\n", text)
    return _LONG_HEADING.sub("", text), True  # its end is lost: a paragraph, not a heading
