"""What people are told of money by the clock: whoever dies over it, each thing is told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.core.money import MICRO
from app.core.periods import period_end, period_start
from app.core.run import RunRef
from app.store import alerts, budgets, calls
from app.store.refold import refold
from tests.engine.crash import Crew, agent_starts
from tests.engine.stage import PROJECT, SITE, Stage

TOLD = frozenset({"tell_left", "tell_alerts", "send_alerts", "tell_week"})


def told_of_money(on: Stage, crew: Crew) -> None:
    """A budget is half gone and an attempt short of money; then the week ends."""
    place = on.jira.create_issue(PROJECT, "Alerts", reporter="Author").key
    on.change(operations_ticket=place)
    now = datetime.now(UTC)
    budgets.set_limit(on.db, SITE, "project", PROJECT, "month", 6 * MICRO, "admin", now)
    key = on.label_good_ticket()
    on.deliver(key)
    crew.start()
    crew.until(lambda: agent_starts(on) and on.outcomes()[0][0] == "handled")
    issue = on.runs()[0]["issue_id"]
    calls.started(on.db, RunRef(SITE, issue, key, 1), 1, "a call", 2_400_000, now)
    crew.trigger("tell-money")
    if not crew.died:  # else the attempt has ended with its worker
        assert "Left to do: agent changes files" in on.comments(key)[f"run:{SITE}:{issue}:1"]
    crew.let_agent_work()
    crew.until(lambda: on.quiet() and crew.at_rest())
    crew.trigger("tell-money")
    crossed = alerts.crossed(on.db, SITE)
    assert crossed
    assert all(row["told_at"] and row["sent_at"] for row in crossed)
    assert all(name.startswith(f"alert:project:{PROJECT}:month:") for name in on.comments(place))
    assert any(name.endswith(f":used:50:{6 * MICRO}") for name in on.comments(place)) or crew.died

    monday = period_end("week", now, "UTC")
    assert monday is not None
    crew.minutes_pass((monday + timedelta(hours=9) - now) // timedelta(minutes=1))
    crew.trigger("tell-week")
    crew.trigger("tell-week")
    week = f"week:{PROJECT}:{period_start('week', now, 'UTC').isoformat()}"
    assert [name for name in on.comments(place) if name.startswith("week")] == [week]
    assert refold(on.db, SITE).equal
