"""What the ledger tells people, and the daily check that it tells the truth."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.core.money import LARGEST
from app.store import budgets, ledger, spending
from app.store.budgets import InvalidBudget, Limit
from app.store.database import Database
from app.store.schema_money import balance, entry, hold
from app.store.spending import Balance, Money
from tests.store.asking import NOW, ending, folded, limit, made, site_row

DECEMBER = datetime(2026, 11, 30, 15, tzinfo=UTC)  # begins so in Tokyo
JANUARY = datetime(2026, 12, 31, 15, tzinfo=UTC)
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def test_balances_show_limits_with_spent_and_held_apart(database: Database) -> None:
    site_row(database)
    limit(database, 100, "site", "acme")
    limit(database, 70)
    limit(database, 40, "ticket", period="once")
    made(database, "h", 30)
    made(database, "k", 20, issue_id="11")
    ledger.settle(database, **ending("h", actual=12))
    assert spending.balances(database, "acme", NOW) == [
        Balance("site", "acme", "month", 100, 12, 20, DECEMBER, JANUARY),
        Balance("project", "BILL", "month", 70, 12, 20, DECEMBER, JANUARY),
        Balance("ticket", "11", "once", 40, 0, 20, ALWAYS, None),  # 10 is at rest
    ]
    assert [each.free for each in spending.balances(database, "acme", NOW)] == [68, 38, 20]


def test_balances_before_anything_happened_and_after_the_month(database: Database) -> None:
    assert spending.balances(database, "acme", NOW) == []
    site_row(database)
    limit(database, 70, subject="BILL")
    fresh = Balance("project", "BILL", "month", 70, 0, 0, DECEMBER, JANUARY)
    assert spending.balances(database, "acme", NOW) == [fresh]
    made(database, "h", 30)
    later = spending.balances(database, "acme", JANUARY)
    assert [(each.held, each.starts) for each in later] == [(0, JANUARY)]


def test_a_budget_used_beyond_its_limit_has_nothing_free(database: Database) -> None:
    site_row(database)
    limit(database, 70, subject="BILL")
    made(database, "h", 70)
    limit(database, 30, subject="BILL")
    assert [each.free for each in spending.balances(database, "acme", NOW)] == [0]


def test_the_cost_of_a_ticket_is_that_of_all_its_runs(database: Database) -> None:
    limit(database, 1000)
    for run, attempt in ((1, 1), (1, 2), (2, 1)):
        made(database, f"h{run}.{attempt}", 30, run=run, attempt=attempt)
    ledger.settle(database, **ending("h1.1", actual=12))
    ledger.settle(database, **ending("h1.2", actual=40))
    assert spending.run_money(database, "acme", "10", 1) == Money(held=0, posted=52)
    assert spending.run_money(database, "acme", "10", 2) == Money(held=30, posted=0)
    assert spending.ticket_cost(database, "acme", "10") == Money(held=30, posted=52)
    assert spending.ticket_cost(database, "other", "10") == Money(0, 0)


def test_open_holds_are_listed_by_age(database: Database) -> None:
    limit(database, 1000)
    made(database, "young", 3)
    made(database, "old", 2, now=ALWAYS)
    made(database, "gone", 1)
    ledger.void(database, **ending("gone"))
    assert [each.id for each in spending.open_holds(database, "acme")] == ["old", "young"]
    assert spending.open_holds(database, "other") == []
    gone = spending.hold_of(database, "acme", "gone")
    assert gone is not None
    assert (gone.state, gone.amount, gone.resolved_at) == ("void", 1, NOW)
    assert spending.hold_of(database, "acme", "never") is None


def test_limits_are_listed_from_the_top(database: Database) -> None:
    limit(database, None, "ticket", "10", period="once")
    limit(database, 70, period="day")
    limit(database, 100, "site", "acme")
    limit(database, 200, "site", "acme", actor="another admin")
    assert budgets.limits(database, "acme") == [
        Limit("site", "acme", "month", 200, "USD", NOW, "another admin"),
        Limit("project", "*", "day", 70, "USD", NOW, "an admin"),
        Limit("ticket", "10", "once", None, "USD", NOW, "an admin"),
    ]
    assert budgets.limits(database, "other") == []


@pytest.mark.parametrize(
    ("kind", "subject", "period", "amount", "says"),
    [
        ("team", "x", "month", 1, "no level: use site, project, person, ticket, agent"),
        ("ticket", "10", "month", 1, "no period of a ticket: use once"),
        ("project", "BILL", "year", 1, "use day, week, month, once"),
        ("project", "", "month", 1, "named"),
        ("site", "other", "month", 1, "by its id, 'acme'"),
        ("project", "BILL", "month", -1, "not an amount"),
        ("project", "BILL", "month", LARGEST + 1, "not an amount"),
        ("project", "BILL", "month", 1.5, "not an amount"),
        ("project", "BILL", "month", True, "not an amount"),
    ],
)
def test_impossible_limits_are_refused(
    database: Database, kind: str, subject: str, period: str, amount: int, says: str
) -> None:
    with pytest.raises(InvalidBudget, match=says):
        budgets.set_limit(database, "acme", kind, subject, period, amount, "an admin", NOW)
    assert budgets.limits(database, "acme") == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (balance.update().where(balance.c.kind == "site").values(held=1), "the entries say"),
        (balance.delete().where(balance.c.kind == "ticket"), "the balance nothing"),
        (entry.delete().where(entry.c.account == "available"), "do not sum to 0"),
        (entry.delete().where(entry.c.verb == "settle"), "its entries spent 0, set aside 30"),
        (hold.update().values(actual=11), "hold h: it says spent 11"),
        (hold.delete(), "there are entries, and no such hold"),
        (entry.delete().where(entry.c.hold_id.is_not(None)), "its entries nothing"),
    ],
    ids=["balance", "no balance", "unbalanced", "no settling", "hold", "no hold", "no entries"],
)
def test_the_daily_check_finds_what_was_changed_by_hand(
    database: Database, change: sa.UpdateBase, says: str
) -> None:
    limit(database, 100)
    made(database, "h", 30)
    ledger.settle(database, **ending("h", actual=12))
    assert folded(database).equal
    with database.write() as c:
        c.execute(change)
    found = folded(database)
    assert not found.equal
    assert any(says in each for each in found.differences), found.differences
