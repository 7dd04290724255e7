"""The ledger once more, in memory and by other means: what the real one is compared with.

It keeps nothing but holds and limits, and works every balance out anew from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ZONE = "Asia/Tokyo"
AHEAD = timedelta(hours=9)  # Tokyo, all year
PERIODS = {
    "site": ("day", "week", "month", "once"),
    "project": ("day", "week", "month", "once"),
    "ticket": ("once",),
}
PROJECT_OF = {"1": "P", "2": "P", "3": "Q", "4": "Q"}

Key = tuple[str, str, str, str, datetime]  # site, kind, subject, period, start


def start_of(period: str, now: datetime) -> datetime:
    """Tokyo's clock needs no table of zones."""
    local = (now + AHEAD).replace(hour=0, minute=0, second=0, microsecond=0)
    days = {"day": 0, "week": local.weekday(), "month": local.day - 1}
    if period == "once":
        return datetime(1970, 1, 1, tzinfo=UTC)
    return local - timedelta(days=days[period]) - AHEAD


@dataclass
class ModelHold:
    amount: int
    keys: list[Key]
    state: str = "held"
    actual: int = 0


@dataclass
class Model:
    limits: dict[tuple[str, str, str, str], int | None] = field(default_factory=dict)
    holds: dict[tuple[str, str], ModelHold] = field(default_factory=dict)
    unseen: set[tuple[str, str]] = field(default_factory=set)  # projects with a new overrun

    def reserve(self, site: str, hold_id: str, ticket: str, amount: int, now: datetime) -> str:
        """ "made", "again", "conflict", "no_limit", "overrun", or the level that has no room."""
        if before := self.holds.get((site, hold_id)):
            same = before.state == "held" and before.amount == amount
            return "again" if same else "conflict"
        keys = self.chain(site, ticket, now)
        if all(self.limit(key) is None for key in keys if key[1] != "ticket"):
            return "no_limit"
        if (site, PROJECT_OF[ticket]) in self.unseen:
            return "overrun"
        for key in keys:
            limit = self.limit(key)
            if limit is not None and sum(self.balance(key)) + amount > limit:
                return f"budget of {key[1]} {key[2]}, {key[3]}"
        self.holds[site, hold_id] = ModelHold(amount, keys)
        return "made"

    def end(self, site: str, hold_id: str, state: str, actual: int) -> bool:
        """False where it had ended before."""
        hold = self.holds[site, hold_id]
        if hold.state != "held":
            return False
        hold.state, hold.actual = state, actual if state == "posted" else 0
        if hold.actual > hold.amount:
            self.unseen |= {(site, key[2]) for key in hold.keys if key[1] == "project"}
        return True

    def set_limit(self, site: str, kind: str, subject: str, period: str, limit: int | None) -> None:
        self.limits[site, kind, subject, period] = limit
        if kind != "ticket":
            everywhere = kind == "site" or subject == "*"
            self.unseen -= {
                each
                for each in self.unseen
                if each[0] == site and (everywhere or each[1] == subject)
            }

    def chain(self, site: str, ticket: str, now: datetime) -> list[Key]:
        subjects = {"site": site, "project": PROJECT_OF[ticket], "ticket": ticket}
        return [
            (site, kind, subject, period, start_of(period, now))
            for kind, subject in subjects.items()
            for period in PERIODS[kind]
        ]

    def limit(self, key: Key) -> int | None:
        site, kind, subject, period, _ = key
        own = self.limits.get((site, kind, subject, period), "default")
        return self.limits.get((site, kind, "*", period)) if isinstance(own, str) else own

    def balance(self, key: Key) -> tuple[int, int]:
        """(posted, held) by adding up every hold that ever counted there."""
        mine = [hold for hold in self.holds.values() if key in hold.keys]
        held = sum(hold.amount for hold in mine if hold.state == "held")
        return sum(hold.actual for hold in mine), held

    def balances(self) -> dict[Key, tuple[int, int]]:
        keys = {key for hold in self.holds.values() for key in hold.keys}
        return {key: self.balance(key) for key in keys}
