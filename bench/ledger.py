"""Reserve and settle on Postgres, as a ratio to two bare transactions of the same run.

Bare is the same work by the driver alone: the very statements that reserve and settle sent, in two
transactions, for other tickets. The least that any ledger needs (one balance, one entry, twice) is
timed beside it. The server waits for its disk at each commit, as it does where money is kept.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from rich.progress import Progress

from app.store import budgets, ledger, migrate
from app.store.database import Database
from bench.report import Line, Report
from tests.postgres import running_postgres

NOW = datetime(2026, 11, 30, 16, tzinfo=UTC)
GOAL = 0.5
ROUNDS = 20
IN_A_ROUND = 25
FILL = (
    """insert into hold (site_id, id, project_key, issue_id, person, agent, run, attempt, amount,
    currency, price_version, simulated, state, actual, refunded, overrun, made_at, resolved_at,
    holder, day, week, month)
    select 'acme', 'old ' || n, 'P' || n %% 50, n::text, 'u' || n %% 200, 'claude', 1, 1, 3000000,
    'USD', 'list 1', false, 'posted', 420000, 0, 0, 0, 0, '', 0, 0, 0
    from generate_series(1, %(holds)s) as n""",
    """insert into entry (site_id, hold_id, account, amount, verb, actor, at)
    select 'acme', 'old ' || n, account, amount, verb, 'u', 0
    from generate_series(1, %(holds)s) as n, (values ('available', -3000000, 'reserve'),
    ('held', 3000000, 'reserve'), ('held', -3000000, 'settle'), ('spent', 420000, 'settle'),
    ('available', 2580000, 'settle')) as moved (account, amount, verb)""",
    "create table bare_balance (id text primary key, used bigint not null)",
    "create table bare_entry (seq bigserial primary key, id text not null, amount bigint not null)",
    "insert into bare_balance values ('b', 0)",
    "analyze",
)


def run(progress: Progress, entries: int) -> Report:
    """`entries` lie in the journal before the first verb is timed."""
    with (
        tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder,
        _filled(Path(folder), entries) as (db, bare),
    ):
        pair, numbers = _pair(db), count(1)
        for _ in range(2 * IN_A_ROUND):  # warm: statements are compiled, pages are in memory
            pair(next(numbers))
        said = _heard(db, lambda: pair(0))
        kinds: dict[str, Callable[[], None]] = {
            "reserve and settle": lambda: pair(next(numbers)),
            "the same, by the driver alone": lambda: _say(bare, said, next(numbers)),
            "the least, by the driver alone": lambda: _least(bare),
        }
        values: dict[str, list[float]] = {title: [] for title in kinds}
        for _ in progress.track(range(ROUNDS), description="reserve and settle"):
            for title, call in kinds.items():
                values[title] += [_timed(call) for _ in range(IN_A_ROUND)]
    ours, same, least = (statistics.median(each) for each in values.values())
    reached = "reached" if same / ours >= GOAL else "not reached"
    notes = {
        "entries before": entries,
        "ratio of medians": f"{same / ours:.2f} (goal ≥ {GOAL:g}: {reached})",
        "to the least": f"{least / ours:.2f}",
    }
    lines = [Line(title, each) for title, each in values.items()]
    return Report("ledger", "set aside and settled, Postgres", lines, notes)


@contextmanager
def _filled(folder: Path, entries: int) -> Iterator[tuple[Database, psycopg.Connection]]:
    with running_postgres(folder, durable=True) as url:
        migrate.upgrade(url)
        address = sa.make_url(url)
        host, user = str(address.query["host"]), address.username
        db = Database(url)
        with psycopg.connect(host=host, user=user, dbname=address.database) as bare:
            for statement in FILL:
                bare.execute(statement, {"holds": entries // 5} if "%(" in statement else None)
            bare.commit()
            for kind, subject in (("site", "acme"), ("project", "*"), ("person", "*")):
                budgets.set_limit(db, "acme", kind, subject, "month", 10**12, "an admin", NOW)
            budgets.set_limit(db, "acme", "ticket", "*", "once", 10**8, "an admin", NOW)
            yield db, bare
        db.close()


def _pair(db: Database) -> Callable[[int], None]:
    """Each for a ticket that the ledger has not met."""
    terms: dict[str, Any] = {
        "site_id": "acme",
        "zone": "Europe/Berlin",
        "project_key": "P1",
        "person": "u1",
        "agent": "claude",
        "run": 1,
        "attempt": 1,
        "amount": 3_000_000,
        "price_version": "list 1",
        "simulated": False,
    }
    by: dict[str, Any] = {"actor": "u1", "now": NOW}

    def pair(number: int) -> None:
        hold_id = f"hold {number}"
        got = ledger.reserve(db, hold_id=hold_id, issue_id=f"new {number}", **terms, **by)
        assert isinstance(got, ledger.Reserved)
        ledger.settle(db, site_id="acme", hold_id=hold_id, actual=420_000, **by)

    return pair


Said = list[tuple[str, Any]]


def _heard(db: Database, call: Callable[[], None]) -> list[Said]:
    """What is sent to the server meanwhile, by transaction."""
    said: list[Said] = []

    def begin(_: object) -> None:
        said.append([])

    def hear(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        said[-1].append((statement, parameters))

    sa.event.listen(db.engine, "begin", begin)
    sa.event.listen(db.engine, "before_cursor_execute", hear)
    call()
    sa.event.remove(db.engine, "begin", begin)
    sa.event.remove(db.engine, "before_cursor_execute", hear)
    return said


def _say(bare: psycopg.Connection, said: list[Said], number: int) -> None:
    """The same for another ticket."""
    other = {"hold 0": f"bare {number}", "new 0": f"bare {number}"}

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: named(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [named(each) for each in value]
        return other.get(value, value) if isinstance(value, str) else value

    for transaction in said:
        cursor = bare.cursor()
        for statement, parameters in transaction:
            if isinstance(parameters, dict):
                cursor.execute(statement, named(parameters))
            elif parameters:
                cursor.executemany(statement, named(parameters))
            else:
                cursor.execute(statement)
        bare.commit()


def _least(bare: psycopg.Connection) -> None:
    for amount in (3_000_000, -2_580_000):
        with bare.transaction():
            bare.execute(
                "update bare_balance set used = used + %s where id = 'b' and used + %s <= %s",
                (amount, amount, 10**18),
            )
            bare.execute("insert into bare_entry (id, amount) values ('b', %s)", (amount,))


def _timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
