"""Alerts to admins: one comment each on a project's operations ticket, which Jira then mails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core import expiry
from app.core.comments.notices import storm_notice
from app.core.comments.phrases import count, footer, steps
from app.core.text import paragraph
from app.ports import Tracker
from app.store import sites
from app.store.database import Database
from app.store.storms import Notice

SHOWN = 5
"""Differences of the ledger that are named; all of them are in its row."""


def warn_of_expiry(db: Database, tracker: Tracker, site: sites.Row, now: datetime) -> int:
    """Say on each operations ticket of the site that its token is about to end: 30, 7 and 1 days
    before, each once, however often it is called. On how many tickets."""
    ends = site["token_expires_at"]
    within = expiry.warning(ends, now)
    if not within:  # time enough, not known, or too late to say it there
        return 0
    places = {row["operations_ticket"] for row in sites.list_projects(db, site["id"])} - {None}
    blocks = (
        paragraph(expiry.sentence(ends, now)),
        paragraph(f"An admin gives Signalbox a new one: signalbox site add {site['id']} …"),
        footer(),
    )
    for place in sorted(places):
        tracker.put_comment(place, f"token:{ends.date().isoformat()}:{within}", blocks)
    return len(places)


def warn_of_difference(
    db: Database, tracker: Tracker, site: sites.Row, differences: Sequence[str], now: datetime
) -> None:
    """Say on each operations ticket, once a day, that the ledger does not add up."""
    places = {row["operations_ticket"] for row in sites.list_projects(db, site["id"])} - {None}
    found = count(len(differences), "difference was", "differences were")
    blocks = (
        paragraph(
            f"The daily check of the ledger does not add up: {found} found. None is repaired."
        ),
        steps(differences[:SHOWN]),
        paragraph("Pause Signalbox (signalbox pause) and look at the rows named before more runs."),
        footer(),
    )
    for place in sorted(places):
        tracker.put_comment(place, f"ledger:{now.date().isoformat()}", blocks)


def tell_storm(db: Database, tracker: Tracker, site: sites.Row, notice: Notice) -> None:
    """One comment a storm, on the operations ticket; where there is none, the project page alone
    lists its tickets."""
    project = sites.get_project(db, site["id"], notice.project_key)
    if project is None or not project["operations_ticket"]:
        return
    told = storm_notice(notice.by, site["label"], notice.at, ZoneInfo(site["zone"]))
    key = f"storm:{notice.by}:{notice.at.isoformat()}"
    tracker.put_comment(project["operations_ticket"], key, told)
