"""A ticket's way through the engine, with real steps, a real database and Jira over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dbos import DBOS

from app.adapters.memory_agent import Act, MemoryAgent
from app.core.money import MICRO
from app.core.run import CallUsage, Ending
from app.sandbox.rehearsal import Behaviour, RehearsalAgent
from app.sandbox.story import QUOTING, VAGUE
from app.store import budgets, inbox, spending, tickets
from tests.engine.stage import LABEL, LONG_AGO, PROJECT, SITE, Stage, until

Work = Callable[..., Any]


def settled(on: Stage) -> bool:
    return on.quiet()


def plain(value: Any) -> bool:
    """What may lie in the engine's tables: a class of ours there would tie it to one version."""
    if type(value) in (dict, list):
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        return all(plain(part) for part in parts)
    return type(value) in (str, int, float, bool, type(None))


def test_steps_leave_plain_values_behind(on_stage: Stage, work: Work) -> None:
    on_stage.deliver(on_stage.label_good_ticket())
    work()
    until(lambda: on_stage.runs() and settled(on_stage))
    flows = DBOS.list_workflows()
    outputs = [
        (step["function_name"], step["output"])
        for flow in flows
        for step in DBOS.list_workflow_steps(flow.workflow_id)
    ]
    assert len(outputs) > 10
    assert [output for output in outputs if not plain(output[1])] == []
    assert QUOTING[:40] not in str(outputs) + str([flow.input for flow in flows])


def test_a_good_ticket_runs_to_a_branch(on_stage: Stage, work: Work) -> None:
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work()
    until(lambda: on_stage.runs() and settled(on_stage))
    run = on_stage.runs()[0]
    assert (run["ending"], run["spec"]) == ("Succeeded", None)
    assert on_stage.branches() == [f"agent/{key}-1"]
    assert set(on_stage.comments(key)) == {
        "readiness",
        f"run:{SITE}:{run['issue_id']}:1",
        f"result:run:{SITE}:{run['issue_id']}:1",
    }
    assert spending.totals(on_stage.db) == {"held": 0, "posted": 420_000, "open_holds": 0}
    assert not list((on_stage.directory / "runs").glob("*/*"))


def test_events_of_one_ticket_share_an_assessment(on_stage: Stage, work: Work) -> None:
    key = on_stage.label_good_ticket(VAGUE)
    for _ in range(20):
        on_stage.deliver(key)
    work()
    until(lambda: settled(on_stage))
    assert len(on_stage.outcomes()) == 20
    assert {outcome for outcome, _ in on_stage.outcomes()} == {"handled"}
    assert on_stage.ticket(key)["gen"] <= 3
    assert (
        "NOT YET" in on_stage.comments(key)["readiness"]
        or "NEARLY" in (on_stage.comments(key)["readiness"])
    )


def test_an_edit_lets_it_out(on_stage: Stage, work: Work) -> None:
    key = on_stage.label_good_ticket(VAGUE)
    on_stage.deliver(key)
    work()
    until(lambda: on_stage.comments(key))
    first = on_stage.ticket(key)["score"]
    assert on_stage.runs() == []
    on_stage.jira.edit(key, {"description": QUOTING}, "Author")
    on_stage.deliver(key)
    until(lambda: on_stage.runs() and settled(on_stage))
    assert on_stage.ticket(key)["score"] > first
    assert on_stage.runs()[0]["ending"] == "Succeeded"


def test_a_label_without_the_right_starts_nothing(on_stage: Stage, work: Work) -> None:
    issue = on_stage.jira.create_issue(PROJECT, "CSV export: quote", description=QUOTING)
    on_stage.jira.add_label(issue.key, LABEL, "Outsider")
    on_stage.deliver(issue.key)
    work()
    until(lambda: settled(on_stage))
    reasons = on_stage.ticket(issue.key)["decision"]["reasons"]
    assert [reason["code"] for reason in reasons] == ["no_right"]
    assert on_stage.runs() == []


def test_a_budget_holds_back_and_a_raise_lets_go(on_stage: Stage, work: Work) -> None:
    db = on_stage.db
    budgets.set_limit(db, SITE, "project", PROJECT, "month", MICRO, "admin", LONG_AGO)
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work()
    until(lambda: settled(on_stage) and on_stage.comments(key))
    assert (
        "Project budget: this needs $3.00 set aside, $1.00 is free"
        in (on_stage.comments(key)["readiness"])
    )
    assert on_stage.runs() == []
    budgets.set_limit(db, SITE, "project", PROJECT, "month", 50 * MICRO, "admin", LONG_AGO)
    assert inbox.wake(db, SITE, PROJECT, "budget", LONG_AGO) == 1
    until(lambda: on_stage.runs() and settled(on_stage))
    assert on_stage.runs()[0]["ending"] == "Succeeded"


@pytest.mark.parametrize("how", ["label", "command", "edit", "deleted"])
def test_a_run_is_stopped(on_stage: Stage, work: Work, how: str) -> None:
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work(agent=RehearsalAgent(pace=0, behaviour=Behaviour.HANGS))
    until(lambda: on_stage.runs() and on_stage.runs()[0]["step"] == 3)
    match how:
        case "label":
            on_stage.jira.remove_label(key, LABEL, "Author")
            on_stage.deliver(key)
        case "command":
            comment = on_stage.jira.comment(key, "agent stop", "Author")
            on_stage.deliver_comment(key, comment.id)
        case "edit":
            on_stage.jira.edit(key, {"summary": "Something else in the CSV export"}, "Author")
            on_stage.deliver(key)
        case "deleted":
            on_stage.deliver(key)
            issue_id = on_stage.jira.issue(key).id
            on_stage.jira.delete_issue(key, "Author")
            assert issue_id
    if how == "deleted":
        tickets.again(on_stage.db, SITE, on_stage.runs()[0]["issue_id"], "x", "test", LONG_AGO)
    until(lambda: settled(on_stage))
    run = on_stage.runs()[0]
    assert run["ending"] == ("Drifted" if how == "edit" else "Cancelled")
    assert spending.totals(on_stage.db)["open_holds"] == 0


def test_a_failed_run_and_a_retry(on_stage: Stage, work: Work) -> None:
    usage = (CallUsage("m1", "x", 1, 0, 0, 1, 100_000),)
    nothing = Act(files={}, usage=usage)
    broken = Act(files={"tests/test_writer.py": "raise SystemExit(1)\n"}, usage=usage)
    good = Act(files={"NOTES.md": "done\n"}, usage=usage)
    agent = MemoryAgent(nothing, broken, good)
    on_stage.change(agent="memory")
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work(agent=agent)
    until(lambda: on_stage.runs() and settled(on_stage))
    run = on_stage.runs()[0]
    assert run["ending"] == "Failed"
    assert run["cause"].startswith("the acceptance command ended with 1")
    assert agent.tasks[1].feedback == "the agent changed nothing"
    result = on_stage.comments(key)[f"result:run:{SITE}:{run['issue_id']}:1"]
    assert "main" in result
    assert "$0.20" in result
    comment = on_stage.jira.comment(key, "agent retry", "Author")
    on_stage.deliver_comment(key, comment.id)
    until(lambda: len(on_stage.runs()) == 2 and settled(on_stage))
    assert on_stage.runs()[1]["ending"] == "Succeeded"
    assert sorted(on_stage.branches()) == [f"agent/{key}-1", f"agent/{key}-2"]


def test_approval_comes_from_a_person_with_the_right(on_stage: Stage, work: Work) -> None:
    on_stage.change(mode="approve")
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work()
    until(lambda: settled(on_stage) and on_stage.comments(key))
    assert "agent approve" in on_stage.comments(key)["readiness"]
    wrong = on_stage.jira.comment(key, "agent approve", "Outsider")
    on_stage.deliver_comment(key, wrong.id)
    until(lambda: f"reply:{wrong.id}" in on_stage.comments(key))
    assert on_stage.runs() == []
    right = on_stage.jira.comment(key, "agent approve", "Author")
    on_stage.deliver_comment(key, right.id)
    until(lambda: on_stage.runs() and settled(on_stage))
    run = on_stage.runs()[0]
    assert (run["ending"], run["approved_by"]) == (
        "Succeeded",
        on_stage.jira.user("Author").account_id,
    )


@pytest.mark.parametrize(
    ("act", "ending", "posted"),
    [
        (Act(ending=Ending.TIMED_OUT, cause="too long"), "TimedOut", 3 * MICRO),
        (Act(error=RuntimeError("boom")), "Failed", 6 * MICRO),
        (Act(files={"a.txt": "x"}, usage=(CallUsage("m", "x", 1, 0, 0, 1, None),)), "Succeeded",
         3 * MICRO),
    ],
)  # fmt: skip
def test_unknown_cost_takes_the_full_hold(
    on_stage: Stage, work: Work, act: Act, ending: str, posted: int
) -> None:
    on_stage.change(agent="memory")
    on_stage.deliver(on_stage.label_good_ticket())
    work(agent=MemoryAgent(act))
    until(lambda: on_stage.runs() and settled(on_stage))
    assert on_stage.runs()[0]["ending"] == ending
    assert spending.totals(on_stage.db) == {"held": 0, "posted": posted, "open_holds": 0}


def test_bad_weather_is_waited_out(on_stage: Stage, work: Work) -> None:
    on_stage.jira.faults.add(method="GET", path_pattern=r"/issue/", kind="500", times=3)
    key = on_stage.label_good_ticket(VAGUE)
    on_stage.deliver(key)
    work()
    until(lambda: settled(on_stage))
    assert on_stage.outcomes()[0][0] == "handled"


def test_a_ticket_that_is_gone_has_its_outcome(on_stage: Stage, work: Work) -> None:
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    on_stage.jira.delete_issue(key, "Author")
    work()
    until(lambda: settled(on_stage))
    assert on_stage.outcomes() == [("ignored", "the ticket is gone, or hidden from Signalbox")]


@pytest.mark.parametrize("words", ["agent help", "/agent status", "agent dance"])
def test_questions_are_answered_once(on_stage: Stage, work: Work, words: str) -> None:
    key = on_stage.label_good_ticket(VAGUE)
    comment = on_stage.jira.comment(key, words, "Outsider")
    for _ in range(3):
        on_stage.deliver_comment(key, comment.id)
    work()
    until(lambda: settled(on_stage))
    assert list(on_stage.comments(key)) == [f"reply:{comment.id}"]
