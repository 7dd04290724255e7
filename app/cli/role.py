"""`signalbox role`: who may dispatch, approve and administer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import show
from app.cli.faults import Mistake
from app.cli.options import SET_UP, AsJson, OfProject, OfSite
from app.cli.place import chosen_site, opened

if TYPE_CHECKING:
    from app.admin.rights import Kind

commands = typer.Typer(no_args_is_help=True, help="Say who may dispatch, approve and administer.")
Right = Annotated[
    str,
    typer.Argument(
        metavar="RIGHT",
        help="dispatch | approve (and dispatch) | budget (agent topup) | admin (all of them).",
    ),
]
Project = Annotated[
    str, typer.Option("--project", metavar="KEY", help="Key of the project; * = all of the site.")
]
AccountId = Annotated[
    str | None,
    typer.Option("--account", metavar="ID", help="Account id: the end of a profile's address."),
]
JiraRole = Annotated[
    str | None,
    typer.Option("--jira-role", metavar="NAME", help="Name of a Jira project role, read live."),
]


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="role", rich_help_panel=SET_UP)


@commands.command("grant")
def grant(
    right: Right,
    project: Project,
    site: OfSite = None,
    account: AccountId = None,
    jira_role: JiraRole = None,
    as_json: AsJson = False,
) -> None:
    """Give a right to an account or to everybody in a Jira project role.

    Examples:

    \b
    signalbox role grant dispatch --project BILL --jira-role Developers
    signalbox role grant admin --project '*' --account 5b10a2844c20165700ede21g
    """
    from app.admin import rights

    kind, subject = _who(account, jira_role)
    with opened() as desk:
        site_id = chosen_site(desk, site)
        person = rights.grant(desk, right, site_id, project, kind, subject)
    if as_json:
        show.document(_grant(site_id, project, right, kind, subject))
        return
    who = f"{person.name} ({person.id})" if person else f"the Jira role {subject}"
    typer.echo(f"Granted {right} in {_where(site_id, project)} to {who}.")


@commands.command("revoke")
def revoke(
    right: Right,
    project: Project,
    site: OfSite = None,
    account: AccountId = None,
    jira_role: JiraRole = None,
    as_json: AsJson = False,
) -> None:
    """Take one grant away, named as it was given."""
    from app.admin import rights

    kind, subject = _who(account, jira_role)
    with opened() as desk:
        site_id = chosen_site(desk, site)
        rights.revoke(desk, right, site_id, project, kind, subject)
    if as_json:
        show.document(_grant(site_id, project, right, kind, subject))
        return
    typer.echo(f"Revoked {right} in {_where(site_id, project)}.")


@commands.command("list")
def list_(site: OfSite = None, project: OfProject = None, as_json: AsJson = False) -> None:
    """The grants of a site; with a project, those that hold in it."""
    from app.admin.setup import project_key
    from app.store import sites

    with opened() as desk:
        site_id = chosen_site(desk, site)
        rows = sites.grants(desk.db, site_id, project and project_key(project))
    if as_json:
        names = ("site_id", "project_key", "right", "kind", "subject")
        grants = [_grant(*(row[name] for name in names)) for row in rows]
        show.document({"grants": grants})
        return
    if not rows:
        typer.echo("There is no grant yet: nobody may dispatch.")
        return
    show.table(
        ("Project", "Right", "Held by"),
        [
            (
                row["project_key"],
                row["right"],
                f"{'account' if row['kind'] == 'account' else 'Jira role'} {row['subject']}",
            )
            for row in rows
        ],
    )


def _who(account: str | None, jira_role: str | None) -> tuple[Kind, str]:
    if account and not jira_role:
        return "account", account
    if jira_role and not account:
        return "jira_role", jira_role
    raise Mistake("Name one of --account ID and --jira-role NAME.")


def _where(site_id: str, project: str) -> str:
    return f"all of {site_id}" if project == "*" else f"{project.upper()} of {site_id}"


def _grant(site_id: str, project: str, right: str, kind: str, subject: str) -> dict[str, Any]:
    return {
        "site": site_id,
        "project": project.upper(),
        "right": right,
        "kind": kind,
        "subject": subject,
    }
