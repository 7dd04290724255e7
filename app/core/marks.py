"""Marks of emphasis in a line of markup, paired: the text between two of a kind is strong, slanted
or struck; a mark alone is text. Wiki markup and Markdown differ only in which marks there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.text import Span


@dataclass(slots=True)
class Token:
    span: Span
    mark: str = ""
    opens: bool = False
    closes: bool = False
    paired: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """Which marks mean what; one may mean two things."""

    strong: frozenset[str]
    em: frozenset[str]
    strike: frozenset[str]


def pair(tokens: Iterable[Token]) -> None:
    opened: dict[str, Token] = {}
    for token in tokens:
        if not token.mark:
            continue
        start = opened.get(token.mark)
        if token.closes and start is not None:
            start.paired = token.paired = True
            start.closes, token.opens = False, False
            del opened[token.mark]
        elif token.opens and start is None:
            opened[token.mark] = token


def marked(tokens: Iterable[Token], marks: Marks) -> list[Span]:
    out: list[Span] = []
    on: set[str] = set()
    for token in tokens:
        if token.paired:
            on ^= {token.mark}
            continue
        span = token.span
        if on and span.text and not span.code and span.mention is None:
            span = Span(
                span.text,
                strong=not on.isdisjoint(marks.strong),
                em=not on.isdisjoint(marks.em),
                strike=not on.isdisjoint(marks.strike),
                link=span.link,
            )
        out.append(span)
    return out
