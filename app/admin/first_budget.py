"""The first budget of a site: proposed whole, taken with one yes, never over one that is set."""

from __future__ import annotations

from dataclasses import dataclass

from app.admin.limits import EVERY, Level, Wish, set_limit
from app.admin.setup import NEW_PROJECT, Desk
from app.core.money import MICRO, show
from app.store import budgets, sites


@dataclass(frozen=True, slots=True)
class Proposal:
    """Amounts in micro-units: of the site in a month, of each ticket over its life. at_once: runs
    of a project, as its slots are."""

    month: int = 50 * MICRO
    ticket: int = 3 * MICRO
    at_once: int = NEW_PROJECT["slots"]

    def told(self, currency: str) -> str:
        """ "$50.00 a month, $3.00 a ticket, 1 run at once"."""
        runs = f"{self.at_once} run{'' if self.at_once == 1 else 's'} at once"
        return (
            f"{show(self.month, currency)} a month, {show(self.ticket, currency)} a ticket, {runs}"
        )


def proposal(desk: Desk, site_id: str) -> Proposal | None:
    """None where an admin has set a limit in the site, whichever. Raises sites.Unknown."""
    sites.get_site(desk.db, site_id)
    if budgets.limits(desk.db, site_id):
        return None
    slots = [row["slots"] for row in sites.list_projects(desk.db, site_id)]
    return Proposal(at_once=max(slots, default=NEW_PROJECT["slots"]))


def accept(desk: Desk, site_id: str, wanted: Proposal, actor: str) -> None:
    """Set it. The site's limit comes last, as nothing may be spent before it is there."""
    reason = "proposed at the first set-up"
    set_limit(desk, site_id, Level("ticket", EVERY), Wish(None, wanted.ticket, actor, reason))
    set_limit(desk, site_id, Level("site", site_id), Wish(None, wanted.month, actor, reason))
