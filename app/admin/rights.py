"""Who may do what: grants to accounts, which Jira has to know, or to Jira project roles."""

from __future__ import annotations

from typing import Literal

from app.admin.setup import Desk, Invalid, project_key
from app.core.rights import GRANTABLE
from app.ports import Account
from app.store import inbox, sites

EVERY = "*"
Kind = Literal["account", "jira_role"]


def grant(
    desk: Desk, right: str, site_id: str, project: str, kind: Kind, subject: str
) -> Account | None:
    """Give the right in a project ("*" = all of the site). The account, as Jira names it.

    Raises Invalid, sites.Unknown, or what the tracker raises."""
    values = _named(right, site_id, project, kind, subject)
    sites.get_site(desk.db, site_id)
    if project != EVERY and sites.get_project(desk.db, site_id, values["project_key"]) is None:
        raise sites.Unknown(
            f"There is no project {values['project_key']} in {site_id}: `signalbox project add`."
        )
    account = desk.jira(site_id).account(values["subject"]) if kind == "account" else None
    if account is not None and account.kind in ("app", "customer"):
        raise Invalid(f"{account.name} is no person of the site: an app or customer has no rights.")
    sites.add_grant(desk.db, {**values, "granted_at": desk.now})
    _wake(desk, site_id, project)
    return account


def revoke(desk: Desk, right: str, site_id: str, project: str, kind: Kind, subject: str) -> None:
    """Take exactly this grant away. Raises sites.Unknown where there is none."""
    values = _named(right, site_id, project, kind, subject)
    if not sites.remove_grant(desk.db, values):
        raise sites.Unknown("There is no such grant: see `signalbox role list`.")
    _wake(desk, site_id, project)


def _named(right: str, site_id: str, project: str, kind: Kind, subject: str) -> dict[str, str]:
    if right not in GRANTABLE:
        raise Invalid(f"{right!r} is no right: use {', '.join(GRANTABLE)}.")
    if not subject.strip():
        raise Invalid("Name the account or the Jira role that the right is for.")
    return {
        "site_id": site_id,
        "project_key": project if project == EVERY else project_key(project),
        "right": right,
        "kind": kind,
        "subject": subject.strip(),
    }


def _wake(desk: Desk, site_id: str, project: str) -> None:
    inbox.wake(
        desk.db, site_id, None if project == EVERY else project_key(project), "grant", desk.now
    )
