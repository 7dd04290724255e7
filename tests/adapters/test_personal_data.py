"""Reports of account ids to Atlassian: where they go, how they are signed, what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Auth, Basic, Connect, Forge
from app.adapters.jira_session import Way
from app.core.qsh import query_string_hash
from app.ports import RateLimited, Refused
from tests.adapters.jira_server import Scripted, no_pause, scripted

AT = datetime(2026, 11, 1, 12, 30, 5, tzinfo=UTC)
CONNECT, FORGE = "/rest/atlassian-connect/latest/report-accounts", "/app/report-accounts/"
SECRET = "a secret of forty bytes, as Jira has them"


@pytest.fixture
def far() -> Iterator[Scripted]:
    with scripted() as made:
        yield made


def tracker(far: Scripted, auth: Auth, path: str = "") -> JiraTracker:
    return JiraTracker("acme", far.url + path, auth, "cloud", Way(pause=no_pause))


def connect(far: Scripted) -> JiraTracker:
    return tracker(far, Connect("signalbox", SECRET, far.url))


def test_a_connect_app_signs_its_report(far: Scripted) -> None:
    answer = {"accounts": [{"accountId": "a", "status": "closed"}]}
    answer["accounts"] += [{"accountId": "b", "status": "updated"}]
    answer["accounts"] += [{"accountId": "never reported", "status": "closed"}]
    far.answer("POST", CONNECT, answer)
    assert connect(far).report_accounts({"a": AT, "b": AT}) == {"a"}
    told = far.headers[0]["Authorization"].removeprefix("JWT ")
    claims = jwt.decode(told, SECRET, algorithms=["HS256"])
    assert claims["qsh"] == query_string_hash("POST", CONNECT, [])
    assert json.loads(far.bodies[0]) == {
        "accounts": [
            {"accountId": name, "updatedAt": "2026-11-01T12:30:05.000Z"} for name in ("a", "b")
        ]
    }


def test_a_forge_app_reports_to_atlassian_itself(far: Scripted) -> None:
    far.answer("POST", FORGE, b"", status=204)
    until = datetime.now(UTC) + timedelta(hours=1)
    forge = tracker(far, Forge("system-token", until), "/ex/jira/cloud-1")
    assert forge.report_accounts({"a": AT}) == frozenset()
    assert far.headers[0]["Authorization"] == "Bearer system-token"
    assert far.asked == [f"POST {FORGE}"]


def test_at_most_ninety_in_a_report(far: Scripted) -> None:
    far.answer("POST", CONNECT, b"", status=204)
    assert connect(far).report_accounts({f"{n:03}": AT for n in range(181)}) == frozenset()
    sent = [json.loads(body)["accounts"] for body in far.bodies]
    assert [len(part) for part in sent] == [90, 90, 1]
    assert len({each["accountId"] for part in sent for each in part}) == 181
    assert connect(far).report_accounts({}) == frozenset()
    assert len(far.asked) == 3, "nobody, so no report"


@pytest.mark.parametrize(
    ("status", "headers", "fault"),
    [(429, {"Retry-After": "3600"}, RateLimited), (403, {}, Refused), (400, {}, Refused)],
)
def test_a_report_that_is_not_taken(
    far: Scripted, status: int, headers: dict[str, str], fault: Any
) -> None:
    far.answer("POST", CONNECT, {}, status=status, headers=headers)
    with pytest.raises(fault):
        connect(far).report_accounts({"a": AT})


def test_others_do_not_report(far: Scripted) -> None:
    with pytest.raises(Refused, match="Only an app"):
        tracker(far, Basic("a@b.example", "t")).report_accounts({"a": AT})
    assert far.asked == []
