"""Alerts to admins: one comment each on a project's operations ticket, which Jira then mails."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from app.core import expiry
from app.core.comments.notices import storm_notice
from app.core.comments.phrases import footer
from app.core.text import paragraph
from app.ports import Tracker
from app.store import sites
from app.store.database import Database
from app.store.storms import Notice


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


def tell_storm(db: Database, tracker: Tracker, site: sites.Row, notice: Notice) -> None:
    """One comment a storm, on the operations ticket; where there is none, the project page alone
    lists its tickets."""
    project = sites.get_project(db, site["id"], notice.project_key)
    if project is None or not project["operations_ticket"]:
        return
    told = storm_notice(notice.by, site["label"], notice.at, ZoneInfo(site["zone"]))
    key = f"storm:{notice.by}:{notice.at.isoformat()}"
    tracker.put_comment(project["operations_ticket"], key, told)
