"""A start that may cost more than the project lets out by itself waits for a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.forecast import quantiles
from app.core.money import MICRO
from app.store.database import Database
from tests.stages.commands_model import Commands

_, STARTING_P90 = quantiles([])  # of a site that has had no run yet
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Commands:
    made = Commands(database, tmp_path)
    made.ticket("1")
    return made


def waits(model: Commands) -> list[str]:
    reasons = model.row("1")["decision"]["reasons"]
    return [reason["code"] for reason in reasons]


@pytest.mark.parametrize("mode", ["auto", "approve"])
def test_it_waits_until_somebody_with_the_right_approves(model: Commands, mode: str) -> None:
    model.set_up(mode=mode, approve_above=MICRO)
    model.label("1")
    assert (waits(model), model.runs("1")) == (["approval"], [])
    if mode == "auto":
        assert "The forecast is about $0.26, rarely above $1.70" in model.told("1")["readiness"]
    model.jira.give("BILL", "outsider")
    model.say("1", "agent approve", "outsider")
    assert model.runs("1") == []
    model.say("1", "agent approve")
    (run,) = model.runs("1")
    assert run["approved_by"] == "author"


def test_an_approval_is_good_for_one_start_and_one_text(model: Commands) -> None:
    model.set_up(approve_above=MICRO)
    model.label("1")
    model.say("1", "agent approve")
    model.end_runs("1")
    model.say("1", "agent retry")
    assert (waits(model), len(model.runs("1"))) == (["approval"], 1)


@pytest.mark.parametrize("above", [None, STARTING_P90, 50 * MICRO])
def test_what_is_not_above_starts_by_itself(model: Commands, above: int | None) -> None:
    model.set_up(approve_above=above)
    model.label("1")
    (run,) = model.runs("1")
    assert run["approved_by"] is None


def test_one_micro_unit_above_waits(model: Commands) -> None:
    model.set_up(approve_above=STARTING_P90 - 1)
    model.label("1")
    assert waits(model) == ["approval"]
