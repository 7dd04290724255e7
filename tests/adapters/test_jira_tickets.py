"""Descriptions and new tickets over HTTP, on Cloud and on Data Center: each is written once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app import ports
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic, Bearer
from app.adapters.jira_session import Way
from app.core.text import Block, Document, Span, bullets, item, paragraph
from app.ports import Changed, NewTicket, Refused
from app.sandbox.server import SandboxJira
from tests.adapters.jira_server import no_pause

TEXT: tuple[Block, ...] = (
    Block("heading", spans=(Span("Goal"),), level=3),
    paragraph("Quote fields that hold a ", Span("comma", strong=True), "."),
    bullets(item(paragraph("How fast? […]"))),
)
NEW = NewTicket("Quote fields", TEXT, {"parent": "1", "n": 1})
SPLIT, WRITTEN = "signalbox.split", "signalbox.text"


@pytest.fixture(params=["cloud", "server"])
def jira(request: pytest.FixtureRequest) -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded(request.param)
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def tracker(jira: SandboxJira) -> ports.Tracker:
    way = Way(pause=no_pause)
    if jira.state.deployment == "cloud":
        return JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Signalbox")), way=way)
    token = jira.require("server").token
    return JiraTracker("acme", jira.base_url, Bearer(token), deployment="server", way=way)


def write(tracker: ports.Tracker, expected: str, mark: str = "10001") -> None:
    tracker.set_description("BILL-1", TEXT, expected, WRITTEN, mark)


def edits(jira: SandboxJira) -> int:
    changes = (change for entry in jira.issue("BILL-1").history for change in entry.changes)
    return sum(change.field == "description" for change in changes)


def test_a_description_is_written_once(jira: SandboxJira, tracker: ports.Tracker) -> None:
    before = tracker.ticket("BILL-1").spec_hash()
    write(tracker, before)
    after = tracker.ticket("BILL-1")
    assert after.description.plain() == Document(TEXT).plain()
    write(tracker, before)
    assert tracker.get_property("BILL-1", WRITTEN) == {"by": "10001"}
    assert edits(jira) == 1
    with pytest.raises(Changed, match="has changed meanwhile"):
        write(tracker, before, "10002")
    assert tracker.ticket("BILL-1") == after


def test_after_a_lost_answer_it_looks_first(jira: SandboxJira, tracker: ports.Tracker) -> None:
    before = tracker.ticket("BILL-1").spec_hash()
    jira.faults.add(kind="timeout_after_write", method="PUT", path_pattern="/issue/BILL-1$")
    write(tracker, before)
    assert edits(jira) == 1
    assert len(jira.journal.find("PUT", "/issue/BILL-1$")) == 1


def test_an_edit_between_two_tries_wins(jira: SandboxJira, tracker: ports.Tracker) -> None:
    before = tracker.ticket("BILL-1").spec_hash()
    jira.faults.add(kind="503", method="PUT", path_pattern="/issue/BILL-1$")
    real = jira.state.faults.take

    def take(method: str, path: str) -> object:
        found = real(method, path)
        if found is not None:
            jira.edit("BILL-1", {"description": "Somebody was faster."}, "Author")
        return found

    jira.state.faults.take = take  # type: ignore[assignment,method-assign]
    with pytest.raises(Changed):
        write(tracker, before)
    assert tracker.ticket("BILL-1").description.plain() == "Somebody was faster."


def test_who_may_edit_is_jiras_to_say(jira: SandboxJira, tracker: ports.Tracker) -> None:
    author = jira.user("Author")
    assert tracker.may_edit("BILL-1", author.account_id)
    author.project_rights = {"BILL": author.rights - {"EDIT_ISSUES"}}
    assert not tracker.may_edit("BILL-1", author.account_id)
    assert not tracker.may_edit("BILL-1", jira.user("Portal customer").account_id)
    ours = jira.user("Signalbox")
    ours.rights -= {"ADMINISTER_PROJECTS"}
    with pytest.raises(Refused, match="Administer Projects"):
        tracker.may_edit("BILL-1", author.account_id)


@pytest.mark.parametrize("subtasks", [True, False])
def test_a_ticket_is_made_and_found_again(
    jira: SandboxJira, tracker: ports.Tracker, subtasks: bool
) -> None:
    jira.state.project("BILL").subtasks = subtasks
    above = jira.issue("BILL-1")
    assert list(tracker.children(above.id, SPLIT)) == []
    made = tracker.create_child(above.id, SPLIT, NEW)
    (found,) = tracker.children(above.id, SPLIT)
    assert (found.id, found.key, found.mark) == (made.id, made.key, NEW.mark)
    issue = jira.issue(made.key)
    assert (issue.parent == above.id) is subtasks
    assert len(jira.state.links_of(issue)) == (0 if subtasks else 1)
    assert issue.labels == []
    ticket = tracker.ticket(made.key)
    assert (ticket.summary, ticket.description.plain()) == (
        "Quote fields",
        Document(TEXT).plain(),
    )


@pytest.mark.parametrize("subtasks", [True, False])
def test_a_lost_answer_makes_no_second_one(
    jira: SandboxJira, tracker: ports.Tracker, subtasks: bool
) -> None:
    jira.state.project("BILL").subtasks = subtasks
    jira.faults.add(kind="timeout_after_write", method="POST", path_pattern="/issue$")
    jira.faults.add(kind="503", method="POST", path_pattern="/issue$")
    above = jira.issue("BILL-1").id
    first = tracker.create_child(above, SPLIT, NEW)
    second = tracker.create_child(above, SPLIT, NewTicket("Next", TEXT, {"parent": "1", "n": 2}))
    assert {c.id for c in tracker.children(above, SPLIT)} == {first.id, second.id}
    assert len(jira.state.issues) == 6


def test_links_are_made_once(jira: SandboxJira, tracker: ports.Tracker) -> None:
    one, two = (jira.issue(key).id for key in ("BILL-2", "BILL-3"))
    jira.faults.add(kind="timeout_after_write", method="POST", path_pattern="/issueLink$")
    tracker.block(one, two)
    tracker.block(one, two)
    assert len(jira.state.links) == 1
    assert tracker.ticket("BILL-3").blockers == ("BILL-2",)
    assert len(jira.journal.find("POST", "/issueLink$")) == 1


def test_a_property_of_nobody(jira: SandboxJira, tracker: ports.Tracker) -> None:
    assert tracker.get_property("BILL-1", "none") is None
    jira.issue("BILL-1").properties["odd"] = [1]
    assert tracker.get_property("BILL-1", "odd") is None
