"""The ledger once more, in memory and by other means: what the real one is compared with.

It keeps nothing but holds, limits and overrides, and works every balance out anew from them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ZONE = "Asia/Tokyo"
AHEAD = timedelta(hours=9)  # Tokyo, all year
ALL = ("day", "week", "month", "once")
PERIODS = {"site": ALL, "project": ALL, "person": ALL, "ticket": ("once",), "agent": ALL}
PROJECT_OF = {"1": "P", "2": "P", "3": "Q", "4": "Q"}
PERSON_OF = {"1": "ann", "2": "bob", "3": "ann", "4": None}
AGENT_OF = {"1": "claude", "2": "codex", "3": "claude", "4": "claude"}

Key = tuple[str, str, str, str, datetime]  # site, kind, subject, period, start
Slot = tuple[str, str, str, str]  # site, kind, subject, period


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
    ticket: str
    expires: datetime
    state: str = "held"
    actual: int = 0
    refunded: int = 0
    overrun: int = 0
    seen: bool = False

    @property
    def spent(self) -> int:
        return self.actual - self.refunded


@dataclass
class Model:
    limits: dict[Slot, int | None] = field(default_factory=dict)
    overrides: list[tuple[Slot, int | None, datetime]] = field(default_factory=list)
    holds: dict[tuple[str, str], ModelHold] = field(default_factory=dict)
    done: dict[tuple[str, str], tuple[str, str, int]] = field(default_factory=dict)
    granted: dict[Key, int | None] = field(default_factory=dict)  # limits at the last grant
    alerts: set[tuple[Key, int, str]] = field(default_factory=set)

    def reserve(self, site: str, hold_id: str, ticket: str, amount: int, now: datetime) -> str:
        """ "made", "again", "conflict", "no_limit", "overrun", or the level that has no room."""
        if before := self.holds.get((site, hold_id)):
            same = before.state == "held" and before.amount == amount
            return "again" if same else "conflict"
        keys = self.chain(site, ticket, now)
        above = [key for key in keys if key[1] not in ("ticket", "agent")]
        if all(self.set_there(key) is None for key in above):
            return "no_limit"
        if any(
            hold.overrun and not hold.seen and PROJECT_OF[hold.ticket] == PROJECT_OF[ticket]
            for (where, _), hold in self.holds.items()
            if where == site
        ):
            return "overrun"
        balances = self.balances()
        for key in keys:
            limit = self.limit(key, now)
            if limit is not None and sum(balances.get(key, (0, 0))) + amount > limit:
                return f"budget of {key[1]} {key[2]}, {key[3]}"
        self.holds[site, hold_id] = ModelHold(amount, keys, ticket, now + timedelta(days=1))
        self.granted |= {key: self.limit(key, now) for key in keys}
        self.crossed(keys, now, spent=False)
        return "made"

    def end(self, site: str, hold_id: str, state: str, actual: int, now: datetime) -> bool:
        """False where it had ended before."""
        hold = self.holds[site, hold_id]
        if hold.state != "held":
            return False
        hold.state, hold.actual = state, 0 if state == "void" else actual
        hold.overrun = max(0, hold.actual - hold.amount)
        if hold.actual:
            self.crossed(hold.keys, now, used=bool(hold.overrun))
        return True

    def refund(self, site: str, key: str, hold_id: str, amount: int) -> str:
        if (site, key) in self.done:
            return "again" if self.done[site, key] == ("refund", hold_id, amount) else "conflict"
        hold = self.holds[site, hold_id]
        if amount > hold.spent:
            return "too much"
        self.done[site, key] = ("refund", hold_id, amount)
        hold.refunded += amount
        return "made"

    def late(self, site: str, key: str, hold_id: str, actual: int, now: datetime) -> str:
        hold = self.holds[site, hold_id]
        if hold.state == "held":
            return "conflict"
        if (site, key) in self.done:
            return "again" if self.done[site, key] == ("late", hold_id, actual) else "conflict"
        self.done[site, key] = ("late", hold_id, actual)
        more = actual - hold.spent
        hold.refunded += max(0, -more)
        if more > 0:
            hold.actual, hold.overrun, hold.seen = hold.actual + more, hold.overrun + more, False
            self.crossed(hold.keys, now)
        return "made"

    def set_limit(self, slot: Slot, limit: int | None) -> None:
        self.limits[slot] = limit
        self.see(slot)

    def override(self, slot: Slot, amount: int | None, ends: datetime) -> None:
        self.overrides.append((slot, amount, ends))
        self.see(slot)

    def see(self, slot: Slot) -> None:
        """An admin has set money there."""
        site, kind, subject, _ = slot
        for (where, _), hold in self.holds.items():
            mine = kind == "site" or subject in ("*", PROJECT_OF[hold.ticket])
            if where == site and kind in ("site", "project") and mine:
                hold.seen = hold.overrun > 0

    def crossed(
        self, keys: list[Key], now: datetime, *, used: bool = True, spent: bool = True
    ) -> None:
        balances = self.balances()
        for key in keys:
            limit, (posted, held) = self.limit(key, now), balances[key]
            for basis, value in (("used", used * (posted + held)), ("spent", spent * posted)):
                if limit is not None and value:
                    self.alerts |= {
                        (key, level, basis)
                        for level in (50, 80, 100)
                        if value >= limit * level / 100
                    }

    def chain(self, site: str, ticket: str, now: datetime) -> list[Key]:
        subjects = {
            "site": site,
            "project": PROJECT_OF[ticket],
            "person": PERSON_OF[ticket],
            "ticket": ticket,
            "agent": AGENT_OF[ticket],
        }
        return [
            (site, kind, subject, period, start_of(period, now))
            for kind, subject in subjects.items()
            if subject is not None
            for period in PERIODS[kind]
        ]

    def set_there(self, key: Key) -> int | None:
        site, kind, subject, period, _ = key
        own = self.limits.get((site, kind, subject, period), "default")
        return self.limits.get((site, kind, "*", period)) if isinstance(own, str) else own

    def limit(self, key: Key, now: datetime) -> int | None:
        limit = self.set_there(key)
        for slot, amount, ends in self.overrides:
            if slot == key[:4] and now < ends and limit is not None:
                limit = None if amount is None else limit + amount
        return limit

    def balances(self) -> dict[Key, tuple[int, int]]:
        """(posted, held) by adding up every hold that ever counted there."""
        sums: dict[Key, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for hold in self.holds.values():
            held = hold.amount if hold.state == "held" else 0
            for key in hold.keys:
                posted, other = sums[key]
                sums[key] = (posted + hold.spent, other + held)
        return dict(sums)

    def overran(self) -> dict[Key, int]:
        sums: dict[Key, int] = defaultdict(int)
        for hold in self.holds.values():
            for key in hold.keys:
                sums[key] += hold.overrun
        return sums
