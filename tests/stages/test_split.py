"""`agent split`: the author's items become sub-tasks, each once, in the order the text names."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.ports import Refused, Transient
from app.store.database import Database
from tests.engine.stage import LABEL, PROJECT
from tests.stages.commands_model import Commands

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

BUNDLE = """Several issues with the export in billing/csv_export/writer.py:

- First, give the writer a class of its own
- Quote fields that hold a comma
- Delete the old writer after item 2
"""


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Commands:
    made = Commands(database, tmp_path)
    made.jira.give(PROJECT, "guest")
    made.ticket("1", BUNDLE)
    made.label("1")
    return made


def made(model: Commands) -> list[tuple[str, tuple[str, ...]]]:
    """Summaries of the children, each with those of its blockers."""
    by_key = {ticket.key: ticket for ticket in model.jira.tickets.values()}
    children = [model.jira.tickets[child] for child in model.jira.born_of]
    return [(t.summary, tuple(by_key[key].summary for key in t.blockers)) for t in children]


WHOLE = [
    ("Give the writer a class of its own", ()),
    ("Quote fields that hold a comma", ("Give the writer a class of its own",)),
    (
        "Delete the old writer after item 2",
        ("Quote fields that hold a comma", "Give the writer a class of its own"),
    ),
]


def sorted_blockers(found: list[tuple[str, tuple[str, ...]]]) -> list[tuple[str, list[str]]]:
    return [(summary, sorted(blockers)) for summary, blockers in found]


def test_the_split_is_shown_and_made_only_when_asked(model: Commands) -> None:
    told = model.told("1")["readiness"]
    assert "▸ A split into three sub-tasks, in your own words" in told
    assert "1. Give the writer a class of its own" in told
    assert "3. Delete the old writer after item 2 (after 1 and 2)" in told
    assert made(model) == []
    model.say("1", "agent split")
    assert sorted_blockers(made(model)) == sorted_blockers(WHOLE)
    keys = [model.jira.tickets[child].key for child in model.jira.born_of]
    told = model.told("1")["readiness"]
    expected = f"It was split into {keys[0]}, {keys[1]} and {keys[2]}. None of them is labelled."
    assert expected in told
    assert "▸ A split" not in told
    child = model.jira.tickets[next(iter(model.jira.born_of))]
    assert LABEL not in child.labels
    assert "Several issues with the export" in child.description.plain()
    assert f"Part of {PROJECT}-1" in child.description.plain()


def test_it_takes_the_right_to_dispatch(model: Commands) -> None:
    model.say("1", "agent split", "guest")
    assert made(model) == []
    assert 'you may not use "agent split" here' in model.replies("1")[0]


@pytest.mark.parametrize("call", ["create_child", "block"])
@pytest.mark.parametrize("answered", [True, False])
def test_a_fault_anywhere_makes_nothing_twice(model: Commands, call: str, answered: bool) -> None:
    model.jira.calls.fail(call, Transient("no answer"), answered=answered)
    with pytest.raises(Transient):
        model.say("1", "agent split")
    comment = next(c for c in model.jira.comments["1"] if c.text.plain() == "agent split")
    model.hear("1", comment.id)
    assert sorted_blockers(made(model)) == sorted_blockers(WHOLE)
    model.say("1", "agent split")
    assert sorted_blockers(made(model)) == sorted_blockers(WHOLE)


def test_another_text_is_not_split_a_second_time(model: Commands) -> None:
    model.say("1", "agent split")
    model.jira.edit("1", description=BUNDLE + "- Rename the page\n")
    model.look("1")
    model.say("1", "agent split")
    assert len(made(model)) == 3
    assert model.replies("1")[0].startswith("Another text of this ticket was split already: into")


def test_what_jira_refuses_is_said(model: Commands) -> None:
    model.jira.calls.fail("create_child", Refused("Jira refuses it (400)."))
    model.say("1", "agent split")
    assert model.replies("1") == ["Jira refuses it, so it is not whole: Jira refuses it (400)."]


def test_one_change_is_not_split(model: Commands) -> None:
    model.say("1", "agent wrong bundle")
    assert "▸ A split" not in model.told("1")["readiness"]
    model.say("1", "agent split")
    assert made(model) == []
    assert model.replies("1")[0].startswith("I see no list of separate changes")
