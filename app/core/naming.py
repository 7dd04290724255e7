"""Places in code or product that a text names: files, identifiers, commands, pages, components."""

from __future__ import annotations

import re
from functools import lru_cache

from app.core.criteria import Quote
from app.core.prose import Lexicon, places
from app.core.reading import Reading, quote
from app.core.wording import CONCRETE, PLACES, STOP, WOOLLY

CODE_FORMS = (
    ("/", r"(?<![\w/.-])(?:[\w.-]{1,60}/){1,12}[\w-]{1,60}(?:\.\w{1,8})?(?![\w/])"),  # path
    (
        ".",
        (
            r"(?<![\w.-])[\w-]{1,80}\.(?:py|js|jsx|ts|tsx|java|kt|scala|groovy|go|rs|rb|php|c|cc|cpp|h"
            r"|hpp|cs|m|swift|sh|bat|ps1|sql|xml|xsd|json|ya?ml|toml|ini|cfg|conf|properties|gradle"
            r"|html?|css|scss|less|md|rst|txt|jar|mustache|vue|tf|proto|pl|r)\b"
        ),
    ),
    ("`", r"`[^`\n]{2,80}`"),
    ("{{", r"\{\{[^}\n]{2,80}\}\}"),
    ("", r"\b[a-z]{2,30}[A-Z]\w{1,60}\b|\b[A-Z][a-z0-9]{1,30}[A-Z][a-z]\w{0,60}\b"),  # camelCase
    ("_", r"\b\w{1,60}_\w{1,60}\b"),  # snake_case
    ("()", r"\b[A-Za-z]\w{1,60}\(\)"),
    (".", r"\b[A-Za-z]\w{1,40}(?:\.[A-Za-z]\w{1,40}){2,10}\b"),  # a.b.c
    ("::", r"\b\w{2,40}::\w{2,40}"),
    ("--", r"(?<!\S)--[a-z][\w-]{2,40}"),  # --flag
    ("/", r"(?<![\w/])/[a-z][\w-]{1,40}/[\w{}/-]{1,80}"),  # /end/point
)
"""What names in code look like, each with what a text must hold for it to be looked for: one
pattern of all forms would try each of them at every letter."""
PATH = re.compile(r"[A-Z][\w ]{1,30}(?: ?(?:>|->|→|») ?[A-Z][\w ]{1,30}){1,6}")
COMPONENT = re.compile(r"^\s*(?:\[([^\]\n]{2,40})\]|([A-Z][\w .+/-]{1,30}):\s)")
TOKEN = re.compile(r"[^\W_][\w'/+-]*")
TOKEN_END = re.compile(r"[^\W_][\w'/+-]*$")
PLACE = Lexicon(PLACES, {})
TICKET_KEY = re.compile(r"^[A-Z][A-Z0-9]{1,9}-\d+$")


def code_form(text: str) -> re.Pattern[str]:
    """The pattern of every form that can occur in this text."""
    return _compiled(tuple(form for mark, form in CODE_FORMS if mark in text))


@lru_cache(maxsize=256)
def _compiled(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(forms))


def named_place(reading: Reading) -> list[Quote]:
    """Up to three names of places, the most exact kind first; none if only a guess is left."""
    visible = reading.claims.prose
    exact = [f.span() for f in _few(code_form(visible), visible) if _names_code(f.group())]
    spans = [_bare(reading, *span) for span in exact[:3]]
    if not spans and (menu := PATH.search(visible)):
        spans.append(quote(reading, *menu.span()))
    if component := COMPONENT.match(reading.summary):
        spans.append(component.span(1) if component.group(1) else component.span(2))
    if not spans:
        spans.extend(_product_place(reading))
    return spans[:3]


def _bare(reading: Reading, start: int, end: int) -> Quote:
    """Without the marks that make it code."""
    while start < end and reading.text[start] in "`{":
        start += 1
    while end > start and reading.text[end - 1] in "`}":
        end -= 1
    return start, end


def _names_code(name: str) -> bool:
    """Not a date, a number, a ticket's key or "and/or"."""
    if TICKET_KEY.match(name) or sum(char.isalpha() for char in name) < 3:
        return False
    plain = all(part.isalpha() and len(part) < 12 for part in name.split("/"))
    return not ("/" in name and plain and name.count("/") == 1)


def _few(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    return [found for found, _ in zip(pattern.finditer(text), range(6), strict=False)]


def _product_place(reading: Reading) -> list[Quote]:
    """ "CSV export", "login page": a kind of place with a word that says which one."""
    if not reading.claims.tokens & PLACES:
        return []
    low = reading.claims.low
    found = []
    for start, end in places(reading.claims, PLACE, 8):
        before = TOKEN_END.search(low[max(0, start - 60) : start - 1])
        lone = low[start - 1 : start] == " " and low[end : end + 1] not in ("'", "/", "+", "-")
        if before and lone and _says_which(before.group()):
            found.append((start - 1 - len(before.group()), end))
    return found[:1]


def _says_which(word: str) -> bool:
    return word not in STOP and word not in CONCRETE and word not in WOOLLY and word.isalnum()


def possible_place(reading: Reading) -> bool:
    """Whether anything in the text might be a name that only insiders know."""
    if reading.claims.tokens & PLACES or reading.code:
        return True
    text = reading.claims.prose
    for unit in reading.units[:200]:
        for word in TOKEN.finditer(text, unit.at, min(unit.end, unit.at + 400)):
            inside = word.start() > unit.at
            if inside and (word.group()[0].isupper() or any(c.isdigit() for c in word.group())):
                return True
    return False
