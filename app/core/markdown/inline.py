"""The text of one paragraph of Markdown into spans.

Every pattern stops at the next character that could start the same pattern again, so a line of
200,000 brackets takes as long as one of letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from app.core.marks import Marks, Token, marked, pair
from app.core.text import Span, joined, safe_link
from app.core.wiki.inline import html_text

_TOKENS = re.compile(
    r"""
      \\(?P<escaped>[!-/:-@\[-`{-~])
    | !\[(?P<alt>[^\[\]\n]{0,500})\]\((?P<file>[^\s()<>]{0,1000})(?:[ ][^()\n]{0,300})?\)
    | \[(?P<label>(?:\\.|[^\[\]\\\n]){1,1000})\]
      (?:\((?P<target>[^\s()]{0,1000}(?:\([^\s()]{0,200}\)[^\s()]{0,200})?)(?:[ ][^()\n]{0,300})?\)
        |\[(?P<name>[^\[\]\n]{0,300})\])?
    | <(?P<auto>https?://[^\s<>]{1,2000})>
    | (?P<url>https?://[^\s<>|\[\]{}"`*]+)
    | <(?P<tag>/?(?:br|details|summary|p|div|b|i|u|em|strong|su[bp]|kbd|span|center|pre|code|a|img))
      (?:\s[^<>\n]{0,300})?/?>
    | (?P<entity>&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});)
    | (?P<mark>\*{1,3}|_{1,3}|~~)
    """,
    re.VERBOSE,
)
_TICKS = re.compile(r"(?<!\\)`+")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKS = Marks(
    strong=frozenset(["**", "__", "***", "___"]),
    em=frozenset(["*", "_", "***", "___"]),
    strike=frozenset(["~~"]),
)


def spans_of(
    text: str, targets: Mapping[str, str], miss: Callable[[str], None]
) -> tuple[Span, ...]:
    """`targets` are the addresses that the document gives names to; `miss` is told the name of
    each picture, as nobody reads those."""
    tokens: list[Token] = []
    at = 0
    for start, end, code in _code(text):
        tokens.extend(_prose(text, at, start, targets, miss))
        tokens.append(Token(Span(code, code=True)))
        at = end
    tokens.extend(_prose(text, at, len(text), targets, miss))
    pair(tokens)
    return joined(span for span in marked(tokens, _MARKS) if span.text)


def _code(text: str) -> Iterator[tuple[int, int, str]]:
    """Code in backticks: as many close it as opened it."""
    runs = [found.span() for found in _TICKS.finditer(text)]
    closing: dict[int, int] = {}
    closes: list[int | None] = []
    for position in range(len(runs) - 1, -1, -1):
        start, end = runs[position]
        closes.append(closing.get(end - start))
        closing[end - start] = position
    closes.reverse()
    position = 0
    while position < len(runs):
        other = closes[position]
        if other is None:
            position += 1
            continue
        inner = text[runs[position][1] : runs[other][0]]
        yield runs[position][0], runs[other][1], inner.strip() if inner.strip() else inner
        position = other + 1


def _prose(
    text: str, start: int, end: int, targets: Mapping[str, str], miss: Callable[[str], None]
) -> Iterator[Token]:
    at = start
    for found in _TOKENS.finditer(text, start, end):
        if at < found.start():
            yield Token(Span(text[at : found.start()]))
        yield _token(found, targets, miss)
        at = found.end()
    if at < end:
        yield Token(Span(text[at:end]))


def _token(found: re.Match[str], targets: Mapping[str, str], miss: Callable[[str], None]) -> Token:
    text = found[0]
    if found["escaped"]:
        return Token(Span(found["escaped"]))
    if found["file"] is not None:
        miss(found["alt"] or found["file"])
        return Token(Span(""))
    if found["label"]:
        return Token(_link(found, targets))
    if address := found["auto"] or found["url"]:
        return Token(Span(address, link=safe_link(address)))
    if found["tag"]:
        return Token(_tag(found["tag"], miss))
    if found["entity"]:
        return Token(Span(html_text(text)))
    return _emphasis(found)


def _link(found: re.Match[str], targets: Mapping[str, str]) -> Span:
    """A label with its address, given beside it or by name; brackets alone are text."""
    label, target = _ESCAPE.sub(r"\1", found["label"]), found["target"]
    if target is None:
        target = targets.get(named(found["name"] or found["label"]))
    if target is None and found["name"] is None:
        return Span(_ESCAPE.sub(r"\1", found[0]))
    return Span(html_text(label.replace("`", "")), link=safe_link(target))


def named(label: str) -> str:
    """The name of an address: case and blanks make no difference."""
    return " ".join(label.split()).lower()


def _tag(name: str, miss: Callable[[str], None]) -> Span:
    if name == "img":
        miss("a picture")
    return Span("\n" if name == "br" else "")


def _emphasis(found: re.Match[str]) -> Token:
    """A mark opens before a word and closes after one; an underscore in a word is a letter."""
    text, mark = found.string, found[0]
    before = text[found.start() - 1] if found.start() else " "
    after = text[found.end()] if found.end() < len(text) else " "
    letter = mark[0] == "_"
    opens = not (after.isspace() or (letter and before.isalnum()))
    closes = not (before.isspace() or (letter and after.isalnum()))
    return Token(Span(mark), mark, opens, closes)
