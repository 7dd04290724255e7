"""`agent wrong`: what it hides, for how long, and that only a role lifts a must-have by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store import objections, people
from app.store.database import Database
from tests.engine.stage import PROJECT, SITE
from tests.stages.commands_model import Commands

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

# The checklist misses two answers in it: acceptance, a must-have, and what should happen instead.
TEXT = """The CSV export in billing/csv_export/writer.py has a header row since today.

Out of scope: the PDF export. Check with: python -m pytest tests/export
"""


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Commands:
    made = Commands(database, tmp_path)
    made.jira.give(PROJECT, "guest")
    made.ticket("1", TEXT)
    made.label("1")
    return made


def asked(model: Commands) -> list[str]:
    row = objections.as_shown(model.db, SITE, "1")
    return [name for name, _ in row["findings"]] if row else []


def first(model: Commands) -> str:
    return model.told("1")["readiness"].splitlines()[0]


def test_a_question_is_set_aside_by_anybody_and_the_must_have_stays(model: Commands) -> None:
    assert asked(model) == ["acceptance", "observed_expected"]
    model.say("1", "agent wrong 1: it is said in the first line", "guest")
    assert asked(model) == ["observed_expected"]
    told = model.told("1")["readiness"]
    assert "1. What should happen instead?" in told
    assert (
        "Set aside by a person: Acceptance. An agent starts without it only when somebody in the "
        'role Developers agrees: "agent wrong acceptance".'
    ) in told
    assert "| Acceptance | set aside by a person |" in told
    assert "4 met, 1 missing, 6 not judged, 1 set aside" in told
    assert 'Mistaken? Comment "agent wrong 1"' in told
    assert model.replies("1") == []
    (held,) = (r for r in model.row("1")["decision"]["reasons"] if r["code"] == "objection")
    assert held["text"] == "Acceptance: set aside by a person whose word opens no gate."
    assert held["next"] == 'Somebody in the role Developers can agree: "agent wrong acceptance".'
    assert model.runs("1") == []


def test_all_set_aside_by_anybody_starts_nothing(model: Commands) -> None:
    model.say("1", "agent wrong 2", "guest")
    model.say("1", "agent wrong 1", "guest")
    assert (asked(model), model.runs("1")) == ([], [])
    assert first(model) == (
        "[NEARLY] No agent will start: somebody has to agree that I was mistaken. "
        "Nothing was spent."
    )
    model.say("1", "agent wrong acceptance", "author")
    assert first(model).startswith("[STARTS]")
    assert len(model.runs("1")) == 1


def test_a_role_lifts_it_for_this_text_alone(model: Commands) -> None:
    model.say("1", "agent wrong 2", "author")
    model.jira.edit("1", description=TEXT + "\nThe invoice page has it as well.")
    model.look("1")
    assert asked(model) == ["acceptance"], "the other finding is the same, and stays aside"
    model.say("1", "agent wrong 1", "author")
    assert len(model.runs("1")) == 1
    model.end_runs("1")
    model.jira.edit("1", description=TEXT + "\nDelete the ledger as well.")
    model.say("1", "agent run", "author")
    assert asked(model) == []
    assert "Set aside by a person: Acceptance" in model.told("1")["readiness"]
    assert len(model.runs("1")) == 1


def test_the_number_is_that_of_the_comment_as_it_was_read(model: Commands) -> None:
    model.clock.tick(5)
    comment = model.jira.say("1", "guest", "agent wrong 2")  # its webhook is late
    model.say("1", "agent wrong 1", "guest")
    assert asked(model) == ["observed_expected"]
    model.hear("1", comment.id)
    assert model.outcomes()[-1] == ("handled", "wrong: observed_expected")


def test_a_comment_edited_to_another_number_is_obeyed_again(model: Commands) -> None:
    comment = model.say("1", "agent wrong 2", "guest")
    model.clock.tick(1)
    model.jira.reword("1", comment, "guest", "agent wrong acceptance")
    model.hear("1", comment)
    assert asked(model) == []
    model.hear("1", comment)
    assert model.outcomes()[-1] == ("ignored", "obeyed before")


def test_a_wrong_number_is_answered_once(model: Commands) -> None:
    comment = model.say("1", "agent wrong 7", "guest")
    assert model.replies("1") == [
        "There is no question 7. There are: 1 (acceptance) and 2 (observed and expected)."
    ]
    model.hear("1", comment)
    model.say("1", "agent wrong bundle", "guest")
    assert model.replies("1")[1:] == [
        "I have nothing against it in “Bundle”. I ask about: acceptance and observed and expected."
    ]


def test_a_question_about_another_text_is_not_set_aside(model: Commands) -> None:
    words = TEXT + "\nExpected: a header row with the names of the columns."
    model.clock.tick(5)
    comment = model.jira.say("1", "author", "agent wrong 1")
    model.clock.tick(5)
    model.jira.edit("1", description=words)
    model.look("1")
    model.hear("1", comment.id)
    assert model.replies("1") == [
        "The text has changed since, and I no longer ask that. Please look again."
    ]
    assert objections.held(model.db, SITE, "1", "any") == ()


def test_each_rule_has_a_precision_and_the_person_can_be_forgotten(model: Commands) -> None:
    for who in ("guest", "author"):
        model.say("1", "agent wrong acceptance it stands there", who)
    rules = {rule.criterion: rule for rule in objections.counts(model.db, SITE)}
    assert (rules["acceptance"].shown, rules["acceptance"].wrong) == (1, 1)
    assert (rules["acceptance"].share, rules["acceptance"].by_role) == (0.0, 1)
    assert rules["observed_expected"].share == 1.0
    assert "author" in people.accounts(model.db, SITE)
    people.erase(model.db, SITE, "author")
    assert "author" not in people.accounts(model.db, SITE)
    assert objections.counts(model.db, SITE)[0].wrong == 1


def test_a_button_sets_aside_as_well(model: Commands) -> None:
    assert model.button("1", "wrong", "guest", "2") == ("handled", "wrong: observed_expected")
    assert model.button("1", "wrong", "guest", "")[0] == "ignored"
    assert asked(model) == ["acceptance"]
