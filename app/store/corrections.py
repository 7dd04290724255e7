"""What happens to a hold besides its end: more of it, its time is over, its cost was another.

Each verb has a key of its own, and is one short transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.money import InvalidAmount
from app.store import alerts, chain, journal, ledger
from app.store.database import Database
from app.store.holds import named
from app.store.journal import Act
from app.store.ledger import Ended, HoldConflict, NoRoom, Reserved, UnknownHold
from app.store.schema_money import correction, hold


def top_up(  # noqa: PLR0913 - named by its own key and by what it is for
    db: Database,
    *,
    key: str,
    site_id: str,
    hold_id: str,
    zone: str,
    amount: int,
    actor: str,
    now: datetime,
) -> Reserved | NoRoom:
    """A further hold, of the id `key`, for what the open hold `hold_id` is for: same checks.

    Raises UnknownHold, HoldConflict (it has ended), InvalidAmount."""

    def verb(c: Connection) -> Reserved | NoRoom:
        row = _locked(c, site_id, hold_id)
        if row["state"] != "held":
            raise HoldConflict(f"hold {hold_id} has ended: {row['state']}")
        same = {name: row[name] for name in (*ledger.TERMS, *KEPT) if name != "amount"}
        new = {**same, "hold_id": key, "amount": amount}
        return ledger.reserve_in(c, db, site_id=site_id, zone=zone, actor=actor, now=now, **new)

    return db.alone(verb)


KEPT = ("price_version", "holder", "expires_at")


def expire(  # noqa: PLR0913 - what is known of the holder decides
    db: Database,
    *,
    site_id: str,
    hold_id: str,
    dead: bool,
    actual: int | None,
    again_at: datetime,
    actor: str,
    now: datetime,
) -> Ended | None:
    """The hold's time is over. Its holder is dead, for certain: it ends at `actual` (None = all of
    it, as nobody can tell). Else it is extended to `again_at`, and None is returned, as it is when
    its time is not over. Raises UnknownHold."""
    if actual is not None:
        ledger.checked(actual, least=0)

    def verb(c: Connection) -> Ended | None:
        row = _locked(c, site_id, hold_id)
        if row["state"] != "held":
            return Ended(hold_id, row["state"], row["amount"], row["actual"], again=True)
        if row["expires_at"] is None or row["expires_at"] > now:
            return None
        if dead:
            return ledger.end_in(
                c, db, Act(site_id, hold_id, "expire", actor, now), "expired", actual
            )
        c.execute(hold.update().where(named(site_id, hold_id)).values(expires_at=again_at))
        journal.write(c, Act(site_id, hold_id, "extend", actor, now), [("held", 0)])
        return None

    return db.alone(verb)


def refund(  # noqa: PLR0913 - named by its own key and by what it is of
    db: Database,
    *,
    key: str,
    site_id: str,
    hold_id: str,
    amount: int,
    actor: str,
    now: datetime,
) -> bool:
    """Part of what the hold has cost came back: free again in the periods it was counted in.
    False on a repeat. Raises UnknownHold, InvalidAmount above what is left of the cost,
    HoldConflict when the key says something else."""
    ledger.checked(amount, least=1)

    def verb(c: Connection) -> bool:
        row = _locked(c, site_id, hold_id)
        if not _first(c, db, row, key, "refund", amount, now):
            return False
        _give_back(c, row, amount, Act(site_id, hold_id, "refund", actor, now))
        return True

    return db.alone(verb)


def report_late(  # noqa: PLR0913 - as above
    db: Database,
    *,
    key: str,
    site_id: str,
    hold_id: str,
    actual: int,
    actor: str,
    now: datetime,
) -> bool:
    """After its end it turns out what the hold has cost: more becomes an overrun, less a refund.
    False on a repeat. Raises UnknownHold, HoldConflict (it is open, or another key)."""
    ledger.checked(actual, least=0)

    def verb(c: Connection) -> bool:
        row = _locked(c, site_id, hold_id)
        if row["state"] == "held":
            raise HoldConflict(f"hold {hold_id} is open: settle it")
        if not _first(c, db, row, key, "late", actual, now):
            return False
        more = actual - ((row["actual"] or 0) - row["refunded"])
        if more > 0:
            _overrun(c, db, row, more, Act(site_id, hold_id, "overrun", actor, now))
        elif more < 0:
            _give_back(c, row, -more, Act(site_id, hold_id, "refund", actor, now))
        return True

    return db.alone(verb)


def _locked(c: Connection, site_id: str, hold_id: str) -> sa.RowMapping:
    query = sa.select(hold).where(named(site_id, hold_id)).with_for_update()
    row = c.execute(query).mappings().first()
    if row is None:
        raise UnknownHold(f"there is no hold {hold_id}")
    return row


def _first(  # noqa: PLR0913 - a row of the table
    c: Connection,
    db: Database,
    row: sa.RowMapping,
    key: str,
    verb: str,
    amount: int,
    now: datetime,
) -> bool:
    """False where this very correction was made before."""
    new: dict[str, Any] = {"hold_id": row["id"], "verb": verb, "amount": amount}
    at = {"site_id": row["site_id"], "id": key}
    insert = db.insert(correction).on_conflict_do_nothing()
    if c.execute(insert, {**at, **new, "at": now}).rowcount:
        return True
    same = [correction.c[name] == value for name, value in at.items()]
    there = c.execute(sa.select(correction).where(*same)).mappings().one()
    if any(there[name] != value for name, value in new.items()):
        raise HoldConflict(f"correction {key} was made with another hold or amount")
    return False


def _give_back(c: Connection, row: sa.RowMapping, amount: int, act: Act) -> None:
    left = (row["actual"] or 0) - row["refunded"]
    if amount > left:
        raise InvalidAmount(f"{amount} cannot come back of {left} micro-units that were spent")
    here = named(row["site_id"], row["id"])
    c.execute(hold.update().where(here).values(refunded=hold.c.refunded + amount))
    chain.shift(c, row["site_id"], chain.lines(row), posted=-amount)
    journal.write(c, act, [("spent", -amount), ("available", amount)])


def _overrun(c: Connection, db: Database, row: sa.RowMapping, amount: int, act: Act) -> None:
    values = {
        "actual": sa.func.coalesce(hold.c.actual, 0) + amount,
        "overrun": hold.c.overrun + amount,
        "seen_at": None,
    }
    c.execute(hold.update().where(named(row["site_id"], row["id"])).values(values))
    after = chain.shift(c, row["site_id"], chain.lines(row), posted=amount)
    rules = chain.rules(c, row, act.at)
    alerts.note(c, db, row["site_id"], rules, after, used=amount, spent=amount, now=act.at)
    journal.write(c, act, [("available", -amount), ("spent", amount)])
