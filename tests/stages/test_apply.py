"""`agent apply`: the text that was proposed is written once, over the text that was seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.text import Document, from_plain, paragraph
from app.ports import Refused, Transient
from app.sandbox.story import QUOTING, VAGUE
from app.store.database import Database
from tests.stages.commands_model import Commands

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Commands:
    made = Commands(database, tmp_path)
    made.ticket("1", VAGUE)
    made.label("1")
    return made


def text(model: Commands) -> str:
    return model.jira.tickets["1"].description.plain()


def test_the_proposal_becomes_the_description_and_the_old_text_is_kept(model: Commands) -> None:
    comment = model.say("1", "agent apply")
    assert text(model) != VAGUE
    assert "[…]" in text(model)
    told = model.told("1")[f"reply:{comment}"]
    assert told.splitlines()[0].startswith("My proposal replaces the description, as @author asked")
    assert VAGUE in told
    row = model.row("1")
    assert row["told_hash"] == model.jira.tickets["1"].spec_hash(), "it was judged anew"


def test_it_takes_jiras_own_right_and_none_of_ours(model: Commands) -> None:
    model.jira.cannot_edit.add("author")
    model.say("1", "agent apply")
    assert text(model) == VAGUE
    (reply,) = model.replies("1")
    assert 'may not use "agent apply" here, as it needs Jira\'s right to edit this ticket.' in reply
    model.say("1", "agent apply", "outsider")
    assert text(model) != VAGUE


def test_a_text_that_was_not_seen_stays(model: Commands) -> None:
    model.clock.tick(5)
    comment = model.jira.say("1", "author", "agent apply")
    model.clock.tick(5)
    words = VAGUE + " And the PDF one."
    model.jira.edit("1", description=words)
    model.look("1")
    model.hear("1", comment.id)
    assert text(model) == words
    assert model.replies("1")[0].startswith("The text has changed since")


def test_an_edit_in_the_last_moment_wins(model: Commands) -> None:
    real = model.jira.set_description

    def meanwhile(*args: object) -> None:
        model.jira.edit("1", description="Somebody else's words, just now.")
        real(*args)  # type: ignore[arg-type]

    model.jira.set_description = meanwhile  # type: ignore[assignment,method-assign]
    model.say("1", "agent apply")
    assert text(model) == "Somebody else's words, just now."
    assert model.replies("1") == [
        "Somebody has changed the text in this moment, so I left it as it is."
    ]


def test_a_lost_answer_and_a_repeat_write_once(model: Commands) -> None:
    model.jira.calls.fail("set_description", Transient("no answer"), answered=False)
    with pytest.raises(Transient):
        model.say("1", "agent apply")
    after = text(model)
    assert after != VAGUE
    comment = next(c for c in model.jira.comments["1"] if c.text.plain() == "agent apply")
    model.hear("1", comment.id)
    assert text(model) == after
    assert VAGUE in model.told("1")[f"reply:{comment.id}"]
    assert model.outcomes()[-1] == ("handled", "apply")


def test_what_was_not_read_would_be_lost(model: Commands) -> None:
    document = Document((paragraph(VAGUE),), unread=("image",))
    model.jira.edit("1", description=document)
    model.look("1")
    model.say("1", "agent apply")
    assert model.jira.tickets["1"].description == document
    assert "would lose: image" in model.replies("1")[0]


def test_nothing_is_written_where_nothing_is_missing_or_a_run_is_on(model: Commands) -> None:
    model.ticket("2", QUOTING)
    model.set_up(mode="advise")
    model.label("2")
    model.say("2", "agent apply")
    assert model.replies("2") == ["I have nothing to propose: no answer is missing."]
    assert model.jira.tickets["2"].description == from_plain(QUOTING)


def test_a_right_that_cannot_be_read_is_no_right(model: Commands) -> None:
    model.jira.calls.fail("may_edit", Refused("no right to ask"))
    with pytest.raises(Refused):
        model.say("1", "agent apply")
    assert text(model) == VAGUE
