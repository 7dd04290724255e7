"""One page or fragment for a viewer, the same in a frame of ours and in Forge's; and presses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from app.admin.frame_markup import moment
from app.admin.frame_tokens import Viewer
from app.admin.surfaces import WORDS, Closed, Frame, Hidden, Look, may, site_of
from app.admin.surfaces_admin import admin_page
from app.admin.surfaces_panel import panel
from app.admin.surfaces_project import project_page
from app.core.commands import COMMANDS
from app.ports import NotFound, PortError
from app.reporting.answer import OF_PROJECT
from app.store import inbox, sites, surfaces, tickets

TITLES = {"panel": "Ticket", "project": "Project", "admin": "Admin"}
LOOK_ANEW = 120
"""Seconds after which Jira is read again though nothing has happened here."""
OF = {"panel": ("score", "approve", "stop", "retry"), "project": ("pause", "resume"), "admin": ()}
"""The commands that a surface has buttons for."""


class Away(Exception):
    """Jira does not tell now whether the person may do it: nothing was done."""


@dataclass(frozen=True, slots=True)
class Part:
    """html None = nothing has changed since the mark that was sent."""

    html: str | None
    mark: str


def part(frame: Frame, viewer: Viewer, look: Look, had: str = "") -> Part:
    """What the viewer sees now. Raises Hidden or Closed."""
    mark = _mark(frame, viewer, look)
    if had and had == mark:
        return Part(None, mark)
    return Part(html(frame, viewer, look), mark)


def html(frame: Frame, viewer: Viewer, look: Look) -> str:
    match viewer.surface:
        case "panel":
            return panel(frame, viewer)
        case "project":
            return project_page(frame, viewer, look)
        case "admin":
            return admin_page(frame, viewer)


def _mark(frame: Frame, viewer: Viewer, look: Look) -> str:
    """Names a state of what is shown: of our own tables, and of Jira every two minutes."""
    site = site_of(frame, viewer.site_id)
    project, issue_id = viewer.subject, None
    if viewer.surface == "panel":
        row = tickets.get(frame.db, site["id"], viewer.subject)
        project = str(row["project_key"] or "") if row is not None else ""
        issue_id = viewer.subject
    state = surfaces.mark(frame.db, site["id"], project, issue_id)
    span = int(frame.clock.now().timestamp()) // LOOK_ANEW
    counts = str(inbox.counts(frame.db, site["id"])) if viewer.surface == "admin" else ""
    whole = f"{state}:{span}:{look.group}:{look.page}:{counts}"
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def press(frame: Frame, viewer: Viewer, command: str, nonce: str) -> str:
    """Write down that the button was pressed; the words for whoever pressed it.

    Nothing is done here: the worker obeys, with the rights of that moment. Raises Hidden, Closed
    or Away."""
    site = site_of(frame, viewer.site_id)
    if command not in OF[viewer.surface]:
        raise Closed("There is no such button here.")
    project_key = _project(frame, site, viewer)
    try:
        rights = may(frame, site, frame.tracker(site), viewer, project_key)
    except PortError as fault:
        raise Away(str(fault)) from None
    if not rights.to(command):
        raise Closed(f"You may not do that here: it needs the right to {COMMANDS[command].right}.")
    now = frame.clock.now()
    subject = viewer.subject if viewer.surface == "panel" else OF_PROJECT + project_key
    inbox.press(
        frame.db, site["id"], subject, inbox.Press(nonce, viewer.account_id, command, "", now)
    )
    return f"{WORDS[command]}: asked at {moment(now, site['zone'], now)}."


def _project(frame: Frame, site: sites.Row, viewer: Viewer) -> str:
    """Read from Jira for a ticket, as it can be moved while its panel is open."""
    if viewer.surface != "panel":
        return viewer.subject
    try:
        return frame.tracker(site).ticket(viewer.subject).project_key
    except NotFound:
        raise Hidden from None
    except PortError as fault:
        raise Away(str(fault)) from None
