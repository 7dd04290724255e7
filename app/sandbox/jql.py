"""Reads a useful part of JQL: clauses joined by AND, OR, NOT and brackets, then ORDER BY.

Fields: project, key (issue, issuekey), id, labels, status, statusCategory, issuetype (type),
priority, reporter, assignee, summary, description, text, created, updated, resolution.
Operators: = != IN, NOT IN, IS [NOT] EMPTY, ~ !~ (texts), > >= < <= (times, key, id).
Times: 2026-11-23, "2026-11-23 18:28", relative -5m -2h -1d -1w, now(). People: currentUser().
https://support.atlassian.com/jira-software-cloud/docs/jql-fields/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.refusals import Refusal

FIELDS = {
    "project": "project",
    "key": "key",
    "issue": "key",
    "issuekey": "key",
    "id": "id",
    "labels": "labels",
    "status": "status",
    "statuscategory": "statusCategory",
    "issuetype": "issuetype",
    "type": "issuetype",
    "priority": "priority",
    "reporter": "reporter",
    "assignee": "assignee",
    "summary": "summary",
    "description": "description",
    "text": "text",
    "created": "created",
    "createddate": "created",
    "updated": "updated",
    "updateddate": "updated",
    "resolution": "resolution",
}
_OPPOSITE = {
    "=": "!=",
    "in": "not in",
    "is": "is not",
    "~": "!~",
    ">": "<=",
    "<": ">=",
}
_OPPOSITE |= {opposite: operator for operator, opposite in _OPPOSITE.items()}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator>!=|!~|>=|<=|=|~|>|<)
      | (?P<mark>[(),!])
      | (?P<word>[^\s"'(),=!~<>]+)
    )""",
    re.VERBOSE,
)
DEPTH = 50


@dataclass(frozen=True, slots=True)
class Clause:
    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """All of the parts, or any of them."""

    every: bool
    parts: tuple[Node, ...]


Node = Clause | Both


@dataclass(frozen=True, slots=True)
class Query:
    """`where` is None for a query without a restriction; `order` holds (field, descending)."""

    where: Node | None
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    def says(self, *words: str) -> bool:
        return self.kind != "quoted" and self.text.lower() in words


_END = _Token("end", "")


def parse(text: str) -> Query:
    """Refusal 400 says what is wrong, as Jira does."""
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[_Token]:
    out, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _wrong(f"the character '{text[position]}' at position {position + 1}")
        kind = str(match.lastgroup)
        found = match.group(kind)
        if kind == "quoted":
            found = re.sub(r"\\(.)", r"\1", found[1:-1])
        out.append(_Token(kind, found))
        position = match.end()
    return out


def _wrong(what: str) -> Refusal:
    return Refusal(400, f"Error in the JQL Query: {what} was not expected.")


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def query(self) -> Query:
        where = None if self._peek() is _END or self._peek().says("order") else self._any()
        order = self._order() if self._peek().says("order") else ()
        if self._peek() is not _END:
            raise _wrong(f"'{self._peek().text}'")
        return Query(where, order)

    def _peek(self) -> _Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else _END

    def _take(self) -> _Token:
        token = self._peek()
        if token is _END:
            raise _wrong("the end of the query")
        self._position += 1
        return token

    def _want(self, *words: str) -> _Token:
        token = self._take()
        if not token.says(*words):
            raise _wrong(f"'{token.text}'")
        return token

    def _any(self) -> Node:
        return _join(False, self._separated(self._all, "or", "||"))

    def _all(self) -> Node:
        return _join(True, self._separated(self._one, "and", "&&"))

    def _separated(self, read: Callable[[], Node], *words: str) -> list[Node]:
        parts = [read()]
        while self._peek().says(*words):
            self._take()
            parts.append(read())
        return parts

    def _one(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH:
            raise Refusal(400, "Error in the JQL Query: it is nested too deeply.")
        try:
            if self._peek().says("not", "!"):
                self._take()
                return negated(self._one())
            if self._peek().says("("):
                self._take()
                inside = self._any()
                self._want(")")
                return inside
            return self._clause()
        finally:
            self._depth -= 1

    def _clause(self) -> Clause:
        name = self._take()
        field = FIELDS.get(name.text.lower())
        if field is None or name.kind not in ("word", "quoted"):
            raise Refusal(
                400,
                f"Field '{name.text}' does not exist or you do not have permission to view it.",
            )
        operator = self._operator()
        if operator in ("in", "not in"):
            return Clause(field, operator, self._list())
        return Clause(field, operator, (self._value(),))

    def _operator(self) -> str:
        token = self._take()
        if token.kind == "operator":
            return token.text
        if token.says("in"):
            return "in"
        if token.says("not"):
            self._want("in")
            return "not in"
        if token.says("is"):
            if self._peek().says("not"):
                self._take()
                return "is not"
            return "is"
        raise _wrong(f"'{token.text}'")

    def _list(self) -> tuple[str, ...]:
        self._want("(")
        values = [self._value()]
        while self._peek().says(","):
            self._take()
            values.append(self._value())
        self._want(")")
        return tuple(values)

    def _value(self) -> str:
        token = self._take()
        if token.kind not in ("word", "quoted"):
            raise _wrong(f"'{token.text}'")
        if token.kind == "word" and self._peek().says("("):
            self._take()
            self._want(")")
            return f"{token.text.lower()}()"
        return token.text

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._want("order")
        self._want("by")
        out: list[tuple[str, bool]] = []
        while True:
            name = self._take()
            field = FIELDS.get(name.text.lower())
            if field is None:
                raise Refusal(400, f"Not able to sort using field '{name.text}'.")
            down = self._peek().says("desc")
            if down or self._peek().says("asc"):
                self._take()
            out.append((field, down))
            if not self._peek().says(","):
                return tuple(out)
            self._take()


def _join(every: bool, parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Both(every, tuple(parts))


def negated(node: Node) -> Node:
    """NOT moves inwards, as in Jira: an empty field fits neither `=` nor `!=`."""
    if isinstance(node, Clause):
        return Clause(node.field, _OPPOSITE[node.operator], node.values)
    return Both(not node.every, tuple(negated(part) for part in node.parts))
