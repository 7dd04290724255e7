"""The admin page: is this site connected, does it hear from Jira, which projects are in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.admin.frame_tokens import Viewer
from app.admin.surfaces import Closed, Frame, is_admin, render, site_of
from app.core.connection import KINDS
from app.store import inbox, sites
from app.store.sites import Row

SOON_DAYS = 30


def admin_page(frame: Frame, viewer: Viewer) -> str:
    """The whole page as HTML. Raises Hidden, or Closed for who is no admin of the site."""
    site = site_of(frame, viewer.site_id)
    if not is_admin(frame, viewer):
        raise Closed(
            "This page is for admins of Signalbox in this Jira. Somebody who runs Signalbox "
            "can let you in: signalbox role grant admin --project '*'."
        )
    counts = inbox.counts(frame.db, site["id"])
    return render(
        frame,
        "admin.html",
        site,
        connection=KINDS[site["connection"]],
        expiry=_expiry(site, frame.clock.now()),
        projects=sites.list_projects(frame.db, site["id"]),
        counts=counts,
        stuck=counts.get("parked", 0) + counts.get("malformed", 0),
    )


def _expiry(site: Row, now: datetime) -> dict[str, Any]:
    """How long the credential still works, where Jira or the admin has told us."""
    if KINDS[site["connection"]].handed:
        return {"known": False, "text": "Handed over and renewed by Jira itself."}
    at = site["token_expires_at"]
    if at is None:
        return {"known": False, "text": "Not known. An admin can set it: signalbox connect."}
    days = (at - now).days
    return {"known": True, "at": at, "days": days, "soon": days < SOON_DAYS, "over": at <= now}
