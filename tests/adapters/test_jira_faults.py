"""Bad weather between us and Jira: what is tried again, what is never sent twice, who is blamed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app import ports
from app.adapters import jira_pace, jira_session
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic, Bearer
from app.adapters.jira_session import Way
from app.core.text import paragraph
from app.ports import NotFound, Refused, Transient
from app.sandbox.server import SandboxJira
from tests.adapters.jira_server import Scripted, no_pause, scripted

TEXT = [paragraph("NOT YET")]
EDITED = [paragraph("READY")]


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded()
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def tracker(jira: SandboxJira, waits: list[float]) -> ports.Tracker:
    auth = Basic(*jira.credentials("Signalbox"))
    made = JiraTracker("acme", jira.base_url, auth, way=Way(pause=waits.append))
    made.myself()
    return made


@pytest.fixture
def script() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "drop", "truncated"])
def test_reading_is_tried_again(
    jira: SandboxJira, tracker: ports.Tracker, waits: list[float], kind: str
) -> None:
    jira.faults.add(kind=kind, path_pattern="BILL-1$")
    assert tracker.ticket("BILL-1").key == "BILL-1"
    assert len(jira.journal.find("GET", "BILL-1$")) == 2
    assert len(waits) == 1


@pytest.mark.parametrize("kind", ["500", "drop", "truncated"])
def test_four_tries_are_all(
    jira: SandboxJira, tracker: ports.Tracker, waits: list[float], kind: str
) -> None:
    jira.faults.add(kind=kind, path_pattern="BILL-1$", times=99)
    with pytest.raises(Transient):
        tracker.ticket("BILL-1")
    assert len(jira.journal.find("GET", "BILL-1$")) == 4
    assert len(waits) == 3
    assert sum(waits) < 3.5


@pytest.mark.parametrize("kind", ["429", "500", "503", "drop", "truncated", "timeout_after_write"])
@pytest.mark.parametrize("edited", [False, True])
def test_writing_leaves_one_comment(
    jira: SandboxJira, tracker: ports.Tracker, kind: str, edited: bool
) -> None:
    if edited:
        tracker.put_comment("BILL-1", "readiness", TEXT)
    method = "PUT" if edited else "POST"
    jira.faults.add(kind=kind, method=method, path_pattern="comment")
    made = tracker.put_comment("BILL-1", "readiness", EDITED)
    (comment,) = jira.comments("BILL-1")
    assert comment.id == made
    assert tracker.comment("BILL-1", made).text.plain() == "READY"
    took_effect = kind in ("truncated", "timeout_after_write")
    again = len(jira.journal.find(method)) - (1 if edited and took_effect else 0)
    assert again == (1 if took_effect else 2)


def test_a_lost_answer_is_looked_for_before_the_next_post(
    jira: SandboxJira, tracker: ports.Tracker
) -> None:
    jira.faults.add(kind="drop", method="POST", path_pattern="comment$", times=2)
    tracker.put_comment("BILL-1", "readiness", TEXT)
    asked = [e.method for e in jira.journal.find("", "comment$")]
    assert asked == ["GET", "POST", "GET", "POST", "GET", "POST"]
    assert len(jira.comments("BILL-1")) == 1


def test_a_silent_jira_is_waited_for_once(
    jira: SandboxJira, tracker: ports.Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write happened, its answer never came: one look, no second post."""
    monkeypatch.setattr(jira_session, "TIMEOUT", (1.0, 0.2))
    monkeypatch.setattr(jira_pace, "LATE", 0.1)
    fresh = JiraTracker("acme", jira.base_url, Basic(*jira.credentials("Signalbox")))
    jira.faults.add(kind="timeout_after_write", method="POST", path_pattern="comment$", seconds=1)
    made = fresh.put_comment("BILL-1", "readiness", TEXT)
    assert [comment.id for comment in jira.comments("BILL-1")] == [made]
    assert len(jira.journal.find("POST")) == 1
    jira.faults.add(kind="slow", path_pattern="BILL-1$", seconds=1)
    with pytest.raises(Transient, match="did not answer in time about the ticket BILL-1"):
        fresh.ticket("BILL-1")


def test_a_post_that_never_arrived_is_left_to_the_engine(
    jira: SandboxJira, tracker: ports.Tracker
) -> None:
    jira.faults.add(kind="500", method="POST", path_pattern="comment$", times=99)
    with pytest.raises(Transient):
        tracker.put_comment("BILL-1", "readiness", TEXT)
    assert len(jira.journal.find("POST")) == 4
    jira.faults.clear()
    tracker.put_comment("BILL-1", "readiness", TEXT)
    assert len(jira.comments("BILL-1")) == 1


def test_two_threads_share_a_tracker(jira: SandboxJira, tracker: ports.Tracker) -> None:
    start = threading.Barrier(4)

    def work(number: int) -> str:
        start.wait()
        return tracker.put_comment("BILL-1", f"key{number}", TEXT)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(work, range(4)))) == 4


def test_a_full_ticket_takes_no_more(jira: SandboxJira, tracker: ports.Tracker) -> None:
    jira.faults.add(kind="413", method="POST", path_pattern="comment$", times=9)
    with pytest.raises(Refused, match="full of comments"):
        tracker.put_comment("BILL-1", "readiness", TEXT)
    assert len(jira.journal.find("POST")) == 1


def test_a_wrong_token_names_the_account(jira: SandboxJira) -> None:
    wrong: ports.Tracker = JiraTracker(
        "acme", jira.base_url, Basic("me@example.com", "wrong-token")
    )
    with pytest.raises(Refused, match=r"renew the token of me@example\.com") as caught:
        wrong.ticket("BILL-1")
    assert "wrong-token" not in str(caught.value)
    assert len(jira.journal.find()) == 1


def test_nobody_there_is_weather() -> None:
    gone: ports.Tracker = JiraTracker(
        "acme", "http://127.0.0.1:9", Bearer("token"), way=Way(pause=no_pause)
    )
    with pytest.raises(Transient, match="cannot be reached"):
        gone.myself()


@pytest.mark.parametrize("address", ["nonsense", "ftp://host", "http://", "http://[bad"])
def test_a_wrong_address_is_not(address: str) -> None:
    with pytest.raises(Refused, match="address cannot be used"):
        JiraTracker("acme", address, Bearer("token"), way=Way(pause=no_pause)).myself()


@pytest.mark.parametrize(
    ("status", "body", "error", "why"),
    [
        (401, {}, Refused, "renew the token of this account"),
        (403, {"errorMessages": ["CAPTCHA"]}, Refused, "does not let.*CAPTCHA"),
        (404, {}, NotFound, "not visible"),
        (400, {"errors": {"labels": "too long"}}, Refused, r"\(400\).*labels: too long"),
        (409, {"message": "conflict"}, Refused, r"\(409\).*conflict"),
        (410, {"errorMessages": ["removed"]}, Refused, r"\(410\).*removed"),
        (418, b"<html>teapot</html>", Refused, r"\(418\)"),
        (400, [1, 2], Refused, r"\(400\)"),
        (400, {"errorMessages": "one", "errors": []}, Refused, "one"),
        (502, b"<html>Bad gateway</html>", Transient, r"in trouble \(502\)\.$"),
        (200, b"<html>Please log in</html>", Transient, "no JSON"),
        (302, b"", Refused, "leads to https://elsewhere"),
    ],
)
def test_every_answer_has_its_sentence(
    script: Scripted, status: int, body: Any, error: type[Exception], why: str
) -> None:
    headers = {"Location": "https://elsewhere/x"} if status == 302 else {}
    script.answer("GET", "/rest/api/3/myself", body, status=status, headers=headers)
    with pytest.raises(error, match=why) as caught:
        JiraTracker("acme", script.url, Bearer("token"), way=Way(pause=no_pause)).myself()
    assert "html" not in str(caught.value)
    assert isinstance(caught.value, Transient) == (error is Transient)
