"""`signalbox budget`: what may be set aside and spent, and what has been."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import show
from app.cli.faults import Mistake
from app.cli.options import SET_UP, AsJson, OfSite
from app.cli.place import chosen_site, opened

if TYPE_CHECKING:
    from app.admin.setup import Desk
    from app.store.budgets import Limit
    from app.store.spending import Balance

commands = typer.Typer(no_args_is_help=True, help="Limit what may be spent, and see what was.")

Project = Annotated[
    str | None, typer.Option(metavar="KEY", help="For this project; * = each without its own.")
]
Ticket = Annotated[str | None, typer.Option(metavar="KEY", help="For this ticket over its life.")]
PerTicket = Annotated[bool, typer.Option("--per-ticket", help="For each ticket without its own.")]
Period = Annotated[
    str | None,
    typer.Option(metavar="PERIOD", help="day | week | month (default) | once; a ticket's is once."),
]
Amount = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="Such as 50 or 3.50; 0 = nothing may run.")
]
NoLimit = Annotated[
    bool, typer.Option("--no-limit", help="No limit at this level; those above it hold.")
]


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="budget", rich_help_panel=SET_UP)


@commands.command("set")
def set_(  # noqa: PLR0913 - a limit is named by its level, subject and period
    site: OfSite = None,
    project: Project = None,
    ticket: Ticket = None,
    per_ticket: PerTicket = False,
    period: Period = None,
    limit: Amount = None,
    no_limit: NoLimit = False,
    as_json: AsJson = False,
) -> None:
    """Set the limit of a site (without --project or --ticket), of a project or of a ticket.

    Every start has to fit into all levels above it, and one of site and project needs a limit.
    A limit below what is used already stops new starts only.

    Examples:

    \b
    signalbox budget set --limit 200
    signalbox budget set --project BILL --period week --limit 25
    signalbox budget set --per-ticket --limit 10
    """
    from app.admin import limits
    from app.core.money import parse_amount
    from app.core.money import show as money
    from app.store import sites

    if (limit is None) == (not no_limit):
        raise Mistake("Say either --limit AMOUNT or --no-limit.")
    if sum((project is not None, ticket is not None, per_ticket)) > 1:
        raise Mistake("A limit is for one of --project, --ticket and --per-ticket.")
    micro = None if limit is None else parse_amount(limit)
    with opened() as desk:
        site_id = chosen_site(desk, site)
        where = limits.level(desk, site_id, project, limits.EVERY if per_ticket else ticket)
        chosen = limits.set_limit(desk, site_id, where, period, micro, f"cli:{_user()}")
        currency = sites.get_site(desk.db, site_id)["currency"]
    subject = where.ticket or where.subject
    if as_json:
        said = {"site": site_id, "level": where.kind, "subject": subject, "period": chosen}
        show.document({**said, "limit": show.amount(micro)})
        return
    whose = f"each {where.kind} without its own" if subject == "*" else f"{where.kind} {subject}"
    shown = "none" if micro is None else money(micro, currency)
    typer.echo(f"Limit of {whose}, period {chosen}: {shown}.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


AMOUNTS = ("limit", "spent", "set_aside", "free")


@commands.command("list")
def list_(site: OfSite = None, as_json: AsJson = False) -> None:
    """The limits, and what is spent, set aside and free in their present periods.

    Money set aside is not spent: what an attempt does not use comes back.
    """
    from app.admin import limits
    from app.store import sites

    with opened() as desk:
        site_id = chosen_site(desk, site)
        row = sites.get_site(desk.db, site_id)
        lines = [_line(desk, site_id, line) for line in limits.lines(desk, site_id)]
    if as_json:
        for line in lines:
            line |= {name: show.amount(line[name]) for name in AMOUNTS}
        show.document({"site": site_id, "currency": row["currency"], "budgets": lines})
    elif lines:
        _table(lines, row["currency"], row["zone"])
    else:
        typer.echo(f"No budget is set for {site_id}, so nothing may be spent.")


def _table(lines: list[dict[str, Any]], currency: str, zone: str) -> None:
    from app.core.money import show as money

    def shown(value: int | None) -> str:
        return "" if value is None else money(value, currency)

    show.table(
        ("Level", "For", "Period", "Limit", "Spent", "Set aside", "Free", "Next reset"),
        [
            (
                *(line["level"], line["subject"], line["period"]),
                "none" if line["limit"] is None else shown(line["limit"]),
                *(shown(line[name]) for name in AMOUNTS[1:]),
                show.moment(line["next_reset"], zone),
            )
            for line in lines
        ],
        right=("Limit", "Spent", "Set aside", "Free"),
    )


def _line(desk: Desk, site_id: str, line: Balance | Limit) -> dict[str, Any]:
    from app.admin.limits import EVERY, ticket_key
    from app.store.spending import Balance

    named = line.kind == "ticket" and line.subject != EVERY
    subject = ticket_key(desk, site_id, line.subject) if named else line.subject
    found = {"level": line.kind, "subject": subject, "period": line.period, "limit": line.limit}
    if not isinstance(line, Balance):
        return {**found, "spent": None, "set_aside": None, "free": None, "next_reset": None}
    return {
        **found,
        "spent": line.posted,
        "set_aside": line.held,
        "free": line.free,
        "next_reset": line.resets_at,
    }
