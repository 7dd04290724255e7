"""Processes at the ledger, started by a test: some are killed inside a verb, some race.

`python -m tests.store.ledger_processes kill|race URL` tells what happened as one line of JSON.
Each is a fork of the one that was started, so that none has to load anything.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.store import budgets, corrections, ledger, overrides
from app.store.database import Database
from app.store.schema import metadata
from tests.store.asking import NOW, ending, limit, made, terms

LATER = NOW + timedelta(days=2)
ADMIN: dict[str, Any] = {"actor": "an admin", "now": NOW}
MONTH = ("acme", "site", "acme", "month")
VERBS: dict[str, Callable[[Database], Any]] = {
    "reserve": lambda db: ledger.reserve(db, **terms("new", 10)),
    "refused": lambda db: ledger.reserve(db, **terms("new", 90)),
    "settle": lambda db: ledger.settle(db, **ending("h", actual=70)),
    "void": lambda db: ledger.void(db, **ending("h")),
    "top up": lambda db: corrections.top_up(
        db, **ending("h"), key="more", zone="Asia/Tokyo", amount=10
    ),
    "expire": lambda db: corrections.expire(
        db, **{**ending("h"), "now": LATER}, dead=True, actual=None, again_at=LATER
    ),
    "extend": lambda db: corrections.expire(
        db, **{**ending("h"), "now": LATER}, dead=False, actual=None, again_at=LATER
    ),
    "refund": lambda db: corrections.refund(db, **ending("done"), key="r", amount=3),
    "late": lambda db: corrections.report_late(db, **ending("done"), key="l", actual=25),
    "limit": lambda db: budgets.set_limit(db, *MONTH, 5, **ADMIN),
    "raise": lambda db: budgets.raise_limit(db, *MONTH, 5, **ADMIN),
    "override": lambda db: overrides.grant(
        db,
        "acme",
        key="o",
        kind="site",
        subject="acme",
        period="month",
        amount=50,
        until=None,
        reason="it is urgent",
        zone="Asia/Tokyo",
        **ADMIN,
    ),
    "revoke": lambda db: overrides.revoke(db, "acme", "before", **ADMIN),
}


def prepare(db: Database) -> None:
    """An open hold of 60 and one that ended at 20, under limits of 100 in the month."""
    limit(db, 100)
    limit(db, 100, "site", "acme")
    overrides.grant(
        db,
        "acme",
        key="before",
        kind="project",
        subject="BILL",
        period="month",
        amount=50,
        until=None,
        reason="it is urgent",
        zone="Asia/Tokyo",
        **ADMIN,
    )
    made(db, "done", 20)
    ledger.settle(db, **ending("done", actual=20))
    made(db, "h", 60, expires_at=NOW + timedelta(days=1))


def everything(db: Database) -> dict[str, list[Any]]:
    with db.read() as c:
        return {name: list(c.execute(sa.select(t))) for name, t in metadata.tables.items()}


def kill(url: str) -> dict[str, int]:
    """Each verb once for each of its statements and once before its commit, by a process that
    dies right there: by verb, how many died. What they left is what stood there before."""
    db, deaths = Database(url), {}
    prepare(db)
    for name, verb in VERBS.items():
        before, died = everything(db), 0
        while not _survives(db, verb, died + 1):
            died += 1
            assert everything(db) == before, f"{name}, killed at {died}"
        deaths[name] = died
        assert (everything(db) == before) is (name == "refused"), name
        _put_back(db, before)
    db.close()
    return deaths


def _survives(db: Database, verb: Callable[[Database], Any], at: int) -> bool:
    """In a process of its own, which dies at its statement number `at`, the commit being one."""
    db.close()
    child = os.fork()
    if child == 0:
        met = iter(range(1, 1_000))

        def die(*_: Any) -> None:
            if next(met) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        sa.event.listen(db.engine, "after_cursor_execute", die)
        sa.event.listen(db.engine, "commit", die)
        verb(db)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def _put_back(db: Database, rows: dict[str, list[Any]]) -> None:
    with db.write() as c:
        for name, table in metadata.tables.items():
            if name in rows and table.c.keys()[0] in ("site_id", "seq"):
                c.execute(table.delete())
                if rows[name]:
                    c.execute(table.insert(), [dict(row._mapping) for row in rows[name]])


def race(url: str) -> list[int]:
    """Four processes of eight threads, each of which wants 5 of 100: what each process got."""
    db = Database(url)
    limit(db, 100)
    db.close()
    begin_read, begin_write = os.pipe()
    told: list[int] = []
    for number in range(4):
        read, write = os.pipe()
        if os.fork() == 0:
            os.close(begin_write)
            os.read(begin_read, 1)  # all begin at once
            os.write(write, bytes([_wanting(Database(url), number)]))
            os._exit(0)
        os.close(write)
        told.append(read)
    os.close(begin_write)
    return [os.read(read, 1)[0] for read in told]


def _wanting(db: Database, number: int) -> int:
    def one(thread: int) -> bool:
        asked = terms(f"h{number}.{thread}", 5, issue_id=f"{number}.{thread}")
        return isinstance(ledger.reserve(db, **asked), ledger.Reserved)

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(one, range(8)))


if __name__ == "__main__":
    print(json.dumps({"kill": kill, "race": race}[sys.argv[1]](sys.argv[2])))
