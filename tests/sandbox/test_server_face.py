"""Data Center's face: version 2 below a context path, wiki markup, people by key and name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.sandbox.server import SandboxJira
from tests.sandbox.receiver import SECRET, Receiver, listening


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded("server")
    sandbox.webhooks.delays = (0.03,) * 5
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def admin(jira: SandboxJira) -> Iterator[httpx.Client]:
    with _client(jira, "Admin") as client:
        yield client


def _client(jira: SandboxJira, who: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {jira.user(who).token}"}
    base = f"{jira.base_url}/rest/api/2/"
    return httpx.Client(base_url=base, headers=headers, trust_env=False, verify=False)


def ok(client: httpx.Client, method: str, path: str, **options: Any) -> Any:
    answer = client.request(method, path, **options)
    assert answer.is_success, (answer.status_code, answer.text)
    return answer.json() if answer.content else None


class TestAddresses:
    def test_it_lives_below_its_context_path(self, jira: SandboxJira, admin: httpx.Client) -> None:
        assert jira.base_url == f"{jira.state.origin}/jira"
        about = ok(admin, "GET", "serverInfo")
        assert (about["deploymentType"], about["version"]) == ("Server", "10.3.5")
        assert about["baseUrl"] == jira.base_url
        assert ok(admin, "GET", "issue/BILL-1")["self"].startswith(f"{jira.base_url}/rest/api/2/")
        outside = httpx.get(f"{jira.state.origin}/rest/api/2/serverInfo")
        assert (outside.status_code, outside.headers["x-sandbox"]) == (404, "true")
        for page in ("", "/browse/BILL-1"):
            assert httpx.get(jira.base_url + page).status_code == 200

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "../3/myself"),
            ("GET", "../3/search/jql"),
            ("GET", "search/jql"),
            ("GET", "issue/BILL-1/changelog"),
            ("POST", "comment/list"),
            ("GET", "project/search"),
            ("POST", "permissions/check"),
            ("GET", "user/groups"),
        ],
    )
    def test_what_cloud_alone_has(self, admin: httpx.Client, method: str, path: str) -> None:
        assert admin.request(method, path).status_code in (404, 405)

    def test_anybody_may_ask_what_it_is(self, jira: SandboxJira) -> None:
        root = f"{jira.base_url}/rest/api/2"
        assert httpx.get(f"{root}/serverInfo").json()["deploymentType"] == "Server"
        assert httpx.get(f"{root}/serverInfo", auth=("a", "b")).status_code == 401
        assert httpx.get(f"{root}/project").status_code == 401


class TestPeople:
    def test_by_key_and_name_without_account_id(
        self, jira: SandboxJira, admin: httpx.Client
    ) -> None:
        author = jira.user("Author")
        assert author.account_id == "JIRAUSER10100"
        asked = [{"key": author.account_id}, {"username": "author"}]
        by_key, by_name = (ok(admin, "GET", "user", params=params) for params in asked)
        assert by_key == by_name
        assert (by_key["key"], by_key["name"]) == ("JIRAUSER10100", "author")
        assert by_key["emailAddress"] == "author@sandbox.example"
        assert "accountId" not in admin.get("issue/BILL-1").text
        assert admin.get("user", params={"accountId": author.account_id}).status_code == 400
        assert admin.get("user", params={"key": "x"}).status_code == 404

    def test_groups_and_search(self, jira: SandboxJira, admin: httpx.Client) -> None:
        jira.user("Author").groups = frozenset({"builders"})
        shown = ok(admin, "GET", "user", params={"username": "author", "expand": "groups"})
        assert shown["groups"] == {"size": 1, "items": [{"name": "builders"}]}
        (found,) = ok(admin, "GET", "user/search", params={"username": "revie"})
        assert found["name"] == "reviewer"
        assert admin.get("user/search", params={"query": "revie"}).status_code == 400

    def test_role_members_by_name(self, admin: httpx.Client) -> None:
        address = ok(admin, "GET", "project/BILL/role")["Developers"]
        actors = ok(admin, "GET", address)["actors"]
        assert [actor["name"] for actor in actors] == ["author", "reviewer"]
        assert not any("actorUser" in actor for actor in actors)

    def test_rights_come_all_at_once(self, jira: SandboxJira) -> None:
        with _client(jira, "Signalbox") as service:
            found = ok(service, "GET", "mypermissions", params={"projectKey": "BILL"})
        rights = {name: entry["havePermission"] for name, entry in found["permissions"].items()}
        assert (rights["ADD_COMMENTS"], rights["ADMINISTER"]) == (True, False)

    def test_assigned_by_name(self, jira: SandboxJira, admin: httpx.Client) -> None:
        fields = {"fields": {"assignee": {"name": "reviewer"}}}
        ok(admin, "PUT", "issue/BILL-1", json=fields)
        assert jira.issue("BILL-1").assignee == jira.user("Reviewer").account_id
        wrong = {"fields": {"assignee": {"name": "nobody"}}}
        assert admin.put("issue/BILL-1", json=wrong).status_code == 400


class TestTickets:
    def test_search_counts(self, admin: httpx.Client) -> None:
        params: dict[str, Any] = {"jql": "project = BILL order by key", "maxResults": 2}
        first = ok(admin, "GET", "search", params=params)
        assert (first["startAt"], first["maxResults"], first["total"]) == (0, 2, 3)
        assert [issue["key"] for issue in first["issues"]] == ["BILL-1", "BILL-2"]
        assert first["issues"][0]["fields"]["summary"] == "CSV export is slow"
        body = {"jql": "project = BILL", "startAt": 2, "fields": ["labels"]}
        rest = ok(admin, "POST", "search", json=body)
        assert [issue["fields"] for issue in rest["issues"]] == [{"labels": []}]
        assert admin.post("search", json={"startAt": "x"}).status_code == 400

    def test_the_changelog_comes_whole_with_the_issue(
        self, jira: SandboxJira, admin: httpx.Client
    ) -> None:
        for label in ("a", "b"):
            jira.add_label("BILL-1", label, as_user="Author")
        found = ok(admin, "GET", "issue/BILL-1", params={"expand": "changelog"})["changelog"]
        assert (found["total"], found["maxResults"]) == (2, 2)
        assert [entry["items"][0]["toString"] for entry in found["histories"]] == ["a", "a b"]
        assert "fieldId" not in found["histories"][0]["items"][0]
        assert found["histories"][0]["author"]["name"] == "author"

    def test_comments_carry_properties_that_are_read_by_key(self, admin: httpx.Client) -> None:
        mark = {"key": "mark", "value": {"a": 1}}
        path = "issue/BILL-1/comment"
        made = ok(admin, "POST", path, json={"body": "h3. Hello", "properties": [mark]})
        assert made["body"] == "h3. Hello"
        assert "jsdPublic" not in made
        (listed,) = ok(admin, "GET", path, params={"expand": "properties"})["comments"]
        assert "properties" not in listed  # Data Center documents no such expand
        assert ok(admin, "GET", f"comment/{made['id']}/properties/mark") == mark
        document = {"type": "doc", "version": 1, "content": []}
        assert admin.post(path, json={"body": document}).status_code == 400

    def test_no_edit_is_silent(self, jira: SandboxJira, admin: httpx.Client) -> None:
        path = "issue/BILL-1/comment"
        made = ok(admin, "POST", path, json={"body": "One"})
        jira.state.notices.clear()
        edited = {"body": "Two"}
        ok(admin, "PUT", f"{path}/{made['id']}", params={"notifyUsers": "false"}, json=edited)
        assert [notice.event for notice in jira.state.notices] == ["comment_updated"]


class TestWebhooks:
    @pytest.fixture
    def receiver(self, jira: SandboxJira) -> Iterator[Receiver]:
        with listening() as made:
            jira.webhook(made.url, SECRET)
            yield made

    def test_are_signed_and_never_come_again(self, jira: SandboxJira, receiver: Receiver) -> None:
        receiver.answers = [503]
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        (entry,) = receiver.received
        assert entry.signed()
        assert not [name for name in entry.headers if name.startswith("x-atlassian")]
        assert jira.webhooks.deliveries[0].state == "failed"
        payload = entry.payload
        assert payload["user"]["key"] == jira.user("Author").account_id
        assert "fieldId" not in payload["changelog"]["items"][0]

    def test_a_comment_is_told_twice(self, jira: SandboxJira, receiver: Receiver) -> None:
        comment = jira.comment("BILL-1", "Hello", as_user="Author")
        jira.webhooks.drain()
        short, long = (entry.payload for entry in receiver.received)
        assert set(short) == {"timestamp", "webhookEvent", "comment"}
        issue = jira.issue("BILL-1").id
        assert short["comment"]["self"].endswith(
            f"/jira/rest/api/2/issue/{issue}/comment/{comment.id}"
        )
        assert (long["webhookEvent"], long["issue_event_type_name"]) == (
            "jira:issue_updated",
            "issue_commented",
        )
        assert long["comment"] == short["comment"]
        assert long["issue"]["key"] == "BILL-1"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "which"),
    [
        ("webhook-server-comment-created.json", 0),
        ("webhook-server-issue-updated-commented-2.json", 1),
        ("webhook-server-issue-updated-comment-edited.json", 3),
        ("webhook-server-comment-deleted.json", 4),
        ("webhook-server-issue-updated-comment-deleted.json", 5),
    ],
)
def test_bodies_like_recorded_ones(
    shared: Any, jira: SandboxJira, admin: httpx.Client, name: str, which: int
) -> None:
    import json

    sample = json.loads((shared / "contracts/webhooks/mattermost-plugin-jira" / name).read_text())
    with listening() as receiver:
        jira.webhook(receiver.url, SECRET)
        made = ok(admin, "POST", "issue/BILL-1/comment", json={"body": "One"})
        path = f"issue/BILL-1/comment/{made['id']}"
        ok(admin, "PUT", path, json={"body": "Two"})
        ok(admin, "DELETE", path)
        jira.webhooks.drain()
    ours = receiver.received[which].payload
    assert list(ours) == list(sample)
    assert ours["webhookEvent"] == sample["webhookEvent"]
    if "comment" in sample:
        assert set(ours["comment"]) == set(sample["comment"])
    if "user" in sample:
        assert set(ours["user"]) | {"avatarUrls"} == set(sample["user"])
