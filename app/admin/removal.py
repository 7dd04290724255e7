"""Taking a site away: what that means is told first; what is ours in Jira goes before the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from app.admin.setup import Desk, Invalid
from app.assessment.feedback import PROPERTY as READINESS
from app.core.comments.notices import removed_notice
from app.core.connection import KINDS
from app.ports import NotFound, Refused, Tracker
from app.reporting.apply import PROPERTY as TEXT
from app.reporting.report import PROPERTY as RUN
from app.store import removal, sites
from app.store.sites import Row

Fate = Literal["keep", "fold", "delete"]
FATES: tuple[Fate, ...] = get_args(Fate)
EVER = datetime(1970, 1, 1, tzinfo=UTC)
PROPERTIES = (READINESS, RUN, TEXT)
BY_HAND = {
    "token": (
        "In Jira: Settings > System > WebHooks: delete the webhook to /webhooks/jira/{id}.",
        "Revoke the API token of {email}: id.atlassian.com > Security > API tokens.",
    ),
    "automation": (
        "In Jira: Settings > System > Global automation: delete the rule of Signalbox ({id}).",
        "Revoke the API token of {email}: id.atlassian.com > Security > API tokens.",
    ),
    "server": (
        "In Jira: Administration > System > WebHooks: delete the webhook to /webhooks/jira/{id}.",
        "Revoke the personal access token: Profile > Personal access tokens.",
    ),
    "poll": ("Revoke the token of {email}: id.atlassian.com > Security > API tokens.",),
    "connect": ("In Jira: Apps > Manage apps: uninstall Signalbox.",),
    "forge": ("In Jira: Apps > Manage apps: uninstall Signalbox.",),
}
"""What we cannot do: Jira lets no app take away its own way in. By kind of connection."""


class StillActive(Exception):
    """Runs were asked to stop and have not ended. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """reachable: whether what is ours in Jira can be tidied; not where we were uninstalled.
    places: tickets to tidy. by_hand: steps for a person."""

    site: Row
    remains: removal.Remains
    places: int
    by_hand: tuple[str, ...]

    @property
    def reachable(self) -> bool:
        return self.site["uninstalled_at"] is None


@dataclass(frozen=True, slots=True)
class Removed:
    """tidied: tickets in Jira. left: (ticket, why) where Jira did not let us. rows: of ours."""

    tidied: int
    left: tuple[tuple[str, str], ...]
    rows: int


def plan(desk: Desk, site_id: str) -> Plan:
    """What removing the site means. Nothing is changed. Raises sites.Unknown."""
    site = sites.get_site(desk.db, site_id)
    found = removal.remains(desk.db, site["id"])
    names = {"id": site["id"], "email": site["email"] or "its account"}
    steps = () if site["uninstalled_at"] else BY_HAND[KINDS[site["connection"]].kind]
    by_hand = tuple(step.format(**names) for step in steps)
    return Plan(site, found, len(removal.places(desk.db, site["id"])), by_hand)


def remove(desk: Desk, site_id: str, fate: str, forget: Callable[[str], object]) -> Removed:
    """Take the site away; a repeat goes on where an earlier one stopped. forget: makes the engine
    forget the workflows of a site.

    Raises sites.Unknown, Invalid, StillActive, or what the tracker raises: then no row is lost."""
    if fate not in FATES:
        raise Invalid(f"{fate!r} cannot be done with comments: use {', '.join(FATES)}.")
    site = sites.get_site(desk.db, site_id)
    active = removal.shut(desk.db, site["id"], desk.now)
    if active:
        raise _still_active(active)
    gone = site["uninstalled_at"] is not None
    tidied, left = (0, ()) if gone else _tidy(desk, site, fate)
    rows = 0
    for _ in range(2):  # the second time for what a worker was in the middle of
        forget(site["id"])
        try:
            rows += removal.wipe(desk.db, site["id"])
        except removal.StillRunning:
            raise _still_active(1) from None
    return Removed(tidied, left, rows)


def _still_active(number: int) -> StillActive:
    runs = "One run has" if number == 1 else f"{number} runs have"
    return StillActive(
        f"{runs} not ended yet and will stop now, where the worker is up; nothing else starts."
        " Repeat the command in a minute."
    )


def _tidy(desk: Desk, site: Row, fate: str) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Go through the tickets; one that Jira does not let us into is left as it is, and named."""
    places = removal.places(desk.db, site["id"])
    left: list[tuple[str, str]] = []
    try:
        tracker = desk.jira(site["id"])
        own = tracker.myself().id
    except Refused as fault:
        if fate != "keep":
            raise Refused(
                f"{str(fault).rstrip('.')}. To remove the site and leave Jira as it is:"
                " --comments keep."
            ) from None
        return 0, tuple((place, str(fault)) for place in places)
    for place in places:
        try:
            _tidy_ticket(tracker, place, fate, own, desk.now)
        except NotFound:  # it is gone, and all in it
            pass
        except Refused as fault:
            left.append((place, str(fault)))
            continue
        removal.tidied(desk.db, site["id"], place)
    return len(places) - len(left), tuple(left)


def _tidy_ticket(tracker: Tracker, place: str, fate: str, own: str, now: datetime) -> None:
    for name in PROPERTIES:
        tracker.delete_property(place, name)
    if fate == "keep":
        return
    for comment in tracker.comments_since(place, EVER):
        if comment.key is None or comment.author.id != own:
            continue
        if fate == "delete":
            tracker.delete_comment(place, comment.id)
        else:
            tracker.put_comment(place, comment.key, removed_notice(now))
