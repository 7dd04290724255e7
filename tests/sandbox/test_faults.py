"""Faults: each does what it says, to the requests it names, as often as it says."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from app.sandbox.faults import Faults
from app.sandbox.server import SandboxJira
from app.sandbox.serving import create_app
from tests.sandbox.conftest import Api, document

PATH = "issue/BILL-1/comment"
BODY = {"body": document("Hello")}


class TestStatus:
    @pytest.mark.parametrize(
        "reason",
        [
            "jira-burst-based",
            "jira-quota-global-based",
            "jira-quota-tenant-based",
            "jira-per-issue-on-write",
        ],
    )
    def test_429_says_why_and_how_long(self, jira: SandboxJira, author: Api, reason: str) -> None:
        jira.faults.add(kind="429", method="POST", reason=reason, retry_after="7")
        answer = author.post(PATH, json=BODY)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["ratelimit-reason"] == reason
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert jira.comments("BILL-1") == []
        author.ok("POST", PATH, json=BODY)

    def test_429_has_defaults(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="429")
        headers = author.get("myself").headers
        assert (headers["retry-after"], headers["ratelimit-reason"]) == ("1", "jira-burst-based")

    def test_retry_after_can_be_a_date(self, jira: SandboxJira, author: Api) -> None:
        moment = "Mon, 23 Nov 2026 18:28:14 GMT"
        jira.faults.add(kind="429", retry_after=moment)
        assert author.get("myself").headers["retry-after"] == moment

    @pytest.mark.parametrize("status", [500, 502, 503, 401])
    def test_others(self, jira: SandboxJira, author: Api, status: int) -> None:
        jira.faults.add(kind="status", status=status)
        answer = author.get("myself")
        assert answer.status_code == status
        assert answer.headers["x-sandbox"] == "true"
        assert "retry-after" not in answer.headers
        author.ok("GET", "myself")


class TestLostAnswers:
    def test_the_write_happened(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="timeout_after_write", method="POST", path_pattern="/comment$")
        with pytest.raises(httpx.RemoteProtocolError):
            author.post(PATH, json=BODY)
        assert len(jira.comments("BILL-1")) == 1
        entry = jira.journal[-1]
        assert (entry.status, entry.handled, entry.fault) == (None, True, "timeout_after_write")

    def test_silence_before_the_end(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="timeout_after_write", method="POST", seconds=30)
        with pytest.raises(httpx.ReadTimeout):
            author.post(PATH, json=BODY, timeout=0.2)
        assert len(jira.comments("BILL-1")) == 1

    def test_dropped_before_the_write(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="drop", method="POST")
        with pytest.raises(httpx.RemoteProtocolError):
            author.post(PATH, json=BODY)
        assert jira.comments("BILL-1") == []
        assert jira.journal[-1].handled is False
        author.ok("POST", PATH, json=BODY)

    def test_truncated(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="truncated", method="POST")
        url = f"{jira.base_url}/rest/api/3/{PATH}"
        answer = httpx.post(url, json=BODY, auth=jira.credentials("Author"))
        assert answer.status_code == 201
        with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
            answer.json()
        assert len(jira.comments("BILL-1")) == 1

    def test_slow(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="slow", seconds=0.15)
        began = time.monotonic()
        author.ok("GET", "myself")
        assert time.monotonic() - began >= 0.15

    def test_a_silent_request_does_not_stop_others(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="timeout_after_write", method="POST", seconds=30)
        with pytest.raises(httpx.ReadTimeout):
            author.post(PATH, json=BODY, timeout=0.1)
        author.ok("GET", "myself", timeout=2)

    def test_needs_a_server_that_can_hang_up(self, jira: SandboxJira) -> None:
        jira.faults.add(kind="drop")

        async def call() -> None:
            transport = httpx.ASGITransport(create_app(jira.state))
            async with httpx.AsyncClient(transport=transport) as client:
                await client.get("http://test/rest/api/3/myself")

        with pytest.raises(RuntimeError, match="under uvicorn only"):
            asyncio.run(call())


class TestChoice:
    def test_by_method_and_path(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="500", method="get", path_pattern=r"/issue/BILL-\d$")
        author.ok("GET", "myself")
        author.ok("POST", PATH, json=BODY)
        author.ok("GET", PATH)
        assert author.get("issue/BILL-1").status_code == 500

    def test_times_and_skip(self, jira: SandboxJira, author: Api) -> None:
        fault = jira.faults.add(kind="503", skip=1, times=2)
        seen = [author.get("myself").status_code for _ in range(5)]
        assert seen == [200, 503, 503, 200, 200]
        assert fault.struck == 2

    def test_one_after_another(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="429")
        jira.faults.add(kind="500")
        assert [author.get("myself").status_code for _ in range(3)] == [429, 500, 200]

    def test_pages_and_control_are_spared(self, jira: SandboxJira) -> None:
        jira.faults.add(kind="500", times=99)
        assert httpx.get(jira.base_url).status_code == 200
        assert httpx.get(f"{jira.base_url}/sandbox/state").status_code == 200

    def test_cleared(self, jira: SandboxJira, author: Api) -> None:
        jira.faults.add(kind="500", times=99)
        jira.faults.clear()
        author.ok("GET", "myself")

    @pytest.mark.parametrize(
        "options", [{}, {"kind": "flood"}, {"kind": "429", "path": "/x"}, {"kind": "200"}]
    )
    def test_a_misspelt_fault_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="fault"):
            Faults().add(**options)

    def test_a_broken_pattern_is_refused(self) -> None:
        with pytest.raises(ValueError, match="pattern of a fault"):
            Faults().add(kind="500", path_pattern="(")


class TestJournal:
    def test_has_every_request(self, jira: SandboxJira, author: Api) -> None:
        author.get("myself", params={"expand": "groups"})
        author.post(PATH, json=BODY)
        author.put("issue/BILL-1", content=b"not json \xff")
        httpx.get(f"{jira.base_url}/rest/api/3/myself")
        me, comment, broken, stranger = jira.journal
        assert (me.method, me.path, me.query) == ("GET", "/rest/api/3/myself", "expand=groups")
        assert (me.status, me.account, me.fault) == (200, jira.user("Author").account_id, None)
        assert (comment.status, comment.body) == (201, BODY)
        assert (broken.status, broken.body) == (400, "not json �")
        assert (stranger.status, stranger.account) == (401, None)
        assert [entry.number for entry in jira.journal] == [1, 2, 3, 4]
        assert all(entry.milliseconds >= 0 for entry in jira.journal)

    def test_finds(self, jira: SandboxJira, author: Api) -> None:
        author.get("myself")
        author.post(PATH, json=BODY)
        assert len(jira.journal.find("post", "/comment$")) == 1
        assert len(jira.journal.find(path_pattern="myself")) == 1
        assert [entry.method for entry in jira.journal.writes()] == ["POST"]
        jira.journal.clear()
        assert len(jira.journal) == 0

    def test_is_bounded(self, monkeypatch: pytest.MonkeyPatch, jira: SandboxJira) -> None:
        monkeypatch.setattr("app.sandbox.journal.LIMIT", 10)
        with Api(jira, "Author") as api:
            for _ in range(25):
                api.get("myself")
        assert len(jira.journal) <= 10
        assert jira.journal[-1].number == 25

    def test_a_request_that_is_too_large(self, jira: SandboxJira, author: Api) -> None:
        assert author.post(PATH, content=b"x" * 2_000_001).status_code == 413
        assert jira.journal[-1].handled is False
