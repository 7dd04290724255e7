"""Jira's limits kept on our side, and its rest, on a clock that only moves when it is told to."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters import jira_pace
from app.adapters.jira_auth import Waiting
from app.adapters.jira_pace import (
    FAILURES,
    FIRST_REST,
    LONGEST_REST,
    PATIENCE,
    Breaker,
    Pace,
    Patience,
    Quota,
    Writes,
)
from app.ports import RateLimited, Refused, Transient


@dataclass
class Time:
    at: float = 1000.0

    def __call__(self) -> float:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += seconds


STEPS = st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 40))


@given(st.lists(STEPS, max_size=400))
def test_no_window_ever_holds_more_writes_than_jira_takes(steps: list[float]) -> None:
    now = Time()
    writes = Writes(now)
    made: list[float] = []
    for step in steps:
        now.pass_by(step)
        try:
            made.append(now.at + writes.book("1", PATIENCE))
        except RateLimited:
            with pytest.raises(RateLimited) as again:  # and nothing was counted
                writes.book("1", PATIENCE)
            assert again.value.after > PATIENCE
    assert made == sorted(made)
    for many, span in ((20, 2.0), (100, 30.0)):
        pairs = zip(made, made[many:], strict=False)
        assert all(later - earlier >= span for earlier, later in pairs)


def test_who_waits_as_told_loses_no_time() -> None:
    now = Time()
    writes = Writes(now)
    made = []
    for _ in range(301):
        now.pass_by(writes.book("1", math.inf))
        made.append(now.at - 1000.0)
    assert made[19:21] == pytest.approx([0.0, 2.2])
    assert made[99:101] == pytest.approx([8.8, 30.2])
    assert made[-1] == pytest.approx(90.6)


def test_each_ticket_has_its_own_limit() -> None:
    writes = Writes(Time())
    for _ in range(20):
        writes.book("1", 0)
    with pytest.raises(RateLimited, match="no more writes to 1 for 2 seconds"):
        writes.book("1", 0)
    assert writes.book("2", 0) == 0


def test_a_ticket_that_jira_holds_waits_alone() -> None:
    now = Time()
    writes = Writes(now)
    writes.hold("1", 30)
    writes.hold("1", 5)
    with pytest.raises(RateLimited) as caught:
        writes.book("1", PATIENCE)
    assert caught.value.after == pytest.approx(30)
    assert writes.book("2", PATIENCE) == 0
    now.pass_by(28)
    assert writes.book("1", PATIENCE) == pytest.approx(2)


def test_old_tickets_are_forgotten() -> None:
    now = Time()
    writes = Writes(now)
    for number in range(5 * jira_pace.KEPT):
        writes.book(str(number), 0)
        writes.hold(str(number), 1)
        now.pass_by(1)
    assert len(writes._at) + len(writes._not_before) <= jira_pace.KEPT + 2


def test_threads_share_one_limit() -> None:
    writes = Writes(Time())

    def write(_: int) -> bool:
        try:
            return writes.book("1", 0) == 0
        except RateLimited:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(400))) == 20


def fail(breaker: Breaker, fault: Exception | None = None) -> None:
    kind = type(fault) if fault else Transient
    with pytest.raises(kind), breaker.call():
        raise fault or Transient("down")


def closed(breaker: Breaker) -> bool:
    """Whether a call would be refused; a call that is let through succeeds."""
    try:
        with breaker.call():
            return False
    except Waiting:
        return True


OUTCOMES = st.sampled_from(["ok", "down", "refused", "limited"])


@given(st.lists(st.tuples(st.floats(0, 400), OUTCOMES), max_size=120))
def test_the_breaker_rests_after_failures_alone_and_never_for_too_long(
    story: list[tuple[float, str]],
) -> None:
    now = Time()
    breaker = Breaker(now)
    row, refused_since, longest = 0, math.inf, 0.0
    faults: dict[str, Exception] = {
        "down": Transient("x"),
        "refused": Refused("x"),
        "limited": RateLimited("x", 1),
    }
    for seconds, outcome in story:
        now.pass_by(seconds)
        try:
            with breaker.call():
                refused_since = math.inf
                if outcome in faults:
                    raise faults[outcome]
        except Waiting:
            assert row >= FAILURES, "only a row of failures brings a rest"
            refused_since = min(refused_since, now.at)
            longest = max(longest, now.at - refused_since)
            continue
        except (Transient, Refused):
            pass
        row = row + 1 if outcome == "down" else 0
    assert longest <= LONGEST_REST


def test_the_rest_grows_up_to_a_limit_and_one_success_ends_it() -> None:
    now = Time()
    breaker = Breaker(now)
    for _ in range(FAILURES):
        fail(breaker)
    rests = []
    for _ in range(12):
        began = now.at
        while closed_without_trying(breaker):
            now.pass_by(1)
        rests.append(now.at - began)
        fail(breaker)
    assert rests[:4] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST, 8 * FIRST_REST]
    assert rests[-4:] == [LONGEST_REST] * 4
    now.pass_by(LONGEST_REST)
    assert not closed(breaker)  # and it succeeds
    fail(breaker)
    assert not closed(breaker)


def closed_without_trying(breaker: Breaker) -> bool:
    return breaker._closed_until > breaker._now()


def test_one_call_tries_while_the_others_wait() -> None:
    now = Time()
    breaker = Breaker(now)
    for _ in range(FAILURES):
        fail(breaker)
    assert closed(breaker)
    now.pass_by(FIRST_REST)
    with breaker.call():
        assert closed(breaker)
        with pytest.raises(Waiting, match="tries just now"), breaker.call():
            pass
    assert not closed(breaker)


@pytest.mark.parametrize("end", [KeyboardInterrupt, Refused("no"), RateLimited("slow", 1)])
def test_a_trial_ends_however_it_ends(end: BaseException | type[BaseException]) -> None:
    now = Time()
    breaker = Breaker(now)
    for _ in range(FAILURES):
        fail(breaker)
    now.pass_by(FIRST_REST)
    kind = end if isinstance(end, type) else type(end)
    with pytest.raises(kind), breaker.call():
        raise end
    assert not closed(breaker)


def test_a_quota_of_the_app_is_one_for_its_sites_and_another_is_not() -> None:
    now = Time()
    app = Quota(now)
    first, second, other = Pace(app, now), Pace(app, now), Pace(None, now)
    first.app.close(60)
    first.app.close(5)
    for pace in (first, second):
        with pytest.raises(RateLimited) as caught:
            pace.check()
        assert caught.value.after == pytest.approx(60)
    other.check()
    now.pass_by(60)
    first.check()


@given(st.lists(st.floats(0, 5), max_size=10))
def test_all_waits_of_a_call_fit_into_its_patience(asked: list[float]) -> None:
    now, waits = Time(), list[float]()

    def pause(seconds: float) -> None:
        now.pass_by(seconds)
        waits.append(seconds)

    patience = Patience(pause, now)
    for seconds in asked:
        before = len(waits)
        if patience.wait(RateLimited("slow", seconds)):
            assert waits[before] >= seconds, "never earlier than Jira asked for"
    assert sum(waits) <= PATIENCE
    assert len(waits) < jira_pace.TRIES


def test_what_was_not_sent_is_not_tried_again_at_once() -> None:
    assert not Patience(lambda _: None, Time()).wait(Waiting("resting"))
