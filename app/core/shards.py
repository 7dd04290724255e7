"""A long read cut into parts by the day on which tickets were made.

Parts are disjoint and complete, as each edge is one moment for Jira whatever its time zone. They
are read side by side, and a read that broke off goes on where each of them was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

OLDEST = date(2002, 1, 1)  # no Jira is older
LARGEST = 1000
"""Tickets of a part that is not cut again; more only where all of them are of one day."""
OPEN = "statusCategory != Done"
ORDER_BY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\border\s+by\b""", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Part:
    """Tickets made from the day `first` to the day before `end` (None = open), about `tickets` of
    them. at: where its next page begins; done: all of it was read."""

    first: date | None = None
    end: date | None = None
    tickets: int = 0
    at: str = ""
    done: bool = False

    def jql(self, jql: str) -> str:
        """The query narrowed down to this part, in an order that holds while it is read."""
        edges = (">=", self.first), ("<", self.end)
        days = [f'created {sign} "{day:%Y-%m-%d}"' for sign, day in edges if day is not None]
        return f"{' AND '.join([f'({jql})', *days])} ORDER BY created ASC, key ASC"

    def kept(self) -> dict[str, Any]:
        """As JSON has it."""
        edges = {"first": self.first, "end": self.end}
        days = {name: day and day.isoformat() for name, day in edges.items()}
        return {**days, "tickets": self.tickets, "at": self.at, "done": self.done}

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Part:
        days = {name: kept[name] and date.fromisoformat(kept[name]) for name in ("first", "end")}
        return cls(**{**kept, **days})


def query(jql: str, project_key: str) -> str:
    """What to read: the query without an order of its own, in the project alone if one is named.
    Of a project without a query: what is not done."""
    for found in ORDER_BY.finditer(jql):
        if found[1] is None:
            jql = jql[: found.start()]
            break
    jql = jql.strip()
    if not project_key:
        return jql
    return f'project = "{project_key}" AND ({jql or OPEN})'


def cut(count: Callable[[Part], int], today: date, largest: int = LARGEST) -> list[Part]:
    """Parts that hold everything, the oldest first, each halved until it is small enough.

    `count` asks Jira and may be somewhat wrong: it decides how the work is cut, not what is read.
    """
    return _cut(count, Part(tickets=count(Part())), (OLDEST, today + timedelta(days=2)), largest)


def _cut(
    count: Callable[[Part], int], part: Part, days: tuple[date, date], largest: int
) -> list[Part]:
    first, end = days
    if part.tickets <= largest or (end - first).days <= 1:
        return [part]
    middle = first + (end - first) // 2
    many = count(Part(part.first, middle))
    older = Part(part.first, middle, many)
    newer = Part(middle, part.end, max(0, part.tickets - many))
    return [
        *_cut(count, older, (first, middle), largest),
        *_cut(count, newer, (middle, end), largest),
    ]
