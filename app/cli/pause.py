"""`signalbox pause` and `signalbox resume`: one switch for a site or project."""

from __future__ import annotations

import typer

from app.cli import show
from app.cli.options import RUN, AsJson, OfProject, OfSite
from app.cli.place import chosen_site, opened


def register(app: typer.Typer) -> None:
    app.command("pause", rich_help_panel=RUN)(pause)
    app.command("resume", rich_help_panel=RUN)(resume)


def pause(site: OfSite = None, project: OfProject = None, as_json: AsJson = False) -> None:
    """Let no agent start any more in the site, or in one project. What runs goes on.

    Examples:

    \b
    signalbox pause
    signalbox pause --project BILL
    """
    _switch(site, project, paused=True, as_json=as_json)


def resume(site: OfSite = None, project: OfProject = None, as_json: AsJson = False) -> None:
    """Let agents start again. Tickets that wait are looked at again at once."""
    _switch(site, project, paused=False, as_json=as_json)


def _switch(site: str | None, project: str | None, *, paused: bool, as_json: bool) -> None:
    from app.admin import setup

    with opened() as desk:
        site_id = chosen_site(desk, site)
        woken = setup.set_paused(desk, site_id, project, paused=paused)
    if as_json:
        show.document(
            {
                "site": site_id,
                "project": project and project.upper(),
                "paused": paused,
                "woken": woken,
            }
        )
        return
    what = f"Project {project.upper()} of {site_id}" if project else f"Site {site_id}"
    waiting = f"; {woken} waiting tickets are looked at again" if woken else ""
    typer.echo(f"{what} is {'paused' if paused else 'on again'}{waiting}.")
