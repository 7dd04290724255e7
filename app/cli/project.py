"""`signalbox project`: what is allowed in each Jira project, and where its code lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import budget_start, show
from app.cli.options import SET_UP, AsJson, OfSite
from app.cli.place import chosen_site, opened

if TYPE_CHECKING:
    from app.admin.setup import ProjectWish
    from app.store.sites import Row

commands = typer.Typer(no_args_is_help=True, help="Connect Jira projects and set their rules.")

Key = Annotated[str, typer.Option("--key", metavar="KEY", help="Key of the Jira project.")]
Mode = Annotated[
    str | None,
    typer.Option(
        metavar="MODE",
        help="off | watch (score as property) | advise (comment; default) | approve (a person "
        "approves each start) | auto.",
    ),
]
Repository = Annotated[
    str | None, typer.Option(metavar="PLACE", help="Folder or address of the git repository.")
]
Base = Annotated[
    str | None, typer.Option(metavar="BRANCH", help="Branch to start from; default main.")
]
Acceptance = Annotated[
    str | None,
    typer.Option(metavar="COMMAND", help='Has to succeed on the result, such as "make test".'),
]
Agent = Annotated[str | None, typer.Option(metavar="NAME", help="claude (default) or rehearsal.")]
Threshold = Annotated[
    int | None, typer.Option(metavar="POINTS", help="Score from which a text is ready; default 70.")
]
MustHave = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Criterion that has to be met; once for each; default outcome, acceptance, location.",
    ),
]
Attempts = Annotated[
    int | None, typer.Option(metavar="N", help="Attempts of one run at most; default 2.")
]
AttemptCap = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT", help="Money set aside for an attempt, 0.01 or more; default 3.00."
    ),
]
AttemptMinutes = Annotated[
    float | None, typer.Option(metavar="MINUTES", help="Time of an attempt at most; default 40.")
]
Slots = Annotated[
    int | None, typer.Option(metavar="N", help="Agents at work at once at most; default 1.")
]
OpenPullRequests = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="None starts while so many agent pull requests wait; default 4."
    ),
]
WithoutCage = Annotated[
    bool | None,
    typer.Option(
        "--without-cage/--with-cage",
        help="Accept agents outside of a cage where bubblewrap is missing.",
    ),
]

Costs = Annotated[
    bool | None,
    typer.Option(
        "--costs/--no-costs", help="Whether comments may name amounts of money; they do by default."
    ),
]
ServiceDesk = Annotated[
    bool | None,
    typer.Option(
        "--service-desk/--no-service-desk",
        help="Let tickets of a service desk in; comments are internal then. Off by default.",
    ),
]
Restricted = Annotated[
    bool | None,
    typer.Option(
        "--restricted/--no-restricted",
        help="Let tickets with a security level in. Off by default.",
    ),
]
Judge = Annotated[
    bool | None,
    typer.Option(
        "--judge/--no-judge",
        help="Let an LLM read the tickets and doubt what the checklist found. It costs money and "
        "the text leaves this machine. Off by default.",
    ),
]
Operations = Annotated[
    str | None,
    typer.Option(metavar="TICKET", help='Ticket that alerts are written in; "" = none.'),
]
ApproveAbove = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        help="A start whose p90 forecast is above it waits for approval, in mode auto too; "
        '"" = none does.',
    ),
]


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="project", rich_help_panel=SET_UP)


@commands.command("add")
def add(  # noqa: PLR0913 - one option a column
    key: Key,
    site: OfSite = None,
    mode: Mode = None,
    repository: Repository = None,
    base: Base = None,
    acceptance: Acceptance = None,
    agent: Agent = None,
    threshold: Threshold = None,
    must_have: MustHave = None,
    attempts: Attempts = None,
    attempt_cap: AttemptCap = None,
    attempt_minutes: AttemptMinutes = None,
    slots: Slots = None,
    open_pull_requests: OpenPullRequests = None,
    without_cage: WithoutCage = None,
    costs: Costs = None,
    service_desk: ServiceDesk = None,
    restricted: Restricted = None,
    judge: Judge = None,
    operations_ticket: Operations = None,
    approve_above: ApproveAbove = None,
    as_json: AsJson = False,
) -> None:
    """Connect a project, or change it: what is not named stays as it is.

    Only a label that is set after the project was connected can start anything. Examples:

    \b
    signalbox project add --key BILL
    signalbox project add --key BILL --mode approve --attempt-cap 2.50 \\
      --repository git@code.example:acme/billing.git --acceptance "make test"
    """
    from app.core.money import parse_amount

    wish: dict[str, Any] = {
        "mode": mode,
        "repository": repository,
        "base_branch": base,
        "acceptance": acceptance,
        "agent": agent,
        "threshold": threshold,
        "must_haves": must_have or None,
        "attempts": attempts,
        "attempt_cap": None if attempt_cap is None else parse_amount(attempt_cap),
        "attempt_seconds": None if attempt_minutes is None else round(attempt_minutes * 60),
        "slots": slots,
        "open_pull_requests": open_pull_requests,
        "without_cage": without_cage,
        "costs_in_comments": costs,
        "service_desk": service_desk,
        "restricted_tickets": restricted,
        "judge": judge,
        "operations_ticket": operations_ticket,
    }
    named: dict[str, Any] = {name: value for name, value in wish.items() if value is not None}
    if approve_above is not None:
        named["approve_above"] = parse_amount(approve_above) if approve_above else None
    _connect(site, key, named, as_json)  # type: ignore[arg-type]


def _connect(site: str | None, key: str, wish: ProjectWish, as_json: bool) -> None:
    from app.admin import setup

    with opened() as desk:
        row = setup.connect_project(desk, chosen_site(desk, site), key, wish)
    if as_json:
        show.document(facts(row))
        return
    typer.echo(f"Project {row['key']} of {row['site_id']} is connected, mode {row['mode']}.")
    if row["mode"] in ("approve", "auto"):
        for name in ("repository", "acceptance"):
            if not row[name]:
                typer.echo(f"Nothing can start yet: it has no --{name}.")
    typer.echo(f"Next: signalbox role grant dispatch --project {row['key']} --account ID")
    with opened() as desk:
        budget_start.offer(desk, row["site_id"])


def facts(row: Row) -> dict[str, Any]:
    return {
        "site": row["site_id"],
        "key": row["key"],
        "mode": row["mode"],
        "threshold": row["threshold"],
        "must_haves": row["must_haves"],
        "repository": row["repository"],
        "base": row["base_branch"],
        "acceptance": row["acceptance"],
        "agent": row["agent"],
        "attempts": row["attempts"],
        "attempt_cap": show.amount(row["attempt_cap"]),
        "attempt_minutes": row["attempt_seconds"] / 60,
        "slots": row["slots"],
        "open_pull_requests": row["open_pull_requests"],
        "without_cage": row["without_cage"],
        "costs_in_comments": row["costs_in_comments"],
        "service_desk": row["service_desk"],
        "restricted_tickets": row["restricted_tickets"],
        "judge": row["judge"],
        "operations_ticket": row["operations_ticket"],
        "approve_above": show.amount(row["approve_above"]),
        "connected_at": row["connected_at"],
        "paused_at": row["paused_at"],
    }


@commands.command("list")
def list_(site: OfSite = None, as_json: AsJson = False) -> None:
    """The connected projects with their rules."""
    from app.core.money import show as money
    from app.store import sites

    with opened() as desk:
        rows = sites.list_projects(desk.db, site and chosen_site(desk, site))
        currencies = {row["id"]: row["currency"] for row in sites.list_sites(desk.db)}
    if as_json:
        show.document({"projects": [facts(row) for row in rows]})
        return
    if not rows:
        typer.echo("There is no project yet: add one with `signalbox project add`.")
        return
    show.table(
        ("Site", "Project", "Mode", "Agent", "Attempts", "Cap", "Repository", "State"),
        [
            (
                *(row["site_id"], row["key"], row["mode"], row["agent"], str(row["attempts"])),
                money(row["attempt_cap"], currencies[row["site_id"]]),
                f"{row['repository']} ({row['base_branch']})" if row["repository"] else "none",
                "paused" if row["paused_at"] else "on",
            )
            for row in rows
        ],
        right=("Attempts", "Cap"),
    )
