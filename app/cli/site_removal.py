"""`signalbox site remove`: what would go and what stays, and then, with --yes, away with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import show
from app.cli.faults import Mistake
from app.cli.options import AsJson
from app.cli.place import opened

if TYPE_CHECKING:
    from app.admin.removal import Plan, Removed

Id = Annotated[str, typer.Argument(metavar="ID", help="The site, as `signalbox site list` has it.")]
OnlyPlan = Annotated[bool, typer.Option("--plan", help="Say what would happen, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. There is no way back.")]
Comments = Annotated[
    str,
    typer.Option(
        metavar="FATE", help="Of our comments in Jira: keep, fold (to one line each) or delete."
    ),
]


def remove(
    site_id: Id,
    plan: OnlyPlan = False,
    yes: Yes = False,
    comments: Comments = "fold",
    as_json: AsJson = False,
) -> None:
    """Take a site away: its runs stop, its comments and properties in Jira are tidied, its rows go.

    A Jira that is away ends it with exit code 1; the same command goes on where it stopped.

    Examples:

    \b
    signalbox site remove acme --plan
    signalbox site remove acme --yes --comments delete
    """
    if plan == yes:
        raise Mistake("Say either --plan, to see what would go, or --yes, to do it.")
    if plan:
        _plan(site_id, comments, as_json)
    else:
        _remove(site_id, comments, as_json)


def _plan(site_id: str, comments: str, as_json: bool) -> None:
    from app.admin import removal

    with opened() as desk:
        found = removal.plan(desk, site_id)
    kept = _workspaces(site_id)
    if as_json:
        show.document(_facts(found, kept))
        return
    site = found.site
    typer.echo(f"Removing the site {site['id']} ({site['browse_url']}) means:")
    for line in (*_goes(found, comments), *_stays(found, kept)):
        typer.echo(f"- {line}")
    typer.echo(f"Nothing was changed. To do it: signalbox site remove {site['id']} --yes")


def _goes(found: Plan, comments: str) -> list[str]:
    from app.core import money

    remains, currency = found.remains, found.site["currency"]
    active = [f"{row['key']} run {row['number']}" for row in remains.active]
    does = {"fold": "each is replaced by one line", "delete": "they are deleted", "keep": "kept"}
    spent, held = (money.show(part, currency) for part in (remains.posted, remains.held))
    lines = [
        f"Runs: {', '.join(active)} will be stopped first." if active else "Runs: none is on.",
        f"Money: {spent} spent and {held} set aside; the ledger goes too, so note what you need.",
        f"Rows: {sum(remains.rows.values())} of this site go, of other sites none.",
    ]
    if found.reachable:
        lines += [
            f"Comments: {does.get(comments, comments)} (--comments keep|fold|delete), in"
            f" {found.places} tickets at the most."
            + ("" if _is_quiet(found, comments) else " Jira may mail those edits to watchers."),
            "Properties: signalbox.readiness, .run and .text are deleted in the same tickets.",
        ]
    else:
        lines.append(
            "Comments and properties: they stay, as Signalbox was uninstalled and Jira lets it in"
            " no more."
        )
    return lines


def _is_quiet(found: Plan, comments: str) -> bool:
    return comments != "fold" or bool(found.site["silent_edits"])


def _stays(found: Plan, kept: list[str]) -> list[str]:
    branches = [f"{branch} in {repository}" for repository, branch in found.remains.branches]
    return [
        *(f"Branch that stays: {line}" for line in branches),
        *(f"Folder that stays, with work that could not be pushed: {path}" for path in kept),
        *(f"By hand: {step}" for step in found.by_hand),
    ]


def _workspaces(site_id: str) -> list[str]:
    """Folders of ended runs that were kept: they hold the only copy of what an agent made."""
    from app import config

    return sorted(map(str, (config.load().data.resolve() / "runs" / site_id).glob("*")))


def _facts(found: Plan, kept: list[str]) -> dict[str, Any]:
    from app.admin.removal import PROPERTIES

    remains = found.remains
    return {
        "site": found.site["id"],
        "reachable": found.reachable,
        "active_runs": [{"key": row["key"], "number": row["number"]} for row in remains.active],
        "held_micro": remains.held,
        "posted_micro": remains.posted,
        "tickets": found.places,
        "properties": list(PROPERTIES) if found.reachable else [],
        "rows": dict(remains.rows),
        "branches": [{"repository": where, "branch": name} for where, name in remains.branches],
        "folders": kept,
        "by_hand": list(found.by_hand),
    }


def _remove(site_id: str, comments: str, as_json: bool) -> None:
    from app.admin import removal
    from app.engine.forget import forget

    with opened() as desk:
        before = removal.plan(desk, site_id)
        done = removal.remove(desk, site_id, comments, partial(forget, desk.db.url))
    kept = _workspaces(site_id)
    if as_json:
        left = [{"ticket": place, "why": why} for place, why in done.left]
        facts = {"site": site_id, "removed": True, "tidied": done.tidied, "left": left}
        show.document(facts | {"rows": done.rows, "by_hand": list(before.by_hand)})
        return
    _tell(before, done, kept)


def _tell(before: Plan, done: Removed, kept: list[str]) -> None:
    typer.echo(f"The site {before.site['id']} is removed: {done.rows} rows.")
    if before.reachable:
        typer.echo(f"Tidied in Jira: {done.tidied} tickets.")
    for place, why in done.left:
        typer.echo(f"Left as it is: {place}. {why}")
    for line in _stays(before, kept):
        typer.echo(f"- {line}")
