"""Budget periods: half-open [start, end) in the zone of the site, by its calendar and its clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Period = Literal["day", "week", "month", "once"]
PERIODS: tuple[Period, ...] = ("day", "week", "month", "once")
FOREVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of the one period that never ends."""


def period_start(period: Period, now: datetime, zone: str) -> datetime:
    """The first instant, in UTC, of the period that contains `now`."""
    if period == "once":
        return FOREVER
    return _midnight(_first_day(period, now, zone), zone)


def period_end(period: Period, now: datetime, zone: str) -> datetime | None:
    """The first instant after the period that contains `now`: the next reset. None for `once`."""
    if period == "once":
        return None
    first = _first_day(period, now, zone)
    if period == "month":
        return _midnight((first + timedelta(days=31)).replace(day=1), zone)
    return _midnight(first + timedelta(days=7 if period == "week" else 1), zone)


def _first_day(period: Period, now: datetime, zone: str) -> date:
    """The calendar date, in the zone, on which the period of `now` began."""
    if now.tzinfo is None:
        raise ValueError("a time without a zone says nothing about a period")
    local = now.astimezone(ZoneInfo(zone))
    today = local.date()
    if period == "week":
        first = today - timedelta(days=today.weekday())
    elif period == "month":
        first = today.replace(day=1)
    else:
        first = today
    return first


def _midnight(day: date, zone: str) -> datetime:
    """The first instant of a date. Where the clock jumps over midnight, that is the jump."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
