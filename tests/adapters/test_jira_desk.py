"""Whom our comments reach: no customer of a service desk, and nobody's mail box at an edit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from app import ports
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic, Bearer
from app.adapters.jira_session import Way
from app.core.text import paragraph
from app.ports import Refused
from app.sandbox.server import SandboxJira
from tests.adapters.jira_server import Scripted, no_pause, scripted

TEXT, EDITED = [paragraph("NOT YET")], [paragraph("READY")]
INTERNAL = {"key": "sd.public.comment", "value": {"internal": True}}
MARK = {"key": "signalbox", "value": {"key": "readiness"}}


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded()
    with sandbox.serve():
        yield sandbox


def tracker_of(jira: SandboxJira, who: str = "Signalbox", *, silent: bool = False) -> JiraTracker:
    way = Way(silent=silent, pause=no_pause)
    return JiraTracker("acme", jira.base_url, Basic(*jira.credentials(who)), way=way)


@pytest.fixture
def tracker(jira: SandboxJira) -> ports.Tracker:
    return tracker_of(jira)


@pytest.fixture
def desk(jira: SandboxJira) -> str:
    return next(issue.key for issue in jira.state.issues.values() if issue.project == "HELP")


@pytest.mark.parametrize("fault", [None, "timeout_after_write", "truncated", "drop", "500"])
def test_customers_never_see_what_we_write(
    jira: SandboxJira, tracker: ports.Tracker, desk: str, fault: str | None
) -> None:
    if fault:
        jira.faults.add(kind=fault, method="POST", path_pattern="comment$")
    made = tracker.put_comment(desk, "readiness", TEXT)
    tracker.put_comment(desk, "readiness", EDITED)
    (comment,) = [found for found in jira.comments(desk) if found.id == made]
    assert not comment.public
    customer = tracker_of(jira, "Portal customer")
    with pytest.raises(Refused):
        customer.comment(desk, made)
    for posted in jira.journal.find("POST"):
        assert posted.body["properties"] == [MARK, INTERNAL]


def test_elsewhere_a_comment_is_a_plain_one(jira: SandboxJira, tracker: ports.Tracker) -> None:
    tracker.put_comment("BILL-1", "readiness", TEXT)
    (posted,) = jira.journal.find("POST")
    assert posted.body["properties"] == [MARK]


ME = {"accountId": "me", "displayName": "Signalbox", "accountType": "app"}
AT = "2026-11-23T14:26:00.000+0100"
ISSUE = "/rest/api/3/issue/HELP-1"


@pytest.fixture
def script() -> Iterator[Scripted]:
    with scripted() as server:
        server.answer("GET", "/rest/api/3/myself", ME)
        server.answer("GET", f"{ISSUE}/comment", {"comments": [], "total": 0})
        server.answer("DELETE", f"{ISSUE}/comment/7", None, status=204)
        yield server


def comment(*, public: bool) -> dict[str, Any]:
    return {
        "id": "7",
        "author": ME,
        "created": AT,
        "updated": AT,
        "jsdPublic": public,
        "properties": [MARK],
    }


@pytest.mark.parametrize("kind", ["service_desk", "customer_service", None])
def test_a_comment_that_is_shown_all_the_same_goes_at_once(
    script: Scripted, kind: str | None
) -> None:
    project = {"key": "HELP"} | ({"projectTypeKey": kind} if kind else {})
    script.answer("GET", ISSUE, {"id": "1", "key": "HELP-1", "fields": {"project": project}})
    script.answer("POST", f"{ISSUE}/comment", comment(public=True), status=201)
    script.answer("GET", f"{ISSUE}/comment/7", comment(public=True))
    tracker = JiraTracker("acme", script.url, Bearer("t"), way=Way(pause=no_pause))
    with pytest.raises(Refused, match=r"deleted at once.*licence as an agent"):
        tracker.put_comment("HELP-1", "readiness", TEXT)
    assert script.asked[-1] == f"DELETE {ISSUE}/comment/7"
    script.answer("POST", f"{ISSUE}/comment", comment(public=False), status=201)
    assert tracker.put_comment("HELP-1", "readiness", TEXT) == "7"


@pytest.mark.parametrize("silent", [False, True])
def test_edits_are_silent_where_that_was_found_to_work(jira: SandboxJira, silent: bool) -> None:
    tracker = tracker_of(jira, silent=silent)
    tracker.put_comment("BILL-1", "readiness", TEXT)
    notices = len(jira.state.notices)
    tracker.put_comment("BILL-1", "readiness", EDITED)
    tracker.put_comment("BILL-1", "readiness", EDITED)
    (edit,) = jira.journal.find("PUT")  # the same text is not written again
    assert parse_qs(edit.query) == ({"notifyUsers": ["false"]} if silent else {})
    assert len(jira.state.notices) == notices + (0 if silent else 1)


def test_where_silence_is_denied_the_edit_is_made_aloud(jira: SandboxJira) -> None:
    jira.add_user("Plain")
    tracker = tracker_of(jira, "Plain", silent=True)
    made = tracker.put_comment("BILL-1", "readiness", TEXT)
    tracker.put_comment("BILL-1", "readiness", EDITED)
    assert [entry.status for entry in jira.journal.find("PUT")] == [403, 200]
    assert tracker.comment("BILL-1", made).text.plain() == "READY"
