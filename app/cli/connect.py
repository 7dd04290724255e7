"""`signalbox connect`: asks for what it needs, tries each right, says where to click."""

from __future__ import annotations

import secrets as dice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import show
from app.cli.faults import Mistake
from app.cli.options import SET_UP, AsJson
from app.cli.place import opened

if TYPE_CHECKING:
    from app.admin.guide import Place, Step
    from app.admin.line import Line
    from app.admin.setup import Desk

KindOption = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="token | automation | connect | forge | server | poll; asked for if not given.",
    ),
]
Project = Annotated[
    str | None, typer.Option("--project", metavar="KEY", help="Jira project to try the rights in.")
]


def register(app: typer.Typer) -> None:
    app.command("connect", rich_help_panel=SET_UP)(connect)


def connect(
    site_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Your name for it.")] = None,
    kind: KindOption = None,
    project: Project = None,
    guide_only: Annotated[
        bool, typer.Option("--guide", help="Say where to click and connect nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Connect a Jira site step by step: it asks, tries each right, and says where to click.

    Everything can also be given without questions: `signalbox site add`, `signalbox project add`.

    Examples:

    \b
    signalbox connect
    signalbox connect acme --kind poll --project BILL
    signalbox connect --kind forge --guide
    """
    from app.core.connection import KINDS

    chosen = kind or _ask_kind()
    if chosen not in KINDS:
        raise Mistake(f"{chosen!r} is no kind of connection: use {', '.join(KINDS)}.")
    if guide_only or KINDS[chosen].handed:
        _guide(chosen, as_json)
    else:
        if as_json:
            raise Mistake("Questions cannot be asked with --json: use `signalbox site add --json`.")
        _converse(chosen, site_id, project)


def _ask_kind() -> str:
    from app.core.connection import KINDS

    typer.echo("How shall Signalbox and your Jira talk to each other?")
    for number, known in enumerate(KINDS.values(), 1):
        typer.echo(f"  {number}. {known.kind:<11} {known.title}")
    answer = str(typer.prompt("Number or name", default="1")).strip()
    names = list(KINDS)
    return names[int(answer) - 1] if answer in map(str, range(1, len(names) + 1)) else answer


def _place(site_id: str, jira: str, secret: str) -> Place:
    from app import config
    from app.admin.guide import Place

    settings = config.load()
    ours = settings.url or f"http://{settings.host}:{settings.port}"
    return Place(ours.rstrip("/"), jira, site_id, secret)


def _guide(kind: str, as_json: bool) -> None:
    from app.admin.guide import SECRET, steps

    found = steps(kind, _place("<id>", "https://<site>.atlassian.net", SECRET))
    if as_json:
        show.document(
            {"kind": kind, "steps": [{"do": s.do, "fields": dict(s.fields)} for s in found]}
        )
    else:
        _tell(found)


def _tell(found: tuple[Step, ...], first: int = 1) -> None:
    for number, step in enumerate(found, first):
        typer.echo(f"\n{number}. {step.do}")
        for name, value in step.fields:
            indented = value.replace("\n", "\n      ")
            typer.echo(f"   {name}: {indented}")


def _converse(kind: str, site_id: str | None, project: str | None) -> None:
    from app.admin import connect as connecting
    from app.admin.guide import ACCOUNT, DOORS, SECRET

    jira = str(typer.prompt("Address of Jira, as people open it")).strip().rstrip("/")
    before = ACCOUNT[kind](_place(site_id or "<id>", jira, SECRET))
    typer.echo("\nIn Jira, before we go on:")
    _tell(before)
    typer.echo("")
    wish, secret = _answers(kind, jira)
    name = site_id or str(typer.prompt("Your name for the site, such as acme"))
    with opened() as desk:
        row = connecting.connect_site(desk, name, wish)  # type: ignore[arg-type]
        account = desk.jira(name).myself()
        typer.echo(f"\nConnected as {account.name} ({account.id}).")
        key = project or str(typer.prompt("A Jira project to begin with, such as BILL"))
        _begin(desk, name, key)
    typer.echo("\nStill to do in Jira:")
    _tell(DOORS[kind](_place(row["id"], row["browse_url"], secret or "(as it was)")))
    typer.echo("\nThen: `signalbox serve`, and set the label on a ticket.")


def _answers(kind: str, jira: str) -> tuple[dict[str, Any], str]:
    """What the site is connected with, and the secret of its door (empty = it has none)."""
    from app.core.connection import KINDS

    wish: dict[str, Any] = {"connection": kind, "browse_url": jira}
    deployment = "server" if kind == "server" else "cloud"
    if kind == "poll" and typer.confirm("Is it a Data Center?", default=False):
        deployment = "server"
    wish["deployment"] = deployment
    api = jira
    if deployment == "cloud":
        api = str(typer.prompt("API address", default=jira)).strip()
        wish["email"] = str(typer.prompt("E-mail address of the account")).strip()
    wish["url"] = api
    wish["token"] = str(typer.prompt("Its token (not shown)", hide_input=True))
    ends = str(typer.prompt("Day on which the token ends, YYYY-MM-DD; - = not known", default="-"))
    wish["token_ends"] = _day(ends)
    if KINDS[kind].door == "none":
        return wish, ""
    secret = dice.token_urlsafe(32)
    return wish | {"webhook_secret": secret}, secret


def _day(text: str) -> Any:
    from datetime import date

    try:
        return None if text.strip() == "-" else date.fromisoformat(text.strip())
    except ValueError:
        raise Mistake(f"{text!r} is no day: write it as 2027-01-31.") from None


def _begin(desk: Desk, site_id: str, key: str) -> None:
    """The project in mode advise, where no agent starts; then each right, tried live."""
    from app.admin import jira_rights, setup

    row = setup.connect_project(desk, site_id, key, {})
    typer.echo(f"Project {row['key']} is looked after in mode {row['mode']}: no agent starts.")
    for line in jira_rights.examine(desk, site_id, row["key"]):
        _say(line)


def _say(line: Line) -> None:
    mark = {"ok": "✓", "warn": "!", "fault": "✗"}[line.state]
    typer.echo(f"  {mark} {line.text}{' ' + line.next if line.next else ''}")
