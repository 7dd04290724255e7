"""What the twins in memory have in common: calls are recorded and fail on demand.

`guard` is called first in every call: handed in by a test, it refuses a port that is called while a
transaction of the store is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Guard = Callable[[], None]


def no_guard() -> None:
    """Where nobody looks after transactions."""


@dataclass
class Calls:
    """What was called, in order, and what shall go wrong."""

    guard: Guard = no_guard
    made: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    _before: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    _after: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))

    def fail(self, name: str, *errors: Exception, answered: bool = True) -> None:
        """The next calls of `name` raise these, one each. With answered=False the far side does
        what was asked and only its answer is lost."""
        (self._before if answered else self._after)[name].extend(errors)

    def begin(self, name: str, *args: Any) -> None:
        self.guard()
        self.made.append((name, args))
        if self._before[name]:
            raise self._before[name].pop(0)

    def end(self, name: str) -> None:
        if self._after[name]:
            raise self._after[name].pop(0)

    def count(self, name: str) -> int:
        return sum(1 for called, _ in self.made if called == name)
