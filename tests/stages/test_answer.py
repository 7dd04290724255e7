"""Commands in comments and by buttons: what they do, who may, and where it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.text import from_plain
from app.sandbox.story import QUOTING, VAGUE
from app.store import sites
from app.store.database import Database
from app.store.inbox import Press
from tests.engine.stage import LONG_AGO, PROJECT, SITE
from tests.stages.commands_model import Commands

# Both databases are worked on in tests/engine/test_obeying.py.
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Commands:
    made = Commands(database, tmp_path)
    made.ticket("1")
    return made


def make_admin(model: Commands, who: str) -> None:
    grant = {"site_id": SITE, "project_key": PROJECT, "right": "admin", "kind": "account"}
    sites.add_grant(model.db, {**grant, "subject": who, "granted_at": LONG_AGO})


def paused(model: Commands) -> bool:
    row = sites.get_project(model.db, SITE, PROJECT)
    assert row is not None
    return row["paused_at"] is not None


def test_a_run_is_asked_for_without_a_label(model: Commands) -> None:
    comment = model.say("1", "agent run")
    (run,) = model.runs("1")
    assert (run["trigger_id"], run["actor"]) == (f"run:{comment}", "author")
    told = model.told("1")
    assert told["readiness"].startswith("[STARTS] An agent starts now (run 1)")
    assert "Why it runs: asked" in told[f"run:{SITE}:1:1"]
    assert model.replies("1") == []
    model.look("1")
    assert model.runs("1")[0]["stop_why"] is None  # no label was taken away


def test_a_run_is_asked_for_once(model: Commands) -> None:
    comment = model.say("1", "agent run")
    model.say("1", "agent run")
    assert model.replies("1") == ['Run 1 is still on; "agent stop" ends it.']
    model.end_runs("1")
    model.hear("1", comment)
    assert model.outcomes()[-1] == ("ignored", "obeyed before")
    model.say("1", "agent run")
    assert model.replies("1")[1:] == [
        'This text has had its run (1). "agent retry" starts another one.'
    ]
    model.say("1", "agent retry")
    assert [run["trigger_id"][:5] for run in model.runs("1")] == ["run:" + comment[:1], "retry"]


def test_another_text_may_have_a_run_of_its_own(model: Commands) -> None:
    model.say("1", "agent run")
    model.end_runs("1")
    model.jira.edit("1", description=QUOTING + "\nAs agreed.")
    model.say("1", "agent run")
    assert len(model.runs("1")) == 2


def test_a_run_needs_the_right_of_that_moment(model: Commands) -> None:
    comment = model.say("1", "agent run", "outsider")
    assert model.runs("1") == []
    assert model.replies("1")[0].startswith('I did not do anything: you may not use "agent run"')
    model.jira.give(PROJECT, "outsider", "Developers")
    model.hear("1", comment)
    assert model.runs("1") == []  # it was answered; nothing is made up for later
    model.say("1", "agent run", "outsider")
    assert len(model.runs("1")) == 1


def test_words_outdo_a_label_that_could_start_nothing(model: Commands) -> None:
    model.label("1", "outsider")
    assert model.row("1")["decision"]["reasons"][0]["code"] == "no_right"
    model.say("1", "agent run")
    assert [run["actor"] for run in model.runs("1")] == ["author"]


def test_taking_the_label_away_takes_back_what_was_asked_before(model: Commands) -> None:
    sites.set_paused(model.db, SITE, PROJECT, model.clock.now())
    model.label("1")
    model.say("1", "agent run")
    model.clock.tick(1)
    model.label("1", on=False)
    sites.set_paused(model.db, SITE, PROJECT, None)
    model.look("1")
    assert model.runs("1") == []
    assert model.row("1")["decision"]["why"] == "no_label"


def test_taking_the_label_away_stops_a_run_that_was_asked_for(model: Commands) -> None:
    model.say("1", "agent run")
    model.clock.tick(1)
    model.label("1")
    assert model.runs("1")[0]["stop_why"] is None
    model.clock.tick(1)
    model.label("1", on=False)
    assert model.runs("1")[0]["stop_why"] == 'the label "agent-ready" was removed'


def test_a_stop_takes_back_a_wish_that_waits(model: Commands) -> None:
    sites.set_paused(model.db, SITE, PROJECT, model.clock.now())
    model.say("1", "agent run")
    assert model.row("1")["decision"]["reasons"][0]["code"] == "paused"
    model.say("1", "agent stop")
    assert model.replies("1") == ["No run is on. The wish for one is taken back."]
    assert model.row("1")["decision"]["why"] == "no_label"
    model.label("1")
    model.say("1", "agent stop")
    assert model.replies("1")[1] == (
        "No run is on, so there was nothing to stop. "
        'The label "agent-ready" still stands: remove it, so that none starts by it.'
    )


def test_a_stop_shows_in_the_comment_of_the_run(model: Commands) -> None:
    model.say("1", "agent run")
    assert model.told("1")[f"run:{SITE}:1:1"].startswith("[RUNNING]")
    model.say("1", "agent stop")
    assert model.told("1")[f"run:{SITE}:1:1"].startswith("[STOPPING]")
    assert model.replies("1") == []
    run = model.runs("1")[0]
    assert (run["stop_by"], run["stop_why"]) == ("author", 'asked by "agent stop"')


@pytest.mark.parametrize("mode", ["watch", "advise"])
def test_where_nothing_starts_a_wish_is_not_kept(model: Commands, mode: str) -> None:
    model.set_up(mode=mode)
    model.say("1", "agent run")
    assert model.replies("1") == [
        "Nothing starts in this project: Signalbox only judges texts here."
    ]
    model.set_up(mode="auto")
    model.look("1")
    assert model.runs("1") == []


def test_a_look_that_changes_nothing_is_acknowledged(model: Commands) -> None:
    model.say("1", "agent score", "outsider")
    before = model.told("1")["readiness"]
    assert "looked again as asked" in before.splitlines()[-1]
    model.clock.tick(60)
    model.say("1", "agent score", "outsider")
    assert list(model.told("1")) == ["readiness"]
    assert model.told("1")["readiness"] != before


def test_a_project_is_paused_and_resumed_by_an_admin(model: Commands) -> None:
    model.say("1", "agent pause")
    assert "it needs the right to administer this project" in model.replies("1")[0]
    assert not paused(model)
    make_admin(model, "author")
    model.say("1", "agent pause")
    assert paused(model)
    model.say("1", "agent run")
    assert model.runs("1") == []
    model.say("1", "agent resume")
    assert not paused(model)
    assert len(model.runs("1")) == 1  # what waited is looked at again
    first = f'Nothing more starts in {PROJECT} until an admin comments "agent resume".'
    assert model.replies("1")[1:] == [
        f"{first} A run that is on ends with its attempt; stop it in its ticket.",
        f"Agents can start in {PROJECT} again.",
    ]


def test_a_wrong_one_is_answered_once_however_often_it_is_edited(model: Commands) -> None:
    comment = model.say("1", "agent dance")
    for words in ("agent sing", "agent jump"):
        model.clock.tick(1)
        model.jira.reword("1", comment, "author", words)
        model.hear("1", comment)
    assert len(model.replies("1")) == 1
    assert "agent dance" in model.replies("1")[0]
    assert model.outcomes()[-1] == ("ignored", "obeyed before")


# Buttons


def test_a_button_does_what_the_comment_does(model: Commands) -> None:
    assert model.button("1", "run") == ("handled", "run")
    (run,) = model.runs("1")
    assert (run["actor"], run["trigger_id"][:10]) == ("author", "run:press:")
    assert model.button("1", "stop") == ("handled", "stop: run 1")
    assert model.told("1")[f"run:{SITE}:1:1"].startswith("[STOPPING]")
    assert model.button("1", "retry") == ("handled", "retry: a run is on")
    assert model.replies("1") == []


def test_a_button_gives_no_right(model: Commands) -> None:
    refused = ("ignored", "refused: run needs the right dispatch")
    assert model.button("1", "run", "outsider") == (
        "ignored",
        "the ticket or the person is gone, or hidden from Signalbox",
    )
    model.jira.give(PROJECT, "outsider")
    assert model.button("1", "run", "outsider") == refused
    assert model.button("1", "dance")[0] == "ignored"
    model.set_up(mode="off")
    assert model.button("1", "run") == ("ignored", f"project {PROJECT} is not connected")
    assert (model.runs("1"), model.replies("1")) == ([], [])


def test_a_button_is_pressed_once(model: Commands) -> None:
    press = Press("nonce", "author", "run", "", model.clock.now())
    assert model.press("1", press) == model.press("1", press) == ("handled", "run")
    model.end_runs("1")
    assert len(model.runs("1")) == 1


def test_a_button_approves_what_was_shown(model: Commands) -> None:
    model.set_up(mode="approve")
    model.label("1")
    before = model.clock.now()
    model.clock.tick(10)
    model.jira.edit("1", description=QUOTING + "\nDelete the audit log too.")
    model.look("1")
    assert model.press("1", Press("a", "author", "approve", "", before)) == (
        "handled",
        "approve: not of this text",
    )
    assert model.runs("1") == []
    assert model.button("1", "approve") == ("handled", "approve")
    assert len(model.runs("1")) == 1


def test_the_project_page_pauses_its_project(model: Commands) -> None:
    subject = f"project:{PROJECT}"
    assert model.button(subject, "pause")[0] == "ignored"
    make_admin(model, "author")
    assert model.button(subject, "pause") == ("handled", "pause")
    assert paused(model)
    assert model.button(subject, "resume") == ("handled", "resume")
    assert not paused(model)
    assert model.button(subject, "score") == (
        "ignored",
        "score is about a ticket, not about a project",
    )
    assert model.button("project:OTHER", "pause") == ("ignored", "project OTHER is not connected")


# Tickets that are kept apart


@pytest.mark.parametrize(
    ("apart", "switches"),
    [
        ("security level", ("restricted_tickets",)),
        ("service desk", ("service_desk",)),
        ("security level, service desk", ("restricted_tickets", "service_desk")),
    ],
)
def test_tickets_kept_apart_come_in_by_every_switch_they_need(
    model: Commands, apart: str, switches: tuple[str, ...]
) -> None:
    model.jira.edit("1", restricted=apart)
    model.label("1")
    model.say("1", "agent run")
    assert model.told("1") == {}
    assert model.outcomes()[-1] == ("ignored", f"left alone by default: {apart}")
    for switch in switches:
        assert model.runs("1") == []
        model.set_up(**{switch: True})
        model.look("1")
    assert len(model.runs("1")) == 1
    assert model.told("1")["readiness"].startswith("[STARTS]")


# Money in comments


def test_no_comment_names_an_amount_where_costs_are_off(model: Commands) -> None:
    from app.core.money import MICRO
    from app.store import budgets

    model.set_up(costs_in_comments=False, attempt_cap=3 * MICRO)
    budgets.set_limit(model.db, SITE, "project", PROJECT, "month", MICRO, "admin", LONG_AGO)
    model.label("1")
    assert "Project budget: what is free until" in model.told("1")["readiness"]
    model.say("1", "agent status")
    assert "what is free until" in "".join(model.told("1").values())
    budgets.set_limit(model.db, SITE, "project", PROJECT, "month", 50 * MICRO, "admin", LONG_AGO)
    model.look("1")
    assert len(model.runs("1")) == 1
    model.end_runs("1")
    model.report("1", 1)
    model.say("1", "agent status")
    assert len(model.told("1")) == 4
    assert not [text for text in model.told("1").values() if "$" in text or "spent of" in text]


def test_a_vague_text_is_not_run_by_words(model: Commands) -> None:
    model.jira.edit("1", description=from_plain(VAGUE))
    model.say("1", "agent run")
    assert model.runs("1") == []
    assert model.told("1")["readiness"].startswith(("[NOT YET]", "[NEARLY]"))
