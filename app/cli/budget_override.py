"""`signalbox budget override` and `revoke`: a limit may be passed, for a reason and for a time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import show
from app.cli.budget_options import Agent, Period, Person, Project, Ticket, one_of, user, whose
from app.cli.faults import Mistake
from app.cli.options import AsJson, OfSite
from app.cli.place import chosen_site, opened

if TYPE_CHECKING:
    from app.admin.setup import Desk
    from app.store.overrides import Override

Beyond = Annotated[
    str | None,
    typer.Option("--amount", metavar="AMOUNT", help="Beyond the limit; without it, no limit."),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="2026-12-01 or 2026-12-01T18:00 in the site's zone; default: end of the period.",
    ),
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; kept in the journal.")]
Named = Annotated[str, typer.Argument(metavar="ID", help="As `signalbox budget list` has it.")]


def register(commands: typer.Typer) -> None:
    commands.command("override")(override)
    commands.command("revoke")(revoke)


def override(  # noqa: PLR0913 - a limit is named by its level, subject and period
    reason: Reason,
    site: OfSite = None,
    project: Project = None,
    ticket: Ticket = None,
    person: Person = None,
    agent: Agent = None,
    period: Period = None,
    amount: Beyond = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Let one limit be passed, by an amount or until a time or both. It ends by itself.

    Examples:

    \b
    signalbox budget override --project BILL --amount 20 --reason "audit on Friday"
    signalbox budget override --until 2026-12-01 --reason "trial week"
    """
    from app.admin import limits
    from app.core.money import parse_amount
    from app.store import sites

    kind, subject = one_of(project, ticket, person, agent)
    micro = None if amount is None else parse_amount(amount)
    with opened() as desk:
        site_id = chosen_site(desk, site)
        row = sites.get_site(desk.db, site_id)
        ends = None if until is None else _moment(until, row["zone"])
        where = limits.level(desk, site_id, kind, subject)
        granted = limits.let_pass(
            desk, site_id, where, limits.Pass(period, micro, ends, user(), reason)
        )
        said = line(desk, site_id, granted)
    if as_json:
        show.document({"site": site_id, **said, "amount": show.amount(micro)})
        return
    ends_at = show.moment(granted.ends_at, row["zone"]) or "it is revoked"
    typer.echo(
        f"Override {granted.id}: {whose(where)}, period {granted.period}, "
        f"{_shown(micro, row['currency'])} until {ends_at}."
    )


def revoke(override_id: Named, site: OfSite = None, as_json: AsJson = False) -> None:
    """End an override now. What is set aside under it stays set aside."""
    from app.store import overrides

    with opened() as desk:
        site_id = chosen_site(desk, site)
        ended = overrides.revoke(desk.db, site_id, override_id, user(), desk.now)
    if not ended:
        raise Mistake(f"No override {override_id} is in force: see `signalbox budget list`.")
    if as_json:
        show.document({"site": site_id, "override": override_id})
        return
    typer.echo(f"Override {override_id} has ended.")


def line(desk: Desk, site_id: str, granted: Override) -> dict[str, Any]:
    from app.admin.limits import shown_subject

    return {
        "override": granted.id,
        "level": granted.kind,
        "subject": shown_subject(desk, site_id, granted.kind, granted.subject),
        "period": granted.period,
        "amount": granted.amount,
        "until": granted.ends_at,
        "by": granted.actor,
        "reason": granted.reason,
    }


def table(lines: list[dict[str, Any]], currency: str, zone: str) -> None:
    """Those in force, below the limits; nothing where there is none."""
    if not lines:
        return
    typer.echo("")
    show.table(
        ("Override", "Level", "For", "Period", "Allows", "Until", "By", "Reason"),
        [
            (
                *(each[name] for name in ("override", "level", "subject", "period")),
                _shown(each["amount"], currency),
                show.moment(each["until"], zone) or "revoked",
                each["by"],
                each["reason"],
            )
            for each in lines
        ],
    )


def _shown(amount: int | None, currency: str) -> str:
    from app.core.money import show as money

    return "no limit" if amount is None else f"{money(amount, currency)} more"


def _moment(text: str, zone: str) -> datetime:
    from zoneinfo import ZoneInfo

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Mistake(f"{text!r} is no time: write 2026-12-01 or 2026-12-01T18:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
