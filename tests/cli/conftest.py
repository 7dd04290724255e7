"""Commands as they are typed, in this process, over a real database and a sandbox Jira."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.adapters.clock import SystemClock
from app.adapters.vault import new_key
from app.cli import app
from app.sandbox.server import SandboxJira

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BILL = "project add --key BILL"
AUTHOR, ME = "636485868971eac5aca33c4a", "45f2aebd240cb351b03dc860"
TOKEN = "token-of-signalbox"
NOWHERE = "http://127.0.0.1:9"
PLACE = "http://jira"
SECRET = "a webhook secret of some length"


@dataclass
class Terminal:
    """PLACE stands for the sandbox's address, in what is typed and in what was printed."""

    env: dict[str, str]
    address: str = NOWHERE
    said: str = ""  # on stderr, by the last command
    ran: list[str] = field(default_factory=list)

    def run(self, line: str, *more: str, code: int = 0, stdin: str | bytes | None = None) -> str:
        """Type a command; what it printed. Blanks at the ends of lines are left out."""
        args = [part.replace(PLACE, self.address) for part in (*line.split(), *more)]
        done = CliRunner(env=self.env).invoke(app, args, input=stdin, prog_name="signalbox")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        self.said = self._shown(done.stderr)
        self.ran.append(line)
        shown = self._shown(done.stdout)
        assert done.exit_code == code, f"{done.exit_code}: {shown}{self.said}"
        return shown

    def json(self, line: str, *more: str, code: int = 0) -> Any:
        """What --json gave: one document, and nothing else on any stream."""
        found = json.loads(self.run(line, *more, "--json", code=code))
        assert self.said == ""
        return found

    def refused(self, line: str, *more: str, code: int = 2) -> str:
        """The one sentence; nothing is printed beside it."""
        assert self.run(line, *more, code=code) == ""
        assert self.said.startswith("signalbox: ")
        assert self.said.count("\n") == 1
        return self.said.removeprefix("signalbox: ").removesuffix("\n")

    def _shown(self, text: str) -> str:
        lines = text.replace(self.address, PLACE).split("\n")
        return "\n".join(line.rstrip() for line in lines)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in a fresh folder: a secret key is set, nothing else is there."""
    for name in [name for name in os.environ if name.startswith("SIGNALBOX_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SystemClock, "now", lambda self: NOW)
    return Terminal({"SIGNALBOX_SECRET_KEY": new_key(), "SIGNALBOX_DATA": str(tmp_path / "data")})


@pytest.fixture
def terminal(bare: Terminal, database_url: str) -> Terminal:
    """With a migrated database."""
    bare.env["SIGNALBOX_DATABASE_URL"] = database_url
    return bare


@pytest.fixture
def jira(terminal: Terminal) -> Iterator[SandboxJira]:
    """A sandbox Jira, with its service account's token and a webhook secret in the environment."""
    terminal.env |= {"JIRA_TOKEN": TOKEN, "JIRA_SECRET": SECRET}
    sandbox = SandboxJira.seeded()
    with sandbox.serve() as address:
        terminal.address = address
        yield sandbox


SITE = f"site add acme --url {PLACE} --email signalbox@sandbox.example --token-env JIRA_TOKEN"


@pytest.fixture
def connected(terminal: Terminal, jira: SandboxJira) -> Terminal:
    """With the site acme."""
    terminal.run(f"{SITE} --webhook-secret-env JIRA_SECRET --zone Europe/Berlin")
    return terminal
