"""Periods by the calendar and the clock of the site's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.periods import FOREVER, PERIODS, Period, period_end, period_start

ZONES = ("UTC", "Asia/Tokyo", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata")
MOMENTS = st.integers(1_262_304_000, 2_051_222_400).map(lambda s: datetime.fromtimestamp(s, UTC))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_tokyo_has_a_new_month_while_utc_is_in_the_old_one() -> None:
    now = at("2026-01-31 15:00")  # midnight in Tokyo
    assert period_start("month", now, "Asia/Tokyo") == now
    assert period_start("month", now, "UTC") == at("2026-01-01 00:00")
    assert period_start("day", now, "Asia/Tokyo") == now
    assert period_end("month", now, "Asia/Tokyo") == at("2026-03-01 00:00", "Asia/Tokyo")


def test_the_last_instant_belongs_to_the_old_period() -> None:
    last = at("2026-01-31 14:59:59.999999")
    assert period_start("month", last, "Asia/Tokyo") == at("2026-01-01 00:00", "Asia/Tokyo")
    assert period_end("month", last, "Asia/Tokyo") == last + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-01-31", "2026-01-01", "2026-02-01"),
        ("2026-02-28", "2026-02-01", "2026-03-01"),
        ("2028-02-29", "2028-02-01", "2028-03-01"),
        ("2026-12-31", "2026-12-01", "2027-01-01"),
    ],
)
def test_a_month_is_the_calendar_month(now: str, start: str, end: str) -> None:
    noon = at(f"{now} 12:00")
    assert period_start("month", noon, "UTC") == at(start)
    assert period_end("month", noon, "UTC") == at(end)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)]
)
def test_a_day_across_a_change_of_the_clock(day: str, hours: int) -> None:
    noon = at(f"{day} 12:00", "Europe/Berlin")
    end = period_end("day", noon, "Europe/Berlin")
    assert end is not None
    assert end - period_start("day", noon, "Europe/Berlin") == timedelta(hours=hours)


def test_a_day_that_begins_at_one_because_the_clock_skips_midnight() -> None:
    noon = at("2018-11-04 12:00", "America/Sao_Paulo")
    assert period_start("day", noon, "America/Sao_Paulo") == at("2018-11-04 03:00")


def test_a_week_begins_on_monday() -> None:
    sunday = at("2026-11-29 23:59", "Europe/Berlin")
    assert period_start("week", sunday, "Europe/Berlin") == at("2026-11-23", "Europe/Berlin")
    assert period_end("week", sunday, "Europe/Berlin") == at("2026-11-30", "Europe/Berlin")


def test_once_never_ends() -> None:
    assert period_start("once", at("2026-11-29"), "Asia/Tokyo") == FOREVER
    assert period_end("once", at("2026-11-29"), "Asia/Tokyo") is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        period_start("day", datetime(2026, 1, 1), "UTC")  # noqa: DTZ001 - that is the point


@given(MOMENTS, st.sampled_from(PERIODS), st.sampled_from(ZONES))
def test_periods_cover_time_without_gap_or_overlap(
    now: datetime, period: Period, zone: str
) -> None:
    start, end = period_start(period, now, zone), period_end(period, now, zone)
    assert start <= now
    assert period_start(period, start, zone) == start
    if end is not None:
        assert now < end
        assert period_start(period, end, zone) == end
        last = end - timedelta(microseconds=1)
        assert period_start(period, last, zone) == start
