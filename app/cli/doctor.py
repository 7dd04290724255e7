"""`signalbox doctor`: is everything in order, and what to do where it is not."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import show
from app.cli.faults import FAILED
from app.cli.options import RUN, AsJson

if TYPE_CHECKING:
    from app.admin.doctor import Equipment
    from app.admin.line import Line
    from app.config import Settings

OLDEST_GIT = (2, 29)
COLOURS = {"ok": "green", "warn": "yellow", "fault": "red"}


def register(app: typer.Typer) -> None:
    app.command("doctor", rich_help_panel=RUN)(doctor)


def doctor(
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Print a fresh SIGNALBOX_SECRET_KEY and nothing else.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at everything that a run needs, live, and say what to do about each fault.

    Settings, database, git and cage; for each site Jira and the webhook's secret; for each project
    Jira's rights one by one, grants, budget, repository and agent. It writes down whether
    comments can be edited without mail, and changes nothing else. Exit code 1
    with a fault; a warning is none.

    Examples:

    \b
    signalbox doctor
    export SIGNALBOX_SECRET_KEY="$(signalbox doctor --new-key)"
    """
    if new_key:
        from app.adapters.vault import new_key as fresh

        typer.echo(fresh())
        return
    from app.admin.doctor import counted

    found = []
    for line in _look():
        found.append(line)
        if not as_json:
            _say(line)
    told = counted(found)
    if as_json:
        show.document(told)
    else:
        typer.echo(f"{_count(told['faults'], 'fault')}, {_count(told['warnings'], 'warning')}.")
    if told["faults"]:
        raise typer.Exit(FAILED)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _say(line: Line) -> None:
    state = typer.style(f"{line.state:5}", fg=COLOURS[line.state])
    typer.echo(f"{state} {line.subject}: {line.text}")
    if line.next:
        typer.echo(f"      → {line.next}")


def _look() -> Iterator[Line]:
    from app import config
    from app.adapters.clock import SystemClock
    from app.adapters.vault import BadKeyError, Vault
    from app.admin.doctor import examine, examine_database
    from app.admin.line import Line
    from app.admin.setup import Desk
    from app.store.database import Database

    yield from _git()
    try:
        settings = config.load()
        vault = Vault(settings.secret_key)
    except (config.MissingSetting, BadKeyError) as fault:
        again = "Nothing else can be looked at before."
        yield Line("fault", "Settings", str(fault), again)
        return
    yield from _settings(settings)
    about_database = list(examine_database(settings.database()))
    yield from about_database
    if any(line.state == "fault" for line in about_database):
        return
    from app import main

    db = Database(settings.database())
    try:
        desk = Desk(db, vault, main.tracker_factory(settings, vault), SystemClock().now())
        yield from examine(desk, _equipment(settings))
    finally:
        db.close()


def _settings(settings: Settings) -> Iterator[Line]:
    from app.admin.line import Line

    known = {f"SIGNALBOX_{name.upper()}" for name in type(settings).model_fields}
    strangers = sorted(n for n in os.environ if n.startswith("SIGNALBOX_") and n not in known)
    for name in strangers:
        yield Line("warn", "Settings", f"{name} is no setting.", "Look for a slip of the pen.")
    if not settings.admin_token:
        text = "Our pages are closed: SIGNALBOX_ADMIN_TOKEN is not set."
        yield Line("warn", "Settings", text, "Set it to open them, or leave it.")
    if not settings.url:
        text = "Our address is not known: SIGNALBOX_URL is not set."
        yield Line("warn", "Settings", text, "Set it to the address under which Jira reaches us.")
    data = settings.data
    if data.exists() and not os.access(data, os.W_OK | os.X_OK):
        again = "Give it to the user that Signalbox runs as, or set SIGNALBOX_DATA."
        yield Line("fault", "Settings", f"The folder {data} cannot be written to.", again)
    if not strangers:
        yield Line("ok", "Settings", "All settings can be read; the secret key is well formed.")


def _git() -> Iterator[Line]:
    from app.admin.line import Line

    wanted = ".".join(map(str, OLDEST_GIT))
    if shutil.which("git") is None:
        yield Line("fault", "Git", "git is not installed.", f"Install git {wanted} or newer.")
        return
    done = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False)
    numbers = re.search(r"(\d+)\.(\d+)", done.stdout)
    version = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if version < OLDEST_GIT:
        text = f"{done.stdout.strip() or 'git'} is too old."
        yield Line("fault", "Git", text, f"Install git {wanted} or newer.")
    else:
        yield Line("ok", "Git", f"{done.stdout.strip()}.")


def _equipment(settings: Settings) -> Equipment:
    from app import main
    from app.admin.doctor import Equipment

    return Equipment(main.code_host(settings), main.cage(), _agent_fault(settings))


def _agent_fault(settings: Settings) -> Callable[[str], tuple[str, str]]:
    """By an agent's name: why it cannot start here and what to do, or two empty strings."""

    def fault(name: str) -> tuple[str, str]:
        if name != "claude":
            return "", ""
        if not settings.anthropic_api_key:
            return (
                "The agent claude has no key for its model: SIGNALBOX_ANTHROPIC_API_KEY.",
                "Set it, or choose another agent.",
            )
        if importlib.util.find_spec("claude_agent_sdk") is None:
            return (
                "The agent claude is not installed: the extra `claude` is missing.",
                "Run `make claude`, or install signalbox[claude].",
            )
        if settings.claude_cli and shutil.which(settings.claude_cli) is None:
            return (
                f"SIGNALBOX_CLAUDE_CLI names {settings.claude_cli}, which is no program.",
                "Correct it, or take the setting away for the bundled one.",
            )
        return "", ""

    return fault
