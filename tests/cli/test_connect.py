"""`signalbox connect`: the conversation, what it tries, and where it says to click."""

from __future__ import annotations

import re

import pytest

from app.core.connection import KINDS
from app.sandbox.server import SandboxJira
from tests.cli.conftest import PLACE, TOKEN, Terminal

MAIL = "signalbox@sandbox.example"


def typed(*answers: str) -> str:
    return "\n".join(answers) + "\n"


def test_a_cloud_site_is_connected_by_talking(terminal: Terminal, jira: SandboxJira) -> None:
    terminal.env["SIGNALBOX_URL"] = "https://signalbox.acme.example"
    answers = typed("1", terminal.address, "", MAIL, TOKEN, "2027-01-31", "acme", "BILL")
    said = terminal.run("connect", stdin=answers)
    assert "1. token       Jira Cloud, API token and admin webhook" in said
    assert "Connected as Signalbox" in said
    assert "Project BILL is looked after in mode advise: no agent starts." in said
    assert "✓ Jira right Browse Projects." in said
    assert "URL: https://signalbox.acme.example/webhooks/jira/acme" in said
    secret = re.search(r"Secret: (\S{40,})", said)
    assert secret is not None
    assert TOKEN not in said
    (site,) = terminal.json("site list")["sites"]
    assert site["connection"] == "token"
    assert site["token_expires_at"] == "2027-01-31T00:00:00Z"
    assert site["webhook_secret"] == "set"
    assert "ends in" not in terminal.run("doctor")


def test_a_site_that_is_only_polled_needs_no_door(terminal: Terminal, jira: SandboxJira) -> None:
    answers = typed(terminal.address, "n", "", MAIL, TOKEN, "-")
    said = terminal.run("connect acme --kind poll --project BILL", stdin=answers)
    assert "Nothing has to be set up in Jira" in said
    assert "Secret" not in said
    (site,) = terminal.json("site list")["sites"]
    assert (site["connection"], site["webhook_secret"]) == ("poll", "not set")
    assert "It is polled: no delivery is expected." in terminal.run("doctor")


def test_what_is_wrong_is_said_and_nothing_is_stored(terminal: Terminal, jira: SandboxJira) -> None:
    answers = typed(terminal.address, "", MAIL, "another token", "-", "acme")
    terminal.run("connect --kind token", code=2, stdin=answers)
    assert "does not accept Signalbox's credentials" in terminal.said
    assert terminal.json("site list") == {"sites": []}
    answers = typed(terminal.address, "", MAIL, TOKEN, "next year")
    terminal.run("connect --kind token", code=2, stdin=answers)
    assert "'next year' is no day: write it as 2027-01-31." in terminal.said


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_guide(bare: Terminal, kind: str) -> None:
    found = bare.json(f"connect --kind {kind} --guide")
    assert found["kind"] == kind
    assert all(step["do"].endswith(".") for step in found["steps"])
    said = bare.run(f"connect --kind {kind} --guide")
    assert said.startswith("\n1. ")


@pytest.mark.parametrize("kind", ["connect", "forge"])
def test_an_app_connects_itself(bare: Terminal, kind: str) -> None:
    assert "nobody types a token" in bare.run(f"connect --kind {kind}")
    site = f"site add acme --url {PLACE} --connection {kind} --token-env T"
    bare.env["T"] = TOKEN
    assert bare.refused(site).startswith(f"A {kind} app connects itself")


def test_an_unknown_kind_is_refused(bare: Terminal) -> None:
    assert bare.refused("connect --kind mail") == (
        "'mail' is no kind of connection: use token, automation, connect, forge, server, poll."
    )


def test_a_token_that_ends_soon_is_warned_of(connected: Terminal) -> None:
    again = "site add acme --token-env JIRA_TOKEN --token-ends"
    connected.run(f"{again} 2026-11-30")
    said = connected.run("doctor", code=0)
    assert "The token for Jira ends in 7 days, on 30 Nov 2026: after that nothing is read." in said
    connected.run(f"{again} 2026-11-01")
    said = connected.run("doctor", code=1)
    assert "The token for Jira ended on 1 Nov 2026" in said
    connected.run(f"{again} 2027-11-01")
    assert "The token for Jira" not in connected.run("doctor")
