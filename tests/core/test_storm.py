"""A storm of labels: who is told of, whatever the order in which they become known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.core.storm import MOST, WINDOW, is_one_too_many

START = datetime(2026, 3, 1, tzinfo=UTC)
moments = st.lists(st.integers(0, 4000), max_size=90)
"""Seconds at which one person sets labels."""


def told(seconds: list[int]) -> list[datetime]:
    """Those that are told of when they become known in this order."""
    known: list[datetime] = []
    out = []
    for second in seconds:
        at = START + timedelta(seconds=second)
        if not is_one_too_many(at, known):
            out.append(at)
        known.append(at)
    return out


def most_in_a_window(labels: list[datetime]) -> int:
    return max((sum(first <= at <= first + WINDOW for at in labels) for first in labels), default=0)


@given(moments)
def test_in_any_order_no_window_has_more_than_twenty_that_are_told_of(seconds: list[int]) -> None:
    assert most_in_a_window(told(seconds)) <= MOST


@given(moments, st.randoms(use_true_random=False))
def test_a_burst_tells_of_as_many_in_any_order(seconds: list[int], dice: object) -> None:
    burst = [second % (WINDOW.seconds + 1) for second in seconds]
    again = sorted(burst, key=lambda _: dice.random())  # type: ignore[attr-defined]
    assert len(told(burst)) == len(told(again)) == min(MOST, len(burst))


@given(moments, st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_order_the_others_are_counted(
    seconds: list[int], dice: object
) -> None:
    known = [START + timedelta(seconds=second) for second in seconds]
    again = sorted(known, key=lambda _: dice.random())  # type: ignore[attr-defined]
    at = START + timedelta(seconds=2000)
    assert is_one_too_many(at, known) == is_one_too_many(at, again)


@given(moments)
def test_without_a_storm_everybody_is_told(seconds: list[int]) -> None:
    labels = [START + timedelta(seconds=second) for second in seconds]
    if most_in_a_window(labels) <= MOST:
        assert told(seconds) == labels


def test_the_first_twenty_then_silence_then_calm() -> None:
    burst = list(range(50))
    assert told(burst) == [START + timedelta(seconds=second) for second in range(MOST)]
    later = 49 + WINDOW.seconds + 1
    assert told([*burst, later])[-1] == START + timedelta(seconds=later)
    assert len(told([*burst, 49 + WINDOW.seconds])) == MOST + 1
    assert len(told([*burst, 30 + WINDOW.seconds])) == MOST
