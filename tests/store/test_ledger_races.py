"""Many at once, and a crash in the middle: what some order of the same calls could have left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

from app.store import ledger, spending
from app.store.database import Database
from app.store.ledger import NoRoom, Reserved
from tests.store.asking import ending, folded, limit, made, terms
from tests.store.ledger_processes import VERBS

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
    assert folded(database).equal


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
    assert folded(database).equal


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
    assert folded(database).equal


def processes(what: str, url: str) -> Any:
    """What `ledger_processes` tells."""
    command = [sys.executable, "-m", "tests.store.ledger_processes", what, url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_four_processes_get_no_more_than_there_is(database_url: str) -> None:
    got = processes("race", database_url)
    assert (len(got), sum(got)) == (4, 20)
    db = Database(database_url)
    assert spending.totals(db) == {"held": 100, "posted": 0, "open_holds": 20}
    assert folded(db).equal
    db.close()


def test_a_process_killed_inside_a_verb_leaves_nothing(database_url: str) -> None:
    """kill -9 at each statement of each verb, and right before each commit."""
    deaths = processes("kill", database_url)
    assert deaths.keys() == VERBS.keys()
    assert min(deaths.values()) >= 3, deaths
    db = Database(database_url)
    assert folded(db).equal
    db.close()
