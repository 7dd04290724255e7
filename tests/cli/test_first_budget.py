"""The first budget of a site: one question, and never over a limit that is set."""

from __future__ import annotations

import pytest

from tests.cli.conftest import BILL, Terminal

TOLD = "$50.00 a month, $3.00 a ticket, 1 run at once"
LIMITS = [("site", "acme", "month", "50.000000"), ("ticket", "*", "once", "3.000000")]


def limits(terminal: Terminal) -> list[tuple[str, ...]]:
    names = ("level", "subject", "period", "limit")
    found = terminal.json("budget list")["budgets"]
    return [tuple(line[name] for name in names) for line in found]


def test_it_is_set_with_one_question(connected: Terminal) -> None:
    connected.run(BILL)
    said = connected.run("budget start", stdin="\n")
    assert said == f"Proposed budget of acme: {TOLD}. Set it? [Y/n]:\nBudget of acme: {TOLD}.\n"
    assert limits(connected) == LIMITS
    assert connected.run("budget start") == (
        "acme has a budget already: signalbox budget list shows it.\n"
    )
    assert "No budget is set" not in connected.run(BILL)


def test_a_no_sets_nothing(connected: Terminal) -> None:
    said = connected.run("budget start", stdin="n\n")
    assert said.splitlines()[-1] == (
        "Nothing was set, so nothing may be spent: signalbox budget set."
    )
    assert limits(connected) == []
    connected.run("budget start", stdin="", code=1)
    assert limits(connected) == []


def test_a_program_says_yes_beforehand(connected: Terminal) -> None:
    assert connected.refused("budget start --json") == "--json asks nothing, so it needs --yes."
    assert connected.json("budget start --yes") == {"site": "acme", "set": True}
    assert connected.json("budget start --yes") == {"site": "acme", "set": False}
    assert limits(connected) == LIMITS


@pytest.mark.parametrize("other", ["--limit 20", "--per-ticket --limit 1", "--no-limit"])
def test_what_an_admin_has_set_stays(connected: Terminal, other: str) -> None:
    connected.run(f"budget set {other}")
    before = limits(connected)
    connected.run("budget start --yes")
    assert limits(connected) == before


def test_it_tells_how_many_may_run_at_once(connected: Terminal) -> None:
    connected.run(f"{BILL} --slots 3")
    assert "3 runs at once" in connected.run("budget start --yes")
