"""One line of wiki markup into spans.

Every pattern stops at the next character that could start the same pattern again: a line of
200,000 brackets takes as long as one of letters. None is possessive about a group: Python before
3.11.5, as in Debian 12, then finds nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from app.core.marks import Marks, Token, marked, pair
from app.core.text import Span, joined, safe_link, visible

_TOKENS = re.compile(
    r"""
      (?P<break>\\\\(?:\s+|$))
    | \\(?P<escaped>_|[^\w\s\\])
    | \{\{(?P<mono>(?:[^{}\n]|\{[^{}\n]*\}|\}(?!\}))+)\}\}
    | \{(?P<toggle>[*_+-])\}
    | \{(?P<macro>[A-Za-z][\w-]{0,30})(?::(?P<params>[^{}\n]{0,300}))?\}
    | \[(?P<label>(?:\\.|[^\[\]|\n\\]){0,1000})(?:\|(?P<target>[^\[\]\n]{0,2000}))?\]
    | !(?P<image>[^!\n\s|][^!\n|]{0,200})(?:\|[^!\n]{0,200})?!
    | (?P<url>https?://[^\s<>|\[\]{}"]+)
    | (?P<entity>&(?:\#\d{1,7}|\#x[0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});)
    | (?P<mark>[*_+-]|\?\?)
    """,
    re.VERBOSE,
)
_FILE = re.compile(r"(?:https?://\S+|[^\\/:<>]+\.\w{2,5})")
_ACCOUNT = re.compile(r"~(?:accountid:)?([\w:.@-]{1,128})")
_ESCAPE = re.compile(r"\\(_|[^\w\s])")

_DROPPED = frozenset(["color", "section", "column", "center", "div", "span", "html"])
"""Macros that only shape their text: the text stays, nothing is missing."""

_MACROS = frozenset(
    [
        "anchor",
        "attachments",
        "chart",
        "children",
        "csv",
        "drawio",
        "excerpt",
        "gallery",
        "gliffy",
        "iframe",
        "include",
        "jira",
        "jiraissues",
        "latex",
        "lucidchart",
        "math",
        "mathblock",
        "mermaid",
        "multimedia",
        "plantuml",
        "roadmap",
        "status",
        "table-chart",
        "table-filter",
        "toc",
        "toc-zone",
        "viewfile",
        "view-file",
        "widget",
        "youtube",
    ]
)
"""Named bare. Any other `{name}` is text: people write paths like /users/{id}."""


_MARKS = Marks(strong=frozenset("*"), em=frozenset(["_", "??"]), strike=frozenset("-"))


def spans_of(line: str, miss: Callable[[str], None]) -> tuple[Span, ...]:
    """The line's spans; `miss` is told the name of each macro or picture that was not read."""
    tokens: list[Token] = []
    at = 0
    for found in _TOKENS.finditer(line):
        if at < found.start():
            tokens.append(Token(Span(line[at : found.start()])))
        tokens.append(_token(found, miss))
        at = found.end()
    tokens.append(Token(Span(line[at:])))
    pair(tokens)
    return joined(span for span in marked(tokens, _MARKS) if span.text)


def _token(found: re.Match[str], miss: Callable[[str], None]) -> Token:
    text = found[0]
    match found.lastgroup:
        case "break":
            return Token(Span("\n"))
        case "escaped":
            return Token(Span(found["escaped"]))
        case "mono":
            return Token(Span(unescaped(found["mono"]), code=True))
        case "toggle":
            return Token(Span(text), found["toggle"], opens=True, closes=True)
        case "macro" | "params":
            return Token(_macro(found, miss))
        case "label" | "target":
            return Token(_link(found, miss))
        case "image":
            return Token(_image(found, miss))
        case "url":
            return Token(Span(text, link=safe_link(text)))
        case "entity":
            return Token(Span(visible(html.unescape(text))[0]))
    return _emphasis(found)


def _macro(found: re.Match[str], miss: Callable[[str], None]) -> Span:
    name, params = found["macro"].lower(), found["params"] or ""
    if name in _DROPPED:
        return Span("")
    if name in _MACROS or "=" in params or "|" in params:
        miss(name)
        return Span("")
    return Span(found[0])


def _link(found: re.Match[str], miss: Callable[[str], None]) -> Span:
    label, target = found["label"], found["target"]
    account = _ACCOUNT.fullmatch(label if target is None else target)
    if account is not None:
        name = label if target is not None else account[1]
        return Span("@" + name.removeprefix("@"), mention=account[1])
    if target is None and label[:1] == "^" and _FILE.fullmatch(label[1:]):
        miss(label[1:])
        return Span(label[1:])
    url = safe_link((target or label).split("|")[0])
    if url is not None:
        return Span(unescaped(label), link=url)
    return Span(unescaped(found[0]) if target is None else unescaped(f"{label} ({target})"))


def _image(found: re.Match[str], miss: Callable[[str], None]) -> Span:
    name = found["image"]
    if _FILE.fullmatch(name) is None:
        return Span(found[0])  # two exclamation marks, not a picture
    miss(name)
    return Span("")


def _emphasis(found: re.Match[str]) -> Token:
    """A mark opens before a word and closes after one; in the middle of a word it is text."""
    line, mark = found.string, found[0]
    before = line[found.start() - 1] if found.start() else " "
    after = line[found.end()] if found.end() < len(line) else " "
    opens = not (after.isspace() or before.isalnum() or mark in (before, after))
    closes = not (before.isspace() or after.isalnum() or mark in (before, after))
    if mark in "+-":  # signs, options and dashes are far more common than struck text
        opens = opens and after.isalpha() and before in " \t([{*_\"'"
        closes = closes and (before.isalnum() or before in ").!?")
    return Token(Span(mark), mark, opens, closes)


def unescaped(text: str) -> str:
    return html_text(_ESCAPE.sub(r"\1", text))


def html_text(text: str) -> str:
    """Entities as the characters they stand for, as Jira shows them."""
    return visible(html.unescape(text))[0] if "&" in text else text
