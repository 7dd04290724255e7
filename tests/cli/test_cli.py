"""The frame of all commands: help, exit codes, faults, and the pages written from it."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from app import __version__, main
from app.cli import app, demo_run
from app.cli.faults import EXPECTED, exit_code, sentence
from app.ports import NotFound, RateLimited
from app.store import migrate
from app.store.database import Database
from tests import reference
from tests.cli.conftest import Terminal

ONE_DOCUMENT = {"demo", "score", "doctor", "pause", "resume", "deliveries", "upgrade", "add"}
ONE_DOCUMENT |= {"precision", "raise", "override", "start"}
ONE_DOCUMENT |= {"scan", "list", "grant", "revoke", "set", "connect", "remove", "rotate", "replay"}
NO_DOCUMENT = {"serve", "worker", "sandbox", "mcp"}


def commands() -> Iterator[tuple[str, Any]]:
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        if not hasattr(command, "commands"):
            yield name, command
            continue
        assert command.help
        for sub, each in command.commands.items():
            yield f"{name} {sub}", each


def test_every_command_and_option_says_what_it_is_for() -> None:
    for name, command in commands():
        assert inspect.cleandoc(command.help).split("\n\n")[0].endswith("."), name
        for param in command.params:
            assert param.help, f"{name} {param.name}"
            assert param.metavar or param.is_flag, f"{name} {param.name} names its type only"


def test_json_is_everywhere_but_where_nothing_is_told() -> None:
    for name, command in commands():
        offered = any({"--json", "--format"} & set(param.opts) for param in command.params)
        assert offered == (name.split()[-1] in ONE_DOCUMENT), name
        assert offered != (name in NO_DOCUMENT), name


def test_every_help_can_be_read(bare: Terminal) -> None:
    for name, _ in commands():
        shown = bare.run(f"{name} --help")
        assert f"signalbox {name}" in shown
        assert "\\b" not in shown


def test_without_a_command_help_is_shown(bare: Terminal) -> None:
    assert "Try it without any account: `signalbox demo`." in bare.run("", code=2)
    assert bare.run("--version") == f"signalbox {__version__}\n"


def test_the_reference_pages_are_those_of_this_program() -> None:
    for name, text in reference.pages().items():
        written = (reference.FOLDER / name).read_text()
        assert written == text, f"docs/reference/{name} is old: python -m tests.reference"


# Faults


@pytest.mark.parametrize("name", EXPECTED)
def test_every_expected_fault_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_faults_have_their_exit_codes() -> None:
    assert exit_code(NotFound("gone")) == 2
    assert exit_code(RateLimited("later", 1)) == 1
    assert exit_code(KeyError("ours")) is None
    assert sentence(LookupError("there is none")) == "There is none"


def test_a_fault_of_ours_keeps_its_traceback(
    bare: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(main, "serve", broken)
    with pytest.raises(ZeroDivisionError):
        bare.run("serve")


@pytest.mark.parametrize("line", ["site list", "serve", "worker", "db upgrade", "budget list"])
def test_a_missing_setting_is_named(bare: Terminal, line: str) -> None:
    del bare.env["SIGNALBOX_SECRET_KEY"]
    assert bare.refused(line) == (
        "SIGNALBOX_SECRET_KEY is not set. Seals tokens at rest: `signalbox doctor --new-key` "
        "makes one."
    )


def test_settings_that_cannot_be(bare: Terminal) -> None:
    bare.env["SIGNALBOX_PORT"] = "web"
    assert bare.refused("serve").startswith("SIGNALBOX_PORT ")
    bare.env |= {"SIGNALBOX_PORT": "1", "SIGNALBOX_SECRET_KEY": "short"}
    assert bare.refused("site list").startswith("Key 1 of 1 is malformed: it has to be 32 bytes")
    assert bare.refused("serve --web-only").startswith(
        "SIGNALBOX_DATABASE_URL is not set: --web-only needs Postgres"
    )


def test_a_database_that_cannot_be_used(bare: Terminal, tmp_path: Path) -> None:
    bare.env["SIGNALBOX_DATABASE_URL"] = f"sqlite:///{tmp_path}/no/such/folder.sqlite"
    assert bare.refused("site list", code=1).startswith("The database cannot be used: ")
    bare.env["SIGNALBOX_DATABASE_URL"] = "nonsense"
    assert bare.refused("site list").startswith("The database cannot be used: ")
    (tmp_path / "text.sqlite").write_text("this is no database, whatever its name may say\n" * 9)
    bare.env["SIGNALBOX_DATABASE_URL"] = f"sqlite:///{tmp_path}/text.sqlite"
    assert bare.refused("site list", code=1).startswith("The database cannot be used: ")


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
def test_on_postgres_an_upgrade_is_asked_for(terminal: Terminal, database: Database) -> None:
    with database.write() as c:
        c.exec_driver_sql("update alembic_version set version_num = '0001'")
    assert terminal.refused("site list") == (
        "The database has another version: run `signalbox db upgrade` once."
    )


def test_what_is_typed_wrong(bare: Terminal) -> None:
    for line in ("fly", "site", "site add", "budget set --limit", "deliveries --last 0"):
        bare.run(line, code=2)


# The processes


def test_serve_worker_and_demo_hand_over(
    bare: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[Any] = []

    def demo(**options: Any) -> int:
        called.append(options)
        return 3

    monkeypatch.setattr(main, "serve", lambda settings, **k: called.append((settings.port, k)))
    monkeypatch.setattr(main, "work", lambda settings: called.append(settings.port))
    monkeypatch.setattr(demo_run, "run", demo)
    bare.env["ANTHROPIC_API_KEY"] = "a key"
    bare.run("serve --web-only")
    bare.run("worker")
    bare.run("demo --once --json --agent claude --directory here --port 7", code=3)
    told = {"once": True, "as_json": True, "agent": "claude", "port": 7, "api_key": "a key"}
    told["directory"] = tmp_path / "here"
    assert called == [(8321, {"web_only": True}), 8321, told]


def test_the_database_is_made_and_found_again(bare: Terminal, tmp_path: Path) -> None:
    program = "import sys; from app.cli import app; app(sys.argv[1:])"  # the engine logs for good
    done = subprocess.run(
        [sys.executable, "-c", program, "db", "upgrade", "--json"],
        env={**os.environ, **bare.env, "PYTHONPATH": str(reference.FOLDER.parents[1])},
        check=True,
        capture_output=True,
    )
    assert json.loads(done.stdout) == {"revision": migrate.head()}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert bare.json("site list") == {"sites": []}


def test_the_sandbox_says_how_to_connect_to_it(
    bare: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sandbox.server.run", lambda port, jira: None)
    assert bare.run("sandbox --port 8400") == (
        "Sandbox Jira, no real one: http://127.0.0.1:8400 (ends with Ctrl-C)\n"
        "In another terminal:\n"
        "  SANDBOX_TOKEN=token-of-signalbox signalbox site add sandbox --url "
        "http://127.0.0.1:8400 --email signalbox@sandbox.example --token-env SANDBOX_TOKEN\n"
    )
