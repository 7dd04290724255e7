"""`signalbox budget`: what may be set aside and spent, and what has been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import budget_override, budget_start, show
from app.cli.budget_options import (
    Agent,
    Period,
    Person,
    PerTicket,
    Project,
    Ticket,
    Why,
    one_of,
    user,
    whose,
)
from app.cli.faults import Mistake
from app.cli.options import SET_UP, AsJson, OfSite
from app.cli.place import chosen_site, opened

if TYPE_CHECKING:
    from app.admin.setup import Desk
    from app.store.budgets import Limit
    from app.store.spending import Balance

commands = typer.Typer(no_args_is_help=True, help="Limit what may be spent, and see what was.")

Amount = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="Such as 50 or 3.50; 0 = nothing may run.")
]
By = Annotated[str, typer.Option(metavar="AMOUNT", help="So much more, such as 20.")]
NoLimit = Annotated[
    bool, typer.Option("--no-limit", help="No limit at this level; those above it hold.")
]


def register(app: typer.Typer) -> None:
    commands.command("start")(budget_start.start)
    app.add_typer(commands, name="budget", rich_help_panel=SET_UP)


@commands.command("set")
def set_(  # noqa: PLR0913 - a limit is named by its level, subject and period
    site: OfSite = None,
    project: Project = None,
    ticket: Ticket = None,
    per_ticket: PerTicket = False,
    person: Person = None,
    agent: Agent = None,
    period: Period = None,
    limit: Amount = None,
    no_limit: NoLimit = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Set the limit of a site, or of a project, person, ticket or kind of agent.

    Every start has to fit into all levels above it, and one of site, project and person needs a
    limit. A limit below what is used already stops new starts only.

    Examples:

    \b
    signalbox budget set --limit 200
    signalbox budget set --project BILL --period week --limit 25
    signalbox budget set --per-ticket --limit 10
    signalbox budget set --person '*' --period day --limit 15
    """
    from app.admin import limits
    from app.core.money import parse_amount
    from app.core.money import show as money
    from app.store import sites

    if (limit is None) == (not no_limit):
        raise Mistake("Say either --limit AMOUNT or --no-limit.")
    if per_ticket and ticket is not None:
        raise Mistake("A limit is for one of --ticket and --per-ticket.")
    kind, subject = one_of(project, limits.EVERY if per_ticket else ticket, person, agent)
    micro = None if limit is None else parse_amount(limit)
    with opened() as desk:
        site_id = chosen_site(desk, site)
        where = limits.level(desk, site_id, kind, subject)
        wish = limits.Wish(period, micro, user(), reason)
        chosen = limits.set_limit(desk, site_id, where, wish)
        currency = sites.get_site(desk.db, site_id)["currency"]
    if as_json:
        said = {"site": site_id, "level": where.kind, "subject": where.ticket or where.subject}
        show.document({**said, "period": chosen, "limit": show.amount(micro)})
        return
    shown = "none" if micro is None else money(micro, currency)
    typer.echo(f"Limit of {whose(where)}, period {chosen}: {shown}.")


@commands.command("raise")
def raise_(  # noqa: PLR0913 - as above
    by: By,
    site: OfSite = None,
    project: Project = None,
    ticket: Ticket = None,
    per_ticket: PerTicket = False,
    person: Person = None,
    agent: Agent = None,
    period: Period = None,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """Add to a limit that is set, for good. What waits for money is looked at again at once.

    Example:

    \b
    signalbox budget raise --project BILL --by 20 --reason "more tickets than planned"
    """
    from app.admin import limits
    from app.core.money import parse_amount
    from app.core.money import show as money
    from app.store import sites

    if per_ticket and ticket is not None:
        raise Mistake("A limit is for one of --ticket and --per-ticket.")
    kind, subject = one_of(project, limits.EVERY if per_ticket else ticket, person, agent)
    micro = parse_amount(by)
    with opened() as desk:
        site_id = chosen_site(desk, site)
        where = limits.level(desk, site_id, kind, subject)
        chosen, now = limits.raise_limit(
            desk, site_id, where, limits.Wish(period, micro, user(), reason)
        )
        currency = sites.get_site(desk.db, site_id)["currency"]
    if as_json:
        said = {"site": site_id, "level": where.kind, "subject": where.ticket or where.subject}
        show.document({**said, "period": chosen, "limit": show.amount(now)})
        return
    typer.echo(f"Limit of {whose(where)}, period {chosen}: {money(now, currency)}.")


AMOUNTS = ("limit", "spent", "set_aside", "free")
MADE_UP = ("spent_simulated", "set_aside_simulated")


@commands.command("list")
def list_(site: OfSite = None, as_json: AsJson = False) -> None:
    """The limits, and what is spent, set aside and free in their present periods.

    Money set aside is not spent: what an attempt does not use comes back. What a rehearsal made
    up is marked as simulated. A limit counts what overrides let pass beyond it; those in force
    are listed below.
    """
    from app.admin import limits
    from app.store import overrides, sites

    with opened() as desk:
        site_id = chosen_site(desk, site)
        row = sites.get_site(desk.db, site_id)
        lines = [_line(desk, site_id, line) for line in limits.lines(desk, site_id)]
        granted = overrides.in_force(desk.db, site_id, desk.now)
        passed = [budget_override.line(desk, site_id, each) for each in granted]
    if as_json:
        for line in lines:
            line |= {name: show.amount(line[name]) for name in (*AMOUNTS, *MADE_UP)}
        for line in passed:
            line["amount"] = show.amount(line["amount"])
        said = {"site": site_id, "currency": row["currency"]}
        show.document({**said, "budgets": lines, "overrides": passed})
        return
    if lines:
        _table(lines, row["currency"], row["zone"])
    else:
        typer.echo(f"No budget is set for {site_id}, so nothing may be spent.")
    budget_override.table(passed, row["currency"], row["zone"])


def _table(lines: list[dict[str, Any]], currency: str, zone: str) -> None:
    from app.core.money import show as money

    def shown(line: dict[str, Any], name: str) -> str:
        value, made_up = line[name], line.get(f"{name}_simulated")
        if value is None:
            return ""
        part = "" if made_up == value else f"{money(made_up, currency)} of it "
        return money(value, currency) + (f" ({part}simulated)" if made_up else "")

    show.table(
        ("Level", "For", "Period", "Limit", "Spent", "Set aside", "Free", "Next reset"),
        [
            (
                *(line["level"], line["subject"], line["period"]),
                "none" if line["limit"] is None else shown(line, "limit"),
                *(shown(line, name) for name in AMOUNTS[1:]),
                show.moment(line["next_reset"], zone),
            )
            for line in lines
        ],
        right=("Limit", "Spent", "Set aside", "Free"),
    )


def _line(desk: Desk, site_id: str, line: Balance | Limit) -> dict[str, Any]:
    from app.admin.limits import shown_subject
    from app.store.spending import Balance

    subject = shown_subject(desk, site_id, line.kind, line.subject)
    found = {"level": line.kind, "subject": subject, "period": line.period, "limit": line.limit}
    if not isinstance(line, Balance):
        names = (*AMOUNTS[1:], *MADE_UP, "next_reset")
        return {**found, **dict.fromkeys(names)}
    return {
        **found,
        "spent": line.posted,
        "set_aside": line.held,
        "free": line.free,
        "spent_simulated": line.simulated.posted,
        "set_aside_simulated": line.simulated.held,
        "next_reset": line.resets_at,
    }


budget_override.register(commands)
