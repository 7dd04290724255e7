"""Text that is white on white in wiki markup: taken out before anything else is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from app.core.colour import unseen

_TOKENS = re.compile(
    r"(?<!\\)\{(?:color(?::([^{}\n]{1,40}))?|(code|noformat)(:[^{}\n]{0,300})?)\}", re.IGNORECASE
)


def without_pale(text: str) -> tuple[str, bool]:
    """The text without what stands in a colour that nobody sees, and whether there was any.

    In code a colour is text. A colour that is never ended is text too, as Jira shows it.
    """
    tokens = _outside_code(list(_TOKENS.finditer(text)))
    kept: list[str] = []
    at, hidden = 0, False
    for opened, ended in pairwise(tokens):
        if opened[1] is not None and unseen(opened[1]):
            kept.append(text[at : opened.end()])
            at = ended.start()
            hidden = hidden or bool(text[opened.end() : at].strip())
    return "".join([*kept, text[at:]]), hidden


def _outside_code(tokens: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """The marks of colours that do not stand in a block of code that is closed."""
    last = {found[2].lower(): at for at, found in enumerate(tokens) if _closes(found)}
    out: list[re.Match[str]] = []
    at = 0
    while at < len(tokens):
        name = (tokens[at][2] or "").lower()
        if not name:
            out.append(tokens[at])
        elif at < last.get(name, -1):
            at += 1
            while not (_closes(tokens[at]) and tokens[at][2].lower() == name):
                at += 1
        at += 1
    return out


def _closes(found: re.Match[str]) -> bool:
    return found[2] is not None and found[3] is None
