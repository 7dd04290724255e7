"""`signalbox doctor`: each fault is found, named, and comes with what to do about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from app.adapters.vault import Vault
from app.admin.doctor import examine_database
from app.admin.line import Line
from app.sandbox.sample_repository import create_sample_repository
from app.sandbox.server import SandboxJira
from app.store import migrate
from app.store.database import Database
from tests.cli.conftest import Terminal

sqlite_only = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


# The whole command

WELL = """\
ok    Git: git version.
ok    Settings: All settings can be read; the secret key is well formed.
ok    Database: SQLite at revision {revision}.
ok    Site acme: The webhook secret is set.
ok    Site acme: Jira answers; Signalbox is Signalbox (45f2aebd240cb351b03dc860).
ok    Project acme/BILL: Jira right Browse Projects.
ok    Project acme/BILL: Jira right Add Comments.
ok    Project acme/BILL: Jira right Edit Own Comments.
ok    Project acme/BILL: Jira right Edit Issues.
ok    Project acme/BILL: Comments are edited without mail.
ok    Project acme/BILL: Somebody holds the right dispatch.
ok    Project acme/BILL: Somebody holds the right approve.
ok    Project acme/BILL: Accounts and project roles can be read.
ok    Project acme/BILL: A budget is set; an attempt takes $3.00 of it.
ok    Project acme/BILL: {repository} answers and has the branch main; 0 wait for review.
ok    Project acme/BILL: The agent rehearsal is here.
ok    Cage: bubblewrap works.
0 faults, 0 warnings.
"""


@sqlite_only
def test_all_is_well_and_nothing_is_changed(
    connected: Terminal, jira: SandboxJira, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.adapters.bwrap.Bubblewrap.available", lambda self: "")
    repository = create_sample_repository(tmp_path / "origin")
    connected.env |= {"SIGNALBOX_ADMIN_TOKEN": "pages", "SIGNALBOX_URL": "http://127.0.0.1:1"}
    connected.run("project add --key BILL --mode approve --agent rehearsal --acceptance true")
    connected.run(f"project add --key BILL --repository {repository}")
    connected.run("role grant approve --project BILL --jira-role Developers")
    connected.run("budget set --limit 50")
    shown = connected.run("doctor").splitlines(keepends=True)
    shown[0] = shown[0].partition("git version")[0] + "git version.\n"
    assert "".join(shown) == WELL.format(revision=migrate.head(), repository=repository)
    told = connected.json("doctor")
    assert (told["faults"], told["warnings"], len(told["lines"])) == (0, 0, 17)
    assert set(told["lines"][0]) == {"state", "subject", "text", "next"}
    assert jira.journal.writes() == []


NO_KEY = (
    "SIGNALBOX_SECRET_KEY is not set. Seals tokens at rest: `signalbox doctor --new-key` makes one."
)


def test_without_settings_only_that_is_said(bare: Terminal) -> None:
    del bare.env["SIGNALBOX_SECRET_KEY"]
    git, *rest = bare.run("doctor", code=1).splitlines()
    assert git.startswith("ok    Git: git version")
    assert rest == [
        f"fault Settings: {NO_KEY}",
        "      → Nothing else can be looked at before.",
        "1 fault, 0 warnings.",
    ]


def test_settings_are_looked_at(bare: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_PROT", "1")
    told = bare.json("doctor", code=1)
    lines = [(line["state"], line["text"]) for line in told["lines"]]
    assert lines[1:] == [
        ("warn", "SIGNALBOX_PROT is no setting."),
        ("warn", "Our pages are closed: SIGNALBOX_ADMIN_TOKEN is not set."),
        ("warn", "Our address is not known: SIGNALBOX_URL is not set."),
        ("fault", "There is none yet."),
    ]
    assert told["lines"][-1]["next"] == "Run `signalbox db upgrade`."
    assert not Path(bare.env["SIGNALBOX_DATA"]).exists()  # looking makes nothing


def test_a_new_key_is_all_that_is_printed(bare: Terminal) -> None:
    del bare.env["SIGNALBOX_SECRET_KEY"]
    key = bare.run("doctor --new-key").removesuffix("\n")
    assert Vault(key).unseal(Vault(key).seal("token")) == "token"
    assert bare.said == ""
    assert key != bare.run("doctor --new-key").removesuffix("\n")


@sqlite_only
@pytest.mark.parametrize(
    ("env", "text"),
    [
        ({}, "The agent claude has no key for its model: SIGNALBOX_ANTHROPIC_API_KEY."),
        (
            {"SIGNALBOX_ANTHROPIC_API_KEY": "key", "SIGNALBOX_CLAUDE_CLI": "no-such-program"},
            "SIGNALBOX_CLAUDE_CLI names no-such-program, which is no program.",
        ),
    ],
)
def test_claude_needs_its_key_and_its_program(
    connected: Terminal, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], text: str
) -> None:
    monkeypatch.setattr("app.cli.doctor.importlib.util.find_spec", lambda name: name)
    connected.run("project add --key BILL --mode auto")
    connected.env |= env
    lines = connected.json("doctor", code=1)["lines"]
    assert text in [line["text"] for line in lines if line["state"] == "fault"]


@sqlite_only
def test_a_changed_secret_key_is_found(connected: Terminal) -> None:
    connected.env["SIGNALBOX_SECRET_KEY"] = connected.run("doctor --new-key").strip()
    told = connected.json("doctor", code=1)
    faults = [line["text"] for line in told["lines"] if line["state"] == "fault"]
    sealed = "A stored secret cannot be opened with the present keys:"
    assert [fault.partition(" add")[0] for fault in faults] == [
        f"The webhook secret: {sealed}",
        sealed,
    ]


@sqlite_only
def test_an_ordinary_account_is_warned_of(connected: Terminal, jira: SandboxJira) -> None:
    assert "ordinary" not in connected.run("doctor")
    jira.user("Signalbox").account_type = "atlassian"
    (line,) = (o for o in connected.json("doctor")["lines"] if "ordinary" in o["text"])
    assert (line["state"], line["subject"]) == ("warn", "Site acme")
    assert line["text"].endswith("passes for Signalbox's own and is ignored.")
    assert line["next"] == "Give Signalbox an account that nobody else uses."


# The database


def test_an_old_database_has_to_be_upgraded(database: Database) -> None:
    assert [line.state for line in examine_database(database.url)] == ["ok"]
    with database.write() as c:
        c.exec_driver_sql("update alembic_version set version_num = '0001'")
    (line,) = examine_database(database.url)
    assert line == Line(
        "fault",
        "Database",
        f"It is at revision 0001, this version needs {migrate.head()}.",
        "Run `signalbox db upgrade`.",
    )


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "x.sqlite"
    file.write_text("no database at all, only many words that look like none\n" * 40)
    (line,) = examine_database(f"sqlite:///{file}")
    assert (line.state, line.next) == ("fault", "See SIGNALBOX_DATABASE_URL.")
    assert "file is not a database" in line.text


@sqlite_only
def test_the_journal_has_to_let_readers_read(database: Database) -> None:
    file = database.url.removeprefix("sqlite:///")
    with sqlite3.connect(file) as connection:
        connection.execute("pragma journal_mode=delete")
    connection.close()
    *_, line = examine_database(database.url)
    assert line.text == (
        "SQLite's journal mode is delete, so readers and writers wait for each other."
    )
