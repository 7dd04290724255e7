"""Runs and attempts: the claim, the start with its money, what happens, the end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.run import Ending, RunRef
from app.store import judgements, ledger, run_money
from app.store.database import Database
from app.store.inbox import Enqueue, put_own, wake_in
from app.store.run_money import Money
from app.store.schema import attempt, run, ticket
from app.store.sites import LEFT

Row = sa.RowMapping


def _key(ref: RunRef) -> sa.ColumnElement[bool]:
    return sa.and_(
        run.c.site_id == ref.site_id,
        run.c.issue_id == ref.issue_id,
        run.c.number == ref.number,
    )


def _attempt_key(ref: RunRef, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        attempt.c.site_id == ref.site_id,
        attempt.c.issue_id == ref.issue_id,
        attempt.c.run == ref.number,
        attempt.c.number == number,
    )


class AlreadyRunning(Exception):
    """The ticket has an active run, or this trigger has had its run."""


def start(
    db: Database,
    values: Mapping[str, Any],
    money: Money,
    slots: int,
    enqueue: Enqueue,
    now: datetime,
) -> RunRef | ledger.NoRoom | None:
    """Claim the ticket, set the first attempt's money aside and start the run's workflow, in one
    transaction. NoRoom names the budget that refused; None = the project's last slot is taken.
    Raises AlreadyRunning. In every case but the first, nothing is written."""
    site_id, issue_id = values["site_id"], values["issue_id"]
    with db.write() as c:
        _lock_project(c, db, site_id, values["project_key"])
        same = sa.and_(run.c.site_id == site_id, run.c.issue_id == issue_id)
        before = list(c.execute(sa.select(run).where(same)).mappings())
        for row in before:
            if row["ended_at"] is None or row["trigger_id"] == values["trigger_id"]:
                raise AlreadyRunning(f"run {row['number']}")
        if _active_in(c, site_id, values["project_key"]) >= slots:
            return None
        ref = RunRef(site_id, issue_id, values["key"], len(before) + 1)
        room = run_money.reserve_in(c, db, ref, 1, values, money, now)
        if isinstance(room, ledger.NoRoom):
            return room
        c.execute(run.insert().values(**values, number=ref.number, step=0, created_at=now))
        used = sa.and_(ticket.c.site_id == site_id, ticket.c.issue_id == issue_id)
        c.execute(ticket.update().where(used).values(approved_hash=None))  # good for one start
        enqueue(c, "run_ticket", ref.workflow_id, (site_id, issue_id, ref.number))
    return ref


def _lock_project(c: Connection, db: Database, site_id: str, project_key: str) -> None:
    """Two starts in one project take turns (on SQLite every writer does)."""
    if not db.sqlite:
        c.execute(
            sa.text("select pg_advisory_xact_lock(hashtext(:k))"), {"k": site_id + project_key}
        )


def _active_in(c: Connection, site_id: str, project_key: str) -> int:
    active = sa.and_(
        run.c.site_id == site_id, run.c.project_key == project_key, run.c.ended_at.is_(None)
    )
    return int(c.execute(sa.select(sa.func.count()).select_from(run).where(active)).scalar_one())


def reserve_attempt(
    db: Database, ref: RunRef, number: int, money: Money, now: datetime
) -> ledger.Reserved | ledger.NoRoom:
    """Set money aside for a further attempt of a run."""
    with db.write() as c:
        row = c.execute(sa.select(run).where(_key(ref))).mappings().one()
        return run_money.reserve_in(c, db, ref, number, dict(row), money, now)


def get(db: Database, site_id: str, issue_id: str, number: int) -> Row:
    with db.read() as c:
        ref = RunRef(site_id, issue_id, "", number)
        return c.execute(sa.select(run).where(_key(ref))).mappings().one()


def of_ticket(db: Database, site_id: str, issue_id: str) -> list[Row]:
    same = sa.and_(run.c.site_id == site_id, run.c.issue_id == issue_id)
    with db.read() as c:
        return list(c.execute(sa.select(run).where(same).order_by(run.c.number)).mappings())


def active(db: Database) -> list[Row]:
    with db.read() as c:
        return list(c.execute(sa.select(run).where(run.c.ended_at.is_(None))).mappings())


def running_in(db: Database, site_id: str, project_key: str) -> int:
    with db.read() as c:
        return _active_in(c, site_id, project_key)


def note(db: Database, ref: RunRef, **values: Any) -> None:
    """Write what is known of a run by now: step, base commit, comment, last sign of life."""
    with db.write() as c:
        c.execute(run.update().where(_key(ref)).values(**values))


def ask_stop(db: Database, ref: RunRef, by: str, why: str) -> bool:
    """Say that a stop is wanted. The first one counts. False when the run has ended."""
    wanted = sa.and_(_key(ref), run.c.ended_at.is_(None))
    first = sa.and_(wanted, run.c.stop_why.is_(None))
    with db.write() as c:
        c.execute(run.update().where(first).values(stop_by=by, stop_why=why))
        return c.execute(sa.select(run.c.number).where(wanted)).first() is not None


def stop_asked(db: Database, ref: RunRef) -> str | None:
    with db.read() as c:
        return c.execute(sa.select(run.c.stop_why).where(_key(ref))).scalar()


def open_attempt(db: Database, ref: RunRef, number: int, now: datetime) -> bool:
    """True for the first caller only: a repeat of the step must not start the agent again."""
    values = {
        "site_id": ref.site_id,
        "issue_id": ref.issue_id,
        "run": ref.number,
        "number": number,
        "started_at": now,
    }
    with db.write() as c:
        insert = db.insert(attempt).values(**values).on_conflict_do_nothing()
        return bool(c.execute(insert).rowcount)


def close_attempt(
    db: Database,
    ref: RunRef,
    number: int,
    values: Mapping[str, Any],
    now: datetime,
) -> Row:
    """End the attempt and settle its money (`cost` None = unknown: the full hold), together.

    Returns the row as it is: where the attempt had ended before, nothing is changed."""
    with db.write() as c:
        key = _attempt_key(ref, number)
        still_open = sa.and_(key, attempt.c.ended_at.is_(None))
        cost = values["cost"]
        if cost is None:
            cost = run_money.set_aside_in(c, ref, number)
        ended = attempt.update().where(still_open).values(**{**values, "cost": cost}, ended_at=now)
        if c.execute(ended).rowcount:
            run_money.settle_in(c, db, ref, number, cost, now)
        return c.execute(sa.select(attempt).where(key)).mappings().one()


def attempts_at_work(db: Database) -> list[Row]:
    """Open attempts of runs that are on, of all sites."""
    open_one = (attempt.c.ended_at.is_(None), run.c.ended_at.is_(None))
    of_run = [attempt.c[name] == run.c[name] for name in ("site_id", "issue_id")]
    query = sa.select(attempt, run.c.key).join(run, sa.and_(*of_run, attempt.c.run == run.c.number))
    with db.read() as c:
        return list(c.execute(query.where(*open_one)).mappings())


def warned(db: Database, ref: RunRef, number: int, held: int) -> None:
    """The run's comment has said that so much set aside is nearly used."""
    with db.write() as c:
        c.execute(attempt.update().where(_attempt_key(ref, number)).values(warned=held))


def judge_attempt(db: Database, ref: RunRef, number: int, ending: Ending, cause: str) -> None:
    """What we observed outranks what the agent claimed."""
    with db.write() as c:
        values = {"ending": ending, "cause": cause}
        c.execute(attempt.update().where(_attempt_key(ref, number)).values(**values))


def attempts(db: Database, ref: RunRef) -> list[Row]:
    same = sa.and_(
        attempt.c.site_id == ref.site_id,
        attempt.c.issue_id == ref.issue_id,
        attempt.c.run == ref.number,
    )
    with db.read() as c:
        query = sa.select(attempt).where(same).order_by(attempt.c.number)
        return list(c.execute(query).mappings())


def finish(
    db: Database, ref: RunRef, values: Mapping[str, Any], enqueue: Enqueue, now: datetime
) -> Row:
    """End the run: release its claim, resolve what money is still set aside, erase the frozen
    text and the judge's words, have the result told, and wake the tickets that may have waited for
    it. A repeat changes nothing."""
    with db.write() as c:
        still_open = sa.and_(_key(ref), run.c.ended_at.is_(None))
        values = {**values, "cause": values.get("cause") or _last_cause(c, ref)}
        ended = run.update().where(still_open).values(**values, ended_at=now, spec=None, doing=None)
        if c.execute(ended).rowcount:
            _resolve_holds(c, db, ref, now)
            judgements.erase_words_in(c, ref.site_id, ref.issue_id)
            row = c.execute(sa.select(run).where(_key(ref))).mappings().one()
            enqueue(c, "tell_result", f"result:{ref.workflow_id}", _args(ref))
            wake_in(c, db, ref.site_id, row["project_key"], "run-ended", now)
            ident = f"ended:{ref.issue_id}:{ref.number}"  # its own comment has to stay true
            put_own(c, db, ref.site_id, ref.issue_id, ident, "run-ended", now)
        return c.execute(sa.select(run).where(_key(ref))).mappings().one()


def _args(ref: RunRef) -> tuple[str, str, int]:
    return (ref.site_id, ref.issue_id, ref.number)


def tell_again(db: Database, enqueue: Enqueue, before: datetime, now: datetime) -> int:
    """Results that did not reach their ticket, of runs that ended before `before`: once more."""
    late = sa.and_(run.c.ended_at < before, run.c.told_at.is_(None), run.c.site_id.not_in(LEFT))
    with db.write() as c:
        rows = c.execute(sa.select(run).where(late)).mappings().all()
        for row in rows:
            ref = RunRef(row["site_id"], row["issue_id"], row["key"], row["number"])
            enqueue(c, "tell_result", f"result:{ref.workflow_id}:{now.isoformat()}", _args(ref))
    return len(rows)


def erase_texts(db: Database, before: datetime) -> None:
    """Agents' words, commands' output and sentences of tickets, some time after the end."""
    old = sa.and_(run.c.ended_at < before, run.c.ended_at.is_not(None))
    with db.write() as c:
        c.execute(run.update().where(old).values(cause=None, acceptance=None, change=None))
        past = attempt.update().where(attempt.c.ended_at < before)
        c.execute(past.values(said=None, cause=None))


def _last_cause(c: Connection, ref: RunRef) -> str:
    """Why the last attempt ended as it did: that is why the run did."""
    of_run = (attempt.c.site_id == ref.site_id, attempt.c.issue_id == ref.issue_id)
    causes = sa.select(attempt.c.cause).where(*of_run, attempt.c.run == ref.number)
    return c.execute(causes.order_by(attempt.c.number.desc()).limit(1)).scalar() or ""


def _resolve_holds(c: Connection, db: Database, ref: RunRef, now: datetime) -> None:
    """No run leaves money set aside: an attempt that began and never ended takes its full hold,
    as nobody can tell what it used; what no attempt used goes back."""
    for number, amount in run_money.open_in(c, ref).items():
        values = {
            "ending": Ending.INTERRUPTED,
            "cause": "it never came to its end",
            "cost": amount,
            "cost_source": "full hold",
            "ended_at": now,
        }
        if c.execute(attempt.update().where(_attempt_key(ref, number)).values(**values)).rowcount:
            run_money.settle_in(c, db, ref, number, amount, now)
        else:
            run_money.void_in(c, db, ref, number, now)
