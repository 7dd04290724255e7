"""What each verb of the ledger promises, one example each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.money import LARGEST, InvalidAmount
from app.store import ledger, refold, spending
from app.store.database import Database
from app.store.ledger import Ended, NoRoom, Reserved
from app.store.schema_money import entry
from tests.store.asking import NOW, ending, folded, limit, made, refused, terms


def test_a_hold_is_set_aside_and_settled_at_its_cost(database: Database) -> None:
    limit(database, 100)
    assert made(database, "h", 30) == Reserved("h", 30)
    assert spending.ticket_cost(database, "acme", "10") == (30, 0)
    assert ledger.settle(database, **ending("h", actual=12)) == Ended("h", "posted", 30, 12)
    assert spending.ticket_cost(database, "acme", "10") == (0, 12)
    made(database, "next", 88)


def test_a_void_hold_costs_nothing(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 100)
    assert ledger.void(database, **ending("h")) == Ended("h", "void", 100, None)
    made(database, "next", 100)


def test_an_unknown_cost_is_the_full_hold(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 30)
    assert ledger.settle(database, **ending("h", actual=None)).actual == 30


def test_a_refusal_names_the_budget_and_its_reset(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60)
    made(database, "k", 10)
    ledger.settle(database, **ending("k", actual=10))
    assert refused(database, "l", 31) == NoRoom(
        kind="project",
        subject="BILL",
        period="month",
        limit=100,
        posted=10,
        held=60,
        needed=31,
        resets_at=datetime(2026, 12, 31, 15, tzinfo=UTC),
    )
    made(database, "l", 30)


def test_every_period_of_a_level_has_to_fit(database: Database) -> None:
    limit(database, 100)
    limit(database, 20, period="day")
    limit(database, 15, "ticket", period="once")
    assert refused(database, "h", 21).period == "day"
    assert refused(database, "h", 16).kind == "ticket"
    made(database, "h", 15)
    assert refused(database, "k", 6, issue_id="11").period == "day"


def test_a_refusal_changes_nothing_and_leaves_the_transaction_usable(database: Database) -> None:
    limit(database, 100)
    limit(database, 10, "ticket", period="once")
    with database.write() as c:
        assert isinstance(ledger.reserve_in(c, database, **terms("h", 30)), NoRoom)
        assert isinstance(ledger.reserve_in(c, database, **terms("k", 10)), Reserved)
    assert [each.id for each in spending.open_holds(database)] == ["k"]
    assert folded(database).equal


def test_the_callers_rollback_takes_the_hold_along(database: Database) -> None:
    limit(database, 100)
    with database.write() as c:
        assert isinstance(ledger.reserve_in(c, database, **terms("h", 1)), Reserved)
        c.rollback()
    assert spending.totals(database) == {"held": 0, "posted": 0, "open_holds": 0}
    assert folded(database) == refold.Refold(0, ())


def test_the_same_hold_twice_is_one_hold(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60)
    assert made(database, "h", 60) == Reserved("h", 60, again=True)
    assert spending.totals(database)["held"] == 60


@pytest.mark.parametrize(
    "other",
    [{"amount": 61}, {"issue_id": "11"}, {"project_key": "WEB"}, {"run": 2}, {"attempt": 2}],
    ids=str,
)
def test_the_same_id_for_something_else_is_an_error(
    database: Database, other: dict[str, Any]
) -> None:
    limit(database, 100)
    made(database, "h", 60)
    with pytest.raises(ledger.HoldConflict, match="another"):
        ledger.reserve(database, **{**terms("h", 60), **other})
    assert spending.totals(database)["held"] == 60


def test_nothing_starts_on_a_hold_that_has_ended(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60)
    ledger.void(database, **ending("h"))
    with pytest.raises(ledger.HoldConflict, match="void"):
        made(database, "h", 60)


def test_a_hold_ends_once(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60)
    first = ledger.settle(database, **ending("h", actual=50))
    assert not first.again
    for again in (
        ledger.settle(database, **ending("h", actual=1)),
        ledger.void(database, **ending("h")),
    ):
        assert again == Ended("h", "posted", 60, 50, again=True)
    assert spending.totals(database) == {"held": 0, "posted": 50, "open_holds": 0}


@pytest.mark.parametrize("verb", [ledger.settle, ledger.void])
def test_an_unknown_hold_cannot_end(database: Database, verb: Any) -> None:
    with pytest.raises(ledger.UnknownHold):
        verb(database, **ending("h"), **({"actual": 1} if verb is ledger.settle else {}))


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, None, "3", LARGEST + 1, float("nan")])
def test_absurd_amounts_are_refused(database: Database, amount: Any) -> None:
    limit(database, None)
    with pytest.raises(InvalidAmount):
        ledger.reserve(database, **terms("h", amount))


@pytest.mark.parametrize("actual", [-1, 1.5, True, LARGEST + 1, float("nan")])
def test_an_absurd_cost_leaves_the_hold_open(database: Database, actual: Any) -> None:
    limit(database, 100)
    made(database, "h", 60)
    with pytest.raises(InvalidAmount):
        ledger.settle(database, **ending("h", actual=actual))
    assert spending.totals(database)["held"] == 60


def test_nothing_may_be_spent_where_no_budget_is_set(database: Database) -> None:
    limit(database, 100, "ticket", period="once")  # not enough: above the ticket there is none
    room = refused(database, "h", 1)
    assert (room.reason, room.limit) == ("no_limit", None)


def test_a_limit_of_nothing_stops_everything(database: Database) -> None:
    limit(database, 100)
    limit(database, 0, subject="BILL")
    assert refused(database, "h", 1).limit == 0


def test_a_limit_set_in_mid_month_knows_what_was_spent_before(database: Database) -> None:
    limit(database, 100, "site", "acme")
    made(database, "h", 60)
    ledger.settle(database, **ending("h", actual=60))
    limit(database, 70, subject="BILL")
    assert refused(database, "k", 11).posted == 60


def test_a_lower_limit_does_not_touch_what_is_held(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60)
    limit(database, 10)
    assert refused(database, "k", 1).held == 60
    assert ledger.settle(database, **ending("h", actual=60)).state == "posted"


def test_an_overrun_stops_the_next_start_until_an_admin_has_seen_it(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 30)
    assert ledger.settle(database, **ending("h", actual=35)).overrun == 5
    assert spending.ticket_cost(database, "acme", "10").posted == 35
    assert refused(database, "k", 1).reason == "overrun"
    made(database, "other", 1, project_key="WEB", issue_id="20")
    limit(database, 100, "ticket", period="once")  # says nothing about the project
    assert refused(database, "k", 1).reason == "overrun"
    limit(database, 100)
    made(database, "k", 1)


def test_a_hold_is_settled_in_the_period_in_which_it_was_made(database: Database) -> None:
    limit(database, 100)
    november = datetime(2026, 11, 30, 14, 59, tzinfo=UTC)
    made(database, "h", 100, now=november)
    made(database, "k", 100)  # one minute later: December in Tokyo, still November in UTC
    ledger.settle(database, **ending("h", actual=40))
    made(database, "l", 60, now=november)
    assert refused(database, "m", 1).held == 100


NIGHTS = [  # the first instant of a day, and the hours until the next one
    ("Europe/Berlin", "2026-03-28T23:00", 23),
    ("Europe/Berlin", "2026-10-24T22:00", 25),
    ("America/New_York", "2026-03-08T05:00", 23),
    ("America/New_York", "2026-11-01T04:00", 25),
    ("Australia/Lord_Howe", "2026-10-03T13:30", 23.5),
    ("Australia/Lord_Howe", "2026-04-04T13:00", 24.5),
]
MONTHS = [
    ("Europe/Berlin", "2026-02-28T23:00", 31 * 24 - 1),
    ("America/New_York", "2026-10-01T04:00", 31 * 24),
    ("Asia/Tokyo", "2026-01-31T15:00", 28 * 24),
]


@pytest.mark.parametrize(
    ("period", "zone", "begins", "hours"),
    [*(("day", *night) for night in NIGHTS), *(("month", *month) for month in MONTHS)],
)
def test_a_period_ends_by_the_clock_of_the_zone(
    database: Database, period: str, zone: str, begins: str, hours: float
) -> None:
    """To the microsecond, on the nights on which the clock changes, and at a month's end."""
    first = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    ends, instant = first + timedelta(hours=hours), timedelta(microseconds=1)
    limit(database, 100, period=period)
    for name, now in (("before", first - instant), ("first", first), ("after", ends)):
        made(database, name, 60, now=now, zone=zone)
    room = refused(database, "last", 60, now=ends - instant, zone=zone)
    assert (room.period, room.held, room.resets_at) == (period, 60, ends)
    made(database, "fits", 40, now=ends - instant, zone=zone)


def test_sites_do_not_meet(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 100)
    assert refused(database, "h", 100, site_id="other").reason == "no_limit"


def test_retry_after_a_deadlock(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(database, 100)
    faults = [_fault("40P01")]
    real = ledger.reserve_in

    def once(*args: Any, **kwargs: Any) -> Reserved | NoRoom:
        got = real(*args, **kwargs)
        if faults:
            raise faults.pop()
        return got

    monkeypatch.setattr(ledger, "reserve_in", once)
    assert made(database, "h", 60) == Reserved("h", 60)
    faults += [_fault("40001"), _fault("40001")]
    with pytest.raises(sa.exc.DBAPIError):
        made(database, "k", 1)
    faults += [_fault("23505")]
    with pytest.raises(sa.exc.DBAPIError):
        made(database, "k", 1)
    assert spending.totals(database)["open_holds"] == 1


def _fault(state: str) -> sa.exc.DBAPIError:
    class Fault(Exception):
        sqlstate = state

    return sa.exc.DBAPIError("update", {}, Fault())


def test_the_journal_is_only_added_to(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 30)
    with database.read() as c:
        before = c.execute(sa.select(entry).order_by(entry.c.seq)).all()
    ledger.settle(database, **ending("h", actual=35))
    with database.read() as c:
        after = c.execute(sa.select(entry).order_by(entry.c.seq)).all()
    assert after[: len(before)] == before
    assert {row.verb for row in after} == {"limit", "reserve", "settle", "overrun"}


def test_now_is_what_the_caller_says(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 1)
    kept = spending.hold_of(database, "acme", "h")
    assert kept is not None
    assert (kept.made_at, kept.resolved_at, kept.state) == (NOW, None, "held")


def test_a_level_counts_the_person_and_the_kind_of_agent(database: Database) -> None:
    limit(database, 100, "site", "acme")
    limit(database, 40, "person")
    limit(database, 60, "agent", "claude", period="day")
    made(database, "h", 40)
    assert refused(database, "k", 1).kind == "person"
    made(database, "l", 20, person="557:b")
    room = refused(database, "m", 1, person="557:c")
    assert (room.kind, room.subject, room.period) == ("agent", "claude", "day")
    made(database, "n", 1, person=None, agent=None)  # nobody's, and no agent's


def test_a_limit_of_the_agent_alone_is_not_enough(database: Database) -> None:
    limit(database, 100, "agent", "claude")
    assert refused(database, "h", 1).reason == "no_limit"
    limit(database, 100, "person")
    made(database, "h", 1)


def test_nothing_is_set_aside_on_a_guess(database: Database) -> None:
    limit(database, 100)
    with pytest.raises(ledger.UnknownPrice):
        made(database, "h", 1, price_version="")
    made(database, "h", 1, price_version="", simulated=True)
    with pytest.raises(InvalidAmount, match="EUR"):
        made(database, "k", 1, currency="EUR")
    assert spending.totals(database)["open_holds"] == 1


def test_the_same_terms_under_a_newer_price_list_are_the_same_hold(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 1)
    assert made(database, "h", 1, price_version="list 2").again
    kept = spending.hold_of(database, "acme", "h")
    assert kept is not None
    assert kept.price_version == "list 1"
