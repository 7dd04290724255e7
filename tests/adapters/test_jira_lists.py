"""What the adapter reads in bulk: searches, scans, long talks, who was given a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app import ports
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic
from app.core.text import paragraph
from app.ports import Refused
from app.sandbox.server import SandboxJira


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded()
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def tracker(jira: SandboxJira) -> ports.Tracker:
    return JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Signalbox")))


def searches(jira: SandboxJira) -> list[dict[str, object]]:
    return [entry.body for entry in jira.journal.find("POST", "/search")]


def test_a_search_shows_what_it_asked_for(jira: SandboxJira, tracker: ports.Tracker) -> None:
    made = jira.create_issue("BILL", "Export", labels=["agent-ready"])
    me = jira.user("Signalbox").account_id
    jira.edit(made.key, {"assignee": {"accountId": me}})
    (found,) = tracker.search("project = BILL AND labels = agent-ready", 10)
    assert (found.id, found.key, found.project_key) == (made.id, made.key, "BILL")
    assert (found.updated, found.labels) == (made.updated, frozenset({"agent-ready"}))
    assert (found.summary, found.assignee) == ("Export", me)
    (body,) = searches(jira)
    assert body["fields"] == ["summary", "labels", "project", "updated", "assignee"]


def test_a_search_goes_on_to_its_end_or_to_its_most(
    jira: SandboxJira, tracker: ports.Tracker
) -> None:
    made = [jira.create_issue("BILL", f"Batch {n}").key for n in range(230)]
    jql = "project = BILL AND summary ~ Batch ORDER BY key ASC"
    assert [found.key for found in tracker.search(jql, 1000)] == made
    assert len(searches(jira)) == 3
    assert [found.key for found in tracker.search(jql, 120)] == made[:120]
    assert len(searches(jira)) == 3 + 2
    assert tracker.count(jql) == 230
    assert tracker.search("project = BILL AND labels = none", 10) == []


def test_a_long_query_fits(jira: SandboxJira, tracker: ports.Tracker) -> None:
    jira.add_label("BILL-1", "label2999")
    labels = ", ".join(f"label{number}" for number in range(3000))
    assert len(tracker.search(f"project = BILL AND labels in ({labels})", 10)) == 1


@pytest.mark.parametrize("jql", ["", "  ", "order by updated", " ORDER  BY key DESC"])
def test_a_query_without_bounds_is_not_sent(
    jira: SandboxJira, tracker: ports.Tracker, jql: str
) -> None:
    for call in (
        lambda: tracker.search(jql, 5),
        lambda: tracker.scan(jql),
        lambda: tracker.count(jql),
    ):
        with pytest.raises(Refused, match="no bounds"):
            call()
    assert len(jira.journal) == 0


def test_a_wrong_query_is_refused_in_jiras_words(tracker: ports.Tracker) -> None:
    with pytest.raises(Refused, match=r"search for tickets.*Jira says"):
        tracker.search("project = BILL AND nonsense = 1", 5)


def test_a_scan_reads_what_is_judged_one_call_at_a_time(
    jira: SandboxJira, tracker: ports.Tracker
) -> None:
    for number in range(150):
        jira.create_issue("BILL", f"Batch {number}", description="h2. Goal\n* fast")
    jql = "project = BILL AND summary ~ Batch ORDER BY key ASC"
    first = tracker.scan(jql)
    assert (len(first.tickets), len(searches(jira))) == (100, 1)
    second = tracker.scan(jql, first.following)
    assert (len(second.tickets), second.following) == (50, "")
    assert len(jira.journal) == 2
    ticket = first.tickets[0]
    assert ticket == replace(tracker.ticket(ticket.key), reporter="")
    assert ticket.description.plain() == "## Goal\n\n- fast"


def test_a_long_talk_is_read_in_few_calls(jira: SandboxJira, tracker: ports.Tracker) -> None:
    """Whoever edited an old comment is found too, and our own comments tell that they are ours."""
    ours = tracker.put_comment("BILL-1", "readiness", [paragraph("NOT YET")])
    said = [jira.comment("BILL-1", f"me too {n}", as_user="Author") for n in range(2999)]
    since = said[-1].created
    assert len(tracker.comments_since("BILL-1", said[0].created)) == 2999
    jira.edit_comment(said[5].id, "agent stop", as_user="Author")
    tracker.put_comment("BILL-1", "readiness", [paragraph("READY")])
    jira.journal.clear()
    recent = tracker.comments_since("BILL-1", since)
    wanted = [(ours, "readiness"), (said[5].id, None), (said[-1].id, None)]
    assert [(found.id, found.key) for found in recent] == wanted
    assert recent[1].text.plain() == "agent stop"
    assert len(jira.journal) == 4


def test_who_was_given_the_ticket_is_told_from_its_birth_on(
    jira: SandboxJira, tracker: ports.Tracker
) -> None:
    author, me = jira.user("Author").account_id, jira.user("Signalbox").account_id
    assert tracker.assignments("BILL-1") == []
    made = jira.create_issue("BILL", "Export", assignee="Author", reporter="Reviewer").key
    first = [("created", jira.issue(made).reporter, author)]
    told = [(entry.id, entry.actor, entry.to) for entry in tracker.assignments(made)]
    assert told == first
    jira.edit(made, {"assignee": {"accountId": me}}, as_user="Reviewer")
    jira.edit(made, {"summary": "other"}, as_user="Reviewer")
    jira.edit(made, {"assignee": None}, as_user="Author")
    told = [(entry.id, entry.actor, entry.to) for entry in tracker.assignments(made)]
    given, taken = (history.id for history in jira.issue(made).history if assigns(history))
    reviewer = jira.user("Reviewer").account_id
    assert told == [*first, (given, reviewer, me), (taken, author, "")]


def assigns(history: object) -> bool:
    return any(change.field == "assignee" for change in history.changes)  # type: ignore[attr-defined]


def test_only_our_own_comment_is_deleted(jira: SandboxJira, tracker: ports.Tracker) -> None:
    theirs = jira.comment("BILL-1", "keep this", as_user="Author")
    ours = tracker.put_comment("BILL-1", "readiness", [paragraph("NOT YET")])
    admin = JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Admin")))
    for deleter in (tracker, admin):
        with pytest.raises(Refused, match=f"comment {theirs.id} of BILL-1 is not ours"):
            deleter.delete_comment("BILL-1", theirs.id)
    for _ in range(2):  # gone already is fine
        tracker.delete_comment("BILL-1", ours)
    assert [comment.id for comment in jira.comments("BILL-1")] == [theirs.id]


def test_a_property_is_deleted_once_or_twice(jira: SandboxJira, tracker: ports.Tracker) -> None:
    tracker.set_property("BILL-1", "signalbox", {"score": 38})
    for _ in range(2):
        tracker.delete_property("BILL-1", "signalbox")
    assert "signalbox" not in jira.issue("BILL-1").properties
