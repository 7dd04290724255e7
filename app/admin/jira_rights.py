"""What Jira lets our account do, each right tried by itself."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from app.admin.line import Line
from app.admin.setup import Desk
from app.ports import PortError, Tracker
from app.store import sites

# Jira's names, ours for people, and what does not work without each.
RIGHTS = (
    ("BROWSE_PROJECTS", "Browse Projects", "no ticket can be read"),
    ("ADD_COMMENTS", "Add Comments", "nothing can be said in a ticket"),
    ("EDIT_OWN_COMMENTS", "Edit Own Comments", "its comments cannot be kept true"),
    ("EDIT_ISSUES", "Edit Issues", "the score cannot be kept as a property of the ticket"),
)
FOR_SPLITS = (("CREATE_ISSUES", "Create Issues"), ("LINK_ISSUES", "Link Issues"))
SILENCE = ("ADMINISTER_PROJECTS", "ADMINISTER")


def held(tracker: Tracker, name: str, key: str) -> Generator[Line, None, bool]:
    """A line a right; whether comments can be edited without mail, which takes more than the right
    to edit them.
    https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/"""
    held = tracker.rights(key, [*(right[0] for right in (*RIGHTS, *FOR_SPLITS)), *SILENCE])
    for right, title, without in RIGHTS:
        if held[right]:
            yield Line("ok", name, f"Jira right {title}.")
        else:
            text = f"Jira right {title} is missing: {without}."
            yield Line("fault", name, text, "Give it to Signalbox's account in Jira.")
    for right, title in FOR_SPLITS:
        if not held[right]:
            text = f'Jira right {title} is missing: "agent split" cannot make sub-tasks.'
            then = "Give it to Signalbox's account in Jira, or live without that command."
            yield Line("warn", name, text, then)
    silent = any(held[right] for right in SILENCE)
    if silent:
        yield Line("ok", name, "Comments are edited without mail.")
    else:
        yield Line(
            "warn",
            name,
            "Edits of comments may send mail: silence is sure with Administer Projects alone.",
            "Give Signalbox's account that right, or live with the mail.",
        )
    return silent


def readable(tracker: Tracker, name: str, site: sites.Row, key: str) -> Iterator[Line]:
    try:
        tracker.account(site["account_id"])
        tracker.roles(key, site["account_id"])
    except PortError as fault:
        text = f"Who set a label cannot be checked, so nothing starts: {fault}"
        yield Line("fault", name, text, "Give that right to Signalbox's account in Jira.")
    else:
        yield Line("ok", name, "Accounts and project roles can be read.")


def examine(desk: Desk, site_id: str, key: str) -> Iterator[Line]:
    """Of one project, what Jira lets our account do there. Raises what the tracker raises."""
    tracker, name = desk.jira(site_id), f"Project {site_id}/{key}"
    yield from held(tracker, name, key)
    yield from readable(tracker, name, sites.get_site(desk.db, site_id), key)
