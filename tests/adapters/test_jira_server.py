"""The Jira adapter on Data Center: version 2, wiki markup, a context path, people by key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app import ports
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Bearer
from app.core.text import Block, Span, bullets, expand, item, paragraph
from app.ports import NotFound, Refused
from app.sandbox.server import SandboxJira

BLOCKS: tuple[Block, ...] = (
    paragraph(Span("NOT YET", status="red"), " No agent will start."),
    bullets(item(paragraph("How fast is ", Span("fast enough", strong=True), "?"))),
    expand("All checks", paragraph("4 met, 3 missing")),
)


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded("server")
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def tracker(jira: SandboxJira) -> ports.Tracker:
    login = jira.require("server")
    return JiraTracker("acme", f"{login.api_url}/", Bearer(login.token), deployment="server")


def test_it_knows_itself_and_its_rights(jira: SandboxJira, tracker: ports.Tracker) -> None:
    assert tracker.myself().id == jira.user("Signalbox").account_id
    names = ["ADD_COMMENTS", "DELETE_ISSUES"]
    assert tracker.rights("BILL", names) == {"ADD_COMMENTS": True, "DELETE_ISSUES": False}
    with pytest.raises(NotFound, match="project NONE is not visible"):
        tracker.rights("NONE", names)


def test_it_speaks_wiki_markup(jira: SandboxJira, tracker: ports.Tracker) -> None:
    description = "h2. Goal\n* fast {x}\n"
    made = jira.create_issue("BILL", "Export", description=description, labels=["born"])
    assert tracker.ticket(made.key).description.plain().startswith("## Goal\n\n- fast")
    jira.add_label(made.key, "agent-ready")
    assert [set(c.added) for c in tracker.label_history(made.key)] == [{"born"}, {"agent-ready"}]
    first = tracker.put_comment(made.key, "readiness", BLOCKS)
    assert tracker.put_comment(made.key, "readiness", BLOCKS) == first
    assert tracker.put_comment(made.key, "readiness", [paragraph("READY")]) == first
    (posted,) = jira.journal.find("POST")
    assert isinstance(posted.body["body"], str)
    assert len(jira.journal.find("PUT")) == 1
    assert tracker.comment(made.key, first).text.plain() == "READY"
    tracker.delete_comment(made.key, first)
    assert jira.comments(made.key) == []
    assert all(entry.path.startswith("/rest/api/2/") for entry in jira.journal)
    assert all(entry.account == jira.user("Signalbox").account_id for entry in jira.journal)


def test_people_and_their_roles_are_known_by_key(jira: SandboxJira, tracker: ports.Tracker) -> None:
    author = jira.user("Author").account_id
    assert tracker.account(author).name == "Author"
    assert tracker.roles("BILL", author) == {"Developers"}
    jira.add_user("Grouped", groups=["reviewers"])
    jira.grant_group("reviewers", "BILL", "Administrators")
    assert tracker.roles("BILL", jira.user("Grouped").account_id) == {"Administrators"}


def test_assignments_name_people_by_key(jira: SandboxJira, tracker: ports.Tracker) -> None:
    author, me = jira.user("Author").account_id, jira.user("Signalbox").account_id
    jira.edit("BILL-1", {"assignee": {"name": jira.user("Signalbox").name}}, as_user="Author")
    jira.edit("BILL-1", {"assignee": None}, as_user="Author")
    told = [(entry.actor, entry.to) for entry in tracker.assignments("BILL-1")]
    assert told == [(author, me), (author, "")]


def test_a_search_counts_and_each_ticket_comes_once(
    jira: SandboxJira, tracker: ports.Tracker
) -> None:
    made = [jira.create_issue("BILL", f"Batch {n}").key for n in range(230)]
    jql = "project = BILL AND summary ~ Batch ORDER BY key ASC"
    assert [found.key for found in tracker.search(jql, 1000)] == made
    assert [entry.body["startAt"] for entry in jira.journal.find("POST")] == [0, 90, 180]
    assert [found.key for found in tracker.search(jql, 7)] == made[:7]
    with pytest.raises(Refused, match="no bounds"):
        tracker.search("ORDER BY updated", 5)


def test_rows_that_move_up_between_pages_are_not_missed(
    jira: SandboxJira, tracker: ports.Tracker
) -> None:
    """The search asks by time of change, and people go on working meanwhile."""
    made = [jira.create_issue("BILL", f"Batch {n}").key for n in range(150)]
    jql = "project = BILL AND summary ~ Batch ORDER BY updated ASC"
    assert tracker.count(jql) == 150
    shard = tracker.scan(jql)
    for key in made[:5]:
        jira.add_label(key, "moved")
    rest = tracker.scan(jql, shard.following)
    assert {ticket.key for ticket in (*shard.tickets, *rest.tickets)} == set(made)
    assert rest.following == ""
