"""What the three pages in Jira share: what they work with, who may do what, how they end."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jinja2 import Environment

from app.admin.frame_markup import environment
from app.admin.frame_tokens import Sessions, Viewer
from app.assessment.feedback import Titles
from app.core.commands import COMMANDS
from app.core.rights import holds
from app.ports import Clock, CodingAgent, Tracker
from app.reporting.report import Agent
from app.store import sites, surfaces
from app.store.database import Database
from app.store.sites import Row

WORDS = {
    "score": "Look again",
    "approve": "Approve this text",
    "stop": "Stop the run",
    "retry": "Start another run",
    "pause": "Pause this project",
    "resume": "Resume this project",
}


REMEMBERED = timedelta(minutes=5)


class Hidden(Exception):
    """Not of this site, gone, or not to be seen: answered alike, with nothing told."""


class Closed(Exception):
    """The person may not see it. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the pages work with. agents: by the name that projects choose."""

    db: Database
    clock: Clock
    tracker: Callable[[Row | Mapping[str, Any]], Tracker]
    agents: Mapping[str, CodingAgent]
    sessions: Sessions
    pages: Environment = field(default_factory=environment)

    def agent(self, row: Row) -> Agent:
        """Of a run, also where that agent is not set up here any more."""
        found = self.agents.get(row["agent"])
        if found is None:
            return Agent(row["agent"], row["simulated"], gated=False)
        return Agent(found.title, found.simulated, found.needs_gate)

    def titles(self) -> Titles:
        return {name: (agent.title, agent.simulated) for name, agent in self.agents.items()}


@dataclass(frozen=True, slots=True)
class Look:
    """Which part of a page is wanted."""

    group: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Button:
    """nonce: makes a second press of the same button harmless."""

    command: str
    words: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A button that was pressed. answer: None while it is waited for, "" when it was done."""

    command: str
    words: str
    at: datetime
    answer: str | None


def asked_of(frame: Frame, site: Row, subject: str) -> list[Asked]:
    """What was asked for on a page, with its answer, for some minutes."""
    since = frame.clock.now() - REMEMBERED
    return [_asked(row) for row in surfaces.asked(frame.db, site["id"], subject, since)]


def _asked(row: Row) -> Asked:
    command = row["event"].rpartition(":")[2]
    told = "" if row["outcome"] == "handled" and ":" not in row["reason"] else row["reason"]
    answer = None if row["outcome"] is None else told
    return Asked(command, WORDS.get(command, command), row["received_at"], answer)


def button(command: str) -> Button:
    return Button(command, WORDS[command], secrets.token_urlsafe(12))


def may(frame: Frame, site: Row, tracker: Tracker, viewer: Viewer, project: str) -> Rights:
    """The person's rights in the project, read from Jira and the grants at this moment."""
    if not viewer.account_id:
        return Rights((), "", frozenset())
    grants = tuple(sites.grants(frame.db, site["id"], project))
    return Rights(grants, viewer.account_id, tracker.roles(project, viewer.account_id))


@dataclass(frozen=True, slots=True)
class Rights:
    """Of nobody where account_id is empty: then every button is missing."""

    grants: tuple[Mapping[str, Any], ...]
    account_id: str
    roles: frozenset[str]

    def to(self, command: str) -> bool:
        if not self.account_id:
            return False
        return holds(COMMANDS[command].right, self.grants, self.account_id, self.roles)

    def buttons(self, asked: Iterable[Asked], *commands: str) -> list[Button]:
        """Without those that were pressed and are waited for."""
        waits = {each.command for each in asked if each.answer is None}
        return [button(name) for name in commands if name not in waits and self.to(name)]


def sees_costs(viewer: Viewer, project: Row, rights: Rights) -> bool:
    """Where comments name no money, only people with a right here, and who runs Signalbox."""
    return bool(project["costs_in_comments"]) or viewer.operator or rights.to("stop")


def is_admin(frame: Frame, viewer: Viewer) -> bool:
    """Of the whole site, by a grant: Jira tells us global rights of our own account alone."""
    grants = sites.grants(frame.db, viewer.site_id)
    whole = [grant for grant in grants if grant["project_key"] == "*"]
    known = bool(viewer.account_id)
    return viewer.operator or (known and holds("admin", whole, viewer.account_id, frozenset()))


NO_RIGHTS = Rights((), "", frozenset())
"""While Jira does not tell."""


def site_of(frame: Frame, site_id: str) -> Row:
    """Raises Hidden where it has left, or never was."""
    try:
        site = sites.get_site(frame.db, site_id)
    except sites.Unknown:
        raise Hidden from None
    if site["uninstalled_at"] is not None:
        raise Hidden
    return site


def render(frame: Frame, template: str, site: Row, **values: Any) -> str:
    return frame.pages.get_template(template).render(site=site, now=frame.clock.now(), **values)
