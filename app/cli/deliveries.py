"""`signalbox deliveries`: what came in, and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli import show
from app.cli.faults import Mistake
from app.cli.options import RUN, AsJson
from app.cli.place import chosen_site, opened


def register(app: typer.Typer) -> None:
    app.command("deliveries", rich_help_panel=RUN)(deliveries)
    app.command("replay", rich_help_panel=RUN)(replay)


def deliveries(
    site: Annotated[
        str | None, typer.Option("--site", metavar="ID", help="Those of this site only.")
    ] = None,
    most: Annotated[
        int, typer.Option("--last", metavar="N", min=1, max=1000, help="So many of the newest.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """The newest deliveries, and what became of each.

    Outcomes: handled, ignored (with the reason), unsupported, malformed, parked (a fault that
    needs a person); waiting has none yet.
    """
    from app.store import inbox

    with opened() as desk:
        site_id = site and chosen_site(desk, site)
        rows = inbox.deliveries(desk.db, site_id, most)
        counts = inbox.counts(desk.db, site_id)
    if as_json:
        names = ("id", "site_id", "event", "outcome", "reason", "received_at")
        listed = [{name: row[name] for name in names} for row in rows]
        show.document({"counts": counts, "deliveries": listed})
        return
    if not rows:
        typer.echo("Nothing has come in yet.")
        return
    show.table(
        ("Received", "Site", "Event", "Outcome", "Why", "Delivery"),
        [
            (
                show.moment(row["received_at"]),
                *(row["site_id"], row["event"], row["outcome"] or "waiting", row["reason"]),
                row["id"],
            )
            for row in rows
        ],
    )


def replay(
    delivery: Annotated[
        str | None, typer.Argument(metavar="[DELIVERY]", help="This one; without it, all.")
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", metavar="ID", help="Those of this site only.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have parked deliveries looked at once more, after the fault is mended.

    A command that was obeyed before is not obeyed again.
    """
    from app.store import inbox

    with opened() as desk:
        site_id = site and chosen_site(desk, site)
        found = inbox.replay(desk.db, site_id, delivery)
    if delivery is not None and not found:
        raise Mistake(f"No parked delivery has the id {delivery}. See `signalbox deliveries`.")
    if as_json:
        show.document({"replayed": found})
        return
    typer.echo(f"{found} {'delivery waits' if found == 1 else 'deliveries wait'} once more.")
