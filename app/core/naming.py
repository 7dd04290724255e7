"""Places in code or product that a text names: files, identifiers, commands, pages, components."""

from __future__ import annotations

import re
from itertools import pairwise

from app.core.criteria import Quote
from app.core.reading import Reading, quote
from app.core.wording import CONCRETE, PLACES, STOP, WOOLLY

CODE = re.compile(
    r"(?<![\w/.-])(?:[\w.-]{1,60}/){1,12}[\w-]{1,60}(?:\.\w{1,8})?(?![\w/])"  # path
    r"|(?<![\w.-])[\w-]{1,80}\.(?:py|js|jsx|ts|tsx|java|kt|scala|groovy|go|rs|rb|php|c|cc|cpp|h|hpp|"
    r"cs|m|swift|sh|bat|ps1|sql|xml|xsd|json|ya?ml|toml|ini|cfg|conf|properties|gradle|html?|css|"
    r"scss|less|md|rst|txt|jar|mustache|vue|tf|proto|pl|r)\b"
    r"|`[^`\n]{2,80}`|\{\{[^}\n]{2,80}\}\}"
    r"|\b[a-z]{2,30}[A-Z]\w{1,60}\b|\b[A-Z][a-z0-9]{1,30}[A-Z][a-z]\w{0,60}\b"  # camelCase
    r"|\b\w{1,60}_\w{1,60}\b|\b[A-Za-z]\w{1,60}\(\)"  # snake_case, call()
    r"|\b[A-Za-z]\w{1,40}(?:\.[A-Za-z]\w{1,40}){2,10}\b|\b\w{2,40}::\w{2,40}"  # a.b.c, a::b
    r"|(?<!\S)--[a-z][\w-]{2,40}|(?<![\w/])/[a-z][\w-]{1,40}/[\w{}/-]{1,80}"  # --flag, /end/point
)
PATH = re.compile(r"[A-Z][\w ]{1,30}(?: ?(?:>|->|→|») ?[A-Z][\w ]{1,30}){1,6}")
COMPONENT = re.compile(r"^\s*(?:\[([^\]\n]{2,40})\]|([A-Z][\w .+/-]{1,30}):\s)")
TOKEN = re.compile(r"[^\W_][\w'/+-]*")
TICKET_KEY = re.compile(r"^[A-Z][A-Z0-9]{1,9}-\d+$")


def named_place(reading: Reading) -> list[Quote]:
    """Up to three names of places, the most exact kind first; none if only a guess is left."""
    visible = reading.claims.prose
    exact = [f.span() for f in _few(CODE, visible) if _names_code(f.group())]
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
    for before, word in pairwise(TOKEN.finditer(low)):
        if word.group() not in PLACES or low[before.end() : word.start()] != " ":
            continue
        if _says_which(before.group()):
            return [(before.start(), word.end())]
    return []


def _says_which(word: str) -> bool:
    return word not in STOP and word not in CONCRETE and word not in WOOLLY and word.isalnum()


def possible_place(reading: Reading) -> bool:
    """Whether anything in the text might be a name that only insiders know."""
    if reading.claims.tokens & PLACES or reading.code or reading.body_words > 40:
        return True
    text = reading.text
    for unit in reading.units:
        for word in TOKEN.finditer(text, unit.at, unit.end):
            inside = word.start() > unit.at
            if inside and (word.group()[0].isupper() or any(c.isdigit() for c in word.group())):
                return True
    return False
