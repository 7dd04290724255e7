"""Search by JQL: what fits, in which order, page by page, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.sandbox import jql_match, rest_search
from app.sandbox.jql import Query
from app.sandbox.records import Issue, User
from app.sandbox.server import SandboxJira
from app.sandbox.state import SandboxState
from tests.sandbox.conftest import Api


def keys(api: Api, jql: str, **body: object) -> list[str]:
    asked = {"jql": jql, "fields": ["key"], "maxResults": 5000, **body}
    return [issue["key"] for issue in api.ok("POST", "search/jql", json=asked)["issues"]]


@pytest.fixture(autouse=True)
def _labelled(jira: SandboxJira) -> None:
    jira.add_label("BILL-1", "agent-ready", as_user="Author")
    jira.add_label("BILL-1", "export", as_user="Author")
    jira.add_label("BILL-2", "agent-ready", as_user="Author")
    jira.transition("BILL-3", "In Review", as_user="Author")


@pytest.mark.parametrize(
    ("jql", "found"),
    [
        ("project = BILL", "BILL-3 BILL-2 BILL-1"),
        ("project = billing order by key", "BILL-1 BILL-2 BILL-3"),
        ("project in (BILL, HELP) ORDER BY key DESC", "HELP-1 BILL-3 BILL-2 BILL-1"),
        ("key = bill-2", "BILL-2"),
        ("issuekey in (BILL-1, 'HELP-1')", "HELP-1 BILL-1"),
        ("id = 10001", "BILL-2"),
        ("id != 10001 and project = BILL", "BILL-3 BILL-1"),
        ("labels = agent-ready", "BILL-2 BILL-1"),
        ("labels in (agent-ready, other)", "BILL-2 BILL-1"),
        # An empty field fits neither = nor !=, as in Jira.
        ("labels != export", "BILL-2"),
        ("labels not in (export)", "BILL-2"),
        ("NOT labels = export", "BILL-2"),
        ("labels is EMPTY and project = BILL", "BILL-3"),
        ("labels = empty and project = BILL", "BILL-3"),
        ("labels is not empty", "BILL-2 BILL-1"),
        ('status = "In Review"', "BILL-3"),
        ("status != 'To Do'", "BILL-3"),
        ("statusCategory = indeterminate", "BILL-3"),
        ('statusCategory != "To Do"', "BILL-3"),
        ("issuetype in (Bug, Story)", "BILL-2 BILL-1"),
        ("type = bug", "BILL-2"),
        ("reporter = currentUser()", "BILL-3 BILL-2 BILL-1"),
        ('reporter = "Portal customer"', "HELP-1"),
        ("assignee is empty and key > BILL-1", "BILL-3 BILL-2"),
        ("key >= BILL-2 and key < BILL-3", "BILL-2"),
        ("summary ~ export", "BILL-1"),
        ('text ~ "rounds once"', "BILL-2"),
        ("summary !~ invoice and project = BILL", "BILL-3 BILL-1"),
        ("resolution is empty and labels = export", "BILL-1"),
        ("resolution = Done", ""),
        ("priority = Medium and labels = export", "BILL-1"),
        ("labels = export OR type = Bug AND project = BILL", "BILL-2 BILL-1"),
        ("(labels = export OR type = Task) AND project = BILL", "BILL-3 BILL-1"),
        ("NOT (labels = export OR type = Task) AND project = BILL", "BILL-2"),
        ("project = BILL && !(type = Bug) || key = HELP-1", "HELP-1 BILL-3 BILL-1"),
        ("project = BILL order by type, key desc", "BILL-2 BILL-1 BILL-3"),
    ],
)
def test_finds(author: Api, jql: str, found: str) -> None:
    assert keys(author, jql) == found.split()


def test_times(author: Api, jira: SandboxJira) -> None:
    start = datetime(2030, 1, 10, 12, 0, tzinfo=UTC)
    jira.state.now = lambda: start
    old = jira.create_issue("BILL", "Old").key
    jira.state.now = lambda: start + timedelta(hours=2)
    new = jira.create_issue("BILL", "New").key
    jira.state.now = lambda: start + timedelta(hours=2, minutes=3)
    assert keys(author, "created >= -5m") == [new]
    assert keys(author, "updated >= -1d") == [new, old]
    assert keys(author, "created > -2h and created <= now()") == [new]
    assert keys(author, "created >= '2030-01-10 13:00'") == [new]
    assert keys(author, 'created >= "2030/01/10" and created < "2030/01/10 13:00"') == [old]
    assert keys(author, "created < +1w and created >= 2030-01-10 order by created") == [old, new]
    jira.add_label(old, "touched")
    assert keys(author, "updated >= -1m") == [old]
    assert keys(author, "updated >= -5m order by updated desc") == [old, new]


@pytest.mark.parametrize(
    ("jql", "sentence"),
    [
        ("", "Unbounded JQL"),
        ("order by created", "Unbounded JQL"),
        ("colour = red", "Field 'colour' does not exist"),
        ("project = NONE", "The value 'NONE' does not exist for the field 'project'."),
        ("key = BILL-99", "An issue with key 'BILL-99' does not exist"),
        ("status = Sleeping", "The value 'Sleeping' does not exist"),
        ("created >= yesterday", "Date value 'yesterday' for field 'created' is invalid"),
        ("created = -1d", "The operator '=' is not supported by the 'created' field."),
        ("labels > a", "The operator '>' is not supported"),
        ("labels ~ a", "The operator '~' is not supported"),
        ("summary = a", "The operator '=' is not supported"),
        ("labels is full", "The operator 'is' is not supported"),
        ("project =", "the end of the query"),
        ("project = ,", "',' was not expected"),
        ("project BILL", "'BILL' was not expected"),
        ("project = BILL and", "the end of the query"),
        ("project in BILL", "'BILL' was not expected"),
        ("project in (BILL", "the end of the query"),
        ("(project = BILL", "the end of the query"),
        ("project = BILL)", "')' was not expected"),
        ("project = BILL order key", "'key' was not expected"),
        ("project = BILL order by colour", "Not able to sort using field 'colour'."),
        ('project = "BILL', "was not expected"),
        ("(" * 60 + "project = BILL" + ")" * 60, "nested too deeply"),
        ("not " * 60 + "project = BILL", "nested too deeply"),
    ],
)
def test_refuses(author: Api, jql: str, sentence: str) -> None:
    status, text = author.refused("GET", "search/jql", params={"jql": jql})
    assert status == 400
    assert sentence in text


def test_a_hidden_issue_is_not_found(author: Api, jira: SandboxJira) -> None:
    jira.user("Author").project_rights["BILL"] = frozenset()
    assert keys(author, "created >= -1d") == ["HELP-1"]
    assert author.refused("GET", "search/jql", params={"jql": "key = BILL-1"})[0] == 400


class TestPages:
    @pytest.fixture(autouse=True)
    def _many(self, jira: SandboxJira) -> None:
        for number in range(120):
            jira.create_issue("HELP", f"Ticket {number}")

    def test_follow_the_token(self, author: Api) -> None:
        body: dict[str, object] = {"jql": "project = HELP order by key", "fields": ["key"]}
        seen: list[str] = []
        while True:
            page = author.ok("POST", "search/jql", json={**body, "maxResults": 50})
            assert "total" not in page
            seen += [issue["key"] for issue in page["issues"]]
            if page["isLast"]:
                break
            body["nextPageToken"] = page["nextPageToken"]
        assert seen == [f"HELP-{number}" for number in range(1, 122)]

    def test_later_pages_look_at_nothing_again_unless_something_changed(
        self, author: Api, jira: SandboxJira, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[int] = []

        def find(state: SandboxState, query: Query, viewer: User) -> list[Issue]:
            looked.append(state.version)
            return jql_match.find(state, query, viewer)

        monkeypatch.setattr(rest_search, "find", find)
        body: dict[str, object] = {"jql": "project = HELP order by key", "maxResults": 30}
        for number in range(4):
            if number == 3:
                jira.edit("HELP-100", {"summary": "Other"})
            page = author.ok("POST", "search/jql", json=body)
            body["nextPageToken"] = page["nextPageToken"]
            assert len(looked) == (2 if number == 3 else 1)

    def test_count(self, author: Api) -> None:
        found = author.ok("POST", "search/approximate-count", json={"jql": "project = HELP"})
        assert found == {"count": 121}
        assert author.refused("POST", "search/approximate-count", json={"jql": ""})[0] == 400

    def test_a_token_belongs_to_its_query(self, author: Api) -> None:
        query = {"jql": "project = HELP", "maxResults": 1}
        token = author.ok("GET", "search/jql", params=query)["nextPageToken"]
        other = {"jql": "project = BILL", "nextPageToken": token}
        assert author.refused("GET", "search/jql", params=other)[0] == 400
        for odd in ("%%%", "////", "MTA="):
            broken = {"jql": "project = HELP", "nextPageToken": odd}
            assert author.refused("GET", "search/jql", params=broken)[0] == 400

    def test_fewer_a_page_when_fields_are_named(self, author: Api) -> None:
        query = {"jql": "project = HELP", "maxResults": 5000}
        assert len(author.ok("GET", "search/jql", params=query)["issues"]) == 121
        full = author.ok("GET", "search/jql", params={**query, "fields": "summary"})
        assert (len(full["issues"]), full["isLast"]) == (100, False)


def test_only_ids_unless_fields_are_named(author: Api) -> None:
    plain = author.ok("GET", "search/jql", params={"jql": "key = BILL-1"})
    assert plain["issues"] == [{"id": "10000"}]
    query = {"jql": "key = BILL-1", "fields": "labels,status", "expand": "changelog"}
    (named,) = author.ok("GET", "search/jql", params=query)["issues"]
    assert set(named["fields"]) == {"labels", "status"}
    assert named["changelog"]["total"] == 2
    author.ok("PUT", "issue/BILL-1/properties/a", json=1)
    body = {"jql": "key = BILL-1", "fields": ["summary"], "properties": ["a", "b"]}
    (held,) = author.ok("POST", "search/jql", json=body)["issues"]
    assert held["properties"] == {"a": 1}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_old_search_is_gone(author: Api, method: str) -> None:
    status, text = author.refused(method, "search", params={"jql": "project = BILL"})
    assert status == 410
    assert "/rest/api/3/search/jql" in text
