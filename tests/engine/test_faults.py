"""When something breaks: nothing is lost, nobody is told a lie, no money stays set aside."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOS

from app.core.run import RunRef
from app.sandbox.rehearsal import RehearsalAgent
from app.sandbox.story import VAGUE
from app.store import inbox, run_money, runs, spending, tickets
from tests.engine.stage import SITE, Stage, until

Work = Callable[..., Any]


def once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, fault: Exception) -> None:
    """The function fails the first time it is called."""
    real, left = getattr(where, name), [fault]

    def flaky(*args: Any, **kwargs: Any) -> Any:
        if left:
            raise left.pop()
        return real(*args, **kwargs)

    monkeypatch.setattr(where, name, flaky)


AWAY = sa.exc.OperationalError("select 1", {}, Exception("database is locked"))


@pytest.mark.parametrize(
    ("where", "name"),
    [(tickets, "record"), (runs, "start"), (runs, "finish"), (inbox, "settle")],
)
def test_a_database_that_is_away_for_a_moment(
    on_stage: Stage, work: Work, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    once(monkeypatch, where, name, AWAY)
    on_stage.deliver(on_stage.label_good_ticket())
    work()
    until(lambda: on_stage.runs() and on_stage.quiet())
    assert [run["ending"] for run in on_stage.runs()] == ["Succeeded"]


def test_the_relay_survives_what_breaks_it(
    on_stage: Stage, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = on_stage.label_good_ticket(VAGUE)
    real = inbox._assess

    def assess(c: Any, db: Any, enqueue: Any, site_id: str, issue_id: str) -> str:
        if issue_id == on_stage.jira.issue(poison).id:
            raise RuntimeError("poison")
        return real(c, db, enqueue, site_id, issue_id)

    monkeypatch.setattr(inbox, "_assess", assess)
    on_stage.deliver(poison)
    good = on_stage.label_good_ticket(VAGUE)
    on_stage.deliver(good)
    work()
    until(lambda: on_stage.comments(good) and on_stage.quiet())
    assert on_stage.outcomes()[0] == ("parked", "RuntimeError('poison')")


def test_a_revoked_token_parks_and_a_sweep_catches_up(on_stage: Stage, work: Work) -> None:
    on_stage.jira.faults.add(method="GET", path_pattern="/issue/", kind="401", times=1)
    key = on_stage.label_good_ticket(VAGUE)
    on_stage.deliver(key)
    work()
    until(lambda: on_stage.outcomes()[0][0] == "parked")
    now = on_stage.jira.issue(key).created
    issue_id = on_stage.jira.issue(key).id
    assert tickets.get(on_stage.db, SITE, issue_id) is not None
    assert tickets.wake_waiting(on_stage.db, frozenset(), now) == 1
    until(lambda: on_stage.comments(key) and on_stage.outcomes()[0][0] == "handled")


def test_a_workspace_of_another_machine_is_made_again(
    on_stage: Stage, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, first = runs.note, [True]

    def lose(db: Any, ref: Any, **values: Any) -> None:
        real(db, ref, **values)
        if values.get("base_commit") and first:
            first.clear()
            shutil.rmtree(on_stage.directory / "runs", ignore_errors=True)

    monkeypatch.setattr(runs, "note", lose)
    on_stage.deliver(on_stage.label_good_ticket())
    work()
    until(lambda: on_stage.runs() and on_stage.quiet())
    assert on_stage.runs()[0]["ending"] == "Succeeded"
    assert spending.totals(on_stage.db)["posted"] == 420_000


def test_a_stop_ends_the_acceptance_command(on_stage: Stage, work: Work) -> None:
    on_stage.change(acceptance="sleep 60")
    on_stage.deliver(on_stage.label_good_ticket())
    work()
    until(lambda: on_stage.runs() and on_stage.runs()[0]["step"] == 4)
    ref = on_stage.runs()[0]
    runs.ask_stop(on_stage.db, RunRef(SITE, ref["issue_id"], ref["key"], 1), "", "enough")
    until(on_stage.quiet)
    assert on_stage.runs()[0]["ending"] == "Cancelled"
    assert on_stage.branches() == [f"agent/{ref['key']}-1"]


def test_a_result_that_could_not_be_told_is_told_later(
    on_stage: Stage, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.reporting import report

    real, broken = report.report_end, [True]

    def report_end(*args: Any) -> None:
        if broken:
            raise RuntimeError("not now")
        real(*args)

    monkeypatch.setattr(report, "report_end", report_end)
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    worker = work()
    until(lambda: DBOS.list_workflows(name="tell_result", status="SUCCESS"))
    assert on_stage.runs()[0]["told_at"] is None
    broken.clear()
    later = on_stage.runs()[0]["ended_at"] + timedelta(minutes=6)
    assert runs.tell_again(on_stage.db, worker.enqueue, later, later) == 1
    until(lambda: on_stage.runs()[0]["told_at"])
    assert len(on_stage.comments(key)) == 3


def test_a_run_whose_workflow_is_no_more_is_ended(on_stage: Stage, work: Work) -> None:
    from app.engine import sweep_steps

    worker = work(agent=RehearsalAgent(pace=0))
    values = {
        "site_id": SITE,
        "issue_id": "4711",
        "key": "BILL-99",
        "project_key": "BILL",
        "trigger_id": "label:1",
        "actor": "someone",
        "triggered_at": worker.parts.clock.now(),
        "agent": "rehearsal",
        "simulated": True,
        "repository": str(on_stage.origin),
        "base_branch": "main",
        "spec_hash": "0",
        "spec_as_of": worker.parts.clock.now(),
        "spec": {"summary": "", "description": ""},
    }
    money = run_money.Money(3_000_000, "UTC", "list 1")
    lost: list[str] = []

    def lose(_c: Any, _workflow: str, workflow_id: str, _args: Any) -> None:
        lost.append(workflow_id)

    ref = runs.start(on_stage.db, values, money, 5, lose, worker.parts.clock.now())
    assert isinstance(ref, RunRef)
    assert lost == [ref.workflow_id]
    assert sweep_steps.reconcile() == 1
    assert on_stage.runs()[0]["ending"] == "Failed"
    assert spending.totals(on_stage.db) == {"held": 0, "posted": 0, "open_holds": 0}
    assert sweep_steps.reconcile() == 0


def test_workspaces_that_were_left_are_removed_in_time(on_stage: Stage, work: Work) -> None:
    from app.engine import sweep_steps

    worker = work(agent=RehearsalAgent(pace=0))
    on_stage.deliver(on_stage.label_good_ticket())
    until(lambda: on_stage.runs() and on_stage.quiet())
    (run,) = on_stage.runs()
    known = worker.parts.directory(SITE, run["issue_id"], run["number"])
    forgotten = worker.parts.directory("gone", "1", 1)
    for directory in (known, forgotten):
        (directory / "work").mkdir(parents=True)
    assert sweep_steps.remove_workspaces(run["ended_at"].isoformat()) == 1
    assert (known.exists(), forgotten.exists()) == (True, False)
    later = run["ended_at"] + timedelta(microseconds=1)
    assert sweep_steps.remove_workspaces(later.isoformat()) == 1
    assert not known.exists()


def test_one_sweep_that_fails_does_not_end_the_others(
    on_stage: Stage, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine import sweep_steps, sweeps

    work()
    looked: list[str] = []

    def broken() -> int:
        raise ValueError

    broken.__name__ = "reconcile"
    monkeypatch.setattr(sweep_steps, "reconcile", broken)
    monkeypatch.setattr(sweep_steps, "wake_deferred", lambda: looked.append("wake_deferred"))
    DBOS.start_workflow(sweeps.look_again, datetime.now(UTC), None).get_result()
    assert looked == ["wake_deferred"]


def test_deliveries_whose_workflow_is_no_more_are_relayed_again(
    on_stage: Stage, work: Work
) -> None:
    from app.engine import sweep_steps

    key = on_stage.label_good_ticket(VAGUE)
    on_stage.deliver(key)
    now = datetime.now(UTC)
    assert inbox.relay(on_stage.db, lambda *_: None, now) == 1, "its assessment never begins"
    worker = work()
    assert sweep_steps.reconcile() == 1
    assert sweep_steps.reconcile() == 0
    on_stage.deliver(key)  # must not wait for the assessment that never begins
    until(lambda: on_stage.comments(key))
    assert on_stage.outcomes()[0] == (None, "its workflow broke; tried again later")
    assert inbox.relay(on_stage.db, worker.enqueue, now + timedelta(minutes=1)) == 1
    until(on_stage.quiet)
    assert {outcome for outcome, _ in on_stage.outcomes()} == {"handled"}


def test_a_late_repeat_of_giving_back_leaves_a_later_decision_alone(
    on_stage: Stage, work: Work
) -> None:
    from app.engine import steps

    key = on_stage.label_good_ticket(VAGUE)
    on_stage.deliver(key)
    work()
    until(lambda: on_stage.comments(key) and on_stage.quiet())
    before = on_stage.ticket(key)
    issue_id, gen = before["issue_id"], before["taken"]
    steps.give_back("assess:earlier", SITE, issue_id, "weather", gen - 1)
    assert on_stage.ticket(key) == before
    steps.give_back("command:any", SITE, issue_id, "weather")
    assert on_stage.ticket(key) == before, "a command's fault is none of the assessment"
    steps.give_back("assess:this", SITE, issue_id, "weather", gen)
    assert (on_stage.ticket(key)["look_again"], on_stage.ticket(key)["decision"]) == (True, None)
