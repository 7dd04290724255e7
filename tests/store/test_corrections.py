"""What becomes of a hold besides its end, one example each; and what admins let pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.money import InvalidAmount
from app.store import alerts, budgets, corrections, ledger, overrides, spending
from app.store.budgets import InvalidBudget
from app.store.database import Database
from app.store.ledger import HoldConflict, Reserved, UnknownHold
from app.store.schema_money import entry
from tests.store.asking import NOW, ending, folded, limit, made, refused

DAY = timedelta(days=1)
JANUARY = datetime(2026, 12, 31, 15, tzinfo=UTC)  # begins so in Tokyo


def settled(db: Database, actual: int = 20) -> None:
    limit(db, 100)
    made(db, "h", 30)
    ledger.settle(db, **ending("h", actual=actual))


def refund(db: Database, key: str, amount: int, **other: Any) -> bool:
    return corrections.refund(db, **{**ending("h"), "key": key, "amount": amount, **other})


def late(db: Database, key: str, actual: int) -> bool:
    return corrections.report_late(db, **ending("h"), key=key, actual=actual)


def expire(db: Database, now: datetime, *, dead: bool, actual: int | None = None) -> Any:
    of = {**ending("h"), "now": now}
    return corrections.expire(db, **of, dead=dead, actual=actual, again_at=now + DAY)


def grant(db: Database, key: str = "o", **other: Any) -> overrides.Override:
    terms = {
        "kind": "project",
        "subject": "BILL",
        "period": "month",
        "amount": 50,
        "until": None,
        "reason": "the audit is on Friday",
        "actor": "an admin",
        "zone": "Asia/Tokyo",
        "now": NOW,
        **other,
    }
    return overrides.grant(db, "acme", key=key, **terms)


def posted(db: Database) -> int:
    return spending.totals(db)["posted"]


def test_a_refund_comes_back_once_and_never_more_than_was_spent(database: Database) -> None:
    settled(database)
    assert refund(database, "r", 15)
    assert not refund(database, "r", 15)
    assert posted(database) == 5
    with pytest.raises(InvalidAmount, match="of 5"):
        refund(database, "s", 6)
    with pytest.raises(HoldConflict, match="another"):
        refund(database, "r", 5)
    with pytest.raises(UnknownHold):
        refund(database, "t", 1, hold_id="k")
    assert refund(database, "s", 5)
    assert posted(database) == 0
    assert folded(database).equal
    made(database, "k", 100)


def test_a_late_report_of_more_is_an_overrun_that_an_admin_has_to_see(database: Database) -> None:
    settled(database)
    assert late(database, "l", 45)
    assert not late(database, "l", 45)
    assert posted(database) == 45
    assert refused(database, "k", 1).reason == "overrun"
    limit(database, 100)
    made(database, "k", 55)
    assert folded(database).equal


def test_a_late_report_of_less_is_a_refund(database: Database) -> None:
    settled(database)
    assert late(database, "l", 8)
    assert posted(database) == 8
    assert late(database, "m", 8)  # again, by another report: nothing to change
    assert posted(database) == 8
    made(database, "k", 92)


def test_what_is_open_is_settled_not_reported_late(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 30)
    with pytest.raises(HoldConflict, match="open"):
        late(database, "l", 8)


def test_a_top_up_is_a_further_hold_under_the_same_checks(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60)
    more = {**ending("h"), "zone": "Asia/Tokyo"}
    assert corrections.top_up(database, **more, key="t", amount=40) == Reserved("t", 40)
    again = corrections.top_up(database, **more, key="t", amount=40)
    assert again == Reserved("t", 40, again=True)
    assert isinstance(corrections.top_up(database, **more, key="u", amount=1), ledger.NoRoom)
    assert spending.run_money(database, "acme", "10", 1).held == 100
    ledger.settle(database, **ending("h", actual=60))
    with pytest.raises(HoldConflict, match="ended"):
        corrections.top_up(database, **more, key="v", amount=1)


def test_a_hold_expires_only_when_its_holder_is_dead(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60, expires_at=NOW + DAY)
    assert expire(database, NOW, dead=True) is None, "its time is not over"
    assert spending.overdue(database, NOW) == []
    assert [each.id for each in spending.overdue(database, NOW + DAY)] == ["h"]
    assert expire(database, NOW + DAY, dead=False) is None
    assert spending.overdue(database, NOW + DAY) == [], "it was extended"
    assert spending.totals(database)["held"] == 60
    ended = expire(database, NOW + 2 * DAY, dead=True)
    assert (ended.state, ended.actual, ended.again) == ("expired", 60, False)
    assert expire(database, NOW + 2 * DAY, dead=True).again
    assert ledger.settle(database, **ending("h", actual=1)).again
    assert posted(database) == 60, "nobody can tell what it used"
    assert folded(database).equal


def test_what_a_dead_holder_is_known_to_have_used_is_all_it_costs(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 60, expires_at=NOW)
    assert expire(database, NOW, dead=True, actual=7).actual == 7
    made(database, "k", 93)


def test_an_override_lets_a_limit_be_passed_for_a_time(database: Database) -> None:
    limit(database, 100)
    made(database, "h", 100)
    refused(database, "k", 50)
    assert grant(database).ends_at == JANUARY
    assert grant(database) == overrides.in_force(database, "acme", NOW)[0]
    with pytest.raises(overrides.OverrideConflict):
        grant(database, amount=60)
    assert refused(database, "k", 51).limit == 150
    made(database, "k", 50)
    assert overrides.in_force(database, "acme", JANUARY) == []
    made(database, "l", 100, now=JANUARY)
    assert refused(database, "m", 1, now=JANUARY).limit == 100


def test_an_override_without_an_amount_lifts_the_limit_until_its_end(database: Database) -> None:
    limit(database, 100)
    grant(database, amount=None, until=NOW + DAY)
    made(database, "h", 5000)
    assert refused(database, "k", 1, now=NOW + DAY).limit == 100


def test_an_override_is_revoked_once(database: Database) -> None:
    limit(database, 100)
    grant(database)
    assert overrides.revoke(database, "acme", "o", "an admin", NOW)
    assert not overrides.revoke(database, "acme", "o", "an admin", NOW)
    assert refused(database, "h", 101).limit == 100
    assert folded(database).equal


def test_an_admin_who_overrides_has_seen_the_overrun(database: Database) -> None:
    settled(database, 35)
    assert refused(database, "k", 1).reason == "overrun"
    grant(database)
    made(database, "k", 1)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"subject": "*"}, "not for each"),
        ({"reason": " "}, "reason"),
        ({"amount": None}, "an amount, or a time"),
        ({"until": NOW}, "end before"),
        ({"amount": 0}, "not an amount"),
        ({"kind": "team"}, "no level"),
    ],
    ids=str,
)
def test_overrides_that_nobody_may_grant(
    database: Database, other: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidBudget, match=says):
        grant(database, **other)
    assert overrides.in_force(database, "acme", NOW) == []


def test_a_limit_is_raised_by_an_amount(database: Database) -> None:
    month = ("acme", "project", "*", "month")
    with pytest.raises(InvalidBudget, match="no limit to raise"):
        budgets.raise_limit(database, *month, 50, "an admin", NOW)
    limit(database, 100)
    raised = budgets.raise_limit(database, *month, 50, "an admin", NOW, reason="more tickets")
    assert raised == 150
    with pytest.raises(InvalidBudget, match="not an amount"):
        budgets.raise_limit(database, *month, -151, "an admin", NOW)
    with database.read() as c:
        rows = c.execute(sa.select(entry).where(entry.c.reason == "more tickets")).all()
    assert [(row.verb, row.account, row.amount) for row in rows] == [
        ("limit", "limit", -50),
        ("limit", "available", 50),
    ]


def test_a_threshold_is_noted_once_and_armed_again_by_a_higher_limit(database: Database) -> None:
    def noted() -> list[tuple[str, int, int]]:
        rows = alerts.crossed(database, "acme")
        return sorted((row["basis"], row["threshold"], row["limit"]) for row in rows)

    limit(database, 100)
    made(database, "h", 49)
    assert noted() == []
    made(database, "k", 31)
    assert noted() == [("used", 50, 100), ("used", 80, 100)]
    ledger.settle(database, **ending("h", actual=49))
    made(database, "l", 1)
    assert noted() == [("used", 50, 100), ("used", 80, 100)]
    ledger.settle(database, **ending("k", actual=1))
    assert noted() == [("spent", 50, 100), ("used", 50, 100), ("used", 80, 100)]
    limit(database, 60)
    made(database, "m", 1)  # lower: nothing is told again, only what was never reached
    assert noted() == [("spent", 50, 100), ("used", 50, 100), ("used", 80, 100)]
    limit(database, 120)
    made(database, "n", 20)
    assert noted() == [("spent", 50, 100), ("used", 50, 120), ("used", 80, 100)]
