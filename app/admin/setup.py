"""Setting up projects: what stands behind the commands, and behind pages to come.

What is not named in a wish stays as it is, or takes its default where there is nothing yet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from app.core.criteria import CRITERIA, DEFAULT_MUST_HAVES
from app.core.eligibility import MODES, Mode
from app.core.git import branch_fault, is_local, repository_fault
from app.core.money import LARGEST
from app.ports import Refused, Secrets, Tracker
from app.store import inbox, sites
from app.store.database import Database

AGENTS = ("claude", "rehearsal")
LEAST_CAP = 10_000
PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,254}")
TICKET_KEY = re.compile(rf"{PROJECT_KEY.pattern}-[1-9][0-9]{{0,9}}")


class Invalid(ValueError):
    """What was given cannot be meant. The message is one sentence that says what can."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What setting up works with. `tracker`: by a site's row, as stored."""

    db: Database
    secrets: Secrets
    tracker: Callable[[Mapping[str, Any]], Tracker]
    now: datetime

    def jira(self, site_id: str) -> Tracker:
        """The tracker of a site that is there. Raises sites.Unknown."""
        return self.tracker(dict(sites.get_site(self.db, site_id)))


class ProjectWish(TypedDict, total=False):
    """attempt_cap, approve_above in micro-units. repository, acceptance, operations_ticket: ""
    takes them away, and None does approve_above."""

    mode: Mode
    threshold: int
    must_haves: list[str]
    repository: str
    base_branch: str
    acceptance: str
    agent: str
    attempts: int
    attempt_cap: int
    attempt_seconds: int
    slots: int
    open_pull_requests: int
    without_cage: bool
    costs_in_comments: bool
    service_desk: bool
    restricted_tickets: bool
    judge: bool
    operations_ticket: str
    approve_above: int | None


NEW_PROJECT: ProjectWish = {
    "mode": "advise",
    "threshold": 70,
    "must_haves": sorted(DEFAULT_MUST_HAVES),
    "repository": "",
    "base_branch": "main",
    "acceptance": "",
    "agent": "claude",
    "attempts": 2,
    "attempt_cap": 3_000_000,
    "attempt_seconds": 40 * 60,
    "slots": 1,
    "open_pull_requests": 4,
    "without_cage": False,
    "costs_in_comments": True,
    "service_desk": False,
    "restricted_tickets": False,
    "judge": False,
    "operations_ticket": "",
    "approve_above": None,
}
RANGES = {
    "threshold": ("The threshold", 0, 100),
    "attempts": ("The number of attempts", 1, 10),
    "attempt_cap": ("The cap of an attempt, in micro-units,", LEAST_CAP, LARGEST),
    "attempt_seconds": ("The time of an attempt, in seconds,", 10, 24 * 3600),
    "slots": ("The number of slots", 1, 100),
    "open_pull_requests": ("The limit of open pull requests", 1, 1000),
    "approve_above": ("The forecast to approve above, in micro-units,", 0, LARGEST),
}
"""What each number is, and the smallest and largest that it may be."""


def connect_project(desk: Desk, site_id: str, key: str, wish: ProjectWish) -> sites.Row:
    """Add the project or change it, after Jira has said that we may see it; wakes its tickets.

    Raises Invalid, Refused, or what the tracker raises: then nothing is stored."""
    key = project_key(key)
    tracker = desk.jira(site_id)
    old = sites.get_project(desk.db, site_id, key)
    if not tracker.rights(key, ["BROWSE_PROJECTS"])["BROWSE_PROJECTS"]:
        raise Refused(f"Signalbox may not see the project {key}: give its account Browse Projects.")
    values: dict[str, Any] = {"site_id": site_id, "key": key, "connected_at": desk.now}
    for name, default in NEW_PROJECT.items():
        kept = default if old is None else old[name]
        values[name] = _project_value(name, wish.get(name, kept))
    sites.add_project(desk.db, values)
    inbox.wake(desk.db, site_id, key, "project", desk.now)
    row = sites.get_project(desk.db, site_id, key)
    assert row is not None
    return row


def project_key(key: str) -> str:
    """In capitals, as Jira writes it. Raises Invalid."""
    if not PROJECT_KEY.fullmatch(key.upper()):
        raise Invalid(f"{key!r} is no project key: it looks like BILL.")
    return key.upper()


def set_paused(desk: Desk, site_id: str, key: str | None, *, paused: bool) -> int:
    """Let nothing start in the site or project, or let it start again. How many waiting tickets
    are looked at again, so that their comments stay true. Raises sites.Unknown."""
    site = sites.get_site(desk.db, site_id)
    key = None if key is None else project_key(key)
    if not sites.set_paused(desk.db, site["id"], key, desk.now if paused else None):
        raise sites.Unknown(f"There is no project {key} in {site_id}: `signalbox project add`.")
    return inbox.wake(desk.db, site_id, key, "paused" if paused else "resumed", desk.now)


def _project_value(name: str, value: Any) -> Any:
    """The value as stored. Raises Invalid."""
    if name == "attempt_cap" and value < LEAST_CAP:
        raise Invalid("The cap of an attempt has to be $0.01 or more: with less no agent can work.")
    if name in RANGES and value is not None:
        what, least, most = RANGES[name]
        if not least <= value <= most:
            raise Invalid(f"{what} has to be from {least} to {most}, not {value}.")
        return value
    allowed = {"mode": MODES, "agent": AGENTS}.get(name)
    if allowed and value not in allowed:
        raise Invalid(f"{value!r} is no {name}: use {', '.join(allowed)}.")
    match name:
        case "must_haves":
            return _must_haves(value)
        case "repository":
            return _repository((value or "").strip())
        case "base_branch" if fault := branch_fault(value):
            raise Invalid(fault)
        case "acceptance":
            return _acceptance((value or "").strip())
        case "operations_ticket":
            return _operations_ticket((value or "").strip().upper())
    return value


def _must_haves(names: list[str]) -> list[str]:
    """Flaws are left out: a must-have is met by a quote, and what is absent has none."""
    able = [criterion.name for criterion in CRITERIA if not criterion.flaw]
    for name in names:
        if name not in able:
            raise Invalid(f"{name!r} cannot be a must-have: use {', '.join(able)}.")
    return sorted(set(names))


def _repository(repository: str) -> str | None:
    """A folder is named from the root, as the worker may be started elsewhere."""
    if not repository:
        return None
    if fault := repository_fault(repository):
        raise Invalid(fault)
    local = is_local(repository) and "://" not in repository
    return os.path.abspath(repository) if local else repository  # noqa: PTH100 - keeps links


def _operations_ticket(key: str) -> str | None:
    if key and not TICKET_KEY.fullmatch(key):
        raise Invalid(f"{key!r} is no key of a ticket: it looks like OPS-1.")
    return key or None


def _acceptance(command: str) -> str | None:
    if "\n" in command or not command.isprintable():
        raise Invalid("The acceptance command has to be one line that a shell can run.")
    return command or None
