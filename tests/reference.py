"""Writes docs/reference/cli.md and settings.md from the program: python -m tests.reference

A test compares them with what is in the repository, so that neither can fall behind.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from app.cli import app
from app.cli.faults import FAILED, WRONG
from app.config import Settings

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
WRITTEN = "Written by `python -m tests.reference`; edit the program, not this page."
COMMANDS = f"""\
# Commands

{WRITTEN}

With `--json` a command prints one JSON document to stdout and nothing else. Amounts in it are exact
decimals in quotes ("3.000000"), times are ISO 8601 in UTC.

| exit code | means |
|---|---|
| 0 | done |
| {FAILED} | the far side did not answer, `doctor` found a fault, a line could not be scored |
| {WRONG} | the command, a setting or what was asked for cannot be; stderr says why |
| 3, 4 | of `signalbox score`: the text is nearly ready, or not yet |"""
SETTINGS = f"""\
# Settings

{WRITTEN}

Each is read from the environment. A start without a required one is refused with one sentence that
names it; `signalbox doctor` looks at all of them, and at names that are none.

| name | what for | default |
|---|---|---|"""


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    return {"cli.md": "\n".join(_cli()) + "\n", "settings.md": "\n".join(_settings()) + "\n"}


def _cli() -> Iterator[str]:
    yield COMMANDS
    root: Any = typer.main.get_command(app)
    for name, command in _sorted(root.commands):
        if hasattr(command, "commands"):
            yield from ("", f"## signalbox {name}", "", str(command.help))
            for sub, each in command.commands.items():
                yield from _command(f"signalbox {name} {sub}", each, "###")
        else:
            yield from _command(f"signalbox {name}", command, "##")


def _sorted(commands: dict[str, Any]) -> list[tuple[str, Any]]:
    """In the order of help: by its headings, then as registered."""
    headings = list(dict.fromkeys(each.rich_help_panel for each in commands.values()))
    return sorted(commands.items(), key=lambda item: headings.index(item[1].rich_help_panel))


def _command(name: str, command: Any, level: str) -> Iterator[str]:
    shown = [param for param in command.params if param.name != "help"]
    arguments = [_argument(p) for p in shown if p.param_type_name == "argument"]
    options = "[OPTIONS]" if len(arguments) < len(shown) else ""
    yield from (
        "",
        f"{level} {name}",
        "",
        f"`{' '.join(filter(None, (name, options, *arguments)))}`",
    )
    for part in inspect.cleandoc(command.help).split("\n\n"):
        if part.startswith("\b\n"):
            yield from ("", "```sh", part.removeprefix("\b\n"), "```")
        else:
            yield from ("", part)
    if shown:
        yield from ("", "| | |", "|---|---|")
        for param in shown:
            yield f"| `{_cell(_written(param))}` | {_cell(_told(param))} |"


def _argument(param: Any) -> str:
    return str(param.metavar) if param.required else f"[{param.metavar}]"


def _written(param: Any) -> str:
    if param.param_type_name == "argument":
        return _argument(param)
    names = "/".join([*param.opts, *param.secondary_opts])
    return names if param.is_flag else f"{names} {param.metavar}"


def _told(param: Any) -> str:
    told = str(param.help or "")
    if param.required:
        return f"{told} Required."
    plain = isinstance(param.default, int | str) and not isinstance(param.default, bool)
    return f"{told} Default: {param.default}." if plain else told


def _settings() -> Iterator[str]:
    yield SETTINGS
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else f"`{field.default}`"
        default = "empty" if default == "``" else default
        told = _cell(str(field.description))
        yield f"| `SIGNALBOX_{name.upper()}` | {told} | {default} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
