"""The daily check of the ledger: fold the journal again and compare. Nothing is ever repaired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.periods import FOREVER
from app.store.database import Database
from app.store.schema import balance, entry, hold
from app.store.spending import HELD, POSTED

Key = tuple[Any, ...]  # site, kind, subject, period, start
Sums = dict[Key, tuple[int, int]]  # held, posted
KEY = ("site_id", "kind", "subject", "period", "starts")


@dataclass(frozen=True, slots=True)
class Refold:
    """differences: one sentence each; none means that journal, balances and holds agree."""

    balances: int
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not self.differences


def refold(db: Database) -> Refold:
    """Recompute every balance from the journal, and each lifelong one from the holds as well."""
    with db.read() as c:
        if not db.sqlite:  # SQLite reads one snapshot anyway
            c.execution_options(isolation_level="REPEATABLE READ")
        kept = _kept(c)
        lost = _lost(c)
        folded = _folded(c)
        holds = _from_holds(c)
    lifelong = {key: sums for key, sums in kept.items() if key[3] == "once"}
    differences = [
        *(f"the entries of {_name(key)} do not sum to 0 but to {amount}" for key, amount in lost),
        *_unequal("the entries", folded, kept),
        *_unequal("the holds", holds, lifelong),
    ]
    return Refold(len(kept), tuple(differences))


def _kept(c: Connection) -> Sums:
    query = sa.select(*(balance.c[name] for name in KEY), balance.c.held, balance.c.posted)
    return {tuple(row[:5]): (row.held, row.posted) for row in c.execute(query)}


def _lost(c: Connection) -> list[tuple[Key, int]]:
    total = sa.func.sum(entry.c.amount)
    key = [entry.c[name] for name in KEY]
    query = sa.select(*key, total).group_by(*key).having(total != 0)
    return [(tuple(row[:5]), int(row[5])) for row in c.execute(query)]


def _folded(c: Connection) -> Sums:
    held, posted = (
        sa.func.coalesce(sa.func.sum(sa.case((entry.c.account == account, entry.c.amount))), 0)
        for account in ("held", "spent")
    )
    key = [entry.c[name] for name in KEY]
    query = sa.select(*key, held, posted).where(entry.c.verb != "seen").group_by(*key)
    return {tuple(row[:5]): (int(row[5]), int(row[6])) for row in c.execute(query)}


def _from_holds(c: Connection) -> Sums:
    subjects = {"site": hold.c.site_id, "project": hold.c.project_key, "ticket": hold.c.issue_id}
    sums: Sums = {}
    for kind, subject in subjects.items():
        query = sa.select(hold.c.site_id, subject.label("subject"), HELD, POSTED)
        for row in c.execute(query.group_by(hold.c.site_id, subject)):
            key = (row.site_id, kind, row.subject, "once", FOREVER)
            sums[key] = (int(row[2]), int(row[3]))
    return sums


def _unequal(source: str, sums: Sums, kept: Sums) -> list[str]:
    return [
        f"{_name(key)}: {source} say (held, posted) {sums.get(key)}, the balance {kept.get(key)}"
        for key in sorted(sums.keys() | kept.keys())
        if sums.get(key) != kept.get(key)
    ]


def _name(key: Key) -> str:
    site_id, kind, subject, period, starts = key
    return f"{kind} {subject} of site {site_id}, {period} from {starts:%Y-%m-%d %H:%M} UTC"
