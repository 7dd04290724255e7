"""Faults on demand: what a client must survive, made to happen at a chosen request.

Each fault matches by method and path, lets `skip` matches pass, then strikes `times` times.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, TypedDict, Unpack

KINDS = ("status", "drop", "timeout_after_write", "truncated", "slow")
REASONS = {
    "jira-quota-global-based": "1800",
    "jira-quota-tenant-based": "1800",
    "jira-burst-based": "1",
    "jira-per-issue-on-write": "2",
}
"""All that a 429 can mean, with the seconds after which it may be tried again."""


class FaultOptions(TypedDict, total=False):
    kind: str
    method: str
    path_pattern: str
    times: int
    skip: int
    status: int
    seconds: float
    retry_after: str
    reason: str


@dataclass(slots=True)
class Fault:
    """One planned fault.

    kind `status` (or just "429", "500", "503"): nothing happens, the error is answered.
    `drop`: nothing happens, the connection ends without an answer.
    `timeout_after_write`: the request takes effect, then silence for `seconds`, then the
    connection ends. `truncated`: it takes effect, half of the JSON arrives. `slow`: it takes
    effect, the answer comes after `seconds`.
    """

    kind: str
    method: str = "*"
    path_pattern: str = ""
    times: int = 1
    skip: int = 0
    status: int = 500
    seconds: float = 0.0
    retry_after: str = ""
    reason: str = ""
    struck: int = 0

    def __post_init__(self) -> None:
        if re.fullmatch(r"[45]\d\d", self.kind):
            self.kind, self.status = "status", int(self.kind)
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault {self.kind!r}; known: {', '.join(KINDS)}, 429")
        if self.kind == "status" and self.status == 429:
            self.reason = self.reason or "jira-burst-based"
            self.retry_after = self.retry_after or REASONS.get(self.reason, "1")
        self.method = self.method.upper()
        try:
            re.compile(self.path_pattern)
        except re.error as error:
            raise ValueError(f"the path pattern of a fault is no expression: {error}") from None

    def matches(self, method: str, path: str) -> bool:
        return (
            self.struck < self.times
            and self.method in ("*", method)
            and re.search(self.path_pattern, path) is not None
        )

    def headers(self) -> dict[str, str]:
        if self.reason:
            return limit_headers(self.reason, self.retry_after)
        return {"Retry-After": self.retry_after} if self.retry_after else {}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def limit_headers(reason: str, retry_after: str) -> dict[str, str]:
    """https://developer.atlassian.com/cloud/jira/platform/rate-limiting/"""
    out = {
        "Retry-After": retry_after,
        "RateLimit-Reason": reason,
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "0",
    }
    return {name: value for name, value in out.items() if value}


class Faults:
    """The faults still planned or already struck, in the order they were added."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: list[Fault] = []

    def add(self, **options: Unpack[FaultOptions]) -> Fault:
        """Plan a fault. Unknown options are an error, so that no test relies on a misspelt one."""
        unknown = set(options) - set(FaultOptions.__annotations__)
        if unknown or "kind" not in options:
            raise ValueError(f"a fault needs a kind; unknown options: {sorted(unknown)}")
        fault = Fault(**options)
        with self._lock:
            self._planned.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if one does."""
        with self._lock:
            for fault in self._planned:
                if not fault.matches(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.struck += 1
                return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def planned(self) -> list[Fault]:
        return list(self._planned)
