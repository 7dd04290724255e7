"""What other Jiras answer: groups in roles, Data Center's people, lists without properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Bearer
from app.adapters.jira_session import Way
from app.core.adf import to_adf
from app.core.text import paragraph
from app.ports import Refused
from tests.adapters.jira_server import Scripted, no_pause, scripted

V3, V2 = "/rest/api/3", "/rest/api/2"
ME = {"accountId": "me", "displayName": "Signalbox", "accountType": "app", "active": True}
AT = "2026-11-23T14:26:00.000+0100"


@pytest.fixture
def script() -> Iterator[Scripted]:
    with scripted() as server:
        server.answer("GET", f"{V3}/myself", ME)
        yield server


@pytest.fixture
def cloud(script: Scripted) -> JiraTracker:
    return JiraTracker("acme", script.url, Bearer("token"), way=Way(pause=no_pause))


@pytest.fixture
def server(script: Scripted) -> JiraTracker:
    return JiraTracker("acme", script.url, Bearer("token"), "server", way=Way(pause=no_pause))


def give_roles(script: Scripted, root: str, **actors: dict[str, Any]) -> None:
    links = {name: f"{script.url}{root}/project/10000/role/{name}" for name in actors}
    script.answer("GET", f"{root}/project/BILL/role", links)
    for name, actor in actors.items():
        path = f"{root}/project/BILL/role/{name}"
        script.answer("GET", path, {"name": name, "actors": [actor]})


USER = {"type": "atlassian-user-role-actor", "actorUser": {"accountId": "author"}}
GROUP = {
    "type": "atlassian-group-role-actor",
    "actorGroup": {"name": "devs", "groupId": "g-1"},
    "name": "devs",
}


def test_roles_come_through_groups(script: Scripted, cloud: JiraTracker) -> None:
    give_roles(script, V3, Developers=GROUP, Viewers=USER)
    script.answer("GET", f"{V3}/user/groups", [{"name": "renamed", "groupId": "g-1"}])
    assert cloud.roles("BILL", "author") == {"Developers", "Viewers"}
    assert cloud.roles("BILL", "reviewer") == {"Developers"}
    script.answer("GET", f"{V3}/user/groups", [])
    assert cloud.roles("BILL", "reviewer") == frozenset()


def test_groups_are_asked_for_only_where_they_matter(script: Scripted, cloud: JiraTracker) -> None:
    give_roles(script, V3, Viewers=USER)
    assert cloud.roles("BILL", "author") == {"Viewers"}
    assert not [line for line in script.asked if "groups" in line]


def test_unreadable_groups_are_no_silent_no(script: Scripted, cloud: JiraTracker) -> None:
    give_roles(script, V3, Developers=GROUP, Viewers=USER)
    script.answer("GET", f"{V3}/user/groups", {}, status=403)
    assert cloud.roles("BILL", "author") == {"Viewers"}
    with pytest.raises(Refused, match="Browse users and groups"):
        cloud.roles("BILL", "reviewer")


def test_data_center_knows_people_by_key_and_name(script: Scripted, server: JiraTracker) -> None:
    person = {"type": "atlassian-user-role-actor", "name": "ann"}
    give_roles(script, V2, Developers=person, Testers=GROUP)
    user = {"key": "JIRAUSER10100", "name": "ann", "displayName": "Ann", "active": False}
    script.answer("GET", f"{V2}/user", user | {"groups": {"items": [{"name": "devs"}]}})
    assert server.roles("BILL", "JIRAUSER10100") == {"Developers", "Testers"}
    found = server.account("JIRAUSER10100")
    assert (found.id, found.name, found.kind, found.active) == (
        "JIRAUSER10100",
        "Ann",
        "unknown",
        False,
    )
    assert f"GET {V2}/user?key=JIRAUSER10100" in script.asked


def test_data_centers_changelog_comes_with_the_ticket(
    script: Scripted, server: JiraTracker
) -> None:
    old = {"field": "labels", "from": None, "to": None, "fromString": "", "toString": "x y"}
    other = {"field": "summary", "fromString": "labels", "toString": "x"}
    histories = [
        {"id": "12", "created": AT, "items": [other]},
        {"id": "11", "created": AT, "author": {"key": "ann"}, "items": [old, other]},
    ]
    fields = {"labels": ["x", "y"], "created": AT, "creator": {"key": "bob"}}
    issue = {"id": "1", "key": "BILL-1", "fields": fields, "changelog": {"histories": histories}}
    script.answer("GET", f"{V2}/issue/BILL-1", issue)
    (change,) = server.label_history("BILL-1")
    assert (change.id, change.actor, set(change.added)) == ("11", "ann", {"x", "y"})
    assert change.at.isoformat() == "2026-11-23T13:26:00+00:00"


def comment(number: str, author: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = to_adf([paragraph("text")])
    return {"id": number, "author": author, "body": body, "created": AT, "updated": AT, **more}


LIST = f"{V3}/issue/BILL-1/comment"


def test_marks_are_asked_for_where_the_list_has_none(script: Scripted, cloud: JiraTracker) -> None:
    theirs = comment("1", {"accountId": "author"})
    ours, older = comment("2", ME), comment("3", ME)
    script.answer("GET", LIST, {"comments": [theirs, ours, older], "total": 3})
    mark = {"key": "signalbox", "value": {"key": "readiness"}}
    script.answer("GET", f"{V3}/comment/3/properties/signalbox", mark)
    assert cloud.find_comment("BILL-1", "readiness") == "3"
    assert not [line for line in script.asked if "/comment/1/" in line]
    assert cloud.find_comment("BILL-1", "run") is None


@pytest.mark.parametrize("value", [None, "readiness", ["x"], {"key": None}, {}, {"key": 1}])
def test_a_strange_mark_is_none(script: Scripted, cloud: JiraTracker, value: Any) -> None:
    ours = comment("2", ME, properties=[{"key": "other"}, {"key": "signalbox", "value": value}])
    script.answer("GET", LIST, {"comments": [ours], "total": 1})
    assert cloud.find_comment("BILL-1", "readiness") is None


def test_a_silent_edit_may_be_for_administrators(script: Scripted) -> None:
    way = Way(silent=True, pause=no_pause)
    cloud = JiraTracker("acme", script.url, Bearer("token"), way=way)
    mark = {"key": "signalbox", "value": {"key": "readiness"}}
    script.answer("GET", LIST, {"comments": [comment("2", ME, properties=[mark])], "total": 1})
    script.answer("PUT", f"{LIST}/2", {}, status=403)
    with pytest.raises(Refused, match="Edit Own Comments"):
        cloud.put_comment("BILL-1", "readiness", [paragraph("new")])
    puts = [line for line in script.asked if line.startswith("PUT")]
    assert puts == [f"PUT {LIST}/2?notifyUsers=false", f"PUT {LIST}/2"]


def test_an_equal_comment_is_left_alone(script: Scripted, cloud: JiraTracker) -> None:
    """Jira adds ids and defaults to what we wrote; people read the same."""
    mark = {"key": "signalbox", "value": {"key": "readiness"}}
    ours = comment("2", ME, properties=[mark])
    ours["body"]["content"][0]["attrs"] = {"localId": "abc"}
    script.answer("GET", LIST, {"comments": [ours], "total": 1})
    assert cloud.put_comment("BILL-1", "readiness", [paragraph("text")]) == "2"


def test_internal_and_deleted_authors_are_read(script: Scripted, cloud: JiraTracker) -> None:
    script.answer("GET", f"{LIST}/2", comment("2", {}, jsdPublic=False))
    found = cloud.comment("BILL-1", "2")
    assert not found.restricted  # all who work on a service desk's ticket may read it
    assert (found.author.id, found.author.kind) == ("", "unknown")


PEOPLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "cloud": ({"accountId": "ann"}, {"accountId": "bob", "accountType": "atlassian"}),
    "server by key": ({"key": "ann", "name": "a"}, {"key": "bob", "name": "b"}),
    "server by name": ({"name": "ann"}, {"name": "bob"}),
}


@pytest.mark.parametrize("kind", PEOPLE)
def test_whose_text_a_comment_holds_is_told(
    script: Scripted, cloud: JiraTracker, server: JiraTracker, kind: str
) -> None:
    ann, bob = PEOPLE[kind]
    root, tracker = (V3, cloud) if kind == "cloud" else (V2, server)
    script.answer("GET", f"{V2}/myself", {"key": "me"})
    path = f"{root}/issue/BILL-1/comment/2"
    cases: list[tuple[dict[str, object], str]] = [
        ({"updateAuthor": bob}, "bob"),
        ({"updateAuthor": None}, "ann"),
        ({}, "ann"),
    ]
    for changed, editor in cases:
        script.answer("GET", path, comment("2", ann, **changed))
        found = tracker.comment("BILL-1", "2")
        assert (found.author.id, found.editor.id) == ("ann", editor)


def test_a_bare_ticket_is_read(script: Scripted, cloud: JiraTracker) -> None:
    issue = {"id": "1", "key": "BILL-1", "fields": {"updated": AT, "summary": None}}
    script.answer("GET", f"{V3}/issue/BILL-1", issue)
    ticket = cloud.ticket("BILL-1")
    assert (ticket.project_key, ticket.summary, ticket.reporter) == ("BILL", "", "")
    assert (ticket.labels, ticket.blockers, ticket.done) == (frozenset(), (), False)


def test_endless_lists_have_an_end(
    script: Scripted, cloud: JiraTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.adapters.jira_pages.MOST_PAGES", 3)
    script.answer("GET", LIST, {"comments": [comment("1", {})], "total": 10**9})
    with pytest.raises(Refused, match="more about the ticket BILL-1"):
        cloud.find_comment("BILL-1", "readiness")
    assert len([line for line in script.asked if LIST in line]) == 3


@pytest.mark.parametrize("issue", [".", ".."])
def test_dots_are_no_ticket(script: Scripted, cloud: JiraTracker, issue: str) -> None:
    with pytest.raises(Refused, match="nothing called"):
        cloud.set_property(issue, "signalbox", {})
    assert script.asked == []
