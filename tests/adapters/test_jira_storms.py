"""Storms: whatever Jira answers, and however often, there is one comment, in the order it was told,
and Jira is left in peace meanwhile. The clock moves only by waits, as an engine would make them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic, Waiting
from app.adapters.jira_pace import FAILURES, PATIENCE, Pace
from app.adapters.jira_session import Way
from app.core.text import paragraph
from app.ports import RateLimited, Transient
from app.sandbox.server import SandboxJira

REASONS = {
    "jira-burst-based": 1,
    "jira-per-issue-on-write": 2,
    "jira-quota-tenant-based": 1800,
    "jira-quota-global-based": 1800,
}


@dataclass
class Engine:
    """Repeats a call as long as it is told to wait; counts how often."""

    at: float = 1000.0
    tries: int = 0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += seconds
        self.waits.append(seconds)

    def put(self, tracker: JiraTracker, text: str) -> str:
        while True:
            self.tries += 1
            try:
                return tracker.put_comment("BILL-1", "readiness", [paragraph(text)])
            except RateLimited as fault:
                self.at += fault.after
            except Transient:
                self.at += 2


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded()
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def tracker(jira: SandboxJira, engine: Engine) -> JiraTracker:
    way = Way(pace=Pace(now=engine), pause=engine.pause)
    made = JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Signalbox")), way=way)
    made.myself()
    jira.journal.clear()
    return made


def texts(jira: SandboxJira) -> list[str]:
    tracker = JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Signalbox")))
    return [tracker.comment("BILL-1", c.id).text.plain() for c in jira.comments("BILL-1")]


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_every_reason_to_wait_is_waited_for_and_leaves_one_comment(
    jira: SandboxJira, tracker: JiraTracker, engine: Engine, reason: str, method: str
) -> None:
    if method == "PUT":
        engine.put(tracker, "NOT YET")
    jira.journal.clear()
    began, engine.tries = engine.at, 0
    jira.faults.add(kind="429", method=method, path_pattern="comment", reason=reason)
    engine.put(tracker, "READY")
    assert texts(jira) == ["READY"]
    assert engine.tries == (1 if REASONS[reason] <= PATIENCE else 2)
    assert engine.at - began >= REASONS[reason]
    assert len([e for e in jira.journal.writes() if e.handled]) == 1
    assert len([e for e in jira.journal if e.status == 429]) == 1


@pytest.mark.parametrize("reason", ["jira-quota-tenant-based", "jira-quota-global-based"])
def test_a_used_up_quota_stops_everything_until_its_reset(
    jira: SandboxJira, tracker: JiraTracker, engine: Engine, reason: str
) -> None:
    jira.faults.add(kind="429", path_pattern="BILL-1$", reason=reason)
    for _ in range(20):
        for call in (lambda: tracker.ticket("BILL-1"), lambda: tracker.account("x")):
            with pytest.raises(RateLimited):
                call()
        engine.at += 60
    assert len(jira.journal) == 1
    engine.at += 600
    assert tracker.ticket("BILL-1").key == "BILL-1"


def test_one_tickets_limit_stops_its_writes_alone(
    jira: SandboxJira, tracker: JiraTracker, engine: Engine
) -> None:
    reason = "jira-per-issue-on-write"
    jira.faults.add(
        kind="429", method="PUT", path_pattern="BILL-1/", reason=reason, retry_after="25"
    )
    with pytest.raises(RateLimited):
        tracker.set_property("BILL-1", "signalbox", {})
    for _ in range(5):
        with pytest.raises(RateLimited, match="no more writes to BILL-1 for 2"):
            tracker.set_property("BILL-1", "signalbox", {})
    tracker.ticket("BILL-1")
    tracker.set_property("BILL-2", "signalbox", {})
    assert len(jira.journal.find("PUT", "BILL-1/")) == 1
    engine.at += 25
    tracker.set_property("BILL-1", "signalbox", {})


@pytest.mark.parametrize("seed", range(8))
def test_a_story_is_told_in_order_through_any_weather(
    jira: SandboxJira, tracker: JiraTracker, engine: Engine, seed: int
) -> None:
    weather = random.Random(seed)
    kinds = ["429", "500", "502", "503", "drop", "timeout_after_write", "truncated"]
    story = [f"step {number}" for number in range(6)]
    for text in story:
        for _ in range(weather.randrange(4)):
            kind = weather.choice(kinds)
            reason = weather.choice(list(REASONS)) if kind == "429" else ""
            method = weather.choice(["GET", "POST", "PUT", "*"])
            jira.faults.add(kind=kind, method=method, reason=reason, times=weather.randrange(1, 4))
        engine.put(tracker, text)
        jira.faults.clear()
        assert texts(jira) == [text]
    written = [str(e.body["body"]) for e in jira.journal.writes() if e.handled]
    order = [next(n for n, text in enumerate(story) if text in body) for body in written]
    assert order == sorted(order)
    assert len(jira.journal) < 150


def test_a_jira_that_is_down_is_left_in_peace(
    jira: SandboxJira, tracker: JiraTracker, engine: Engine
) -> None:
    """An engine that asks every two seconds for an hour makes some thirty requests."""
    jira.faults.add(kind="503", times=10_000)
    refused = 0
    while engine.at < 1000 + 3600:
        try:
            tracker.ticket("BILL-1")
        except Waiting:
            refused += 1
        except Transient:
            pass
        engine.at += 2
    assert FAILURES < len(jira.journal) < 40
    assert refused > 1000
    jira.faults.clear()
    engine.at += 300
    assert tracker.ticket("BILL-1").key == "BILL-1"


def test_a_refusal_is_no_reason_to_rest(
    jira: SandboxJira, tracker: JiraTracker, engine: Engine
) -> None:
    for _ in range(3 * FAILURES):
        with pytest.raises(Exception, match="not visible"):
            tracker.ticket("BILL-999")
    assert tracker.ticket("BILL-1").key == "BILL-1"


def test_jiras_own_limit_of_writes_is_never_met(jira: SandboxJira) -> None:
    """By the real clock: the sandbox counts as Jira does."""
    jira.limit_writes()
    tracker = JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Signalbox")))
    for number in range(23):
        tracker.set_property("BILL-1", "signalbox", {"number": number})
    puts = jira.journal.find("PUT")
    assert [entry.status for entry in puts] == [201] + 22 * [200]
    assert [entry.body["number"] for entry in puts] == list(range(23))
