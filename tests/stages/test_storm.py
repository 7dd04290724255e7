"""Many labels by one person at once: the first are told of, the others only listed, admins once."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.storm import MOST, WINDOW
from app.core.text import from_plain
from app.core.ticket import Ticket
from app.sandbox.story import QUOTING
from app.store import storms, tickets
from app.store.database import Database
from app.store.schema import project
from tests.engine.stage import LABEL, PROJECT, SITE, SUMMARY
from tests.stages.commands_model import Commands

MANY = 25
OPERATIONS = "900"

# Both databases are worked on in tests/engine/test_obeying.py.
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Commands:
    made = Commands(database, tmp_path)
    add(made, OPERATIONS)
    made.set_up(operations_ticket=f"{PROJECT}-{OPERATIONS}")
    return made


def add(model: Commands, issue: str) -> None:
    body, now = from_plain(QUOTING), model.clock.now()
    model.jira.add(Ticket(SITE, issue, f"{PROJECT}-{issue}", PROJECT, "Bug", SUMMARY, body,
                          frozenset(), "To Do", False, "author", now))  # fmt: skip


def blow(
    model: Commands, who: str = "author", first: int = 1, seed: int | None = None
) -> list[str]:
    """A label on each of many tickets, a second apart; then all are looked at, in any order."""
    issues = [str(number) for number in range(first, first + MANY)]
    for issue in issues:
        add(model, issue)
        model.clock.tick(1)
        model.jira.label(issue, {LABEL}, who)
    if seed is not None:
        random.Random(seed).shuffle(issues)
    for issue in issues:
        tickets.again(model.db, SITE, issue, f"test:{issue}", "x", model.clock.now())
    model.work()
    return issues


def silent(model: Commands, issues: list[str]) -> list[str]:
    return [issue for issue in issues if not model.jira.ours(issue)]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_first_are_told_of_and_admins_once(model: Commands, seed: int | None) -> None:
    issues = blow(model, seed=seed)
    assert silent(model, issues) == issues[MOST:]
    assert [issue for issue in issues if model.row(issue)["quiet"]] == issues[MOST:]
    assert [issue for issue in issues if model.runs(issue)] == issues[:MOST]
    reasons = model.row(issues[-1])["decision"]["reasons"]
    assert [reason["code"] for reason in reasons] == ["storm"]
    (notice,) = model.told(OPERATIONS).values()
    assert notice.startswith('[MANY LABELS] @author set the label "agent-ready" on more than 20')
    assert model.properties(issues[-1])["reasons"] == ["storm"]


def test_a_storm_where_nobody_is_told(model: Commands) -> None:
    model.set_up(operations_ticket=None)
    issues = blow(model)
    assert silent(model, issues) == issues[MOST:]
    assert model.told(OPERATIONS) == {}


def test_two_persons_are_two_storms_and_one_notice_each(model: Commands) -> None:
    model.jira.give(PROJECT, "editor", "Developers")
    both = [blow(model), blow(model, "editor", first=200)]
    assert [len(silent(model, issues)) for issues in both] == [MANY - MOST] * 2
    assert len(model.told(OPERATIONS)) == 2
    more = blow(model, first=400)  # it goes on
    assert len(silent(model, more)) == MANY
    assert len(model.told(OPERATIONS)) == 2
    model.clock.tick(WINDOW.seconds + 60)
    assert len(silent(model, blow(model, first=600))) == MANY - MOST
    assert len(model.told(OPERATIONS)) == 3


def test_a_repeated_look_changes_nothing(model: Commands) -> None:
    issues = blow(model)
    for issue in issues:
        model.clock.tick(1)
        model.look(issue)
    assert silent(model, issues) == issues[MOST:]
    assert len(model.told(OPERATIONS)) == 1


def test_a_label_set_anew_later_ends_the_silence(model: Commands) -> None:
    last = blow(model)[-1]
    model.clock.tick(WINDOW.seconds + 1)
    model.label(last, on=False)
    assert not model.row(last)["quiet"]
    assert model.row(last)["labelled_at"] is None
    model.label(last)
    assert len(model.runs(last)) == 1
    assert "[STARTS]" in model.told(last)["readiness"]


def test_words_end_it_for_one_ticket(model: Commands) -> None:
    *_, other, last = blow(model)
    model.say(last, "agent run")
    assert [run["trigger_id"][:4] for run in model.runs(last)] == ["run:"]
    assert not model.row(last)["quiet"]
    model.say(other, "agent score", "outsider")
    assert "one of many at once" in model.told(other)["readiness"]
    assert model.runs(other) == []
    assert model.row(other)["quiet"]


def test_status_says_why_it_is_so_quiet(model: Commands) -> None:
    model.set_up(mode="advise")
    last = blow(model)[-1]
    model.say(last, "agent status")
    assert list(model.told(last)) == [next(iter(model.told(last)))]
    assert "one of many at once" in next(iter(model.told(last).values()))


def test_a_ticket_that_was_told_stays_told(model: Commands) -> None:
    add(model, "500")
    model.label("500", "outsider")
    before = model.told("500")["readiness"]
    blow(model)
    model.jira.label("500", set(), "author")
    model.label("500")
    assert model.row("500")["quiet"]
    assert "one of many at once" in model.told("500")["readiness"]
    assert model.told("500")["readiness"] != before
    assert model.runs("500") == []


def test_labels_older_than_the_connection_are_no_storm(model: Commands) -> None:
    with model.db.write() as c:
        c.execute(project.update().values(connected_at=model.clock.now() + timedelta(hours=1)))
    issues = blow(model)
    assert not [issue for issue in issues if model.row(issue)["quiet"]]
    assert model.told(OPERATIONS) == {}


def test_one_read_of_the_changelog_and_none_without_a_label(model: Commands) -> None:
    add(model, "1")
    model.say("1", "agent score")
    reads = model.jira.calls.count("label_history")
    model.set_up(mode="advise")
    model.label("1")
    assert reads == 0
    assert model.jira.calls.count("label_history") == 1


def test_what_was_decided_of_a_label_stays(model: Commands) -> None:
    issues = blow(model)
    for issue in (issues[0], issues[-1]):
        row = model.row(issue)
        label = storms.Label(PROJECT, row["labelled_by"], row["labelled_at"], model.clock.at)
        storms.note_label(model.db, SITE, issue, label, model.clock.now())
        assert model.row(issue)["quiet"] == row["quiet"]
