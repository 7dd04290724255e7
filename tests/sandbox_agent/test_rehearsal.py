"""The rehearsal agent on the sample repository: it edits, tests, stops, and spends play money."""

import asyncio
import contextlib
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.adapters.no_cage import NoCage
from app.core.run import Ending
from app.ports import AgentReport, AgentTask
from app.sandbox.rehearsal import MODEL, Behaviour, RehearsalAgent
from app.sandbox.rehearsal_recipes import RECIPES, find_recipe
from app.sandbox.sample_repository import create_sample_repository

QUOTING = """CSV export breaks when a customer's name contains a comma

The *CSV export* (`billing/csv_export/writer.py`) must quote a field that contains a comma, a
double quote or a line
break, as RFC 4180 says.
"""
SPEED = "The CSV export must write 60,000 invoices in under 2 seconds."
TOTALS = "CSV export: the last line must show the number of invoices and the sum of the amounts."
TICKETS = {"quoting": QUOTING, "speed": SPEED, "totals": TOTALS}


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return create_sample_repository(tmp_path)


@pytest.fixture
def task(tmp_path: Path, origin: Path) -> AgentTask:
    worktree, home = tmp_path / "worktree", tmp_path / "home"
    subprocess.run(["git", "clone", "-q", str(origin), str(worktree)], check=True)
    home.mkdir()
    return AgentTask(
        key="BILL-7",
        run=1,
        attempt=1,
        prompt=QUOTING,
        guidelines="",
        worktree=worktree,
        home=home,
        budget=3_000_000,
        seconds=30,
        gate=None,
    )


def play(task: AgentTask, agent: RehearsalAgent | None = None) -> tuple[AgentReport, list[str]]:
    lines: list[str] = []
    agent = agent or RehearsalAgent(pace=0)
    report = asyncio.run(agent.work(task, NoCage(), asyncio.Event(), lines.append))
    return report, lines


def changed(task: AgentTask) -> list[str]:
    told = subprocess.run(
        ["git", "-C", str(task.worktree), "status", "--porcelain", "--untracked-files=all"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line[3:] for line in told.stdout.splitlines()]


def check(task: AgentTask, name: str) -> int:
    command = f"python3 -m checks.{name} && python3 -m unittest -q"
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, shell=True, cwd=task.worktree, env=env, capture_output=True, check=False
    )
    return done.returncode


def test_the_sample_is_the_same_commit_everywhere(tmp_path: Path) -> None:
    ids = {
        subprocess.run(
            ["git", "-C", str(create_sample_repository(tmp_path / name)), "rev-parse", "main"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in ("one", "two words")
    }
    assert len(ids) == 1


def test_a_sample_that_is_there_is_left_alone(tmp_path: Path, origin: Path) -> None:
    (origin / "description").write_text("mine")
    assert create_sample_repository(tmp_path) == origin
    assert (origin / "description").read_text() == "mine"


@pytest.mark.parametrize("name", TICKETS)
def test_acceptance_fails_before_and_holds_after(task: AgentTask, name: str) -> None:
    task = replace(task, prompt=TICKETS[name])
    assert check(task, name) != 0

    report, lines = play(task)

    assert (report.ending, report.cause) == (Ending.SUCCEEDED, "")
    assert check(task, name) == 0
    assert changed(task) == ["billing/csv_export/writer.py", "tests/test_writer.py"]
    assert len(lines) == 5


def test_recipes_can_follow_each_other(task: AgentTask) -> None:
    for prompt in TICKETS.values():
        assert play(replace(task, prompt=prompt))[0].ending is Ending.SUCCEEDED
    assert [check(task, name) for name in TICKETS] == [0, 0, 0]


def test_cost_is_said_to_be_simulated_and_always_the_same(task: AgentTask) -> None:
    report, _ = play(task)

    assert {call.model for call in report.usage} == {MODEL}
    assert sum(call.cost or 0 for call in report.usage) == 420_000
    assert len({call.message_id for call in report.usage}) == len(report.usage)
    assert RehearsalAgent().recovered_usage(task) == report.usage


def test_it_never_spends_more_than_it_may(task: AgentTask) -> None:
    for budget in (0, 49_999, 50_000, 300_000, 419_999):
        report, _ = play(replace(task, budget=budget, attempt=budget + 2))
        assert report.ending is Ending.OVER_BUDGET
        assert sum(call.cost or 0 for call in report.usage) <= budget
    assert play(replace(task, budget=420_000))[0].ending is Ending.SUCCEEDED


@pytest.mark.parametrize(
    "prompt",
    [
        "Make the CSV export better",
        QUOTING.replace("comma", "semicolon"),
        "CSV export is slow for big customers",
        SPEED.replace("60,000", "many"),
    ],
)
def test_a_ticket_that_does_not_say_enough_gets_a_plan_only(task: AgentTask, prompt: str) -> None:
    report, _ = play(replace(task, prompt=prompt))

    assert report.ending is Ending.SUCCEEDED
    assert changed(task) == ["rehearsal/BILL-7.md"]


def test_every_recipe_is_found_by_its_own_ticket_only() -> None:
    found = {name: find_recipe(text) for name, text in TICKETS.items()}
    assert {name: recipe.name for name, recipe in found.items() if recipe} == {
        recipe.name: recipe.name for recipe in RECIPES
    }


def test_nothing_is_written_through_a_link_out_of_the_repository(
    task: AgentTask, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (task.worktree / "rehearsal").symlink_to(outside)

    report, _ = play(replace(task, prompt="Something else"))

    assert report.ending is Ending.FAILED
    assert "leads out of the repository" in report.cause
    assert list(outside.iterdir()) == []


def test_a_repository_that_it_does_not_know_is_said_to_be_so(task: AgentTask) -> None:
    (task.worktree / "billing/csv_export/writer.py").write_text("")
    report, _ = play(task)
    assert (report.ending, report.cause) == (
        Ending.FAILED,
        "billing/csv_export/writer.py is not as the recipe knows it.",
    )


def test_tests_that_fail_are_no_success(task: AgentTask) -> None:
    with (task.worktree / "tests/test_writer.py").open("a") as file:
        file.write("\n    def test_broken(self):\n        self.fail()\n")
    report, _ = play(task)
    assert report.ending is Ending.FAILED
    assert report.cause == "The tests fail after the change: FAILED (failures=1)."


@pytest.mark.parametrize(
    ("behaviour", "ending"),
    [
        (Behaviour.FAILS, Ending.FAILED),
        (Behaviour.ASKS, Ending.NEEDS_ANSWER),
        (Behaviour.EDITS_NOTHING, Ending.SUCCEEDED),
    ],
)
def test_other_behaviours_edit_nothing(
    task: AgentTask, behaviour: Behaviour, ending: Ending
) -> None:
    report, _ = play(task, RehearsalAgent(0, behaviour))
    assert report.ending is ending
    assert changed(task) == []


def test_a_hanging_one_ends_at_its_time_limit(task: AgentTask) -> None:
    report, _ = play(replace(task, seconds=0.5), RehearsalAgent(0, Behaviour.HANGS))
    assert report.ending is Ending.TIMED_OUT
    assert running_in(task.worktree) == []


@pytest.mark.parametrize(("pace", "behaviour"), [(5, Behaviour.WORKS), (0, Behaviour.HANGS)])
def test_a_stop_is_obeyed_within_half_a_second(
    task: AgentTask, pace: float, behaviour: Behaviour
) -> None:
    async def stopped() -> tuple[AgentReport, float]:
        stop = asyncio.Event()
        agent = RehearsalAgent(pace, behaviour)
        working = asyncio.create_task(agent.work(task, NoCage(), stop, lambda _line: None))
        await asyncio.sleep(0.3)
        stop.set()
        asked = time.monotonic()
        return await working, time.monotonic() - asked

    report, took = asyncio.run(stopped())

    assert report.ending is Ending.CANCELLED
    assert took < 0.5
    assert running_in(task.worktree) == []


def test_a_cancelled_one_leaves_no_process(task: AgentTask) -> None:
    async def cancelled() -> None:
        agent = RehearsalAgent(0, Behaviour.HANGS)
        working = asyncio.create_task(
            agent.work(task, NoCage(), asyncio.Event(), lambda _line: None)
        )
        await asyncio.sleep(0.4)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    asyncio.run(cancelled())
    assert running_in(task.worktree) == []


def running_in(worktree: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink() == worktree:
                found.append((entry / "cmdline").read_text())
    return found


def test_its_record_is_not_written_through_a_link(task: AgentTask, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (task.home / "rehearsal-1-1.jsonl").symlink_to(victim)

    with pytest.raises(OSError, match="symbolic link"):
        play(task)

    assert victim.read_text() == "mine"
    assert RehearsalAgent().recovered_usage(task) is None
