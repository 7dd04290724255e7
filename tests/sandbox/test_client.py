"""The client library that the product uses, against the sandbox, in both API versions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from jira import JIRA, JIRAError

from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import document


def client(jira: SandboxJira, version: str, who: str = "Author") -> JIRA:
    return JIRA(
        jira.base_url,
        basic_auth=jira.credentials(who),
        options={"rest_api_version": version},
        max_retries=0,
        timeout=(5, 20),
    )


@pytest.fixture(params=["2", "3"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connected(jira: SandboxJira, version: str) -> Iterator[JIRA]:
    made = client(jira, version)
    yield made
    made.close()


def test_who_and_where(connected: JIRA) -> None:
    assert connected.server_info()["deploymentType"] == "Cloud"
    assert connected.myself()["displayName"] == "Author"
    assert [project.key for project in connected.projects()] == ["BILL", "HELP"]
    assert connected.project("BILL").name == "Billing"
    rights = connected.my_permissions(permissions="ADD_COMMENTS")["permissions"]
    assert bool(rights["ADD_COMMENTS"]["havePermission"])
    user = connected.search_users(query="review")[0]
    assert connected.user(user.accountId).displayName == "Reviewer"


def test_an_issue_from_birth_to_death(jira: SandboxJira, connected: JIRA, version: str) -> None:
    description = "Text" if version == "2" else document("Text")
    issue = connected.create_issue(
        project="BILL", summary="Made", issuetype={"name": "Task"}, description=description
    )
    issue.update(fields={"labels": ["agent-ready"]})
    issue.update(update={"labels": [{"add": "second"}, {"remove": "agent-ready"}]}, notify=False)
    assert connected.issue(issue.key).fields.labels == ["second"]
    assert [entry["name"] for entry in connected.transitions(issue)][:2] == ["To Do", "In Progress"]
    connected.transition_issue(issue, "In Progress")
    assert str(connected.issue(issue.key).fields.status) == "In Progress"
    connected.create_issue_link("Blocks", "BILL-1", issue.key)
    (link,) = connected.issue(issue.key).fields.issuelinks
    assert link.inwardIssue.key == "BILL-1"
    histories = connected.issue(issue.key, expand="changelog").changelog.histories
    fields = [history.items[0].field for history in histories]
    assert fields == ["Link", "status", "labels", "labels"]
    with pytest.raises(JIRAError) as refusal:
        issue.delete()
    assert refusal.value.status_code == 403
    admin = client(jira, version, "Admin")
    admin.issue(issue.key).delete()
    admin.close()
    with pytest.raises(JIRAError) as gone:
        connected.issue(issue.key)
    assert gone.value.status_code == 404


def test_comments(jira: SandboxJira, connected: JIRA, version: str) -> None:
    jira.user("Author").rights |= {"ADMINISTER_PROJECTS"}  # for the silent edit
    first, second = ("One", "Two") if version == "2" else (document("One"), document("Two"))
    comment = connected.add_comment("BILL-1", first)
    comment.update(body=second, notify=False)
    body = connected.comment("BILL-1", comment.id).raw["body"]
    assert body == second
    assert [known.id for known in connected.comments("BILL-1")] == [comment.id]
    comment.delete()
    assert connected.comments("BILL-1") == []


def test_search(jira: SandboxJira, connected: JIRA) -> None:
    jira.add_label("BILL-2", "agent-ready", as_user="Author")
    found = connected.search_issues("project = BILL and labels = agent-ready", fields="summary")
    assert [issue.key for issue in found] == ["BILL-2"]
    every = connected.enhanced_search_issues("created >= -1d", maxResults=2, fields="summary")
    assert len(every) == 2
    assert every.nextPageToken


def test_properties(connected: JIRA) -> None:
    connected.add_issue_property("BILL-1", "score", {"n": 38})
    assert connected.issue_property("BILL-1", "score").value.n == 38
    assert connected.issue_properties("BILL-1")[0].key == "score"


def test_errors_carry_the_text(connected: JIRA) -> None:
    with pytest.raises(JIRAError, match="Issue does not exist or you do not have permission"):
        connected.issue("BILL-99")
    with pytest.raises(JIRAError, match="contains spaces which is invalid"):
        connected.issue("BILL-1").update(fields={"labels": ["a b"]})


def test_a_lost_answer_is_one_comment_without_retries(jira: SandboxJira, connected: JIRA) -> None:
    jira.faults.add(kind="timeout_after_write", method="POST", path_pattern="/comment$")
    body = "One" if "/2/" in connected._get_url("x") else document("One")
    with pytest.raises(requests.ConnectionError):
        connected.add_comment("BILL-1", body)
    assert len(jira.comments("BILL-1")) == 1
    assert len(jira.journal.find("POST", "/comment$")) == 1
