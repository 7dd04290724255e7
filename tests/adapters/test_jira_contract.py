"""Every request that the adapter sends, held against Atlassian's description of its API."""

from __future__ import annotations

import json
from functools import cache
from urllib.parse import parse_qsl

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest

from app.adapters.jira import JiraTracker
from app.core.text import bullets, expand, item, paragraph
from app.sandbox.journal import Entry
from app.sandbox.server import SandboxJira
from tests.sandbox import contract

BLOCKS = [paragraph("NOT YET"), bullets(item(paragraph("x"))), expand("All", paragraph("y"))]
pytestmark = pytest.mark.filterwarnings("ignore:Unsupported scheme type")
OPERATIONS = {
    "GET /myself",
    "GET /mypermissions",
    "GET /user",
    "GET /project/BILL/role",
    "GET /issue/BILL-1",
    "GET /issue/BILL-1/changelog",
    "GET /issue/BILL-1/comment",
    "POST /issue/BILL-1/comment",
    "PUT /issue/BILL-1/properties/signalbox",
}


@cache
def described() -> OpenAPI:
    config = Config(spec_validator_cls=None)  # type: ignore[arg-type]  # the document is not checked
    return OpenAPI.from_dict(contract.description(), config=config)


def check(entry: Entry) -> None:
    body = None if entry.body is None else json.dumps(entry.body).encode()
    request = MockRequest(
        contract.HOST,
        entry.method.lower(),
        entry.path,
        args=dict(parse_qsl(entry.query)),
        data=body,
        content_type="application/json",
    )
    described().validate_request(request)
    if entry.path.endswith("/comment") and entry.body:
        contract.adf().validate(entry.body["body"])


@pytest.mark.shared
def test_every_request_is_as_described() -> None:
    jira = SandboxJira.seeded()
    with jira.serve() as url:
        tracker = JiraTracker("acme", url, jira.credentials("Signalbox"))
        jira.add_label("BILL-1", "agent-ready")
        author = tracker.account(jira.user("Author").account_id)
        tracker.rights("BILL", ["ADD_COMMENTS", "EDIT_ISSUES"])
        tracker.roles("BILL", author.id)
        tracker.ticket("BILL-1")
        tracker.label_history("BILL-1")
        made = tracker.put_comment("BILL-1", "readiness", BLOCKS)
        tracker.put_comment("BILL-1", "readiness", BLOCKS[:1])
        tracker.comment("BILL-1", made)
        tracker.set_property("BILL-1", "signalbox", {"score": 38})
    entries = list(jira.journal)
    sent = {f"{entry.method} {entry.path.removeprefix('/rest/api/3')}" for entry in entries}
    assert {*OPERATIONS, f"PUT /issue/BILL-1/comment/{made}"} <= sent
    for entry in entries:
        check(entry)


@pytest.mark.shared
def test_the_description_would_object() -> None:
    wrong = Entry(
        number=1,
        at="",
        method="GET",
        path="/rest/api/3/issue/BILL-1/comment",
        query="maxResults=many",
        body=None,
        status=200,
        account=None,
        fault=None,
        handled=True,
        milliseconds=0.0,
    )
    with pytest.raises(Exception, match="maxResults"):
        check(wrong)
