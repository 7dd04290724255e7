"""429: whose wait it is, how long, and that nothing else is sent meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app import ports
from app.adapters import jira_pace
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Bearer
from app.adapters.jira_pace import Patience
from app.adapters.jira_session import Way
from app.ports import RateLimited, Transient
from tests.adapters.jira_server import Scripted, no_pause, scripted


@pytest.fixture
def script() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


@pytest.fixture
def waits() -> list[float]:
    return []


def scripted_tracker(script: Scripted, waits: list[float] | None = None) -> ports.Tracker:
    pause = no_pause if waits is None else waits.append
    return JiraTracker("acme", script.url, Bearer("token"), way=Way(pause=pause))


LIMITS: list[tuple[dict[str, str], float]] = [
    ({"Retry-After": "30", "RateLimit-Reason": "jira-burst-based"}, 30),
    ({"Retry-After": "1847"}, 1847),
    ({"Retry-After": "30", "RateLimit-Reason": "jira-quota-global-based"}, 30),
    ({"Retry-After": "1", "RateLimit-Reason": "jira-quota-tenant-based"}, 4),
    ({"RateLimit-Reason": "jira-quota-tenant-based"}, 1800),
    ({"RateLimit-Reason": "jira-per-issue-on-write"}, 5),
    ({"X-RateLimit-Reset": "in five minutes"}, 300),
    ({"Retry-After": "in five minutes"}, 300),
    ({"Retry-After": "999999999"}, 86_400),
]


@pytest.mark.parametrize(("headers", "after"), LIMITS)
def test_long_waits_are_the_engines(
    script: Scripted, waits: list[float], headers: dict[str, str], after: float
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    written = {"Retry-After": format_datetime(soon, True), "X-RateLimit-Reset": soon.isoformat()}
    headers = {n: written[n] if v == "in five minutes" else v for n, v in headers.items()}
    script.answer("GET", "/rest/api/3/myself", {}, status=429, headers=headers)
    with pytest.raises(RateLimited) as caught:
        scripted_tracker(script, waits).myself()
    assert caught.value.after == pytest.approx(after, abs=60 if after == 300 else 0)
    assert "Jira asks to wait" in str(caught.value)
    assert (len(script.asked), waits) == (1, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "0"},
        {"Retry-After": "0.5"},
        {"Retry-After": "Mon, 23 Nov 2026 09:00:00 GMT", "Date": "Mon, 23 Nov 2026 10:00:00 GMT"},
        {"RateLimit-Reason": "jira-burst-based"},
    ],
)
def test_short_waits_are_waited(
    script: Scripted, waits: list[float], headers: dict[str, str]
) -> None:
    script.answer("GET", "/rest/api/3/myself", {}, status=429, headers=headers)
    with pytest.raises(RateLimited):
        scripted_tracker(script, waits).myself()
    assert 2 <= len(script.asked) <= 4
    assert sum(waits) <= 3


@pytest.mark.parametrize("text", ["soon", "nan", "-5", "inf", "Wed, 99 Foo", ""])
def test_nonsense_to_wait_for_is_bearable(script: Scripted, waits: list[float], text: str) -> None:
    script.answer("GET", "/rest/api/3/myself", {}, status=429, headers={"Retry-After": text})
    with pytest.raises(RateLimited) as caught:
        scripted_tracker(script, waits).myself()
    assert 0 <= caught.value.after <= 2


def test_a_used_up_quota_stops_all_calls(script: Scripted) -> None:
    headers = {"Retry-After": "600", "RateLimit-Reason": "jira-quota-global-based"}
    script.answer("GET", "/rest/api/3/myself", {}, status=429, headers=headers)
    tracker = scripted_tracker(script)
    for call in (tracker.myself, lambda: tracker.ticket("BILL-1")):
        with pytest.raises(RateLimited) as caught:
            call()
        assert 590 < caught.value.after <= 600
    assert len(script.asked) == 1


def test_patience_ends_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(no_pause, time.monotonic)
    monkeypatch.setattr(jira_pace, "LATE", -1.0)
    assert not patience.wait(Transient("late"))
