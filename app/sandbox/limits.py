"""How often one issue may be written, when the sandbox is told to hold Jira's limit.

https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil

WINDOWS = ((2.0, 20), (30.0, 100))
"""Seconds, and the writes to one issue that fit into them."""
REASON = "jira-per-issue-on-write"
_WRITE = re.compile(r"^/rest/api/[^/]+/issue/([^/]+)(/|$)")


@dataclass(slots=True)
class WriteLimits:
    """Off until `on` is set. An issue that is named by id and by key counts as two."""

    on: bool = False
    _times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def wait(self, method: str, path: str, now: float) -> int:
        """Seconds to wait before this write is taken; 0 = it is taken, and counted."""
        found = _WRITE.match(path)
        if not self.on or method not in ("POST", "PUT", "DELETE") or found is None:
            return 0
        times = self._times[found.group(1).upper()]
        times[:] = [time for time in times if now - time < WINDOWS[-1][0]]
        for seconds, most in WINDOWS:
            recent = [time for time in times if now - time < seconds]
            if len(recent) >= most:
                return max(1, ceil(recent[0] + seconds - now))
        times.append(now)
        return 0
