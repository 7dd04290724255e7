"""Budgets that fill up and weeks that end: told once, where people look after the money."""

# ruff: noqa: E501  a comment is shown as it is, and its lines are as long as they are

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from app.adapters.memory_notifier import MemoryNotifier
from app.core.money import MICRO
from app.core.run import RunRef
from app.ports import Refused, Transient
from app.reporting.budget import send_alerts, tell_alerts
from app.reporting.left import Low, running_low
from app.reporting.week import tell_week
from app.store import alerts, budgets, calls, ledger, runs, sites
from app.store.database import Database
from app.store.schema import project
from tests.engine.stage import LONG_AGO, PROJECT, SITE
from tests.stages.commands_model import Commands

PLACE = f"{PROJECT}-900"
RUN = f"run:{SITE}:1:1"

# The rows themselves are written on both databases in tests/store/test_ledger_machine.py.
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Commands:
    made = Commands(database, tmp_path)
    made.ticket("900")
    made.ticket("1")
    made.set_up(operations_ticket=PLACE)
    set_limit(made, 10)
    return made


def set_limit(model: Commands, dollars: int, kind: str = "project", of: str = PROJECT) -> None:
    period = "once" if kind == "ticket" else "month"
    at = (kind, of, period, dollars * MICRO)
    budgets.set_limit(model.db, SITE, *at, "admin", LONG_AGO)


def spend(model: Commands, name: str, dollars: int, *, settled: bool = True) -> None:
    terms = {
        "hold_id": name,
        "site_id": SITE,
        "zone": site(model)["zone"],
        "project_key": PROJECT,
        "issue_id": "1",
        "person": "author",
        "run": 9,
        "attempt": 1,
        "amount": dollars * MICRO,
        "price_version": "list 1",
        "simulated": False,
        "actor": "author",
        "now": model.clock.now(),
    }
    assert isinstance(ledger.reserve(model.db, **terms), ledger.Reserved)
    if settled:
        end = {"site_id": SITE, "hold_id": name, "actor": "author", "now": model.clock.now()}
        ledger.settle(model.db, actual=dollars * MICRO, **end)


def site(model: Commands) -> sites.Row:
    return sites.get_site(model.db, SITE)


def tell(model: Commands) -> int:
    return tell_alerts(model.db, model.jira, site(model), model.clock.now())


def send(model: Commands, notifier: MemoryNotifier | None) -> int:
    return send_alerts(model.db, notifier, site(model), model.clock.now())


def headlines(model: Commands) -> list[str]:
    return [text.splitlines()[0] for text in model.told("900").values()]


def test_each_threshold_is_told_once_and_on_no_other_ticket(model: Commands) -> None:
    for step in range(10):
        spend(model, f"h{step}", 1)
        tell(model)
        tell(model)
    assert headlines(model) == [
        f"[50 % OF A BUDGET] 50 % of the budget of project {PROJECT} (November 2026) is spent.",
        f"[80 % OF A BUDGET] 80 % of the budget of project {PROJECT} (November 2026) is spent.",
        f"[100 % OF A BUDGET] All of the budget of project {PROJECT} (November 2026) is spent.",
    ]
    assert model.told("1") == {}


def test_several_at_once_are_one_comment(model: Commands) -> None:
    spend(model, "h", 9)
    assert tell(model) == 1
    assert list(model.told("900").values()) == snapshot(
        [
            """\
[80 % OF A BUDGET] 80 % of the budget of project BILL (November 2026) is spent.
$9.00 is spent, and $0.00 set aside, of $10.00.
At 100 % nothing new starts under it; what is at work goes on inside the money that is set aside for it. An admin can raise it: signalbox budget raise --project BILL --by AMOUNT.
Signalbox, automated\
"""
        ]
    )
    assert all(row["told_at"] for row in alerts.crossed(model.db, SITE))


def test_what_is_set_aside_is_told_too_and_what_is_spent_again(model: Commands) -> None:
    spend(model, "h", 8, settled=False)
    tell(model)
    end = {"site_id": SITE, "hold_id": "h", "actor": "x", "now": model.clock.now()}
    ledger.settle(model.db, actual=8 * MICRO, **end)
    tell(model)
    assert [line.rsplit(") is ")[1] for line in headlines(model)] == [
        "spent or set aside.",
        "spent.",
    ]


def test_cut_off_before_the_mark_it_stands_there_once(model: Commands) -> None:
    spend(model, "h", 9)
    model.jira.calls.fail("put_comment", Transient("the answer is lost"), answered=False)
    with pytest.raises(Transient):
        tell(model)
    assert len(headlines(model)) == 1
    assert not [row for row in alerts.crossed(model.db, SITE) if row["told_at"]]
    assert tell(model) == 1
    assert len(headlines(model)) == 1
    assert tell(model) == 0


def test_a_ticket_that_refuses_holds_up_nothing(model: Commands) -> None:
    spend(model, "h", 9)
    model.jira.calls.fail("put_comment", Refused("no right to comment"))
    tell(model)
    assert (headlines(model), tell(model)) == ([], 0)


def test_a_higher_limit_arms_it_again(model: Commands) -> None:
    spend(model, "h", 9)
    tell(model)
    set_limit(model, 20)
    spend(model, "i", 8)
    tell(model)
    assert len(headlines(model)) == 2


def test_a_tickets_own_money_is_news_only_when_it_is_spent(model: Commands) -> None:
    set_limit(model, 3, "ticket", "1")
    spend(model, "h", 3, settled=False)
    assert tell(model) == 0
    end = {"site_id": SITE, "hold_id": "h", "actor": "x", "now": model.clock.now()}
    ledger.settle(model.db, actual=3 * MICRO, **end)
    model.say("1", "agent score")
    assert tell(model) == 1
    assert headlines(model) == [
        f"[100 % OF A BUDGET] All of the budget of ticket {PROJECT}-1 (over its life) is spent."
    ]


def test_amounts_stay_out_where_comments_name_none(model: Commands) -> None:
    model.set_up(costs_in_comments=False)
    spend(model, "h", 9)
    tell(model)
    assert "$" not in "".join(model.told("900").values())


def test_the_webhook_hears_it_once_with_or_without_a_ticket(model: Commands) -> None:
    model.set_up(operations_ticket=None)
    set_limit(model, 10, "person", "author")
    spend(model, "h", 9)
    channel = MemoryNotifier()
    assert (tell(model), send(model, channel), send(model, channel)) == (2, 2, 0)
    of_project, of_person = channel.told
    assert of_project.startswith(f"Signalbox, site {SITE}\n[80 % OF A BUDGET] 80 % of the budget")
    assert "author" not in of_person
    assert model.told("900") == {}


def test_a_webhook_that_is_away_is_tried_again_and_one_that_refuses_is_not(model: Commands) -> None:
    spend(model, "h", 9)
    channel = MemoryNotifier()
    channel.calls.fail("notify", Transient("away"), Refused("switched off"))
    with pytest.raises(Transient):
        send(model, channel)
    assert send(model, channel) == 0
    assert (send(model, channel), channel.told) == (0, [])
    assert tell(model) == 1  # neither waits for the other


def test_a_webhook_that_is_set_up_later_hears_no_old_news(model: Commands) -> None:
    spend(model, "h", 9)
    assert send(model, None) == 0
    assert send(model, MemoryNotifier()) == 0


def test_a_run_says_what_is_left_to_do_once_its_money_is_nearly_used(model: Commands) -> None:
    model.set_up(attempt_cap=3 * MICRO)
    model.say("1", "agent run")
    ref, now = RunRef(SITE, "1", f"{PROJECT}-1", 1), model.clock.now()
    runs.open_attempt(model.db, ref, 1, now)
    calls.started(model.db, ref, 1, "a", 2_399_999, now)
    assert running_low(model.db) == []
    calls.started(model.db, ref, 1, "b", 1, now)
    assert running_low(model.db) == [Low(ref, 1, 3 * MICRO)]
    model.report("1", 1)
    assert "80 % of the money set aside is used. Done: " in model.told("1")[RUN]
    runs.warned(model.db, ref, 1, 3 * MICRO)
    assert running_low(model.db) == []


MONDAY = datetime(2026, 11, 30, 9, tzinfo=UTC)


def week(model: Commands, at: datetime) -> int:
    return tell_week(model.db, model.jira, site(model), at)


def test_a_week_is_told_on_the_morning_after_it_and_once(model: Commands) -> None:
    model.set_up(attempt_cap=3 * MICRO)
    spend(model, "h", 2)
    model.say("1", "agent run")
    model.end_runs("1")
    midnight = MONDAY.replace(hour=0)
    assert week(model, midnight - timedelta(seconds=1)) == 1  # the week before
    assert week(model, midnight + timedelta(hours=7)) == 0
    model.jira.calls.fail("put_comment", Transient("lost"), answered=False)
    with pytest.raises(Transient):
        week(model, MONDAY)
    assert week(model, MONDAY) == 1
    assert week(model, MONDAY + timedelta(days=6)) == 0
    assert list(model.told("900").values())[1:] == snapshot(
        [
            """\
[THE WEEK] BILL, 23 to 29 Nov: $2.00 spent on one ticket.
One run ended: 1 finished.
Nothing is set aside now.
Budgets: month, $2.00 spent and $0.00 set aside of $10.00, $8.00 free.
No ticket waits.
Signalbox, automated\
"""
        ]
    )


def test_nobody_is_told_of_weeks_before_the_project_was_there(model: Commands) -> None:
    with model.db.write() as c:
        c.execute(project.update().values(connected_at=MONDAY))
    assert week(model, MONDAY + timedelta(days=2)) == 0
    assert week(model, MONDAY + timedelta(days=7)) == 1


def test_without_an_operations_ticket_no_week_is_told(model: Commands) -> None:
    model.set_up(operations_ticket=None)
    assert week(model, MONDAY) == 0
