"""The label, an assignment and a message of the agent connector, on the real engine: whatever order
they are told in, one intent has one run, and what is told in the ticket is what Jira says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from a2a.server.context import ServerCallContext
from a2a.types import a2a_pb2 as a2a
from google.protobuf.json_format import ParseDict

from app.adapters.clock import SystemClock
from app.adapters.memory import MemorySecrets
from app.intake.a2a_agent import Caller, Connector
from app.intake.a2a_task import read_task
from app.intake.door import Door
from app.intake.receive import receive
from app.sandbox.rehearsal import Behaviour, RehearsalAgent
from app.sandbox.story import QUOTING, VAGUE
from app.store import sites
from tests.engine.stage import LABEL, PROJECT, SITE, SUMMARY, Stage, until

Work = Callable[..., Any]
ORDERS = ["01234", "43210", "40213", "31420", "24031"]


def new_ticket(on: Stage, text: str = QUOTING) -> str:
    made = on.jira.create_issue(PROJECT, SUMMARY, description=text, issue_type="Bug")
    return str(made.key)


def us(on: Stage) -> str:
    return str(sites.get_site(on.db, SITE)["account_id"])


def assign(on: Stage, key: str, to: str | None, who: str = "Author") -> Any:
    value = {"accountId": to} if to else None
    return on.jira.edit(key, {"assignee": value}, who)


def within_a_second(on: Stage, key: str) -> list[bytes]:
    """Label added, removed, added, text edited, assigned; the webhooks of these changes."""
    entries = [
        on.jira.add_label(key, LABEL, "Author"),
        on.jira.remove_label(key, LABEL, "Author"),
        on.jira.add_label(key, LABEL, "Author"),
        on.jira.edit(key, {"description": QUOTING + "\n\nAs agreed."}, "Author"),
        assign(on, key, us(on)),
    ]
    fields = ["labels", "labels", "labels", "description", "assignee"]
    issue = on.jira.issue(key).id
    return [
        b'{"webhookEvent": "jira:issue_updated", "issue": {"id": "%s"}, "changelog": {"id": "%s", '
        b'"items": [{"field": "%s", "to": "%s"}]}}'
        % (issue.encode(), str(entry.id).encode(), field.encode(), us(on).encode())
        for entry, field in zip(entries, fields, strict=True)
    ]


def deliver(on: Stage, hook: bytes, identifier: str) -> None:
    receive(on.db, SITE, us(on), identifier, hook, datetime.now(UTC))


def test_told_in_any_order_and_twice(on_stage: Stage, work: Work) -> None:
    on_stage.change(slots=10)
    work()
    keys = [new_ticket(on_stage) for _ in ORDERS]
    for key, order in zip(keys, ORDERS, strict=True):
        hooks = within_a_second(on_stage, key)
        for number in map(int, order):
            for identifier in (f"{key} {number}", f"{key} {number}", f"{key} {number} again"):
                deliver(on_stage, hooks[number], identifier)
    until(lambda: len(on_stage.runs()) >= len(keys) and on_stage.quiet(), 60)
    assert sorted(run["key"] for run in on_stage.runs()) == sorted(keys)
    for run in on_stage.runs():
        found = on_stage.ticket(run["key"])
        assert (run["ending"], run["trigger_id"][:7]) == ("Succeeded", "assign:")
        assert run["spec_hash"] == found["spec_hash"] == found["told_hash"]
        assert (found["decision"]["why"], found["decision"]["run"]) == ("label_used", 1)
        assert "the label has had its run (run 1)" in on_stage.comments(run["key"])["readiness"]
        assert (
            "Why it runs: assigned "
            in on_stage.comments(run["key"])[f"run:{SITE}:{run['issue_id']}:1"]
        )


def test_told_while_it_happens(on_stage: Stage, work: Work) -> None:
    """The run that the first label started is stopped by its removal, and one more follows."""
    work(agent=RehearsalAgent(pace=0.3))
    key = new_ticket(on_stage)
    on_stage.jira.add_label(key, LABEL, "Author")
    on_stage.deliver(key)
    until(on_stage.runs)
    on_stage.jira.remove_label(key, LABEL, "Author")
    on_stage.deliver(key)
    until(lambda: on_stage.runs()[0]["stop_why"])
    on_stage.jira.add_label(key, LABEL, "Author")
    assign(on_stage, key, us(on_stage))
    for _ in range(3):
        on_stage.deliver(key)
    until(lambda: len(on_stage.runs()) == 2 and on_stage.quiet(), 60)
    assert [run["ending"] for run in on_stage.runs()] == ["Cancelled", "Succeeded"]
    assert on_stage.runs()[0]["stop_why"] == f'the label "{LABEL}" was removed'


def test_an_assignment_alone_runs_and_giving_it_away_stops(on_stage: Stage, work: Work) -> None:
    agent = RehearsalAgent(pace=0, behaviour=Behaviour.HANGS)
    work(agent=agent)
    key = new_ticket(on_stage)
    assign(on_stage, key, us(on_stage))
    on_stage.deliver(key)
    until(lambda: on_stage.runs() and on_stage.runs()[0]["step"] == 3)
    assign(on_stage, key, None)
    on_stage.deliver(key)
    until(on_stage.quiet)
    (run,) = on_stage.runs()
    assert (run["ending"], run["cause"]) == (
        "Cancelled",
        "the ticket was assigned to somebody else",
    )


def test_a_ticket_that_is_made_for_us_is_assigned_to_us(on_stage: Stage, work: Work) -> None:
    made = on_stage.jira.create_issue(
        PROJECT,
        SUMMARY,
        description=QUOTING,
        issue_type="Bug",
        reporter="Author",
        assignee="Signalbox",
    )
    work()
    on_stage.deliver(made.key, "jira:issue_created")
    until(lambda: on_stage.runs() and on_stage.quiet())
    assert [run["trigger_id"] for run in on_stage.runs()] == ["assign:created"]


# the agent connector


def tell(on: Stage, data: dict[str, Any], who: str = "Author") -> str:
    """As Jira tells our agent; the id of its task."""
    door = Door(on.db, MemorySecrets(), SystemClock(), 100_000, "http://127.0.0.1")
    caller = Caller(sites.get_site(on.db, SITE), on.jira.user(who).account_id)
    state = {"caller": caller, "body": b"{}", "headers": {}}
    told = {"messageId": str(time.time_ns()), "role": "ROLE_USER", "parts": [{"data": data}]}
    params = ParseDict({"message": told}, a2a.SendMessageRequest())
    found = asyncio.run(Connector(door).on_message_send(params, ServerCallContext(state=state)))
    assert isinstance(found, a2a.Task)
    return str(found.id)


def cancel(on: Stage, task_id: str, who: str) -> None:
    door = Door(on.db, MemorySecrets(), SystemClock(), 100_000, "http://127.0.0.1")
    caller = Caller(sites.get_site(on.db, SITE), on.jira.user(who).account_id)
    context = ServerCallContext(state={"caller": caller, "body": b"{}", "headers": {}})
    asyncio.run(Connector(door).on_cancel_task(a2a.CancelTaskRequest(id=task_id), context))


def state(on: Stage, task_id: str) -> str:
    task = read_task(on.db, sites.get_site(on.db, SITE), task_id)
    assert task is not None
    return str(a2a.TaskState.Name(task.status.state)).removeprefix("TASK_STATE_")


def about(on: Stage, key: str, what: str = "ISSUE_ASSIGNMENT", **more: Any) -> dict[str, Any]:
    return {"invocationType": what, "issue": {"key": key}, **more}


def test_an_assignment_by_message_and_by_webhook_is_one_run(on_stage: Stage, work: Work) -> None:
    """The message names the ticket by its key alone: it is looked up."""
    key = new_ticket(on_stage)
    assign(on_stage, key, us(on_stage))
    task = tell(on_stage, about(on_stage, key))
    assert state(on_stage, task) == "SUBMITTED"
    on_stage.deliver(key)
    work()
    until(lambda: on_stage.runs() and on_stage.quiet())
    late = tell(on_stage, about(on_stage, key))
    on_stage.deliver(key)
    until(on_stage.quiet)
    assert len(on_stage.runs()) == 1
    assert (state(on_stage, task), state(on_stage, late)) == ("COMPLETED", "COMPLETED")
    found = read_task(on_stage.db, sites.get_site(on_stage.db, SITE), task)
    assert found is not None
    told = f"Branch agent/{key}-1 · $0.42 spent (simulated)"
    assert found.artifacts[0].parts[0].text == told


def test_questions_want_input_and_a_stranger_is_rejected(on_stage: Stage, work: Work) -> None:
    vague, foreign = new_ticket(on_stage, VAGUE), new_ticket(on_stage)
    assign(on_stage, vague, us(on_stage))
    assign(on_stage, foreign, us(on_stage), "Outsider")
    tasks = [tell(on_stage, about(on_stage, key)) for key in (vague, foreign, "BILL-999")]
    work()
    until(on_stage.quiet)
    assert [state(on_stage, task) for task in tasks] == ["INPUT_REQUIRED", "REJECTED", "REJECTED"]
    assert on_stage.runs() == []


def test_a_message_without_an_assignment_starts_nothing(on_stage: Stage, work: Work) -> None:
    """What it says is not believed: the ticket itself tells whom it is assigned to."""
    task = tell(on_stage, about(on_stage, new_ticket(on_stage)))
    work()
    until(on_stage.quiet)
    assert on_stage.runs() == []
    assert state(on_stage, task) == "REJECTED"


def test_a_mention_is_obeyed_like_any_comment(on_stage: Stage, work: Work) -> None:
    key = new_ticket(on_stage)
    comment = on_stage.jira.comment(key, "agent status", "Author")
    mention = about(on_stage, key, "ISSUE_COMMENT_MENTION")
    mentioned, silent = tell(on_stage, mention), tell(on_stage, mention, "Outsider")
    on_stage.deliver_comment(key, comment.id)
    work()
    until(on_stage.quiet)
    assert list(on_stage.comments(key)) == [f"reply:{comment.id}"]
    assert (state(on_stage, mentioned), state(on_stage, silent)) == ("COMPLETED", "REJECTED")


@pytest.mark.parametrize("who", ["Author", "Outsider"])
def test_a_task_is_cancelled_by_right(on_stage: Stage, work: Work, who: str) -> None:
    work(agent=RehearsalAgent(pace=0, behaviour=Behaviour.HANGS))
    key = new_ticket(on_stage)
    assign(on_stage, key, us(on_stage))
    task = tell(on_stage, about(on_stage, key))
    until(lambda: on_stage.runs() and on_stage.runs()[0]["step"] == 3)
    until(lambda: state(on_stage, task) == "WORKING")
    cancel(on_stage, task, who)
    if who == "Outsider":
        until(lambda: on_stage.outcomes()[-1][0])
        assert on_stage.outcomes()[-1] == ("ignored", "refused: cancel needs the right stop")
        assert on_stage.runs()[0]["stop_why"] is None
        cancel(on_stage, task, "Author")
    until(on_stage.quiet)
    assert state(on_stage, task) == "CANCELED"
