"""Many at once, and a crash in the middle: what some order of the same calls could have left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from app.store import budgets, ledger, refold, spending
from app.store.database import Database
from app.store.ledger import NoRoom, Reserved
from app.store.schema import metadata
from tests.store.asking import NOW, ending, limit, made, terms

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent.parent


def at_once(threads: int, call: Callable[[int], T]) -> list[T]:
    barrier = Barrier(threads)

    def one(number: int) -> T:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def test_room_for_twenty_lets_twenty_in(database: Database) -> None:
    limit(database, 100)
    got = at_once(32, lambda n: ledger.reserve(database, **terms(f"h{n}", 5, issue_id=str(n))))
    assert sum(isinstance(each, Reserved) for each in got) == 20
    assert {each.held for each in got if isinstance(each, NoRoom)} == {100}
    assert spending.totals(database) == {"held": 100, "posted": 0, "open_holds": 20}
    assert refold.refold(database).equal


def test_one_hold_asked_for_by_many_is_made_once(database: Database) -> None:
    limit(database, 100)
    got = at_once(8, lambda _: made(database, "h", 60))
    assert sorted(each.again for each in got) == [False] + [True] * 7
    assert spending.totals(database)["held"] == 60


def test_one_hold_ended_by_many_ends_once(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60)

    def end(number: int) -> ledger.Ended:
        if number % 2:
            return ledger.void(database, **ending("h"))
        return ledger.settle(database, **ending("h", actual=number))

    got = at_once(8, end)
    first = next(each for each in got if not each.again)
    assert sum(not each.again for each in got) == 1
    assert {(each.state, each.actual) for each in got} == {(first.state, first.actual)}
    assert spending.totals(database)["posted"] == (first.actual or 0)
    assert refold.refold(database).equal


def test_holds_come_and_go_while_limits_change(database: Database) -> None:
    limit(database, 50)

    def work(number: int) -> int:
        if number == 0:
            for amount in (10, 50, 20, 50):
                limit(database, amount)
            return 0
        granted = 0
        for turn in range(6):
            hold_id = f"h{number}.{turn}"
            got = ledger.reserve(database, **terms(hold_id, 7, issue_id=str(number)))
            if isinstance(got, Reserved):
                granted += 1
                ledger.settle(database, **ending(hold_id, actual=1))
        return granted

    granted = sum(at_once(8, work))
    assert granted
    assert spending.totals(database) == {"held": 0, "posted": granted, "open_holds": 0}
    assert refold.refold(database).equal


class Crash(Exception):
    pass


VERBS: dict[str, Callable[[Database], Any]] = {
    "reserve": lambda db: ledger.reserve(db, **terms("new", 10)),
    "settle": lambda db: ledger.settle(db, **ending("h", actual=70)),
    "void": lambda db: ledger.void(db, **ending("h")),
    "limit": lambda db: budgets.set_limit(db, "acme", "site", "acme", "day", 5, "an admin", NOW),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_crash_after_any_statement_leaves_nothing(database: Database, verb: str) -> None:
    limit(database, 100)
    made(database, "h", 60)
    before = _everything(database)
    for statements in count(1):
        numbers = count(1)

        def crash(*_: Any, at: int = statements, numbers: Any = numbers) -> None:
            if next(numbers) == at:
                raise Crash

        sa.event.listen(database.engine, "after_cursor_execute", crash)
        try:
            VERBS[verb](database)
        except Crash:
            pass
        else:
            break
        finally:
            sa.event.remove(database.engine, "after_cursor_execute", crash)
        assert _everything(database) == before, f"after statement {statements}"
    assert statements > 2
    assert _everything(database) != before
    assert refold.refold(database).equal


def _everything(database: Database) -> dict[str, list[Any]]:
    with database.read() as c:
        return {name: list(c.execute(sa.select(t))) for name, t in metadata.tables.items()}


def test_a_killed_process_leaves_nothing(database_url: str) -> None:
    db = Database(database_url)
    limit(db, 100)
    code = """
import os, signal, sys
from app.store import ledger
from app.store.database import Database
from tests.store.asking import terms
db = Database(sys.argv[1])
with db.write() as c:
    print(ledger.reserve_in(c, db, **terms("h", 60)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, database_url]
    killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert "Reserved" in killed.stdout
    assert made(db, "h", 60) == Reserved("h", 60)
    db.close()
