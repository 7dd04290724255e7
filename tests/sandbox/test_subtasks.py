"""Sub-tasks and links that an issue is made with, and who has which right, as Jira has them."""

from __future__ import annotations

from typing import Any

import pytest

from app.sandbox.records import MEMBER_RIGHTS
from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import Api

SUB: dict[str, Any] = {
    "project": {"key": "BILL"},
    "summary": "A part",
    "issuetype": {"name": "Sub-task"},
    "parent": {"key": "BILL-1"},
}
RELATED = {"add": {"type": {"name": "Relates"}, "outwardIssue": {"key": "BILL-1"}}}


def test_a_sub_task_stands_below_its_parent(author: Api, admin: Api) -> None:
    made = author.ok("POST", "issue", json={"fields": SUB})
    above = author.ok("GET", "issue/BILL-1?fields=subtasks")["fields"]
    assert [child["key"] for child in above["subtasks"]] == [made["key"]]
    below = author.ok("GET", f"issue/{made['key']}")["fields"]
    assert (below["parent"]["key"], below["issuetype"]["subtask"]) == ("BILL-1", True)
    admin.ok("DELETE", "issue/BILL-1")
    author.refused("GET", f"issue/{made['key']}")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"parent": None}, "parent"),
        ({"parent": {"key": "BILL-99"}}, "parent"),
        ({"issuetype": {"name": "Task"}}, "parent"),
    ],
)
def test_what_cannot_be_one(author: Api, fields: dict[str, Any], field: str) -> None:
    answer = author.request("POST", "issue", json={"fields": SUB | fields})
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {field})


def test_a_project_may_have_no_kind_for_them(jira: SandboxJira, author: Api) -> None:
    jira.state.project("BILL").subtasks = False
    shown = author.ok("GET", "project/BILL")["issueTypes"]
    assert not any(kind["subtask"] for kind in shown)
    assert author.refused("POST", "issue", json={"fields": SUB})[0] == 400


def test_an_issue_is_made_with_its_link(jira: SandboxJira, author: Api) -> None:
    fields = {"project": {"key": "BILL"}, "summary": "New", "issuetype": {"name": "Task"}}
    body = {"fields": fields, "update": {"issuelinks": [RELATED]}}
    made = author.ok("POST", "issue", json=body)
    (link,) = author.ok("GET", "issue/BILL-1")["fields"]["issuelinks"]
    assert link["inwardIssue"]["key"] == made["key"]
    jira.user("Author").rights = MEMBER_RIGHTS - {"LINK_ISSUES"}
    assert author.refused("POST", "issue", json=body)[0] == 400


def test_rights_of_others_are_for_administrators(
    jira: SandboxJira, author: Api, admin: Api
) -> None:
    who = jira.user("Author").account_id
    asked = f"user/permission/search?accountId={who}&permissions=EDIT_ISSUES&issueKey=BILL-1"
    assert [user["accountId"] for user in admin.ok("GET", asked)] == [who]
    assert author.refused("GET", asked)[0] == 403
    jira.user("Author").rights = MEMBER_RIGHTS - {"EDIT_ISSUES"}
    assert admin.ok("GET", asked) == []
