"""Random histories of the ledger's verbs, each compared with the model after every step."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from app.store import budgets, ledger, refold, spending
from app.store.database import Database
from app.store.schema import balance, bucket, entry, hold
from tests.store.ledger_model import PROJECT_OF, ZONE, Model

SITES = ("a", "b")
SLOTS = [
    ("site", "own", "month"),
    ("project", "*", "month"),
    ("project", "P", "month"),
    ("project", "P", "day"),
    ("project", "Q", "week"),
    ("ticket", "*", "once"),
    ("ticket", "3", "once"),
]
TICKETS = st.sampled_from(sorted(PROJECT_OF))
AMOUNTS = st.sampled_from([1, 5, 15, 30, 40, 60])
BALANCES = sa.select(balance)
COSTS = st.sampled_from([0, 0.5, 1, 1.5, 2, None])  # of the hold; None = unknown
Asked = tuple[str, str, str, int]  # site, hold, ticket, amount


class Clock:
    """Two days before a month ends in Tokyo, and nine hours later in UTC."""

    now = datetime(2026, 1, 29, 12, tzinfo=UTC)


class LedgerMachine(RuleBasedStateMachine):
    holds = Bundle("holds")
    ended = Bundle("ended")

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db, self.model, self.number = db, Model(), 0
        Clock.now = datetime(2026, 1, 29, 12, tzinfo=UTC)
        with db.write() as c:
            for table in (balance, bucket, entry, hold):
                c.execute(table.delete())

    @initialize()
    def first_limits(self) -> None:
        """Small ones, so that refusals are common."""
        for site in SITES:
            self.change(site, "site", site, "month", 100)
            self.change(site, "project", "*", "month", 70)
            self.change(site, "ticket", "*", "once", 40)

    @rule(
        target=holds,
        site=st.sampled_from(SITES),
        wanted=st.lists(st.tuples(TICKETS, AMOUNTS), min_size=1, max_size=4),
    )
    def reserve(self, site: str, wanted: list[tuple[str, int]]) -> Any:
        made = []
        for ticket, amount in wanted:
            self.number += 1
            asked = (site, f"hold {self.number}", ticket, amount)
            self.compare(asked)
            if asked[:2] in self.model.holds:
                made.append(asked)
        return multiple(*made)

    @rule(asked=st.one_of(holds, ended), more=st.sampled_from([0, 0, 1]))
    def reserve_again(self, asked: Asked, more: int) -> None:
        """By the same terms, or by others."""
        self.compare((*asked[:3], asked[3] + more))

    def compare(self, asked: Asked) -> None:
        site, hold_id, ticket, amount = asked
        expected = self.model.reserve(site, hold_id, ticket, amount, Clock.now)
        try:
            got = ledger.reserve(
                self.db,
                hold_id=hold_id,
                site_id=site,
                zone=ZONE,
                project_key=PROJECT_OF[ticket],
                issue_id=ticket,
                run=1,
                attempt=1,
                amount=amount,
                simulated=False,
                actor="somebody",
                now=Clock.now,
            )
        except ledger.HoldConflict:
            assert expected == "conflict"
            return
        assert told(got) == expected

    @rule(target=ended, asked=consumes(holds), cost=COSTS)
    def settle(self, asked: Asked, cost: float | None) -> Asked:
        return self.end(asked, "posted", cost)

    @rule(target=ended, asked=consumes(holds))
    def void(self, asked: Asked) -> Asked:
        return self.end(asked, "void", 0)

    @rule(asked=ended, state=st.sampled_from(["posted", "void"]), cost=COSTS)
    def end_again(self, asked: Asked, state: str, cost: float | None) -> None:
        self.end(asked, state, cost)

    def end(self, asked: Asked, state: str, cost: float | None) -> Asked:
        site, hold_id, _, amount = asked
        actual = None if cost is None else int(amount * cost)
        expected = self.model.end(site, hold_id, state, amount if actual is None else actual)
        terms: dict[str, Any] = {"site_id": site, "hold_id": hold_id, "actor": "somebody"}
        if state == "void":
            got = ledger.void(self.db, **terms, now=Clock.now)
        else:
            got = ledger.settle(self.db, **terms, actual=actual, now=Clock.now)
        assert got.again is not expected
        return asked

    @rule(
        site=st.sampled_from(SITES),
        slot=st.sampled_from(SLOTS),
        limit=st.sampled_from([None, 0, 40, 70, 100, 200]),
    )
    def change_limit(self, site: str, slot: tuple[str, str, str], limit: int | None) -> None:
        kind, subject, period = slot
        self.change(site, kind, site if subject == "own" else subject, period, limit)

    def change(self, site: str, kind: str, subject: str, period: str, limit: int | None) -> None:
        budgets.set_limit(self.db, site, kind, subject, period, limit, "an admin", Clock.now)
        self.model.set_limit(site, kind, subject, period, limit)

    @rule(steps=st.integers(1, 8))
    def time_passes(self, steps: int) -> None:
        Clock.now += timedelta(hours=6 * steps)

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        with looking(self.db) as c:
            rows = {tuple(row[:5]): (row.posted, row.held) for row in c.execute(BALANCES)}
        assert rows == self.model.balances()

    def teardown(self) -> None:
        assert refold.refold(self.db).differences == ()
        held = [h.amount for h in self.model.holds.values() if h.state == "held"]
        posted = sum(h.actual for h in self.model.holds.values())
        expected = {"held": sum(held), "posted": posted, "open_holds": len(held)}
        assert spending.totals(self.db) == expected


def told(got: ledger.Reserved | ledger.NoRoom) -> str:
    """In the model's words."""
    if isinstance(got, ledger.Reserved):
        return "again" if got.again else "made"
    if got.reason == "budget":
        return f"budget of {got.kind} {got.subject}, {got.period}"
    return got.reason


def looking(db: Database) -> AbstractContextManager[sa.Connection]:
    """One query needs no transaction on Postgres: each trip to the server counts here."""
    if db.sqlite:
        return db.read()
    return db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def play(db: Database, examples: int, *, shrink: bool = True) -> None:
    """That many histories of 25 steps. Nothing here has to survive a power cut, or to find out
    before each use whether the server is still there."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    limits = settings(max_examples=examples, stateful_step_count=25, phases=phases)

    class Here(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(db)

    db.engine.dispose()
    if db.sqlite:
        sa.event.listen(db.engine, "connect", _without_sync)
    else:
        db.engine = sa.create_engine(db.url, hide_parameters=True)
    run_state_machine_as_test(Here, settings=limits)


def _without_sync(dbapi_connection: Any, _record: Any) -> None:
    dbapi_connection.execute("pragma synchronous=off")
