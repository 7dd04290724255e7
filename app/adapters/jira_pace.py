"""How fast and how often one site's Jira is called: its limits kept on our side, its rest granted.

Safe to use from several threads. No call is made under a lock.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from app.adapters.jira_auth import Waiting
from app.ports import RateLimited, Transient

Seconds = Callable[[], float]
Pause = Callable[[float], None]

TRIES = 4
PATIENCE = 3.0
"""Seconds that all waits of one call may take together."""
LATE = 5.0
"""Seconds after which a call is not tried again, however it went."""
WINDOWS = ((20, 2.2), (100, 30.2))
"""Writes that Jira takes to one ticket within 2 and 30 seconds, and a little more, as it counts
them when they arrive.
https://developer.atlassian.com/cloud/jira/platform/rate-limiting/"""
KEPT = 500
"""Tickets whose writes are remembered before the old ones are looked through."""
FAILURES = 8
"""In a row, before a rest."""
FIRST_REST, LONGEST_REST = 5.0, 300.0
LONGEST_SHARED = 3600.0
"""The hourly quota of an app is one for all sites: no site may stop the others for longer."""


class Patience:
    """How often and how long one call may still be tried."""

    def __init__(self, pause: Pause, now: Seconds) -> None:
        self._pause, self._now = pause, now
        self._began = now()
        self._tries = 1
        self._left = PATIENCE

    def wait(self, fault: Transient) -> bool:
        """Wait before another try; False when there is none."""
        if isinstance(fault, Waiting):
            return False
        if isinstance(fault, RateLimited):  # as long as we are asked to, or somewhat longer
            seconds = fault.after * random.uniform(1.0, 1.3)
        else:
            seconds = 0.15 * 2**self._tries * random.uniform(0.7, 1.3)
        spent = self._tries == TRIES or self._now() - self._began > LATE
        if spent or seconds > self._left:
            return False
        self._tries += 1
        self._left -= seconds
        self._pause(seconds)
        return True


class Writes:
    """When each ticket was written to, and when it may be again."""

    def __init__(self, now: Seconds) -> None:
        self._now = now
        self._lock = Lock()
        self._at: dict[str, deque[float]] = {}
        self._not_before: dict[str, float] = {}

    def book(self, issue: str, most: float) -> float:
        """Seconds to wait before this write, which is counted. Raises RateLimited, with nothing
        counted, where that is more than `most`."""
        with self._lock:
            now = self._now()
            self._forget(now)
            booked = self._at.get(issue, ())
            times = [now, self._not_before.get(issue, now), *list(booked)[-1:]]
            times += [booked[-many] + span for many, span in WINDOWS if len(booked) >= many]
            wait = max(times) - now
            if wait > most:
                text = f"Jira takes no more writes to {issue} for {wait:.0f} seconds."
                raise RateLimited(text, wait)
            self._at.setdefault(issue, deque(maxlen=WINDOWS[-1][0])).append(now + wait)
            return wait

    def hold(self, issue: str, seconds: float) -> None:
        """Jira asks to leave this ticket alone for so long."""
        with self._lock:
            until = self._now() + seconds
            self._not_before[issue] = max(until, self._not_before.get(issue, until))

    def _forget(self, now: float) -> None:
        if len(self._at) + len(self._not_before) <= KEPT:
            return
        span = WINDOWS[-1][1]
        self._at = {name: at for name, at in self._at.items() if at[-1] + span > now}
        self._not_before = {name: at for name, at in self._not_before.items() if at > now}


class Quota:
    """Closed to all calls until a time. One for each site; one for all sites of an app."""

    def __init__(self, now: Seconds = time.monotonic) -> None:
        self._now = now
        self._lock = Lock()
        self._until = 0.0

    def close(self, seconds: float) -> None:
        with self._lock:
            self._until = max(self._until, self._now() + seconds)

    def check(self) -> None:
        left = self._until - self._now()
        if left > 0:
            raise RateLimited("Jira's hourly quota is used up.", left)


class Breaker:
    """Gives a Jira that fails again and again a rest, longer each time; then one call tries."""

    def __init__(self, now: Seconds) -> None:
        self._now = now
        self._lock = Lock()
        self._failures = 0
        self._rests = 0
        self._closed_until = 0.0
        self._trying = False

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call. Raises Waiting instead of letting it through."""
        trial = self._enter()
        failed = False
        try:
            yield
        except RateLimited:  # an answer
            raise
        except Transient:
            failed = True
            raise
        finally:
            self._leave(failed=failed, trial=trial)

    def _enter(self) -> bool:
        with self._lock:
            if not self._rests:
                return False
            left = self._closed_until - self._now()
            if left > 0 or self._trying:
                soon = f"again in {left:.0f} seconds" if left > 0 else "just now"
                raise Waiting(f"Jira failed many times in a row: Signalbox tries {soon}.")
            self._trying = True
            return True

    def _leave(self, *, failed: bool, trial: bool) -> None:
        with self._lock:
            if trial:
                self._trying = False
            if not failed:
                self._failures, self._rests = 0, 0
                return
            self._failures += 1
            if trial or (self._failures >= FAILURES and not self._rests):
                rest = min(FIRST_REST * 2**self._rests, LONGEST_REST)
                self._closed_until = self._now() + rest
                self._rests = min(self._rests + 1, 10)


class Pace:
    """All of it for one site. app: the quota that its app has for all sites together."""

    def __init__(self, app: Quota | None = None, now: Seconds = time.monotonic) -> None:
        self.now = now
        self.app = app or Quota(now)
        self.site = Quota(now)
        self.breaker = Breaker(now)
        self.writes = Writes(now)

    def check(self) -> None:
        self.site.check()
        self.app.check()
