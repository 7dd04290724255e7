"""The label added, removed, added, the text edited, the ticket assigned, all within a second: told
in every order, twice, before and after it happened. What is done equals what Jira says."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from app.core.run import DRIFTED
from app.dispatch.cancel import cancel
from app.intake.mention import hear
from app.sandbox.story import QUOTING, VAGUE
from app.store import inbox, sites, tickets
from app.store.database import Database
from app.store.schema import project
from tests.engine.stage import LABEL, PROJECT, SITE
from tests.stages.signals_model import CHANGES, US, Model

ORDERS = list(permutations(range(len(CHANGES))))


@pytest.fixture
def model(database: Database, tmp_path: Path) -> Model:
    return Model(database, tmp_path)


def told_after(
    model: Model, issue: str, order: tuple[int, ...], tick: float, text: str = QUOTING + " Yes."
) -> list[dict[str, Any]]:
    """All five are done; then their webhooks come in this order. The hooks, as they were sent."""
    model.ticket(issue)
    hooks = []
    for what in CHANGES:
        model.clock.tick(tick)
        hooks.append(model.change(issue, what, text))
    model.clock.tick(1)
    return [hooks[number] for number in order]


@pytest.mark.parametrize("tick", [0.0, 0.2], ids=["one instant", "one second"])
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_told_afterwards_in_every_order(model: Model, tick: float) -> None:
    """Twice each, under the same identifier or by another way in; some while the run is on, some
    after it has ended."""
    seen = []
    for number, order in enumerate(ORDERS if tick else ORDERS[::7]):
        issue = str(10_000 + number)
        hooks = told_after(model, issue, order, tick)
        for count, hook in enumerate(hooks):
            for identifier in (f"{issue} {count}", f"{issue} {count}" + " again" * (number % 2)):
                model.deliver(hook, identifier)
            if number % 10 == 0 or count == 2:
                model.work()
            if count == 2 and number % 3:
                model.end_runs(issue)
        model.work()
        model.end_runs(issue)
        (run,) = model.runs(issue)
        assert (run["ending"], run["trigger_id"][:7]) == ("Succeeded", "assign:")
        assert run["spec_hash"] == model.jira.tickets[issue].spec_hash()
        seen.append(model.seen(issue))
    assert all(one == seen[0] for one in seen)
    assert seen[0]["decision"] == {"decision": "none", "why": "label_used", "reasons": [], "run": 1}
    assert seen[0]["readiness"].startswith("ready No agent will start: the label has had its run")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_told_while_it_happens_in_every_order(model: Model) -> None:
    """Each webhook comes as soon as its turn in the order lets it, and is worked on at once. Taking
    the label off stops the run that it had started, and what is set anew has a run of its own; an
    edit stops a run for good."""
    ends = set()
    for number, order in enumerate(ORDERS):
        issue = str(10_000 + number)
        model.ticket(issue)
        hooks: list[dict[str, Any]] = []
        told = 0
        for what in CHANGES:
            model.clock.tick(0.2)
            hooks.append(model.change(issue, what, QUOTING + "\nYes."))
            while told < len(order) and order[told] < len(hooks):
                for again in range(1 + (number % 4 == 0)):
                    model.deliver(hooks[order[told]], f"{issue} {told} {again}")
                told += 1
                model.work()
            assert sum(run["ended_at"] is None for run in model.runs(issue)) <= 1
        for _ in range(2):
            model.end_runs(issue)
        *withdrawn, last = model.runs(issue)
        assert [run["stop_why"] for run in withdrawn] in (
            [],
            [f'the label "{LABEL}" was removed'],
        )
        text = model.jira.tickets[issue].spec_hash()
        assert last["stop_why"] == (None if last["spec_hash"] == text else DRIFTED)
        decision = model.seen(issue)["decision"]
        assert (decision["why"], decision["run"]) == ("label_used", last["number"])
        ends.add((len(withdrawn), last["stop_why"]))
    assert ends == {(0, None), (1, None), (0, DRIFTED)}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_text_that_was_spoilt_starts_nothing_in_any_order(model: Model) -> None:
    seen = []
    for number, order in enumerate(ORDERS[::7]):
        issue = str(10_000 + number)
        for count, hook in enumerate(told_after(model, issue, order, 0.2, VAGUE)):
            model.deliver(hook, f"{issue} {count}")
            model.work()
        assert model.runs(issue) == []
        seen.append(model.seen(issue))
    assert all(one == seen[0] for one in seen)
    codes = [reason["code"] for reason in seen[0]["decision"]["reasons"]]
    assert codes == ["not_ready"]


# one intent, one run; withdrawing and asking anew


def at_work(model: Model, *changes: str) -> str:
    """A ticket to which these things were done one after another, and worked on each time."""
    issue = str(10_000 + len(model.jira.tickets))
    model.ticket(issue)
    for what in changes:
        do(model, issue, what)
    return issue


def do(model: Model, issue: str, what: str) -> None:
    model.clock.tick(1)
    if what == "end":
        model.end_runs(issue)
        return
    if what == "give away":
        number = model.jira.assign(issue, "author", "author").id
        item = {"field": "assignee", "from": US, "to": "author"}
        hook: dict[str, Any] = {"webhookEvent": "jira:issue_updated", "issue": {"id": issue}}
        model.deliver({**hook, "changelog": {"id": number, "items": [item]}}, f"{issue} {number}")
    else:
        hook = model.change(issue, what)
        model.deliver(hook, f"{issue} {hook['changelog']['id']}")
    model.work()


STORIES: dict[str, tuple[list[str], list[str]]] = {
    "assigned": (["assign"], ["assign:"]),
    "a label during the run of an assignment": (["assign", "add", "end"], ["assign:"]),
    "an assignment during the run of a label": (["add", "assign", "end"], ["label:1"]),
    "an assignment after the run of a label": (["add", "end", "assign"], ["label:1", "assign:"]),
    "assigned again": (["assign", "end", "give away", "assign"], ["assign:", "assign:"]),
    "an edit after the run": (["assign", "end", "edit"], ["assign:"]),
    "assigned, taken back before the end, assigned again": (
        ["assign", "give away", "assign", "end"],
        ["assign:", "assign:"],
    ),
}


@pytest.mark.parametrize(("changes", "triggers"), STORIES.values(), ids=STORIES.keys())
def test_one_intent_has_one_run(model: Model, changes: list[str], triggers: list[str]) -> None:
    issue = at_work(model, *changes)
    assert [run["trigger_id"][:7] for run in model.runs(issue)] == triggers


def test_giving_the_ticket_away_stops_its_run(model: Model) -> None:
    issue = at_work(model, "assign", "give away")
    assert model.runs(issue)[0]["stop_why"] == "the ticket was assigned to somebody else"


@pytest.mark.parametrize("taken", ["give away", "remove"])
def test_while_another_signal_stands_the_run_goes_on(model: Model, taken: str) -> None:
    issue = at_work(model, "assign", "add", taken)
    assert [run["stop_why"] for run in model.runs(issue)] == [None]


def test_withdrawn_before_the_start_nothing_starts(model: Model) -> None:
    sites.set_paused(model.db, SITE, PROJECT, model.clock.now())
    issue = at_work(model, "assign", "give away")
    sites.set_paused(model.db, SITE, PROJECT, None)
    inbox.wake(model.db, SITE, PROJECT, "resumed", model.clock.now())
    model.work()
    assert model.runs(issue) == []
    row = tickets.get(model.db, SITE, issue)
    assert row is not None
    assert row["decision"]["why"] == "no_label"


def test_an_assignment_older_than_the_connection_starts_nothing(model: Model) -> None:
    later = model.clock.now().replace(year=2027)
    with model.db.write() as c:
        c.execute(project.update().values(connected_at=later))
    issue = at_work(model, "assign")
    assert model.runs(issue) == []
    row = tickets.get(model.db, SITE, issue)
    assert row is not None
    (reason,) = row["decision"]["reasons"]
    assert (reason["code"], reason["text"], reason["next"]) == (
        "label_older",
        "The assignment is older than the connection to Signalbox.",
        "Assign the ticket to somebody else and back to ask for a run.",
    )


def test_another_persons_signal_takes_no_start_away(model: Model) -> None:
    """Whoever may not dispatch can add nothing to it, and not hinder it either."""
    sites.set_paused(model.db, SITE, PROJECT, model.clock.now())
    issue = at_work(model, "assign")
    model.clock.tick(1)
    model.jira.label(issue, {LABEL}, "outsider")
    sites.set_paused(model.db, SITE, PROJECT, None)
    inbox.wake(model.db, SITE, PROJECT, "resumed", model.clock.now())
    model.work()
    assert [run["actor"] for run in model.runs(issue)] == ["author"]


def test_an_assignment_stands_out_of_a_storm_of_labels(model: Model) -> None:
    sites.set_paused(model.db, SITE, PROJECT, model.clock.now())
    issue = at_work(model, "assign", "add")
    tickets.record(model.db, SITE, issue, {"quiet": True})
    sites.set_paused(model.db, SITE, PROJECT, None)
    inbox.wake(model.db, SITE, PROJECT, "resumed", model.clock.now())
    model.work()
    assert [run["trigger_id"][:7] for run in model.runs(issue)] == ["assign:"]


def test_an_assignment_by_one_who_may_not_says_so(model: Model) -> None:
    model.ticket("1")
    model.jira.assign("1", US, "outsider")
    model.deliver({"webhookEvent": "jira:issue_updated", "issue": {"id": "1"}}, "1")
    model.work()
    row = tickets.get(model.db, SITE, "1")
    assert row is not None
    (reason,) = row["decision"]["reasons"]
    assert reason["code"] == "no_right"
    assert reason["next"].startswith("Somebody with the dispatch right can assign it, or an admin")


# what the agent connector leaves to the engine


def ask(model: Model, kind: str, issue: str, actor: str) -> int:
    """A delivery of the agent connector; its number."""
    row = {"id": f"{kind}-{issue}-{actor}", "site_id": SITE, "ident": f"a2a:{kind}{actor}{issue}"}
    row |= {"event": "a2a:x", "kind": kind, "issue_id": issue, "actor": actor, "reason": ""}
    inbox.receive(model.db, {**row, "once_key": None, "received_at": model.clock.now()})
    with model.db.read() as c:
        return int(c.exec_driver_sql("select max(seq) from inbox").scalar_one())


def test_a_mention_finds_its_comment(model: Model) -> None:
    model.ticket("1")
    site = sites.get_site(model.db, SITE)
    model.jira.say("1", "author", "agent status")
    model.clock.tick(3600)
    seq = ask(model, "mention", "1", "author")
    assert hear(model.db, model.jira, site, "1", seq)["outcome"] == "ignored"  # an hour ago
    model.jira.say("1", "outsider", "agent status")
    model.jira.say("1", "author", "nice weather")
    assert hear(model.db, model.jira, site, "1", seq)["outcome"] == "ignored"
    mine = model.jira.say("1", "author", "agent help")
    model.jira.say("1", "author", "thank you")
    assert hear(model.db, model.jira, site, "1", seq)["outcome"] == "found"
    told: list[tuple[str, tuple[Any, ...]]] = []

    def enqueue(_c: Connection, name: str, _ident: str, args: tuple[Any, ...]) -> None:
        told.append((name, args))

    inbox.relay(model.db, enqueue, model.clock.now())
    assert told == [("obey_comment", (SITE, "1", mine.id))]


@pytest.mark.parametrize(
    ("actor", "done"),
    [
        ("author", {"outcome": "handled", "reason": "stop: run 1"}),
        ("outsider", {"outcome": "ignored", "reason": "refused: cancel needs the right stop"}),
        ("nobody", {"outcome": "ignored", "reason": "refused: cancel needs the right stop"}),
        ("", {"outcome": "ignored", "reason": "refused: cancel needs the right stop"}),
    ],
)
def test_a_task_is_cancelled_by_right(model: Model, actor: str, done: dict[str, str]) -> None:
    issue = at_work(model, "assign")
    model.jira.give(PROJECT, "outsider")
    seq = ask(model, "cancel", issue, actor)
    assert cancel(model.db, model.jira, SITE, issue, seq) == done
    stopped = model.runs(issue)[0]["stop_why"]
    assert stopped == ("its task in Jira was cancelled" if actor == "author" else None)


def test_a_cancel_leaves_later_runs_alone(model: Model) -> None:
    issue = at_work(model, "assign")
    seq = ask(model, "cancel", issue, "author")
    do(model, issue, "end")
    do(model, issue, "give away")
    do(model, issue, "assign")
    assert len(model.runs(issue)) == 2
    assert cancel(model.db, model.jira, SITE, issue, seq)["reason"] == "no run is on"
