"""kill -9 of the worker before and after every step and every outgoing call.

A first run writes down which boundaries there are; then, for each of them, a fresh ticket and a
worker that dies right there, and a second worker that has to bring it to the one right end. The
steps that only happen after a fault, in a sweep or for another door have their own stories.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.store import spending
from app.store.database import Database
from tests.engine.crash import (
    LONGEST,
    Crew,
    Workers,
    agent_starts,
    alive,
    around,
    count_pushes,
    kill,
    kind,
    leftovers,
    pushes,
    reached,
)
from tests.engine.crash_stories import STORIES, Story
from tests.engine.stage import SITE, Stage, stage, until

SHARDS, AT_ONCE = 4, 5  # the suite runs shards side by side; each runs a few tickets at once
IN_STORIES = frozenset[str]().union(*(story.steps for story in STORIES.values()))
"""The steps that a good run never comes to. Each story fails where it misses one of its own."""
CALLS = frozenset(
    {
        "agent",
        "acceptance command",
        "git fetch",
        "git push",
        "enqueue run_ticket",
        "enqueue tell_result",
        "POST /rest/api/N/issue/N/comment",
        "PUT /rest/api/N/issue/N/comment/N",
    }
)
"""Calls that have to be among the boundaries, whatever else is."""


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    made = Workers(tmp_path_factory.mktemp("workers") / "stderr")
    yield made
    made.close()


@pytest.fixture
def fresh(database_url: str, tmp_path: Path) -> Callable[[str], str]:
    """Makes further databases, of SQLite, as fresh as the first one."""
    template = Path(database_url.removeprefix("sqlite:///"))

    def copy(name: str) -> str:
        return f"sqlite:///{shutil.copy(template, tmp_path / f'{name}.sqlite')}"

    return copy


def ended(on: Stage) -> bool:
    """The run has told its result, the question is answered, and nothing is under way."""
    runs, workspaces = on.runs(), (on.directory / "runs").glob("*/*")
    if not runs or not on.quiet() or any(workspaces):
        return False
    return len(on.jira.comments(runs[0]["key"])) >= 5


def check_the_end(on: Stage, key: str) -> None:
    runs = on.runs()
    assert [(run["ending"], run["cause"]) for run in runs] == [("Succeeded", "")]
    issue_id = runs[0]["issue_id"]
    run_key = f"run:{SITE}:{issue_id}:1"
    asked = on.jira.comments(key)[0].id
    assert set(on.comments(key)) == {
        "readiness",
        f"reply:{asked}",
        run_key,
        f"result:{run_key}",
    }
    assert "[FINISHED]" in on.comments(key)[run_key]
    assert on.branches() == [f"agent/{key}-1"]
    assert pushes(on) == 1
    starts = agent_starts(on)
    assert len(set(starts)) == len(starts), f"an attempt's agent was started twice: {starts}"
    assert len(starts) <= 3
    totals = spending.totals(on.db)
    assert (totals["open_holds"], totals["held"]) == (0, 0)
    assert {outcome for outcome, _ in on.outcomes()} <= {"handled", "ignored"}
    # A git command on the repository may take a moment to see that who asked is gone.
    until(lambda: not leftovers(on.directory), 5)


def deliver(on: Stage, key: str) -> None:
    """The label, and a question in a comment."""
    question = on.jira.comment(key, "agent help", "Author")
    on.deliver_comment(key, question.id)
    on.deliver(key)


def wait_for_all(steps: frozenset[str], log: Path) -> None:
    """Until all that a good run comes to was reached; some of it comes after its end."""
    every = around(steps) | around(CALLS, "")

    def missed() -> set[str]:
        return every - {kind(name) for name in reached(log)}

    with contextlib.suppress(AssertionError):  # what is missing says more
        until(lambda: not missed(), LONGEST)
    assert not missed(), f"neither here nor in a story of crash_stories.py: {sorted(missed())}"


def play(workers: Workers, url: str, directory: Path, die_at: str) -> list[str]:
    """One ticket, one crash, one recovery. The boundaries that the first worker reached."""
    directory.mkdir()
    db = Database(url)
    log = directory / "boundaries"
    with stage(db, directory) as on:
        count_pushes(on)
        key = on.label_good_ticket()
        deliver(on, key)
        first = workers.start(on, log, die_at)
        if die_at:
            until(lambda: not alive(first), LONGEST)
            assert reached(log)[-1] == die_at, f"{die_at} was not reached"
            second = workers.start(on, None)
        else:
            second = first
        try:
            until(lambda: ended(on), LONGEST)
            if not die_at:
                wait_for_all(workers.steps - IN_STORIES, log)
        finally:
            kill(second)
        check_the_end(on, key)
    db.close()
    return reached(log)


def die_at_each(names: Sequence[str], play_one: Callable[[str, str], object]) -> None:
    """Play with a death at each of these boundaries, a few side by side."""
    faults: list[str] = []

    def one(numbered: tuple[int, str]) -> None:
        number, name = numbered
        try:
            play_one(f"at-{number}", name)
        except AssertionError as fault:
            faults.append(f"{name}: {fault}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, enumerate(names)))
    assert not faults, "\n".join(faults)


@pytest.mark.crash
@pytest.mark.timeout(600)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_kill_9_at_every_boundary(
    fresh: Callable[[str], str], tmp_path: Path, workers: Workers, shard: int
) -> None:
    names = play(workers, fresh("whole"), tmp_path / "whole", "")
    assert names
    die_at_each(
        names[shard::SHARDS],
        lambda name, die_at: play(workers, fresh(name), tmp_path / name, die_at),
    )


def play_story(workers: Workers, story: Story, url: str, directory: Path, die_at: str) -> list[str]:
    """One story with at most one crash. The boundaries that the first worker reached."""
    directory.mkdir()
    db = Database(url)
    log = directory / "boundaries"
    with stage(db, directory, acceptance="true") as on:
        count_pushes(on)
        crew = Crew(workers, on, log, die_at)
        try:
            story.play(on, crew)
        finally:
            crew.end()
        assert not die_at or reached(log)[-1] == die_at, f"{die_at} was not reached"
        until(lambda: not leftovers(directory), 5)
    db.close()
    return reached(log)


@pytest.mark.crash
@pytest.mark.timeout(600)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", STORIES)
def test_kill_9_in_every_story(
    fresh: Callable[[str], str], tmp_path: Path, workers: Workers, name: str
) -> None:
    story = STORIES[name]
    found = play_story(workers, story, fresh("whole"), tmp_path / "whole", "")
    die_at_each(
        story.deadly(found),
        lambda name, die_at: play_story(workers, story, fresh(name), tmp_path / name, die_at),
    )


@pytest.mark.crash
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "dialect", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
@pytest.mark.parametrize(
    "die_at", ["before step observe #1", "after agent #1", "after git push #1"]
)
def test_two_workers_on_postgres_and_one_is_killed(
    database_url: str, tmp_path: Path, workers: Workers, die_at: str
) -> None:
    db = Database(database_url)
    with stage(db, tmp_path) as on:
        count_pushes(on)
        key = on.label_good_ticket()
        first = workers.start(on, tmp_path / "boundaries", die_at)
        deliver(on, key)
        # The run is the first one's own by then: the second can only take it over.
        until(lambda: "before step prepare #1" in reached(tmp_path / "boundaries"), LONGEST)
        second = workers.start(on, None)
        try:
            until(lambda: not alive(first), LONGEST)
            until(lambda: ended(on), LONGEST)
            check_the_end(on, key)
        finally:
            kill(second)
    db.close()
