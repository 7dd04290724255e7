"""Finds the issues that a query names, in the order it asks for."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from app.sandbox.jql import Both, Clause, Node, Query
from app.sandbox.records import CATEGORIES, ISSUE_TYPES, PRIORITIES, STATUSES, Issue, User
from app.sandbox.refusals import Refusal
from app.sandbox.state import SandboxState

UNBOUNDED = (
    "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EMPTY = ("empty", "null")
_TEXTS = ("summary", "description", "text")
_TIMES = ("created", "updated")


def find(state: SandboxState, query: Query, viewer: User) -> list[Issue]:
    """Visible issues that fit. A query without a restriction is refused, like in Jira."""
    if query.where is None:
        raise Refusal(400, UNBOUNDED)
    fits = _Matcher(state, viewer).predicate(query.where)
    found = [
        issue for issue in state.issues.values() if state.visible(issue, viewer) and fits(issue)
    ]
    found.sort(key=lambda issue: int(issue.id), reverse=True)
    for field, down in reversed(query.order):
        found.sort(key=partial(_sort_key, field), reverse=down)
    return found


def _sort_key(field: str, issue: Issue) -> Any:
    if field in ("key", "id"):
        return (issue.project if field == "key" else "", _number(issue, field))
    if field in _TIMES:
        return getattr(issue, field)
    return " ".join(_values(issue, field))


def _number(issue: Issue, field: str) -> int:
    return int(issue.id) if field == "id" else int(issue.key.rpartition("-")[2])


def _values(issue: Issue, field: str) -> list[str]:
    """What an issue holds in a field, lower case; nothing when it is empty."""
    return [value.lower() for value in _HELD[field](issue) if value]


def _description(issue: Issue) -> str:
    return issue.description.plain() if issue.description else ""


_HELD: dict[str, Callable[[Issue], list[str | None]]] = {
    "project": lambda issue: [issue.project],
    "key": lambda issue: [issue.key],
    "id": lambda issue: [issue.id],
    "labels": lambda issue: list(issue.labels),
    "status": lambda issue: [STATUSES[issue.status].name],
    "statusCategory": lambda issue: [CATEGORIES[STATUSES[issue.status].category][1]],
    "issuetype": lambda issue: [ISSUE_TYPES[issue.issue_type]],
    "priority": lambda issue: [PRIORITIES[issue.priority]],
    "reporter": lambda issue: [issue.reporter],
    "assignee": lambda issue: [issue.assignee],
    "resolution": lambda issue: [issue.resolution],
    "summary": lambda issue: [issue.summary],
    "description": lambda issue: [_description(issue)],
    "text": lambda issue: [issue.summary, _description(issue)],
}


class _Matcher:
    """Checks each clause once, then answers for every issue."""

    def __init__(self, state: SandboxState, viewer: User) -> None:
        self._state = state
        self._viewer = viewer
        self._now = state.now()

    def predicate(self, node: Node) -> Callable[[Issue], bool]:
        if isinstance(node, Both):
            parts = [self.predicate(part) for part in node.parts]
            join = all if node.every else any
            return lambda issue: join(part(issue) for part in parts)
        return self._clause(node)

    def _clause(self, clause: Clause) -> Callable[[Issue], bool]:
        empty = len(clause.values) == 1 and clause.values[0].lower() in _EMPTY
        if clause.operator in ("is", "is not") or (empty and clause.operator in ("=", "!=")):
            if not empty or clause.field in _TIMES:
                raise _unsupported(clause)
            wanted = clause.operator in ("is", "=")
            return lambda issue: (not _values(issue, clause.field)) is wanted
        if clause.field in _TIMES:
            return self._time(clause)
        if clause.operator in _COMPARE:
            return self._order(clause)
        if clause.operator in ("~", "!~"):
            return self._text(clause)
        return self._equal(clause)

    def _time(self, clause: Clause) -> Callable[[Issue], bool]:
        compare = _COMPARE.get(clause.operator)
        if compare is None:
            raise _unsupported(clause)
        limit = _moment(clause.values[0], self._now, clause.field)
        return lambda issue: compare(getattr(issue, clause.field), limit)

    def _order(self, clause: Clause) -> Callable[[Issue], bool]:
        """Keys compare by number within their project."""
        if clause.field not in ("key", "id"):
            raise _unsupported(clause)
        compare = _COMPARE[clause.operator]
        limit = self._state.issue(self._known(clause, clause.values[0]))
        return lambda issue: (
            (clause.field == "id" or issue.project == limit.project)
            and compare(_number(issue, clause.field), _number(limit, clause.field))
        )

    def _text(self, clause: Clause) -> Callable[[Issue], bool]:
        if clause.field not in _TEXTS:
            raise _unsupported(clause)
        words = re.findall(r"\w+", clause.values[0].lower())
        wanted = clause.operator == "~"

        def fits(issue: Issue) -> bool:
            held = re.findall(r"\w+", " ".join(_values(issue, clause.field)))
            return all(word in held for word in words) is wanted

        return fits

    def _equal(self, clause: Clause) -> Callable[[Issue], bool]:
        if clause.field in _TEXTS:
            raise _unsupported(clause)
        wanted = {self._known(clause, value).lower() for value in clause.values}
        inside = clause.operator in ("=", "in")

        def fits(issue: Issue) -> bool:
            held = _values(issue, clause.field)
            return bool(held) and bool(wanted.intersection(held)) is inside

        return fits

    def _known(self, clause: Clause, value: str) -> str:
        """The value as issues hold it; Jira refuses values that do not exist."""
        if value == "currentuser()":
            return self._viewer.account_id
        if clause.field == "labels":
            return value
        if clause.field in ("key", "id"):
            return self._issue(clause, value)
        for names in self._choices(clause.field):
            if value.lower() in (name.lower() for name in names):
                return names[0]
        message = f"The value '{value}' does not exist for the field '{clause.field}'."
        raise Refusal(400, message)

    def _issue(self, clause: Clause, value: str) -> str:
        try:
            issue = self._state.issue(value, self._viewer)
        except Refusal:
            message = f"An issue with key '{value}' does not exist for field '{clause.field}'."
            raise Refusal(400, message) from None
        return issue.id if clause.field == "id" else issue.key

    def _choices(self, field: str) -> list[tuple[str, ...]]:
        """Groups of names for the same thing; the first is what `_values` gives."""
        if field == "project":
            every, may = self._state.projects.values(), self._viewer.may
            return [(p.key, p.name, p.id) for p in every if may("BROWSE_PROJECTS", p.key)]
        if field in ("reporter", "assignee"):
            people = self._state.users.values()
            return [(user.account_id, user.display_name) for user in people]
        if field == "statusCategory":
            return [(name, key, str(number)) for key, (number, name, _) in CATEGORIES.items()]
        if field == "status":
            return [(status.name, status.id) for status in STATUSES.values()]
        if field == "resolution":
            return [("Done",)]
        known = ISSUE_TYPES if field == "issuetype" else PRIORITIES
        return [(name, key) for key, name in known.items()]


def _moment(text: str, now: datetime, field: str) -> datetime:
    if text == "now()":
        return now
    relative = re.fullmatch(r"([+-]?)(\d{1,6})([mhdw])", text)
    if relative:
        sign, amount, unit = relative.groups()
        step = timedelta(**{_UNITS[unit]: int(amount)})
        return now + step if sign == "+" else now - step
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            return datetime.strptime(text.replace("/", "-"), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise Refusal(
        400,
        f"Date value '{text}' for field '{field}' is invalid. Valid formats include: "
        "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', "
        "or a period format e.g. '-5d', '4w 2d'.",
    )


def _unsupported(clause: Clause) -> Refusal:
    return Refusal(
        400, f"The operator '{clause.operator}' is not supported by the '{clause.field}' field."
    )
