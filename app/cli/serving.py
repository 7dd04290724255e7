"""`serve`, `worker`, `db upgrade` and `sandbox`: the processes and the database below them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from app.cli import show
from app.cli.options import RUN, TRY, AsJson

database = typer.Typer(no_args_is_help=True, help="Look after the database.")


def register(app: typer.Typer) -> None:
    app.command("serve", rich_help_panel=RUN)(serve)
    app.command("worker", rich_help_panel=RUN)(worker)
    app.add_typer(database, name="db", rich_help_panel=RUN)
    app.command("sandbox", rich_help_panel=TRY)(sandbox)


def serve(
    web_only: Annotated[
        bool, typer.Option("--web-only", help="Web part alone; workers are their own processes.")
    ] = False,
) -> None:
    """Start the service: web part and worker in one process on SQLite.

    On Postgres start `serve --web-only` and any number of `worker` beside each other.
    """
    from app import config, main

    main.serve(config.load(), web_only=web_only)


def worker() -> None:
    """Start a worker alone, until it is told to stop (Postgres: any number, on any machine)."""
    from app import config, main

    main.work(config.load())


@database.command("upgrade")
def upgrade(as_json: AsJson = False) -> None:
    """Bring the database to what this version needs; a repeat is harmless.

    On SQLite the service does it by itself; on Postgres it is said once for each new version.
    """
    from app import config, main
    from app.store import migrate

    settings = config.load()
    main.upgrade(settings)
    revision = migrate.current(settings.database())
    if as_json:
        show.document({"revision": revision})
    else:
        typer.echo(f"The database is at revision {revision}.")


def sandbox(
    port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65535, help="Port on this machine.")
    ] = 8322,
    deployment: Annotated[
        Literal["cloud", "server"],
        typer.Option(metavar="KIND", help="Its face: cloud or server (Data Center)."),
    ] = "cloud",
) -> None:
    """Start a Jira on this machine to try things with: in memory, no account, gone at the end."""
    from app.sandbox.server import SandboxJira, run

    jira = SandboxJira.seeded(deployment)
    email, token = jira.credentials("Signalbox")
    url = f"http://127.0.0.1:{port}{jira.state.context}"
    how = f"--email {email}" if deployment == "cloud" else "--connection server"
    typer.echo(f"Sandbox Jira, no real one: {url} (ends with Ctrl-C)")
    typer.echo("In another terminal:")
    typer.echo(
        f"  SANDBOX_TOKEN={token} signalbox site add sandbox --url {url} "
        f"{how} --token-env SANDBOX_TOKEN"
    )
    run(port, jira)
