"""`signalbox rubric`: how often each rule of the checklist was right, by what people have said."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from app.cli import show
from app.cli.options import RUN, AsJson, OfSite
from app.cli.place import chosen_site, opened

if TYPE_CHECKING:
    from app.core.objections import Precision

commands = typer.Typer(no_args_is_help=True, help="See how well the rules of the checklist do.")


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="rubric", rich_help_panel=RUN)


@commands.command("precision")
def precision(site: OfSite = None, as_json: AsJson = False) -> None:
    """By rule: how many of its questions stood in comments, and how many were called wrong.

    Nobody who is content says so, and few who are not: read it as where to look, not as a measure.
    """
    from app.store import objections

    with opened() as desk:
        site_id = chosen_site(desk, site)
        found = objections.counts(desk.db, site_id)
    if as_json:
        show.document({"site": site_id, "rules": [_rule(rule) for rule in found]})
        return
    if not found:
        typer.echo("No question was asked in a comment yet.")
        return
    head = ("Rubric", "Rule", "Asked", "Wrong", "By a role", "Right")
    rows = [
        (
            rule.rubric,
            rule.criterion,
            str(rule.shown),
            str(rule.wrong),
            str(rule.by_role),
            "" if rule.share is None else f"{rule.share:.0%}",
        )
        for rule in found
    ]
    show.table(head, rows, right=head[2:])


def _rule(rule: Precision) -> dict[str, Any]:
    share = rule.share
    return asdict(rule) | {"precision": None if share is None else round(share, 4)}
