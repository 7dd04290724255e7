"""The daily check of the ledger: fold the journal again and compare. Nothing is ever repaired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.store import chain
from app.store.chain import Line, Used
from app.store.database import Database
from app.store.schema_money import balance, entry, hold, refolded

Sums = dict[Line, Used]


@dataclass(frozen=True, slots=True)
class Refold:
    """differences: one sentence each; none means that journal, balances and holds agree."""

    balances: int
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not self.differences


def refold(db: Database, site_id: str) -> Refold:
    """Recompute every balance of the site from the journal, and each hold as well."""
    with db.read() as c:
        if not db.sqlite:  # SQLite reads one snapshot anyway
            c.execution_options(isolation_level="REPEATABLE READ")
        kept, folded = _kept(c, site_id), _folded(c, site_id)
        differences = [*_lost(c, site_id), *_holds(c, site_id)]
    for line in sorted(folded.keys() | kept.keys()):
        if folded.get(line) != kept.get(line):
            was = f"{line.kind} {line.subject}, {line.period} from {line.starts:%Y-%m-%d %H:%M} UTC"
            said = f"the entries say {_told(folded.get(line))}, the balance {_told(kept.get(line))}"
            differences.append(f"{was}: {said}")
    return Refold(len(kept), tuple(differences))


def _told(used: Used | None) -> str:
    return "nothing" if used is None else f"spent {used.posted}, set aside {used.held}"


def _kept(c: Connection, site_id: str) -> Sums:
    names = (*Line._fields, *Used._fields)
    query = sa.select(*(balance.c[name] for name in names)).where(balance.c.site_id == site_id)
    return {Line(*row[:4]): Used(*row[4:]) for row in c.execute(query)}


def _sum(account: str) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(sa.func.sum(sa.case((entry.c.account == account, entry.c.amount))), 0)


def _folded(c: Connection, site_id: str) -> Sums:
    """Every level and period from one look at the journal."""
    names = ("project_key", "person", "issue_id", "agent", "day", "week", "month")
    of = [hold.c[name] for name in names]
    joined = sa.and_(hold.c.site_id == entry.c.site_id, hold.c.id == entry.c.hold_id)
    query = sa.select(*of, _sum("spent").label("posted"), _sum("held").label("held"))
    query = query.join_from(entry, hold, joined).where(entry.c.site_id == site_id).group_by(*of)
    sums: dict[Line, list[int]] = defaultdict(lambda: [0, 0])
    for row in c.execute(query).mappings():
        for line in chain.lines({**row, "site_id": site_id}):
            sums[line][0] += int(row["posted"])
            sums[line][1] += int(row["held"])
    return {line: Used(*both) for line, both in sums.items()}


def _lost(c: Connection, site_id: str) -> Iterator[str]:
    """Whatever one verb wrote sums to zero, and so does each bucket's own."""
    of = (entry.c.hold_id, entry.c.kind, entry.c.subject, entry.c.period)
    total = sa.func.sum(entry.c.amount)
    query = sa.select(*of, total).where(entry.c.site_id == site_id).group_by(*of)
    for hold_id, kind, subject, period, amount in c.execute(query.having(total != 0)):
        name = f"hold {hold_id}" if hold_id else f"the limit of {kind} {subject}, {period}"
        yield f"{name}: the entries do not sum to 0 but to {amount}"


def _holds(c: Connection, site_id: str) -> Iterator[str]:
    """Each hold against its own entries."""
    journal = (
        sa.select(entry.c.hold_id, _sum("held").label("held"), _sum("spent").label("spent"))
        .where(entry.c.site_id == site_id, entry.c.hold_id.is_not(None))
        .group_by(entry.c.hold_id)
        .subquery()
    )
    held = sa.case((hold.c.state == "held", hold.c.amount), else_=0)
    spent = sa.func.coalesce(hold.c.actual, 0) - hold.c.refunded
    mine = sa.select(hold.c.id, held.label("held"), spent.label("spent"))
    own = mine.where(hold.c.site_id == site_id).subquery()
    unlike = sa.or_(
        own.c.held.is_distinct_from(journal.c.held), own.c.spent.is_distinct_from(journal.c.spent)
    )
    says = (own.c.spent, own.c.held, journal.c.spent, journal.c.held)
    query = sa.select(own.c.id, *says).join_from(
        own, journal, own.c.id == journal.c.hold_id, isouter=True
    )
    for hold_id, *both in c.execute(query.where(unlike)):
        said, found = (None if two[0] is None else Used(*two) for two in (both[:2], both[2:]))
        yield f"hold {hold_id}: it says {_told(said)}, its entries {_told(found)}"
    orphans = sa.select(journal.c.hold_id).join_from(
        journal, own, own.c.id == journal.c.hold_id, isouter=True
    )
    for hold_id in c.execute(orphans.where(own.c.id.is_(None))).scalars():
        yield f"hold {hold_id}: there are entries, and no such hold"


def write_down(db: Database, site_id: str, found: Refold, now: datetime) -> None:
    """What the newest check found, for the admins' page."""
    values = {"at": now, "balances": found.balances, "differences": list(found.differences)}
    insert = db.insert(refolded).values(site_id=site_id, **values)
    with db.write() as c:
        c.execute(insert.on_conflict_do_update(index_elements=["site_id"], set_=values))


def newest(db: Database, site_id: str) -> sa.RowMapping | None:
    with db.read() as c:
        query = sa.select(refolded).where(refolded.c.site_id == site_id)
        return c.execute(query).mappings().first()
