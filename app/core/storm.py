"""A storm: more labels by one person than anybody can have thought about. Its first tickets are
told of as usual, the others are only listed, so that nobody's mailbox is filled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)
MOST = 20
"""Labels by one person in one project in any WINDOW that are told of."""


def is_one_too_many(at: datetime, known: Iterable[datetime]) -> bool:
    """Whether some WINDOW around `at` holds MOST of the labels `known` before this one.

    In whatever order labels become known, no WINDOW then has more than MOST that are told of: each
    of those had fewer before it.
    """
    near = sorted(moment for moment in known if abs(moment - at) <= WINDOW)
    return any(last - first <= WINDOW for first, last in _spans(near, at))


def _spans(near: Sequence[datetime], at: datetime) -> Iterable[tuple[datetime, datetime]]:
    """First and last moment of each MOST neighbours together with `at`."""
    for start in range(len(near) - MOST + 1):
        yield min(near[start], at), max(near[start + MOST - 1], at)
