"""What the judge said of each text, and the money of each time it was asked.

A call is begun and ended in one transaction each, together with its hold: a crash between them
leaves an open row, whose full hold is settled when the call is begun again or counts as lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.doubts import Judged
from app.core.judge import recalled
from app.core.judge_request import PROMPT
from app.core.run import CallUsage
from app.store import ledger
from app.store.database import Database
from app.store.schema_score import judgement

Row = sa.RowMapping
MOST_TRIES = 3
MOST_FREE_TRIES = 24
REST = timedelta(hours=1)
"""A judge that failed on a text is asked again after this time, so often in all."""
NO_RUN = 0
"""The run that the judge's holds stand under: runs are counted from 1."""
ASSESSOR = "judge"
"""What stands in the ledger as the kind of agent."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call took. cost None = nobody knows: the full hold."""

    cost: int | None
    usage: CallUsage | None


@dataclass(frozen=True, slots=True)
class Asking:
    """One text to be judged. amount: micro-units that the call can cost at most. prices: version
    of the list that says so. ends_at: when the call counts as lost."""

    site_id: str
    key: str
    project_key: str
    issue_id: str
    spec_hash: str
    model: str
    zone: str
    currency: str
    amount: int
    prices: str
    simulated: bool
    ends_at: datetime


def of_text(db: Database, site_id: str, project_key: str, spec_hash: str) -> Row | None:
    """The newest judgement of this text in this project, by the prompt of today."""
    same = (
        judgement.c.site_id == site_id,
        judgement.c.project_key == project_key,
        judgement.c.spec_hash == spec_hash,
        judgement.c.prompt == PROMPT,
    )
    newest = sa.select(judgement).where(*same).order_by(judgement.c.made_at.desc()).limit(1)
    with db.read() as c:
        return c.execute(newest).mappings().first()


def judged(db: Database, site_id: str, project_key: str, spec_hash: str) -> Judged | None:
    """What is known of the text by now; None = nobody has asked, or it has not ended."""
    row = of_text(db, site_id, project_key, spec_hash)
    if row is None or row["state"] == "open":
        return None
    if row["ratings"] is None:
        return Judged(row["model"], None, row["why"])
    return Judged(row["model"], recalled(row["ratings"], row["words"]))


def asked_enough(row: Row, now: datetime) -> bool:
    """It failed on this text so lately or so often that it is not asked again now."""
    most = MOST_TRIES if row["cost"] else MOST_FREE_TRIES
    lately: bool = row["state"] == "failed" and now < row["made_at"] + REST
    return lately or row["tries"] >= most


def begin(db: Database, asking: Asking, now: datetime) -> str | ledger.NoRoom | None:
    """Set the money of one call aside and write down that it is begun, together; the hold's id.
    None = there is an answer, or the judge has failed on it enough. A call that was open before,
    by a worker that died in it, takes its full hold."""

    def verb(c: Connection) -> str | ledger.NoRoom | None:
        row = c.execute(sa.select(judgement).where(_named(asking.site_id, asking.key))).mappings()
        old = row.first()
        if old is not None and old["state"] == "open":
            _lose(c, db, old, now)
        if old is not None and (old["state"] == "answered" or asked_enough(old, now)):
            return None
        tries = (old["tries"] if old else 0) + 1
        hold_id = f"judge:{asking.site_id}:{asking.issue_id}:{asking.key[:16]}:{tries}"
        room = _reserve(c, db, asking, hold_id, tries, now)
        if isinstance(room, ledger.NoRoom):
            return room
        _write(c, db, asking, now, {"state": "open", "why": "", "tries": tries, "hold_id": hold_id})
        return hold_id

    return db.alone(verb)


def answered(
    db: Database,
    asking: Asking,
    hold_id: str,
    found: tuple[Mapping[str, Any], Mapping[str, Any]],
    usage: CallUsage,
    now: datetime,
) -> None:
    """End the call with an answer: its ratings and words are kept, its cost is settled."""
    ratings, words = found
    values = {"state": "answered", "why": "", "ratings": dict(ratings), "words": dict(words)}
    values["usage"] = asdict(usage)
    db.alone(lambda c: _end(c, db, asking.site_id, hold_id, values, usage.cost, now))


def failed(
    db: Database, asking: Asking, hold_id: str, why: str, spent: Spent, now: datetime
) -> None:
    """End the call without an answer."""
    usage = asdict(spent.usage) if spent.usage else None
    values = {"state": "failed", "why": why, "usage": usage}
    db.alone(lambda c: _end(c, db, asking.site_id, hold_id, values, spent.cost, now))


def not_asked(db: Database, asking: Asking, why: str, now: datetime) -> None:
    """Nothing was sent and nothing set aside: the budget, the price or the setting forbids it."""
    with db.write() as c:
        row = c.execute(
            sa.select(judgement.c.state).where(_named(asking.site_id, asking.key))
        ).scalar()
        if row in (None, "not_asked", "failed"):
            _write(c, db, asking, now, {"state": "not_asked", "why": why, "hold_id": None})


def close_lost(db: Database, now: datetime) -> int:
    """Calls whose worker is gone: each takes its full hold, as it may have been answered."""
    lost = sa.and_(judgement.c.state == "open", judgement.c.ends_at < now)
    with db.write() as c:
        rows = c.execute(sa.select(judgement).where(lost)).mappings().all()
        for row in rows:
            _lose(c, db, row, now)
    return len(rows)


def erase_words_in(c: Connection, site_id: str, issue_id: str) -> None:
    """At the end of a run: what is left are ratings, which name no word of the ticket."""
    mine = sa.and_(judgement.c.site_id == site_id, judgement.c.issue_id == issue_id)
    c.execute(judgement.update().where(mine).values(words=sa.null()))


def erase(db: Database, before: datetime) -> None:
    """All that was said before: whoever asks again pays again."""
    old = sa.and_(judgement.c.made_at < before, judgement.c.state != "open")
    with db.write() as c:
        c.execute(sa.delete(judgement).where(old))


def _named(site_id: str, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(judgement.c.site_id == site_id, judgement.c.key == key)


def _write(
    c: Connection, db: Database, asking: Asking, now: datetime, values: Mapping[str, Any]
) -> None:
    first = {
        "site_id": asking.site_id,
        "key": asking.key,
        "project_key": asking.project_key,
        "issue_id": asking.issue_id,
        "spec_hash": asking.spec_hash,
        "model": asking.model,
        "prompt": PROMPT,
        "tries": 0,
        "cost": 0,
        "currency": asking.currency,
    }
    changed = {**values, "issue_id": asking.issue_id, "made_at": now, "ends_at": asking.ends_at}
    insert = db.insert(judgement).values(**{**first, **changed})
    c.execute(insert.on_conflict_do_update(index_elements=["site_id", "key"], set_=changed))


def _reserve(
    c: Connection, db: Database, asking: Asking, hold_id: str, tries: int, now: datetime
) -> ledger.Reserved | ledger.NoRoom:
    return ledger.reserve_in(
        c,
        db,
        hold_id=hold_id,
        site_id=asking.site_id,
        zone=asking.zone,
        project_key=asking.project_key,
        issue_id=asking.issue_id,
        agent=ASSESSOR,
        run=NO_RUN,
        attempt=tries,
        amount=asking.amount,
        price_version=asking.prices,
        simulated=asking.simulated,
        actor="signalbox",
        now=now,
    )


def _lose(c: Connection, db: Database, row: Row, now: datetime) -> None:
    values = {"state": "failed", "why": "the worker stopped in the middle of it"}
    _end(c, db, row["site_id"], row["hold_id"], values, None, now)


def _end(  # noqa: PLR0913 - one end for all
    c: Connection,
    db: Database,
    site_id: str,
    hold_id: str,
    values: Mapping[str, Any],
    cost: int | None,
    now: datetime,
) -> None:
    """Only while this call is the open one: a late end of an earlier one changes nothing."""
    mine = sa.and_(
        judgement.c.site_id == site_id,
        judgement.c.hold_id == hold_id,
        judgement.c.state == "open",
    )
    ended = judgement.update().where(mine).values(**values, made_at=now, ends_at=None)
    if not c.execute(ended).rowcount:
        return
    key: dict[str, Any] = {"site_id": site_id, "hold_id": hold_id, "actor": "signalbox", "now": now}
    if cost == 0:
        ledger.void_in(c, db, **key)
        return
    spent = ledger.settle_in(c, db, actual=cost, **key)
    known = sa.and_(judgement.c.site_id == site_id, judgement.c.hold_id == hold_id)
    c.execute(judgement.update().where(known).values(cost=judgement.c.cost + spent.actual))
