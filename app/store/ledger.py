"""The record of money: set it aside before an attempt, settle it after, never lose a cent between.

`reserve_in`, `settle_in` and `void_in` work in the caller's transaction; `reserve`, `settle` and
`void` are one short transaction each. Every verb has a hold's id as its idempotency key, so a
repeat is harmless. Held money is not spent money, and the two are never added up for a person.
What happens to a hold besides is in `corrections.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.money import LARGEST, InvalidAmount
from app.core.periods import period_end
from app.store import alerts, chain, holds, journal
from app.store.chain import Line, Used
from app.store.database import Database
from app.store.journal import Act
from app.store.schema_money import hold

Reason = Literal["budget", "no_limit", "overrun"]
TERMS = (
    *("project_key", "issue_id", "person", "agent", "run", "attempt"),
    *("amount", "currency", "simulated"),
)


class HoldConflict(Exception):
    """The id names another hold, or one that has ended: nothing may start on it."""


class UnknownHold(LookupError):
    """There is no hold of this id, so there is nothing to settle or give back."""


class UnknownPrice(ValueError):
    """Nothing says what the amount was worked out by, so it may be too little: fail closed."""


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

    kind: str  # of chain.LEVELS
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
    state: str  # posted | void | expired
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
    person: str | None = None,
    agent: str | None = None,
    currency: str = "USD",
    price_version: str = "",
    holder: str = "",
    expires_at: datetime | None = None,
) -> Reserved | NoRoom:
    """Set `amount` aside in every budget over the ticket, or in none.

    person: account id of who asked. agent: its kind. price_version: of the list that the amount
    was worked out by; only simulated money needs none. holder: the workflow that it is for;
    when that is dead and `expires_at` is over, the hold expires.
    The same id with the same terms is answered with Reserved again. Raises HoldConflict for other
    terms or an ended hold, InvalidAmount, UnknownPrice; the caller's transaction stays usable.
    """
    row = {
        "id": hold_id,
        "site_id": site_id,
        "project_key": project_key,
        "issue_id": issue_id,
        "person": person,
        "agent": agent,
        "run": run,
        "attempt": attempt,
        "amount": amount,
        "currency": currency,
        "price_version": price_version,
        "simulated": simulated,
        "holder": holder,
        "expires_at": expires_at,
    }
    _fit_to_ask(row)
    try:
        with c.begin_nested():
            return _reserve(c, db, row, zone, Act(site_id, hold_id, "reserve", actor, now))
    except _Refused as refused:
        return refused.room


def _fit_to_ask(row: Mapping[str, Any]) -> None:
    checked(row["amount"], least=1)
    if not row["price_version"] and not row["simulated"]:
        name = row["id"]
        raise UnknownPrice(f"no price list is named for {name}: nothing may be spent on a guess")


def _reserve(c: Connection, db: Database, row: dict[str, Any], zone: str, act: Act) -> Reserved:
    """Raises _Refused, after which what was written has to be taken back."""
    row |= _counted(zone, act.at)
    if not holds.insert(c, db, row, act.at):
        return _same_again(c, row)
    amount = row["amount"]
    _set_aside(c, db, row, zone, act.at)
    journal.write(c, act, [("available", -amount), ("held", amount)])
    return Reserved(act.hold_id, amount)


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
        checked(actual, least=0)
    return end_in(c, db, Act(site_id, hold_id, "settle", actor, now), "posted", actual)


def void_in(
    c: Connection, db: Database, *, site_id: str, hold_id: str, actor: str, now: datetime
) -> Ended:
    """Nothing ran: all of the hold is free again. Raises UnknownHold."""
    return end_in(c, db, Act(site_id, hold_id, "void", actor, now), "void", 0)


def reserve(db: Database, **terms: Any) -> Reserved | NoRoom:
    """`reserve_in` in a transaction of its own."""
    return db.alone(lambda c: reserve_in(c, db, **terms))


def settle(db: Database, **terms: Any) -> Ended:
    """`settle_in` in a transaction of its own."""
    return db.alone(lambda c: settle_in(c, db, **terms))


def void(db: Database, **terms: Any) -> Ended:
    """`void_in` in a transaction of its own."""
    return db.alone(lambda c: void_in(c, db, **terms))


def checked(amount: int, least: int) -> None:
    """A bool or a float is a mistake of the caller, whatever the annotation says."""
    if type(amount) is not int or not least <= amount <= LARGEST:
        raise InvalidAmount(f"{amount!r} is not an amount from {least} to {LARGEST} micro-units")


def _counted(zone: str, now: datetime) -> dict[str, datetime]:
    starts = chain.starts(zone, now)
    return {name: starts[name] for name in ("day", "week", "month")}


def _same_again(c: Connection, row: Mapping[str, Any]) -> Reserved:
    hold_id = row["id"]
    there = c.execute(sa.select(hold).where(holds.named(row["site_id"], hold_id))).mappings().one()
    other = [name for name in TERMS if there[name] != row[name]]
    if other:
        raise HoldConflict(f"hold {hold_id} was made with another {' and '.join(other)}")
    if there["state"] != "held":
        raise HoldConflict(f"hold {hold_id} has ended: {there['state']}")
    return Reserved(hold_id, there["amount"], again=True)


def _set_aside(
    c: Connection, db: Database, row: Mapping[str, Any], zone: str, now: datetime
) -> None:
    """Count the amount in each balance; raises _Refused where one has no room for it.

    The rules are read once the balances are locked: whoever gets them next reads newer ones."""
    amount = row["amount"]
    after = chain.shift(c, row["site_id"], chain.lines(row), held=amount)
    rules = chain.rules(c, row, now)
    _refuse_unfit(after, rules, row)
    for line, used in after:
        limit = rules.limit(*line[:3])
        if limit is not None and used.posted + used.held > limit:
            ends = period_end(line.period, now, zone)
            room = (line.kind, line.subject, line.period, limit)
            raise _Refused(NoRoom(*room, used.posted, used.held - amount, amount, ends))
    alerts.note(c, db, row["site_id"], rules, after, used=amount, spent=0, now=now)


def _refuse_unfit(
    after: list[tuple[Line, Used]], rules: chain.Rules, row: Mapping[str, Any]
) -> None:
    """Refuse what no room could help: no limit above the ticket, an overrun nobody has seen,
    money of a kind that the budgets are not in."""
    where = ("project", row["project_key"], "once")
    if other := rules.currencies - {row["currency"]}:
        raise InvalidAmount(f"{row['currency']} cannot be set aside in budgets in {other.pop()}")
    above = (line for line, _ in after if line.kind in chain.ABOVE_A_TICKET)
    if all(rules.set_there(*line[:3]) is None for line in above):
        raise _Refused(NoRoom(*where, None, 0, 0, row["amount"], None, "no_limit"))
    if rules.overrun:
        raise _Refused(NoRoom(*where, 0, 0, 0, row["amount"], None, "overrun"))


def end_in(c: Connection, db: Database, act: Act, state: str, actual: int | None) -> Ended:
    """Resolve the hold at its cost, None = all of it. Raises UnknownHold."""
    row, again = holds.resolve(c, act, state, actual)
    if row is None:
        raise UnknownHold(f"there is no hold {act.hold_id}")
    ended = Ended(row["id"], row["state"], row["amount"], row["actual"], again)
    if again:
        return ended
    cost, amount = ended.actual or 0, ended.amount
    after = chain.shift(c, act.site_id, chain.lines(row), posted=cost, held=-amount)
    if cost:
        rules = chain.rules(c, row, act.at)
        alerts.note(c, db, act.site_id, rules, after, used=ended.overrun, spent=cost, now=act.at)
    within = cost - ended.overrun
    journal.write(c, act, [("held", -amount), ("spent", within), ("available", amount - within)])
    if ended.overrun:
        over = Act(act.site_id, act.hold_id, "overrun", act.actor, act.at)
        journal.write(c, over, [("available", -ended.overrun), ("spent", ended.overrun)])
    return ended
