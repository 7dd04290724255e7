"""What goes wrong in a ticket's life besides the worker's death, and how all is well in the end.

Each story makes the steps happen that a good run never comes to. Its worker may die in any of
them; then the next one goes on. The faults stay until the test has seen what they did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient

from app.engine.relay import APPLICATION
from app.engine.sweeps import KEEP_INTENTS
from app.sandbox.story import VAGUE
from app.store import spending
from app.store.schema import inbox
from tests.engine.crash import (
    LONGEST,
    Workers,
    agent_starts,
    alive,
    around,
    kill,
    kind,
    pushes,
)
from tests.engine.stage import SITE, Stage, until

ALWAYS = 1_000_000
HOLD = 3_000_000


class Crew:
    """One worker; where it has died at its boundary, the next."""

    def __init__(self, workers: Workers, on: Stage, log: Path, die_at: str) -> None:
        self.workers, self.on, self.log, self.die_at = workers, on, log, die_at
        self.died = False
        self.pid = 0
        self.engine = DBOSClient(system_database_url=on.db.url, application_name=APPLICATION)

    def start(self) -> None:
        """The first worker, up to where its schedules wait to be triggered."""
        self.pid = self.workers.start(self.on, self.log, self.die_at, waits=True)
        paused = {"look-again", "poll", "tidy"}
        self.until(lambda: paused <= {s["schedule_name"] for s in self._schedules("PAUSED")})

    def _schedules(self, status: str) -> list[Any]:
        return list(self.engine.list_schedules(status=status))

    def until(self, came: Callable[[], Any]) -> None:
        """Wait for what has to come, whoever of the crew brings it about."""

        def now() -> Any:
            if self.die_at and not self.died and not alive(self.pid):
                self.died = True
                self.pid = self.workers.start(self.on, None, waits=True)
            return came()

        until(now, LONGEST)

    def minutes_pass(self, minutes: int) -> None:
        with (self.on.directory / "minutes").open("a") as clock:
            clock.write("x" * minutes)

    def let_agent_work(self) -> None:
        (self.on.directory / "go").touch()

    def flows(self, *status: str, **which: Any) -> list[Any]:
        found = self.engine.list_workflows(status=list(status), load_output=False, **which)
        return list(found)

    def sweep(self, *flows: str) -> None:
        """Wait for the end of these sweeps, which somebody has just enqueued."""
        self.until(lambda: len(self.flows("SUCCESS", workflow_ids=list(flows))) == len(flows))

    def look_again(self) -> None:
        self.sweep(self.engine.trigger_schedule("look-again").workflow_id)

    def poll(self) -> None:
        self.sweep(self.engine.trigger_schedule("poll").workflow_id)

    def tidy_much_later(self) -> None:
        """The nightly tidying, on a night on which all of today is too old."""
        night = datetime.now(UTC) + KEEP_INTENTS + timedelta(days=2)
        handles = self.engine.backfill_schedule("tidy", night, night + timedelta(days=1))
        self.sweep(*(handle.workflow_id for handle in handles))

    def at_rest(self) -> bool:
        return self.on.quiet() and not self.flows("ENQUEUED", "PENDING")

    def end(self) -> None:
        if self.pid:
            kill(self.pid)
        self.engine.destroy()


def given_up(on: Stage, crew: Crew) -> None:
    """Jira asks to wait before anything is read. Later it takes a right away while the agent
    works, so that the run can't be handed over and its end can't be told; then gives it back."""
    key = on.label_good_ticket()
    asked = on.jira.comment(key, "agent help", "Author").id
    on.jira.faults.add(kind="429", path_pattern="/issue/", retry_after="60", times=ALWAYS)
    on.deliver_comment(key, asked)
    on.deliver(key)
    crew.start()
    crew.until(lambda: len(_given_back(on)) == 2)
    assert on.outcomes() == [(None, "Jira did not answer; tried again later")] * 2
    on.jira.faults.clear()
    crew.minutes_pass(1)
    crew.until(lambda: agent_starts(on) and {o for o, _ in on.outcomes()} == {"handled"})
    run_key = f"run:{SITE}:{on.runs()[0]['issue_id']}:1"
    crew.until(lambda: set(on.comments(key)) == {"readiness", f"reply:{asked}", run_key})
    for method, path in (("GET", r"/issue/\d+$"), ("POST", "/comment$")):
        on.jira.faults.add(kind="403", method=method, path_pattern=path, times=ALWAYS)
    crew.let_agent_work()
    crew.until(lambda: "parked" in {outcome for outcome, _ in on.outcomes()})
    crew.until(lambda: crew.flows("SUCCESS", name="tell_result"))
    assert on.runs()[0]["told_at"] is None
    on.jira.faults.clear()
    crew.minutes_pass(6)
    crew.look_again()
    crew.until(crew.at_rest)

    run = on.runs()[0]
    assert (len(on.runs()), run["ending"]) == (1, "Failed")
    assert "Jira does not let" in run["cause"]
    assert on.branches() == [f"agent/{key}-1"], "what it has made is kept"
    assert run["commit"]
    assert len(agent_starts(on)) == 1
    assert pushes(on) == 1
    told = {"readiness", f"reply:{asked}", run_key, f"result:{run_key}"}
    assert set(on.comments(key)) == told
    assert "Jira does not let" in on.comments(key)[f"result:{run_key}"]
    assert "[FAILED]" in on.comments(key)[run_key]
    assert [outcome for outcome, _ in on.outcomes()] == ["handled"] * 3, "ours was parked"
    assert on.ticket(key)["decision"] is not None, "it was assessed after all"
    assert spending.totals(on.db) == {"held": 0, "posted": 420_000, "open_holds": 0}
    assert not list((on.directory / "runs").glob("*/*"))


def lost(on: Stage, crew: Crew) -> None:
    """Workflows break: the ticket's assessment, the answer to a question, and the run while the
    agent works."""
    key = on.label_good_ticket()
    asked = on.jira.comment(key, "agent help", "Author").id
    on.jira.faults.add(kind="503", path_pattern="/issue/", times=ALWAYS)
    on.deliver_comment(key, asked)
    on.deliver(key)
    crew.start()
    crew.until(lambda: len(crew.flows("PENDING", "ENQUEUED")) == 2)
    for flow in crew.flows("PENDING", "ENQUEUED"):
        crew.engine.cancel_workflow(flow.workflow_id)
    on.jira.faults.clear()
    crew.look_again()
    crew.minutes_pass(1)
    crew.until(lambda: agent_starts(on) and {o for o, _ in on.outcomes()} == {"handled"})
    run_key = f"run:{SITE}:{on.runs()[0]['issue_id']}:1"
    crew.engine.cancel_workflow(run_key)
    crew.look_again()
    crew.until(crew.at_rest)

    assert [run["ending"] for run in on.runs()] == ["Failed"]
    told = {"readiness", f"reply:{asked}", run_key, f"result:{run_key}"}
    assert set(on.comments(key)) == told
    assert spending.totals(on.db) == {"held": 0, "posted": HOLD, "open_holds": 0}
    assert [outcome for outcome, _ in on.outcomes()] == ["handled"] * 2
    assert len(agent_starts(on)) == 1
    assert (on.branches(), pushes(on)) == ([], 0)


def unheard(on: Stage, crew: Crew) -> None:
    """No delivery comes in: label and question are found by asking Jira, and found once. Long
    after a delivery has come in all the same, what is left of it all is tidied."""
    key = on.label_good_ticket(VAGUE)
    asked = on.jira.comment(key, "agent help", "Author").id
    crew.start()
    crew.poll()
    crew.until(crew.at_rest)
    assert set(on.comments(key)) == {"readiness", f"reply:{asked}"}
    assert [why for _, why in on.outcomes()].count("help") == 1
    on.deliver(key)
    crew.until(crew.at_rest)
    crew.tidy_much_later()

    assert not crew.flows(name="assess_ticket"), "ended workflows were to be deleted"
    assert not crew.flows(name="obey_comment")
    with on.db.read() as c:
        bodies = c.execute(sa.select(inbox.c.body).where(inbox.c.body.is_not(None)))
        assert not bodies.all(), "texts were to be erased"
    crew.until(crew.at_rest)
    assert set(on.comments(key)) == {"readiness", f"reply:{asked}"}
    assert on.comments(key)["readiness"].startswith(("[NOT YET]", "[NEARLY]"))
    assert {outcome for outcome, _ in on.outcomes()} <= {"handled", "ignored"}
    assert spending.totals(on.db) == {"held": 0, "posted": 0, "open_holds": 0}
    assert on.runs() == []


def _given_back(on: Stage) -> list[Any]:
    """The deliveries that wait for their second try."""
    waits = sa.and_(inbox.c.relayed_at.is_(None), inbox.c.not_before.is_not(None))
    with on.db.read() as c:
        return list(c.execute(sa.select(inbox).where(waits)).mappings())


@dataclass(frozen=True, slots=True)
class Story:
    """steps: those that happen in it and never in a run where all goes well. calls: those that
    are worth a death when one of these steps makes them."""

    play: Callable[[Stage, Crew], None]
    steps: frozenset[str]
    calls: frozenset[str]

    def deadly(self, found: Sequence[str]) -> list[str]:
        """Of the boundaries of a whole telling, those at which a worker is to die."""
        edges, within, deadly = around(self.steps), False, list[str]()
        for name in found:
            call = kind(name).partition(" ")[2]
            if kind(name) in edges:
                within = name.startswith("before")
            if kind(name) in edges or (within and call in self.calls):
                deadly.append(name)
        missed = (around(self.steps) | around(self.calls, "")) - {kind(name) for name in deadly}
        assert not missed, f"the story does not come to them any more: {sorted(missed)}"
        return deadly


STORIES = {
    "given up": Story(
        given_up,
        frozenset({"give_back", "give_up", "leave_untold", "tell_untold", "wake_deferred"}),
        frozenset({"enqueue tell_result"}),
    ),
    "lost": Story(lost, frozenset({"reconcile"}), frozenset({"enqueue tell_result"})),
    "unheard": Story(
        unheard,
        frozenset({"due_sites", "poll", "erase_texts", "delete_workflows"}),
        frozenset({"GET /rest/api/N/search/jql"}),
    ),
}
