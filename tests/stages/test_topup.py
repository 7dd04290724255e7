"""`agent topup`: more money for the attempt that is on, once a comment, or why not in numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.money import MICRO
from app.core.run import RunRef
from app.ports import Transient
from app.store import budgets, run_money, sites, spending
from app.store.database import Database
from tests.engine.stage import LONG_AGO, PROJECT, SITE
from tests.stages.commands_model import Commands

# The ledger's verb itself is tested on both databases in tests/store/test_corrections.py.
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
RUN = f"run:{SITE}:1:1"


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Commands:
    made = Commands(database, tmp_path)
    made.ticket("1")
    made.set_up(attempt_cap=3 * MICRO)
    limit(made, 10)
    grant = {"site_id": SITE, "project_key": PROJECT, "right": "budget", "kind": "account"}
    sites.add_grant(made.db, {**grant, "subject": "keeper", "granted_at": LONG_AGO})
    made.jira.give(PROJECT, "keeper")
    return made


def limit(model: Commands, dollars: int) -> None:
    amount = dollars * MICRO
    budgets.set_limit(model.db, SITE, "project", PROJECT, "month", amount, "admin", LONG_AGO)


def held(model: Commands) -> int:
    return run_money.aside(model.db, RunRef(SITE, "1", f"{PROJECT}-1", 1), 1).held


def test_it_adds_to_what_is_set_aside_and_shows_in_the_comment_of_the_run(model: Commands) -> None:
    model.say("1", "agent run")
    comment = model.say("1", "agent topup 2.50", "keeper")
    assert held(model) == 5_500_000
    assert "$5.50 set aside, $2.50 of it topped up" in model.told("1")[RUN]
    assert model.replies("1") == []
    made = spending.hold_of(model.db, SITE, f"topup:{comment}")
    assert made is not None
    assert (made.attempt, made.holder, made.amount) == (1, RUN, 2_500_000)
    model.hear("1", comment)
    assert held(model) == 5_500_000


def test_cut_off_after_the_money_was_set_aside_it_is_not_set_aside_twice(model: Commands) -> None:
    model.say("1", "agent run")
    model.jira.calls.fail("put_comment", Transient("Jira is away"))
    with pytest.raises(Transient):
        model.say("1", "agent topup 2", "keeper")
    comment = model.jira.comments["1"][-1].id
    assert held(model) == 5 * MICRO
    model.hear("1", comment)
    assert held(model) == 5 * MICRO
    assert "$5.00 set aside, $2.00 of it topped up" in model.told("1")[RUN]


def test_a_comment_that_is_edited_says_no_second_amount(model: Commands) -> None:
    model.say("1", "agent run")
    comment = model.say("1", "agent topup 2", "keeper")
    model.jira.reword("1", comment, "keeper", "agent topup 4")
    model.hear("1", comment)
    assert held(model) == 5 * MICRO
    assert model.replies("1") == ["This comment has set $2.00 aside before. Write another one."]


def test_without_room_nothing_is_added_and_the_numbers_are_told(model: Commands) -> None:
    limit(model, 5)
    model.say("1", "agent run")
    model.say("1", "agent topup 3", "keeper")
    assert held(model) == 3 * MICRO
    (reply,) = model.replies("1")
    assert reply == (
        "Nothing was added. Project budget: this needs $3.00 set aside, $2.00 is free until 1 Dec. "
        "A project admin can raise it: signalbox budget set."
    )
    assert run_money.set_aside(model.db, RunRef(SITE, "1", f"{PROJECT}-1", 1)) == 3 * MICRO


def test_where_comments_name_no_amounts_neither_does_a_refusal(model: Commands) -> None:
    model.set_up(costs_in_comments=False)
    limit(model, 5)
    model.say("1", "agent run")
    model.say("1", "agent topup 3", "keeper")
    model.say("1", "agent topup 1", "keeper")
    assert held(model) == 4 * MICRO
    assert not [text for text in model.told("1").values() if "$" in text]


@pytest.mark.parametrize("who", ["author", "outsider"])
def test_it_needs_the_right_of_that_moment(model: Commands, who: str) -> None:
    model.say("1", "agent run")
    model.say("1", "agent topup 3", who)
    assert held(model) == 3 * MICRO
    assert model.replies("1")[0] == (
        'I did not do anything: you may not use "agent topup" here, as it needs the right to set '
        "more money aside. An admin can grant it: signalbox role grant."
    )


def test_there_has_to_be_an_attempt(model: Commands) -> None:
    nothing = "No attempt is at work here, so there is no money to add to. Nothing was set aside."
    model.say("1", "agent topup 3", "keeper")
    model.say("1", "agent run")
    model.end_runs("1")
    model.say("1", "agent topup 3", "keeper")
    assert model.replies("1") == [nothing, nothing]
    assert spending.open_holds(model.db) == []


def test_nothing_is_no_amount(model: Commands) -> None:
    model.say("1", "agent run")
    model.say("1", "agent topup 0", "keeper")
    model.say("1", "agent topup", "keeper")
    nothing, unsaid = model.replies("1")
    assert nothing == 'That is no money: say how much, such as "agent topup 3".'
    assert unsaid == (
        "I did not do anything: agent topup does not say just how much. For example "
        '"agent topup 3": set more money aside for the attempt that is on.'
    )
    assert held(model) == 3 * MICRO
