"""The twins in memory keep the promises of the ports that stages rely on."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from app import ports
from app.adapters.clock import SystemClock
from app.adapters.memory import (
    SIGNALBOX,
    FixedClock,
    MemoryCodeHost,
    MemorySecrets,
    MemoryTracker,
)
from app.adapters.memory_agent import Act, MemoryAgent, MemoryCage
from app.adapters.memory_judge import MemoryJudge
from app.core.run import Ending
from app.core.text import from_plain, paragraph
from app.core.ticket import Ticket, label_set_by
from app.ports import AgentTask, NotFound, Refused, Transient

TICKET = Ticket(
    site_id="acme",
    id="10000",
    key="BILL-1",
    project_key="BILL",
    issue_type="Story",
    summary="CSV export",
    description=from_plain("faster"),
    labels=frozenset(),
    status="To Do",
    done=False,
    reporter="author",
    updated=FixedClock().now(),
)


@pytest.fixture
def tracker() -> MemoryTracker:
    made = MemoryTracker()
    made.add(TICKET)
    return made


def test_every_port_has_its_twin() -> None:
    tracker: ports.Tracker = MemoryTracker()
    agent: ports.CodingAgent = MemoryAgent()
    host: ports.CodeHost = MemoryCodeHost()
    secrets: ports.Secrets = MemorySecrets()
    cage: ports.Cage = MemoryCage()
    judge: ports.SpecJudge = MemoryJudge()
    clocks: list[ports.Clock] = [FixedClock(), SystemClock()]
    assert all((tracker, agent, host, secrets, cage, judge, clocks))


def test_a_ticket_is_found_by_id_and_by_key(tracker: MemoryTracker) -> None:
    assert tracker.ticket("10000") == tracker.ticket("BILL-1") == TICKET
    with pytest.raises(NotFound, match="hidden"):
        tracker.ticket("BILL-2")


def test_an_edit_is_a_new_text(tracker: MemoryTracker) -> None:
    edited = tracker.edit("BILL-1", description="10 s at most")
    assert edited.spec_hash() != TICKET.spec_hash()
    assert tracker.ticket("10000").description.plain() == "10 s at most"


def test_labels_have_a_history(tracker: MemoryTracker) -> None:
    tracker.label("BILL-1", ["agent-ready"], "author")
    tracker.label("BILL-1", [], "author")
    last = tracker.label("BILL-1", ["agent-ready", "x"], "reviewer")
    assert label_set_by(tracker.label_history("10000"), "agent-ready") == last
    assert tracker.account("reviewer").name == "reviewer"


def test_a_comment_may_get_its_text_from_another(tracker: MemoryTracker) -> None:
    said = tracker.say("BILL-1", "author", "agent run")
    assert said.editor == said.author
    tracker.reword("BILL-1", said.id, "reviewer", "agent retry")
    read = tracker.comment("BILL-1", said.id)
    assert (read.author, read.editor.id, read.text.plain()) == (
        said.author,
        "reviewer",
        "agent retry",
    )


def test_roles_and_rights_are_given_and_taken(tracker: MemoryTracker) -> None:
    tracker.give("BILL", "reviewer", "Developers")
    tracker.missing_rights.add("ADD_COMMENTS")
    assert tracker.roles("BILL", "reviewer") == {"Developers"}
    assert tracker.roles("BILL", "author") == frozenset()
    rights = tracker.rights("BILL", ["ADD_COMMENTS", "BROWSE_PROJECTS"])
    assert rights == {"ADD_COMMENTS": False, "BROWSE_PROJECTS": True}


def test_a_comment_is_put_once(tracker: MemoryTracker) -> None:
    first = tracker.put_comment("BILL-1", "readiness", [paragraph("one")])
    assert tracker.put_comment("10000", "readiness", [paragraph("two")]) == first
    assert tracker.find_comment("BILL-1", "readiness") == first
    assert tracker.find_comment("BILL-1", "run") is None
    read = tracker.comment("BILL-1", first)
    assert (read.text.plain(), read.author, read.key) == ("two", SIGNALBOX, "readiness")
    theirs = tracker.say("BILL-1", "author", "agent help")
    assert tracker.comment("BILL-1", theirs.id).key is None
    assert list(tracker.ours("BILL-1")) == ["readiness"]


def test_it_fails_on_demand(tracker: MemoryTracker) -> None:
    tracker.calls.fail("ticket", Transient("down"), Refused("no"))
    with pytest.raises(Transient):
        tracker.ticket("BILL-1")
    with pytest.raises(Refused):
        tracker.ticket("BILL-1")
    assert tracker.ticket("BILL-1") == TICKET
    assert tracker.calls.count("ticket") == 3


def test_an_answer_can_be_lost(tracker: MemoryTracker) -> None:
    tracker.calls.fail("put_comment", Transient("lost"), answered=False)
    with pytest.raises(Transient):
        tracker.put_comment("BILL-1", "readiness", [paragraph("one")])
    assert tracker.find_comment("BILL-1", "readiness") is not None
    tracker.put_comment("BILL-1", "readiness", [paragraph("one")])
    assert len(tracker.comments["10000"]) == 1


def test_a_guard_stands_before_every_call() -> None:
    def refuse() -> None:
        raise AssertionError("a transaction is open")

    guarded = MemoryTracker(guard=refuse)
    with pytest.raises(AssertionError, match="transaction"):
        guarded.myself()
    with pytest.raises(AssertionError, match="transaction"):
        MemoryCodeHost(guard=refuse).open_agent_pull_requests("repo", "main")


def task(worktree: Path, seconds: float = 5) -> AgentTask:
    return AgentTask("BILL-1", 1, 1, "do it", "", worktree, worktree, 1_000_000, seconds, None)


def played(agent: MemoryAgent, task: AgentTask, stopped: bool = False) -> ports.AgentReport:
    async def play() -> ports.AgentReport:
        stop = asyncio.Event()
        if stopped:
            asyncio.get_running_loop().call_later(0.01, stop.set)
        return await agent.work(task, MemoryCage(), stop, lambda line: None)

    return asyncio.run(play())


def test_an_agent_plays_its_acts(tmp_path: Path) -> None:
    agent = MemoryAgent(
        Act(files={"src/new.py": "1\n"}, ending=Ending.FAILED, cause="a test fails"),
        Act(files={"src/new.py": None}),
    )
    assert played(agent, task(tmp_path)).cause == "a test fails"
    assert (tmp_path / "src" / "new.py").read_text() == "1\n"
    assert played(agent, task(tmp_path)).ending == Ending.SUCCEEDED
    assert not (tmp_path / "src" / "new.py").exists()
    assert played(agent, task(tmp_path)).ending == Ending.SUCCEEDED
    assert len(agent.tasks) == 3


def test_an_agent_waits_until_it_is_stopped(tmp_path: Path) -> None:
    agent = MemoryAgent(Act(waits=True))
    assert played(agent, task(tmp_path), stopped=True).ending == Ending.CANCELLED
    assert played(agent, task(tmp_path, seconds=0.01)).ending == Ending.TIMED_OUT


def test_a_handoff_is_made_once() -> None:
    host = MemoryCodeHost("https://forge.example/pull")
    for _ in range(2):
        url = host.hand_over("repo", "main", "agent/BILL-1-1", "title", "body")
        assert url == "https://forge.example/pull/1"
    assert len(host.open_agent_pull_requests("repo", "main")) == 1
    assert MemoryCodeHost().hand_over("repo", "main", "agent/x", "title", "body") is None


def test_secrets_are_sealed_in_sight() -> None:
    secrets = MemorySecrets()
    assert secrets.unseal(secrets.seal("tökën")) == "tökën"
    with pytest.raises(Refused):
        secrets.unseal("tökën")


def test_the_cage_only_sets_the_place(tmp_path: Path) -> None:
    argv = MemoryCage().wrap(
        ["sh", "-c", "pwd; env"], worktree=tmp_path, home=tmp_path, env={"A": "b"}
    )
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    assert out[0] == str(tmp_path)
    assert {"A=b", f"HOME={tmp_path}"} <= set(out)
