"""The journal of money: what each verb moved between which accounts, only ever added to.

An entry of a hold counts in every balance that the hold counts in; one of a limit names its
bucket. Whatever one verb writes sums to zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from app.store.schema_money import entry

VERBS = {
    "reserve": "set aside",
    "settle": "the end of a hold, at its cost",
    "overrun": "cost beyond what was set aside or settled",
    "void": "nothing ran",
    "extend": "a hold's time is over, and its holder is not known to be dead",
    "expire": "a hold's holder is dead",
    "refund": "part of a cost came back",
    "limit": "an admin changed a limit",
    "override": "an admin let a limit be passed, for a time",
    "revoke": "an admin ended an override",
    "seen": "an admin has seen the overruns",
}
Moves = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Act:
    """Who does what with which hold, and when: the same on all entries of one verb."""

    site_id: str
    hold_id: str
    verb: str  # of VERBS
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What an admin does to a bucket, and why."""

    site_id: str
    kind: str
    subject: str
    period: str
    verb: str  # of VERBS
    actor: str
    at: datetime
    reason: str | None = None


_INSERT = entry.insert()


def write(c: Connection, act: Act | Change, moves: Moves) -> None:
    """Append what moved between which accounts."""
    about = {name: getattr(act, name) for name in act.__slots__}
    c.execute(_INSERT, [{**about, "account": name, "amount": amount} for name, amount in moves])
