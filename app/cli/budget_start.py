"""`signalbox budget start`: the first budget of a site, proposed, with one question."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import show
from app.cli.budget_options import user
from app.cli.faults import Mistake
from app.cli.options import AsJson, OfSite
from app.cli.place import chosen_site, opened

if TYPE_CHECKING:
    from app.admin.setup import Desk

Yes = Annotated[bool, typer.Option("--yes", help="Take it without a question.")]


def start(site: OfSite = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Set the first budget of a site as it is proposed: $50 a month, $3 a ticket, 1 run at once.

    Where a limit is set already, nothing is changed. Each of them can be set anew later:
    signalbox budget set, signalbox project add --slots.

    Example:

    \b
    signalbox budget start --yes
    """
    from app.admin import first_budget

    if as_json and not yes:
        raise Mistake("--json asks nothing, so it needs --yes.")
    with opened() as desk:
        site_id = chosen_site(desk, site)
        wanted = first_budget.proposal(desk, site_id)
        if as_json:
            if wanted is not None:
                first_budget.accept(desk, site_id, wanted, user())
            show.document({"site": site_id, "set": wanted is not None})
        elif wanted is None:
            typer.echo(f"{site_id} has a budget already: signalbox budget list shows it.")
        else:
            propose(desk, site_id, yes=yes)


def offer(desk: Desk, site_id: str) -> None:
    """After a project was connected: asked where somebody sits there, else said."""
    from app.admin import first_budget

    if first_budget.proposal(desk, site_id) is None:
        return
    if sys.stdin.isatty():
        propose(desk, site_id, yes=False)
    else:
        typer.echo(
            "No budget is set, so nothing may be spent: signalbox budget start proposes one."
        )


def propose(desk: Desk, site_id: str, *, yes: bool) -> None:
    from app.admin import first_budget
    from app.store import sites

    wanted = first_budget.proposal(desk, site_id)
    if wanted is None:
        return
    told = wanted.told(sites.get_site(desk.db, site_id)["currency"])
    if not yes and not typer.confirm(
        f"Proposed budget of {site_id}: {told}. Set it?", default=True
    ):
        typer.echo("Nothing was set, so nothing may be spent: signalbox budget set.")
        return
    first_budget.accept(desk, site_id, wanted, user())
    typer.echo(f"Budget of {site_id}: {told}.")
