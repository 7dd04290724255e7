"""Random histories of the ledger's verbs, each compared with the model after every step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core.money import InvalidAmount
from app.store import alerts, budgets, corrections, ledger, overrides, refold, spending
from app.store.database import Database
from app.store.schema_money import balance, bucket
from tests.store.ledger_model import AGENT_OF, PERSON_OF, PROJECT_OF, ZONE, Model

SLOTS = [
    ("site", "own", "month"),
    ("project", "*", "month"),
    ("project", "P", "month"),
    ("project", "P", "day"),
    ("project", "Q", "week"),
    ("person", "*", "month"),
    ("person", "ann", "day"),
    ("ticket", "*", "once"),
    ("ticket", "3", "once"),
    ("agent", "claude", "month"),
]
SLOT = ("site_id", "kind", "subject", "period", "limit")
FIRST = [
    ("site", "own", "month", 100),
    ("project", "*", "month", 70),
    ("person", "*", "month", 70),
    ("ticket", "*", "once", 40),
]
NAMED = [
    ("site", "own", "month"),
    ("project", "P", "month"),
    ("person", "ann", "month"),
    ("ticket", "1", "once"),
    ("ticket", "3", "once"),
]
TICKETS = st.sampled_from(sorted(PROJECT_OF))
AMOUNTS = st.sampled_from([1, 5, 15, 30, 40, 60])
COSTS = st.sampled_from([0, 0.5, 1, 1.5, 2, None])  # of the hold; None = unknown
SITES = st.sampled_from([0, 1])
PICK = st.integers(0, 5)
SERIAL = count(1)
START = datetime(2026, 1, 29, 12, tzinfo=UTC)
"""Two days before a month ends in Tokyo, and nine hours later in UTC."""
Asked = tuple[str, str, str, int]  # site, hold, ticket, amount


class Clock:
    now = START


def some(machine: LedgerMachine) -> bool:
    """A rule about a hold needs one."""
    return bool(machine.asked)


class LedgerMachine(RuleBasedStateMachine):
    """Each history has two sites of its own in the same database."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db, self.model, self.number = db, Model(), 0
        history = next(SERIAL)
        self.sites = (f"{history} a", f"{history} b")
        self.asked: list[Asked] = []
        Clock.now = START
        own = balance.c.site_id.in_(self.sites)
        self.query = sa.select(balance).where(own)

    @initialize()
    def first_limits(self) -> None:
        """Small ones, so that refusals are common; all at once, as there are many histories."""
        slots = [
            (site, kind, site if subject == "own" else subject, period, limit)
            for site in self.sites
            for kind, subject, period, limit in FIRST
        ]
        by = {"currency": "USD", "changed_at": START, "changed_by": "an admin"}
        rows = [dict(zip(SLOT, slot, strict=True), **by) for slot in slots]
        with self.db.write() as c:
            c.execute(bucket.insert(), rows)
        for *slot, limit in slots:
            self.model.limits[tuple(slot)] = limit  # type: ignore[index]

    @rule(at=SITES, wanted=st.lists(st.tuples(TICKETS, AMOUNTS), min_size=1, max_size=3))
    def reserve(self, at: int, wanted: list[tuple[str, int]]) -> None:
        for ticket, amount in wanted:
            self.compare((self.sites[at], self.name(), ticket, amount))

    def name(self) -> str:
        self.number += 1
        return f"hold {self.number}"

    def pick(self, number: int, *, ended: bool | None = None) -> Asked:
        """One of the newest holds, or of those that have ended, or that have not."""
        fit = [
            asked
            for asked in self.asked
            if ended is None or (self.model.holds[asked[:2]].state != "held") is ended
        ]
        return (fit or self.asked)[-1 - number % len(fit or self.asked)]

    @precondition(some)
    @rule(pick=PICK, more=st.sampled_from([0, 0, 1]))
    def reserve_again(self, pick: int, more: int) -> None:
        """By the same terms, or by others."""
        *same, amount = self.pick(pick)
        self.compare((*same, amount + more))  # type: ignore[arg-type]

    def compare(self, asked: Asked) -> None:
        site, hold_id, ticket, amount = asked
        expected = self.model.reserve(site, hold_id, ticket, amount, Clock.now)
        assert said(lambda: ledger.reserve(self.db, **terms(asked))) == expected
        if expected == "made":
            self.asked.append(asked)

    @precondition(some)
    @rule(pick=PICK, amount=AMOUNTS)
    def top_up(self, pick: int, amount: int) -> None:
        site, hold_id, ticket, _ = self.pick(pick)
        more = (site, self.name(), ticket, amount)
        expected = "conflict"
        if self.model.holds[site, hold_id].state == "held":
            expected = self.model.reserve(*more, Clock.now)
            if expected == "made":
                before = self.model.holds[site, hold_id].expires
                self.model.holds[site, more[1]].expires = before
                self.asked.append(more)
        key = {"key": more[1], "site_id": site, "hold_id": hold_id, "zone": ZONE}
        do = {**key, "amount": amount, **somebody()}
        assert said(lambda: corrections.top_up(self.db, **do)) == expected

    @precondition(some)
    @rule(pick=PICK, cost=COSTS)
    def settle(self, pick: int, cost: float | None) -> None:
        self.end(self.pick(pick, ended=False), "posted", cost)

    @precondition(some)
    @rule(pick=PICK)
    def void(self, pick: int) -> None:
        self.end(self.pick(pick, ended=False), "void", 0)

    @precondition(some)
    @rule(pick=PICK, state=st.sampled_from(["posted", "void"]), cost=COSTS)
    def end_again(self, pick: int, state: str, cost: float | None) -> None:
        self.end(self.pick(pick, ended=True), state, cost)

    def end(self, asked: Asked, state: str, cost: float | None) -> None:
        site, hold_id, _, amount = asked
        actual = None if cost is None else int(amount * cost)
        full = amount if actual is None else actual
        expected = self.model.end(site, hold_id, state, full, Clock.now)
        of: dict[str, Any] = {"site_id": site, "hold_id": hold_id, **somebody()}
        if state == "void":
            got = ledger.void(self.db, **of)
        else:
            got = ledger.settle(self.db, **of, actual=actual)
        assert got.again is not expected

    @precondition(some)
    @rule(pick=PICK, dead=st.booleans(), cost=st.sampled_from([0, None]))
    def expire(self, pick: int, dead: bool, cost: int | None) -> None:
        site, hold_id, _, amount = self.pick(pick, ended=False)
        hold, later = self.model.holds[site, hold_id], Clock.now + timedelta(days=1)
        due = hold.expires <= Clock.now
        expected: bool | None = None  # again
        if hold.state != "held":
            expected = True
        elif due and dead:
            full = amount if cost is None else cost
            expected = not self.model.end(site, hold_id, "expired", full, Clock.now)
        elif due:
            hold.expires = later
        of: dict[str, Any] = {"site_id": site, "hold_id": hold_id, **somebody()}
        got = corrections.expire(self.db, **of, dead=dead, actual=cost, again_at=later)
        assert (None if got is None else got.again) == expected

    @precondition(some)
    @rule(pick=PICK, key=st.sampled_from("kl"), part=st.sampled_from([0.25, 0.5, 1, 1.5]))
    def refund(self, pick: int, key: str, part: float) -> None:
        site, hold_id, _, amount = self.pick(pick, ended=True)
        back = max(1, int(amount * part))
        expected = self.model.refund(site, f"{key} {hold_id}", hold_id, back)
        of: dict[str, Any] = {"key": f"{key} {hold_id}", "site_id": site, "hold_id": hold_id}
        do = {**of, "amount": back, **somebody()}
        assert said(lambda: corrections.refund(self.db, **do)) == expected

    @precondition(some)
    @rule(pick=PICK, key=st.sampled_from("mn"), actual=AMOUNTS)
    def report_late(self, pick: int, key: str, actual: int) -> None:
        site, hold_id, _, _ = self.pick(pick)
        expected = self.model.late(site, f"{key} {hold_id}", hold_id, actual, Clock.now)
        of: dict[str, Any] = {"key": f"{key} {hold_id}", "site_id": site, "hold_id": hold_id}
        do = {**of, "actual": actual, **somebody()}
        assert said(lambda: corrections.report_late(self.db, **do)) == expected

    @rule(
        at=SITES,
        slot=st.sampled_from(SLOTS),
        limit=st.sampled_from([None, 0, 40, 70, 100, 200]),
    )
    def change_limit(self, at: int, slot: tuple[str, str, str], limit: int | None) -> None:
        self.change(self.slot(at, slot), limit)

    def slot(self, at: int, slot: tuple[str, str, str]) -> tuple[str, str, str, str]:
        kind, subject, period = slot
        return self.sites[at], kind, self.sites[at] if subject == "own" else subject, period

    def change(self, slot: tuple[str, str, str, str], limit: int | None) -> None:
        budgets.set_limit(self.db, *slot, limit, "an admin", Clock.now)
        self.model.set_limit(slot, limit)

    @rule(
        at=SITES,
        slot=st.sampled_from(NAMED),
        amount=st.sampled_from([None, 10, 60]),
        hours=st.sampled_from([6, 24]),
    )
    def override(self, at: int, slot: tuple[str, str, str], amount: int | None, hours: int) -> None:
        site, kind, subject, period = named = self.slot(at, slot)
        ends = Clock.now + timedelta(hours=hours)
        overrides.grant(
            self.db,
            site,
            key=self.name(),
            kind=kind,
            subject=subject,
            period=period,
            amount=amount,
            until=ends,
            reason="it is urgent",
            actor="an admin",
            zone=ZONE,
            now=Clock.now,
        )
        self.model.override(named, amount, ends)

    @rule(steps=st.integers(1, 8))
    def time_passes(self, steps: int) -> None:
        Clock.now += timedelta(hours=6 * steps)

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        with looking(self.db) as c:
            rows = {tuple(row[:5]): (row.posted, row.held) for row in c.execute(self.query)}
        assert rows == self.model.balances()
        overran = self.model.overran()
        for key, limit in self.model.granted.items():
            assert limit is None or sum(rows[key]) <= limit + overran[key]

    def teardown(self) -> None:
        crossed, money = set(), []
        for site in self.sites:
            assert refold.refold(self.db, site).differences == ()
            for row in alerts.crossed(self.db, site):
                key = (site, row["kind"], row["subject"], row["period"], row["starts"])
                crossed.add((key, row["threshold"], row["basis"]))
            money += spending.open_holds(self.db, site)
        assert crossed == self.model.alerts
        held = {key: h.amount for key, h in self.model.holds.items() if h.state == "held"}
        assert {(each.site_id, each.id): each.amount for each in money} == held


def terms(asked: Asked) -> dict[str, Any]:
    site, hold_id, ticket, amount = asked
    return {
        "hold_id": hold_id,
        "site_id": site,
        "zone": ZONE,
        "project_key": PROJECT_OF[ticket],
        "issue_id": ticket,
        "person": PERSON_OF[ticket],
        "agent": AGENT_OF[ticket],
        "run": 1,
        "attempt": 1,
        "amount": amount,
        "price_version": "list 1",
        "simulated": False,
        "expires_at": Clock.now + timedelta(days=1),
        **somebody(),
    }


def somebody() -> dict[str, Any]:
    return {"actor": "somebody", "now": Clock.now}


def said(verb: Callable[[], ledger.Reserved | ledger.NoRoom | bool]) -> str:
    """In the model's words."""
    try:
        got = verb()
    except ledger.HoldConflict:
        return "conflict"
    except InvalidAmount:
        return "too much"
    if isinstance(got, bool):
        return "made" if got else "again"
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
    limits = settings(
        max_examples=examples, stateful_step_count=25, phases=phases, report_multiple_bugs=False
    )

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
