"""What people who look after the money are told, in full: a budget that fills up, and a week."""

# ruff: noqa: E501  a comment is shown as it is, and its lines are as long as they are

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from app.core.comments.budget import (
    BudgetAlert,
    budget_alert,
    budget_alert_outside,
    worth_telling,
)
from app.core.comments.digest import Digest, Standing, digest_comment
from app.core.plain import render
from app.core.run import Ending

ZONE = ZoneInfo("Europe/Berlin")
NOVEMBER = datetime(2026, 10, 31, 23, tzinfo=UTC)
DECEMBER = datetime(2026, 11, 30, 23, tzinfo=UTC)
ALERT = BudgetAlert(
    kind="project",
    name="BILL",
    period="month",
    starts=NOVEMBER,
    resets_at=DECEMBER,
    threshold=80,
    basis="used",
    limit=50_000_000,
    posted=31_000_000,
    held=9_000_000,
    currency="USD",
    zone=ZONE,
)
WEEK = Digest(
    project="BILL",
    begins=datetime(2026, 11, 15, 23, tzinfo=UTC),
    ends=datetime(2026, 11, 22, 23, tzinfo=UTC),
    spent=12_400_000,
    simulated=0,
    nothing=2_100_000,
    tickets=9,
    endings=((Ending.SUCCEEDED, 7), (Ending.FAILED, 3), (Ending.CANCELLED, 1)),
    held=3_000_000,
    at_work=1,
    budgets=(Standing("month", 50_000_000, 31_000_000, 9_000_000),),
    waits=(("budget", 2), ("approval", 1)),
    currency="USD",
    zone=ZONE,
)


def test_most_of_a_budget_is_gone() -> None:
    assert render(budget_alert(ALERT)) == snapshot("""\
[80 % OF A BUDGET] 80 % of the budget of project BILL (November 2026) is spent or set aside.
$31.00 is spent, and $9.00 set aside, of $50.00. What is set aside comes back where it is not needed.
At 100 % nothing new starts under it; what is at work goes on inside the money that is set aside for it. An admin can raise it: signalbox budget raise --project BILL --by AMOUNT.
Signalbox, automated\
""")


def test_all_of_a_persons_day_is_spent() -> None:
    full = replace(
        ALERT, kind="person", name="557:a", period="day", threshold=100, basis="spent", held=0
    )
    assert render(budget_alert(full)) == snapshot("""\
[100 % OF A BUDGET] All of the budget of @557:a (1 Nov 2026) is spent.
$31.00 is spent, and $0.00 set aside, of $50.00.
What does not fit any more does not start until 1 Dec, when it is free again, or until it is raised; what is at work goes on inside the money that is set aside for it. An admin can raise it: signalbox budget raise --person ID --period day --by AMOUNT.
Signalbox, automated\
""")
    assert "557:a" not in render(budget_alert_outside(full))


def test_all_of_a_ticket_that_gets_no_more() -> None:
    over = replace(ALERT, kind="ticket", name="BILL-7", period="once", resets_at=None)
    over = replace(over, threshold=100, basis="spent")
    assert render(budget_alert_outside(over)) == snapshot("""\
[100 % OF A BUDGET] All of the budget of ticket BILL-7 (over its life) is spent.
$31.00 is spent, and $9.00 set aside, of $50.00. What is set aside comes back where it is not needed.
What does not fit any more does not start until it is raised; what is at work goes on inside the money that is set aside for it. An admin can raise it: signalbox budget raise --ticket BILL-7 --by AMOUNT.\
""")


def test_a_ticket_that_an_agent_starts_on_is_no_news() -> None:
    assert not worth_telling("ticket", "used")
    assert worth_telling("ticket", "spent")
    assert worth_telling("project", "used")


def test_a_week_in_five_lines() -> None:
    assert render(digest_comment(WEEK)) == snapshot("""\
[THE WEEK] BILL, 16 to 22 Nov: $12.40 spent on nine tickets.
11 runs ended: 7 finished, 3 failed, 1 stopped. $2.10 went into runs that led to nothing.
Set aside now: $3.00 for one attempt; what is not needed of it comes back.
Budgets: month, $31.00 spent and $9.00 set aside of $50.00, $10.00 free.
Waiting tickets: 2 for budget and 1 for approval.
Signalbox, automated\
""")


def test_a_week_in_which_nothing_was() -> None:
    quiet = replace(WEEK, spent=0, nothing=0, tickets=0, endings=(), held=0, at_work=0)
    quiet = replace(quiet, budgets=(), waits=(), begins=datetime(2026, 11, 29, 23, tzinfo=UTC))
    quiet = replace(quiet, ends=datetime(2026, 12, 6, 23, tzinfo=UTC))
    assert render(digest_comment(quiet)) == snapshot("""\
[THE WEEK] BILL, 30 Nov to 6 Dec: $0.00 spent.
No run ended.
Nothing is set aside now.
The project has no budget of its own; those above it hold.
No ticket waits.
Signalbox, automated\
""")


def test_a_rehearsed_week_without_amounts() -> None:
    assert render(digest_comment(replace(WEEK, simulated=1_000_000))).splitlines()[0] == snapshot(
        "[THE WEEK] BILL, 16 to 22 Nov: $12.40 spent and $1.00 simulated on nine tickets."
    )
    assert render(digest_comment(WEEK, costs=False)) == snapshot("""\
[THE WEEK] BILL, 16 to 22 Nov: agents worked on nine tickets.
11 runs ended: 7 finished, 3 failed, 1 stopped.
Now at work: one attempt.
Budgets: 80 % of this month's is gone.
Waiting tickets: 2 for budget and 1 for approval.
Signalbox, automated\
""")


amounts = st.integers(0, 10**12)


@given(spent=amounts, held=amounts, costs=st.booleans(), at_work=st.integers(0, 30))
def test_a_week_has_five_lines_whatever_it_was(
    spent: int, held: int, costs: bool, at_work: int
) -> None:
    week = replace(WEEK, spent=spent, held=held, at_work=at_work, nothing=spent // 2)
    lines = render(digest_comment(week, costs=costs)).splitlines()
    assert len(lines) == 6
    assert lines[-1] == "Signalbox, automated"
    assert costs or "$" not in "".join(lines)


@given(posted=amounts, held=amounts)
def test_spent_and_set_aside_are_never_one_figure(posted: int, held: int) -> None:
    told = render(budget_alert(replace(ALERT, posted=posted, held=held, limit=1)))
    assert f"${posted / 1_000_000:,.2f} is spent" in told or posted % 10_000
    assert "$" not in render(budget_alert(replace(ALERT, posted=posted), costs=False))
