"""Every request that the adapter sends, held against Atlassian's description of its API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest

from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic
from app.adapters.jira_session import Way
from app.core.text import bullets, expand, item, paragraph
from app.ports import Child, NewTicket
from app.sandbox.server import SandboxJira
from tests.sandbox import contract

BLOCKS = [paragraph("NOT YET"), bullets(item(paragraph("x"))), expand("All", paragraph("y"))]
pytestmark = pytest.mark.filterwarnings("ignore:Unsupported scheme type")
OPERATIONS = {
    "GET /myself",
    "GET /mypermissions",
    "GET /user",
    "GET /user/groups",
    "GET /project/BILL/role",
    "GET /project/BILL/role/10002",
    "POST /search/jql",
    "POST /search/approximate-count",
    "GET /issue/BILL-1",
    "GET /issue/BILL-1/changelog",
    "GET /issue/BILL-1/comment",
    "POST /issue/BILL-1/comment",
    "GET /issue/BILL-1/comment/{id}",
    "PUT /issue/BILL-1/comment/{id}",
    "DELETE /issue/BILL-1/comment/{id}",
    "POST /issue/HELP-1/comment",
    "PUT /issue/BILL-1/properties/signalbox",
    "DELETE /issue/BILL-1/properties/signalbox",
    "GET /issue/BILL-1/properties/signalbox",
    "GET /user/permission/search",
    "GET /project/BILL",
    "GET /issueLinkType",
    "POST /issue",
    "POST /issueLink",
}
"""What the adapter says on Cloud; the mark of a comment is asked for by itself in one case more,
which the sandbox never brings about: GET /comment/{id}/properties/signalbox."""


@cache
def described() -> OpenAPI:
    config = Config(spec_validator_cls=None)  # type: ignore[arg-type]  # the document is not checked
    return OpenAPI.from_dict(contract.description(), config=config)


def parameters(method: str, path: str) -> set[str]:
    """Those that may stand in the query; openapi-core lets unknown ones through."""
    for template, operations in contract.description()["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if method.lower() in operations and re.fullmatch(pattern, path):
            listed = operations[method.lower()].get("parameters", ())
            return {one["name"] for one in listed if one["in"] == "query"}
    return set()


def check(method: str, path: str, query: str = "", sent: Any = None) -> None:
    body = None if sent is None else json.dumps(sent).encode()
    args = {name: values[-1] for name, values in parse_qs(query).items()}
    request = MockRequest(
        contract.HOST,
        method.lower(),
        path,
        args=args,
        data=body,
        content_type="application/json",
    )
    known = parameters(method, path)
    assert set(args) <= known, f"{method} {path} has no parameter {set(args) - known}"
    described().validate_request(request)
    if sent and "body" in sent:
        contract.adf().validate(sent["body"])
    fields = sent.get("fields") if sent else None
    if isinstance(fields, dict) and "description" in fields:
        contract.adf().validate(fields["description"])


class Used:
    """A tracker that notes which of its methods were called."""

    def __init__(self, tracker: JiraTracker) -> None:
        self._tracker = tracker
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.names.add(name)
        method: Callable[..., Any] = getattr(self._tracker, name)
        return method


def whole_life(jira: SandboxJira, tracker: Any) -> str:
    """Call every method that the adapter has; the id of the comment that was made."""
    jira.add_label("BILL-1", "agent-ready")
    jira.grant_group("reviewers", "BILL", "Developers")
    author = tracker.account(jira.user("Author").account_id)
    jql = "project = BILL AND labels = agent-ready ORDER BY updated"
    tracker.myself()
    tracker.rights("BILL", ["ADD_COMMENTS", "EDIT_ISSUES"])
    tracker.roles("BILL", author.id)
    tracker.roles("BILL", jira.user("Portal customer").account_id)
    (found,) = tracker.search(jql, 10)
    (ticket,) = tracker.scan(jql).tickets
    assert ticket == replace(tracker.ticket(found.id), reporter="")
    assert tracker.count(jql) == 1
    tracker.ticket("BILL-1")
    tracker.label_history("BILL-1")
    tracker.assignments("BILL-1")
    made = str(tracker.put_comment("BILL-1", "readiness", BLOCKS))
    tracker.put_comment("BILL-1", "readiness", BLOCKS[:1])
    tracker.put_comment("HELP-1", "readiness", BLOCKS)
    assert tracker.find_comment("BILL-1", "readiness") == made
    assert tracker.comment("BILL-1", made) in tracker.comments_since("BILL-1", ticket.updated)
    tracker.set_property("BILL-1", "signalbox", {"score": 38})
    assert tracker.get_property("BILL-1", "signalbox") == {"score": 38}
    _tickets(jira, tracker, author.id)
    tracker.delete_property("BILL-1", "signalbox")
    tracker.delete_comment("BILL-1", made)
    return made


def _tickets(jira: SandboxJira, tracker: Any, account_id: str) -> None:
    """A description is written and tickets are made, as sub-tasks and as linked ones."""
    assert tracker.may_edit("BILL-1", account_id)
    text = tracker.ticket("BILL-1").spec_hash()
    tracker.set_description("BILL-1", BLOCKS, text, "signalbox.text", "once")
    made: list[Child] = []
    for subtasks in (True, False):
        jira.state.project("BILL").subtasks = subtasks
        new = NewTicket(f"Part {subtasks}", tuple(BLOCKS), {"n": len(made)})
        made.append(tracker.create_child("BILL-1", "signalbox.split", new))
    tracker.block(made[0].id, made[1].id)
    assert {child.id for child in tracker.children("BILL-1", "signalbox.split")} == {
        child.id for child in made
    }


@pytest.mark.shared
@pytest.mark.parametrize("silent", [False, True])
def test_every_request_of_every_method_is_as_described(silent: bool) -> None:
    jira = SandboxJira.seeded()
    with jira.serve() as url:
        auth, way = Basic(*jira.credentials("Signalbox")), Way(silent=silent)
        used = Used(JiraTracker("acme", url, auth, way=way))
        made = whole_life(jira, used)
    methods = {name for name in vars(JiraTracker) if not name.startswith("_")}
    methods.remove("report_accounts")  # of another API than Jira's: test_personal_data.py
    assert used.names == methods, "a method that is not called here"
    paths = (entry.path.removeprefix("/rest/api/3") for entry in jira.journal)
    sent = {
        f"{entry.method} {path.replace(f'/comment/{made}', '/comment/{id}')}"
        for entry, path in zip(jira.journal, paths, strict=True)
    }
    assert sent >= OPERATIONS
    assert all(entry.status in (200, 201, 204) for entry in jira.journal)
    for entry in jira.journal:
        check(entry.method, entry.path, entry.query, entry.body)


@pytest.mark.shared
def test_the_one_request_that_the_sandbox_never_brings_about_is_as_described() -> None:
    check("GET", "/rest/api/3/comment/10001/properties/signalbox")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "issue/BILL-1/comment", "maxResults=many", None),
        ("GET", "issue/BILL-1/comment", "order=created", None),
        ("GET", "issue/BILL-1/remarks", "", None),
        ("POST", "search/jql", "", {"jql": "project = BILL", "validateQuery": True}),
        ("POST", "search/jql", "", {"jql": "project = BILL", "maxResults": "all"}),
        ("POST", "issue/BILL-1/comment", "", {"body": {"type": "doc", "version": 2}}),
        ("POST", "issue/BILL-1/comment", "", {"body": "plain"}),
    ],
)
def test_the_description_would_object(
    method: str, path: str, query: str, body: dict[str, Any] | None
) -> None:
    with pytest.raises(Exception, match=r"."):
        check(method, f"/rest/api/3/{path}", query, body)
