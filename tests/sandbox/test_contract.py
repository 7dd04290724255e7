"""Every route of the sandbox, once, held against Atlassian's description of it.

The other tests check whatever they happen to call; this one makes sure that nothing is left out.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.sandbox import rest_comments, rest_issues, rest_lists, rest_search, rest_site
from app.sandbox.server import SandboxJira
from tests.sandbox import contract
from tests.sandbox.conftest import Api, document

pytestmark = pytest.mark.shared
MODULES = (rest_issues, rest_comments, rest_lists, rest_search, rest_site)
ROUTES = [(method, path) for module in MODULES for method, path, _ in module.ROUTES]
BLOCKS = {
    "type": {"name": "Blocks"},
    "inwardIssue": {"key": "BILL-1"},
    "outwardIssue": {"key": "BILL-2"},
}
SUB = {"issuetype": {"name": "Sub-task"}, "parent": {"key": "BILL-3"}}
RELATES = {"type": {"name": "Relates"}, "outwardIssue": {"key": "BILL-2"}}
LINKED = {"issuelinks": [{"add": RELATES}]}
NEW = {"project": {"key": "BILL"}, "issuetype": {"name": "Task"}, "summary": "New"}


def test_every_route_is_in_the_description() -> None:
    known = {
        (method.upper(), re.sub(r"\{[^}]+\}", "{}", path))
        for path, operations in contract.description()["paths"].items()
        for method in operations
    }
    ours = {(method, re.sub(r"\{[^}]+\}", "{}", f"/rest/api/3{path}")) for method, path in ROUTES}
    assert ours <= known


def test_every_answer_is_as_described(jira: SandboxJira, admin: Api) -> None:
    for step in _steps(jira, admin):
        admin.ok(*step[:2], **step[2])
    called = {(entry.method, entry.path.removeprefix("/rest/api/3")) for entry in jira.journal}
    missed = [
        (method, path)
        for method, path in ROUTES
        if not any(
            known == method and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), used)
            for known, used in called
        )
    ]
    assert missed == [("GET", "/search"), ("POST", "/search")], "the removed search answers 410"
    assert all(entry.status in (200, 201, 204) for entry in jira.journal)


def _steps(jira: SandboxJira, admin: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """A walk over all routes: method, path, options."""
    jira.comment("BILL-2", "h3. Wiki\n* {color:red}text{color} and [a link|https://example.org]")
    jira.link("BILL-3", "BILL-2", as_user="Author")
    comment = admin.ok("POST", "issue/BILL-1/comment", json={"body": document("Hello")})["id"]
    body, ids = {"body": document("Edited")}, {"ids": [int(comment)]}
    jql, whole = {"jql": "project = BILL", "fields": "*all"}, "changelog,renderedFields,transitions"
    account = jira.user("Author").account_id
    rights = {"accountId": account, "permissions": "EDIT_ISSUES", "issueKey": "BILL-1"}
    check = {"projectPermissions": [{"projects": [10000], "permissions": ["ADD_COMMENTS"]}]}
    return [
        ("GET", "myself", {}),
        ("GET", "serverInfo", {}),
        ("GET", "project", {}),
        ("GET", "project/search", {}),
        ("GET", "project/BILL", {}),
        ("GET", "project/BILL/role", {}),
        ("GET", "project/BILL/role/10002", {}),
        ("GET", "user", {"params": {"accountId": account}}),
        ("GET", "user/search", {"params": {"query": "a"}}),
        ("GET", "user/groups", {"params": {"accountId": account}}),
        ("GET", "user/permission/search", {"params": rights}),
        ("GET", "mypermissions", {"params": {"permissions": "ADMINISTER,ADD_COMMENTS"}}),
        ("POST", "permissions/check", {"json": check}),
        *[("GET", path, {}) for path in ("field", "status", "issuetype", "priority")],
        ("GET", "issueLinkType", {}),
        ("POST", "issue", {"json": {"fields": NEW}}),
        ("POST", "issue", {"json": {"fields": NEW | SUB, "update": LINKED}}),
        ("GET", "issue/BILL-3", {}),
        ("PUT", "issue/BILL-1", {"json": {"fields": {"labels": ["a"], "summary": "New"}}}),
        ("POST", "issueLink", {"json": BLOCKS}),
        ("GET", "issueLink/10001", {}),
        ("POST", "issue/BILL-1/transitions", {"json": {"transition": {"id": "41"}}}),
        ("GET", "issue/BILL-1/transitions", {}),
        ("GET", "issue/BILL-1/changelog", {}),
        ("GET", "issue/BILL-2", {"params": {"expand": whole, "properties": "*all"}}),
        ("PUT", "issue/BILL-1/properties/mark", {"json": {"a": 1}}),
        ("GET", "issue/BILL-1/properties", {}),
        ("GET", "issue/BILL-1/properties/mark", {}),
        ("DELETE", "issue/BILL-1/properties/mark", {}),
        ("GET", "search/jql", {"params": {**jql, "maxResults": 2, "expand": "changelog"}}),
        ("POST", "search/jql", {"json": {"jql": "project = BILL", "fields": ["labels"]}}),
        ("POST", "search/approximate-count", {"json": {"jql": "project = BILL"}}),
        ("GET", "issue/BILL-1/comment", {"params": {"expand": "renderedBody,properties"}}),
        ("PUT", f"comment/{comment}/properties/mark", {"json": [1]}),
        ("GET", f"comment/{comment}/properties", {}),
        ("GET", f"comment/{comment}/properties/mark", {}),
        ("POST", "comment/list?expand=properties", {"json": ids}),
        ("DELETE", f"comment/{comment}/properties/mark", {}),
        ("PUT", f"issue/BILL-1/comment/{comment}", {"json": body}),
        ("GET", f"issue/BILL-1/comment/{comment}", {}),
        ("DELETE", f"issue/BILL-1/comment/{comment}", {}),
        ("DELETE", "issueLink/10001", {}),
        ("DELETE", "issue/BILL-4", {}),
    ]


WIKI = [
    "plain",
    "h1. Title\n\nText with *bold*, _emphasis_, -gone-, {{code}} and [a link|https://example.org].",
    "* one\n** two\n# three\n\n||Head||Head||\n|a|b|",
    "{code:python}\nprint(1)\n{code}\n{quote}quoted{quote}\n----\n{panel:title=T}inside{panel}",
    "{noformat}<b>&amp;</b>{noformat} [~accountid:5b10ac8d82e05b22cc7d4ef5] !image.png!",
    "h7. no heading\n{color:red}red{color} \\\\ break\n* \n",
    "{code}never closed",
    "\x00 control \u202e and \ud7ff odd \U0001f680",
]


@pytest.mark.parametrize("wiki", WIKI)
def test_wiki_markup_becomes_a_valid_document(
    jira: SandboxJira, author: Api, author_v2: Api, wiki: str
) -> None:
    """What version 3 shows of a text that was written in version 2."""
    author_v2.ok("PUT", "issue/BILL-1", json={"fields": {"description": wiki}})
    made = author_v2.ok("POST", "issue/BILL-1/comment", json={"body": wiki})
    shown = [
        author.ok("GET", "issue/BILL-1")["fields"]["description"],
        author.ok("GET", f"issue/BILL-1/comment/{made['id']}")["body"],
    ]
    for body in shown:
        assert [error.message for error in contract.adf().iter_errors(body)] == []


def test_the_examples_are_valid_documents(jira: SandboxJira, author: Api) -> None:
    for key in jira.state.issues:
        body = author.ok("GET", f"issue/{key}")["fields"]["description"]
        assert contract.adf().is_valid(body)
