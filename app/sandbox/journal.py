"""Every request to the REST API, for tests that ask what was really sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. `status` is None when no answer left; `handled` says whether it took effect.

    path: without context path or /ex/jira/<cloudId>; `platform` tells that it came by the latter.
    scheme: token, pat, connect or forge. refusal: why the credential was not taken.
    """

    number: int
    at: str
    method: str
    path: str
    query: str
    body: Any
    status: int | None
    account: str | None
    fault: str | None
    handled: bool
    milliseconds: float
    scheme: str = ""
    refusal: str = ""
    platform: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Journal:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._number = 0

    def add(self, **facts: Any) -> Entry:
        self._number += 1
        entry = Entry(number=self._number, **facts)
        self._entries.append(entry)
        if len(self._entries) > LIMIT:
            del self._entries[: LIMIT // 2]
        return entry

    def find(self, method: str = "", path_pattern: str = "") -> list[Entry]:
        """Entries by method and by a regular expression searched in the path."""
        return [
            entry
            for entry in self._entries
            if (not method or entry.method == method.upper())
            and (not path_pattern or re.search(path_pattern, entry.path))
        ]

    def writes(self) -> list[Entry]:
        """Entries that changed something, or would have."""
        return [entry for entry in self._entries if entry.method in {"POST", "PUT", "DELETE"}]

    def clear(self) -> None:
        self._entries.clear()

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]
