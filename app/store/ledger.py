"""The record of money: set it aside before an attempt, settle it after, never lose a cent between.

`reserve_in`, `settle_in` and `void_in` work in the caller's transaction; `reserve`, `settle` and
`void` are one short transaction each. Every verb has a hold's id as its idempotency key, so a
repeat is harmless. Held money is not spent money, and the two are never added up for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.money import LARGEST, InvalidAmount
from app.core.periods import period_end
from app.store import chain
from app.store.chain import Act, Line
from app.store.database import Database
from app.store.schema import entry, hold

T = TypeVar("T")
Reason = Literal["budget", "no_limit", "overrun"]
TRY_AGAIN = {"40001", "40P01"}  # Postgres: serialization failure, deadlock
TERMS = ("project_key", "issue_id", "run", "attempt", "amount", "simulated")


class HoldConflict(Exception):
    """The id names another hold, or one that has ended: nothing may start on it."""


class UnknownHold(LookupError):
    """There is no hold of this id, so there is nothing to settle or give back."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """The money is set aside. `again` is true when it was before this call."""

    hold_id: str
    amount: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Nothing was set aside, and nothing was changed.

    reason: "budget" = `needed` does not fit into the budget named; "no_limit" = no budget above
    the ticket is set, so nothing may be spent (limit is None); "overrun" = an attempt cost more
    than was set aside for it and no admin has set the budget again since (limit is 0).
    """

    kind: str  # site | project | ticket
    subject: str
    period: str
    limit: int | None
    posted: int
    held: int
    needed: int
    resets_at: datetime | None
    reason: Reason = "budget"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a hold ended. `again` is true when it had ended before this call, which changed nothing.

    overrun: what the attempt cost beyond its hold.
    """

    hold_id: str
    state: str  # posted | void
    amount: int
    actual: int | None
    again: bool = False

    @property
    def overrun(self) -> int:
        return max(0, (self.actual or 0) - self.amount)


class _Refused(Exception):
    def __init__(self, room: NoRoom) -> None:
        super().__init__(room.reason)
        self.room = room


def reserve_in(  # noqa: PLR0913 - an amount is never set aside without all of these
    c: Connection,
    db: Database,
    *,
    hold_id: str,
    site_id: str,
    zone: str,
    project_key: str,
    issue_id: str,
    run: int,
    attempt: int,
    amount: int,
    simulated: bool,
    actor: str,
    now: datetime,
) -> Reserved | NoRoom:
    """Set `amount` aside in every budget over the ticket, or in none.

    The same id with the same terms is answered with Reserved again. Raises HoldConflict for other
    terms or an ended hold, InvalidAmount; the caller's transaction stays usable.
    """
    _checked(amount, least=1)
    values = {
        "project_key": project_key,
        "issue_id": issue_id,
        "run": run,
        "attempt": attempt,
        "amount": amount,
        "simulated": simulated,
    }
    subjects = {"site": site_id, "project": project_key, "ticket": issue_id}
    try:
        with c.begin_nested():
            if not _insert_hold(c, db, site_id, hold_id, values, now):
                return _same_again(c, site_id, hold_id, values)
            rows = chain.lines(c, site_id, subjects, zone, now)
            _refuse_unfit(c, site_id, rows, amount)
            chain.set_aside(c, db, site_id, rows, amount)
            moves = [("available", -amount), ("held", amount)]
            chain.write_down(c, Act(site_id, hold_id, "reserve", actor, now), rows, moves)
    except _Refused as refused:
        return refused.room
    except chain.Full as full:
        ends = period_end(full.line.period, now, zone)
        return _no_room(full.line, amount, full.posted, full.held, ends)
    return Reserved(hold_id, amount)


def settle_in(  # noqa: PLR0913 - as above
    c: Connection,
    db: Database,
    *,
    site_id: str,
    hold_id: str,
    actual: int | None,
    actor: str,
    now: datetime,
) -> Ended:
    """The attempt has ended and cost `actual`; None = unknown, the full hold. The rest is free
    again; what exceeds the hold is an overrun. Raises UnknownHold, InvalidAmount."""
    if actual is not None:
        _checked(actual, least=0)
    cost = hold.c.amount if actual is None else actual
    ended = _end(c, site_id, hold_id, {"state": "posted", "actual": cost, "resolved_at": now})
    if ended.again or ended.actual is None:
        return ended
    rows = chain.lines_of(c, site_id, hold_id)
    chain.move(c, site_id, rows, held=-ended.amount, posted=ended.actual)
    within = ended.actual - ended.overrun
    moves = [("held", -ended.amount), ("spent", within), ("available", ended.amount - within)]
    chain.write_down(c, Act(site_id, hold_id, "settle", actor, now), rows, moves)
    if ended.overrun:
        moves = [("available", -ended.overrun), ("spent", ended.overrun)]
        chain.write_down(c, Act(site_id, hold_id, "overrun", actor, now), rows, moves)
    return ended


def void_in(
    c: Connection, db: Database, *, site_id: str, hold_id: str, actor: str, now: datetime
) -> Ended:
    """Nothing ran: all of the hold is free again. Raises UnknownHold."""
    ended = _end(c, site_id, hold_id, {"state": "void", "resolved_at": now})
    if not ended.again:
        rows = chain.lines_of(c, site_id, hold_id)
        chain.move(c, site_id, rows, held=-ended.amount, posted=0)
        moves = [("held", -ended.amount), ("available", ended.amount)]
        chain.write_down(c, Act(site_id, hold_id, "void", actor, now), rows, moves)
    return ended


def reserve(db: Database, **terms: Any) -> Reserved | NoRoom:
    """`reserve_in` in a transaction of its own."""
    return _alone(db, lambda c: reserve_in(c, db, **terms))


def settle(db: Database, **terms: Any) -> Ended:
    """`settle_in` in a transaction of its own."""
    return _alone(db, lambda c: settle_in(c, db, **terms))


def void(db: Database, **terms: Any) -> Ended:
    """`void_in` in a transaction of its own."""
    return _alone(db, lambda c: void_in(c, db, **terms))


def _alone(db: Database, verb: Callable[[Connection], T]) -> T:
    """Once more where Postgres says that two transactions got into each other's way."""
    try:
        with db.write() as c:
            return verb(c)
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in TRY_AGAIN:
            raise
    with db.write() as c:
        return verb(c)


def _checked(amount: int, least: int) -> None:
    """A bool or a float is a mistake of the caller, whatever the annotation says."""
    if type(amount) is not int or not least <= amount <= LARGEST:
        raise InvalidAmount(f"{amount!r} is not an amount from {least} to {LARGEST} micro-units")


def _insert_hold(
    c: Connection,
    db: Database,
    site_id: str,
    hold_id: str,
    terms: dict[str, Any],
    now: datetime,
) -> bool:
    row = {"site_id": site_id, "id": hold_id, **terms, "state": "held", "made_at": now}
    return bool(c.execute(db.insert(hold).on_conflict_do_nothing(), row).rowcount)


def _named(site_id: str, hold_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(hold.c.site_id == site_id, hold.c.id == hold_id)


def _same_again(c: Connection, site_id: str, hold_id: str, terms: dict[str, Any]) -> Reserved:
    row = c.execute(sa.select(hold).where(_named(site_id, hold_id))).mappings().one()
    other = [name for name in TERMS if row[name] != terms[name]]
    if other:
        raise HoldConflict(f"hold {hold_id} was made with another {' and '.join(other)}")
    if row["state"] != "held":
        raise HoldConflict(f"hold {hold_id} has ended: {row['state']}")
    return Reserved(hold_id, row["amount"], again=True)


def _refuse_unfit(c: Connection, site_id: str, rows: Sequence[Line], amount: int) -> None:
    """Refuse what no room could help: no limit above the ticket, an overrun nobody has seen."""
    project = next(line for line in rows if line.kind == "project" and line.period == "once")
    if all(line.limit is None for line in rows if line.kind != "ticket"):
        raise _Refused(_no_room(replace(project, limit=None), amount, reason="no_limit"))
    if _unseen_overrun(c, site_id, project.subject):
        raise _Refused(_no_room(replace(project, limit=0), amount, reason="overrun"))


def _no_room(
    line: Line,
    needed: int,
    posted: int = 0,
    held: int = 0,
    resets_at: datetime | None = None,
    reason: Reason = "budget",
) -> NoRoom:
    where = (line.kind, line.subject, line.period, line.limit)
    return NoRoom(*where, posted, held, needed, resets_at, reason)


def _overran_unseen() -> sa.Select[Any]:
    here = sa.and_(entry.c.kind == "project", entry.c.subject == sa.bindparam("project_key"))
    over = sa.or_(entry.c.kind == "site", here, entry.c.subject == chain.DEFAULT)
    overrun = sa.func.max(sa.case((sa.and_(here, entry.c.verb == "overrun"), entry.c.seq), else_=0))
    seen = sa.func.max(sa.case((sa.and_(over, entry.c.verb == "seen"), entry.c.seq), else_=0))
    return sa.select(overrun > seen).where(
        entry.c.site_id == sa.bindparam("site_id"), entry.c.verb.in_(["overrun", "seen"])
    )


_OVERRAN_UNSEEN = _overran_unseen()


def _unseen_overrun(c: Connection, site_id: str, project_key: str) -> bool:
    """Has an attempt of the project overrun its hold since an admin last set a budget over it?"""
    asked = {"site_id": site_id, "project_key": project_key}
    return bool(c.execute(_OVERRAN_UNSEEN, asked).scalar())


def _end(c: Connection, site_id: str, hold_id: str, values: dict[str, Any]) -> Ended:
    """Resolve the hold if it is open: at most one call ever does."""
    what = (hold.c.state, hold.c.amount, hold.c.actual)
    open_one = hold.update().where(_named(site_id, hold_id), hold.c.state == "held")
    row = c.execute(open_one.values(values).returning(*what)).first()
    if row is not None:
        return Ended(hold_id, row.state, row.amount, row.actual)
    row = c.execute(sa.select(*what).where(_named(site_id, hold_id))).first()
    if row is None:
        raise UnknownHold(f"there is no hold {hold_id}")
    return Ended(hold_id, row.state, row.amount, row.actual, again=True)
