"""`signalbox site`: the Jira sites that Signalbox is connected to."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import show, site_removal
from app.cli.faults import Mistake
from app.cli.options import SET_UP, AsJson
from app.cli.place import opened

if TYPE_CHECKING:
    from app.admin.connect import SiteWish
    from app.store.sites import Row

commands = typer.Typer(no_args_is_help=True, help="Connect Jira sites.")

Id = Annotated[str, typer.Argument(metavar="ID", help="Your name for it, such as acme.")]
Url = Annotated[
    str | None, typer.Option(metavar="URL", help="Jira's address; needed for a new site.")
]
Email = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help='Of the API token\'s account; "" = a bearer token (server).'
    ),
]
TokenEnv = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Environment variable that holds the API token."),
]
TokenStdin = Annotated[
    bool, typer.Option("--token-stdin", help="Read the token from stdin; hidden when typed.")
]
WebhookSecretEnv = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Environment variable with the webhook's secret; none = closed."
    ),
]
Deployment = Annotated[
    str | None, typer.Option(metavar="KIND", help="cloud (default) or server (Data Center).")
]
BrowseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Where people open Jira, if elsewhere.")
]
Connection = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="token (default: webhook) | automation | server (Data Center) | poll (no webhook).",
    ),
]
TokenEnds = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"], metavar="DATE", help="Day on which the token ends; for a warning."
    ),
]
Label = Annotated[
    str | None, typer.Option(metavar="LABEL", help="Asks for an agent; default agent-ready.")
]
Zone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="Whose midnight ends a budget's day; default UTC."),
]
Currency = Annotated[
    str | None, typer.Option(metavar="CODE", help="Of the ledger; for now only USD.")
]


def register(app: typer.Typer) -> None:
    commands.command("remove")(site_removal.remove)
    app.add_typer(commands, name="site", rich_help_panel=SET_UP)


@commands.command("add")
def add(  # noqa: PLR0913 - one option a column
    site_id: Id,
    url: Url = None,
    connection: Connection = None,
    email: Email = None,
    token_env: TokenEnv = None,
    token_stdin: TokenStdin = False,
    token_ends: TokenEnds = None,
    webhook_secret_env: WebhookSecretEnv = None,
    deployment: Deployment = None,
    browse_url: BrowseUrl = None,
    label: Label = None,
    zone: Zone = None,
    currency: Currency = None,
    as_json: AsJson = False,
) -> None:
    """Connect a site, or change it: what is not named stays as it is.

    Jira is asked who the token belongs to before anything is stored. Secrets come from the
    environment or stdin, never from the command line, and are stored sealed.

    Example:

    \b
    signalbox site add acme --url https://acme.atlassian.net --email bot@acme.example \\
      --token-env JIRA_TOKEN --webhook-secret-env JIRA_WEBHOOK_SECRET --zone Europe/Berlin
    """
    if deployment not in (None, "cloud", "server"):
        raise Mistake(f"{deployment!r} is no deployment: use cloud or server.")
    wish: dict[str, Any] = {
        "url": url,
        "connection": connection,
        "email": email,
        "token": _token(token_env, from_stdin=token_stdin),
        "token_ends": token_ends and token_ends.date(),
        "webhook_secret": webhook_secret_env and _from_env(webhook_secret_env),
        "deployment": deployment,
        "browse_url": browse_url,
        "label": label,
        "zone": zone,
        "currency": currency,
    }
    _connect(site_id, {name: value for name, value in wish.items() if value is not None}, as_json)  # type: ignore[arg-type]


def _connect(site_id: str, wish: SiteWish, as_json: bool) -> None:
    from app.admin import connect, own_account

    with opened() as desk:
        row = connect.connect_site(desk, site_id, wish)
        account = desk.jira(site_id).myself()
    if as_json:
        show.document(facts(row))
        return
    typer.echo(f"Site {row['id']} is connected as {account.name} ({account.id}).")
    if shared := own_account.warning(account):
        typer.echo(f"Mind: {shared[:1].lower()}{shared[1:]} {own_account.ADVICE}")
    if row["api_url"].startswith("http://"):
        typer.echo("Mind: its address is not https, so the token travels in the clear.")
    if row["webhook_secret"]:
        typer.echo(f"Webhook in Jira: <this service's address>/webhooks/jira/{row['id']}")
    else:
        typer.echo("Webhooks are closed until it has a secret: --webhook-secret-env.")
    typer.echo(f"Next: signalbox project add --site {row['id']} --key KEY")


def _token(name: str | None, *, from_stdin: bool) -> str | None:
    if name is not None and from_stdin:
        raise Mistake("The token comes from --token-env or from --token-stdin, not from both.")
    if from_stdin:
        if sys.stdin.isatty():
            return str(typer.prompt("API token", hide_input=True))
        return sys.stdin.readline()
    return None if name is None else _from_env(name)


def _from_env(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise Mistake(f"The environment variable {name} is not set.")
    return value


def facts(row: Row) -> dict[str, Any]:
    """A site without its secrets."""
    return {
        "id": row["id"],
        "connection": row["connection"],
        "deployment": row["deployment"],
        "url": row["api_url"],
        "browse_url": row["browse_url"],
        "email": row["email"],
        "account_id": row["account_id"],
        "token_expires_at": row["token_expires_at"],
        "webhook_secret": "set" if row["webhook_secret"] else "not set",
        "label": row["label"],
        "zone": row["zone"],
        "currency": row["currency"],
        "connected_at": row["connected_at"],
        "paused_at": row["paused_at"],
    }


@commands.command("list")
def list_(as_json: AsJson = False) -> None:
    """The connected sites."""
    from app.store import sites

    with opened() as desk:
        rows = [facts(row) for row in sites.list_sites(desk.db)]
    if as_json:
        show.document({"sites": rows})
        return
    if not rows:
        typer.echo("There is no site yet: add one with `signalbox site add`.")
        return
    show.table(
        ("Site", "Jira", "Account", "Label", "Webhook secret", "Zone", "Currency", "State"),
        [
            (
                *(row[name] for name in ("id", "url", "account_id", "label", "webhook_secret")),
                *(row["zone"], row["currency"]),
                "paused" if row["paused_at"] else "on",
            )
            for row in rows
        ],
    )
