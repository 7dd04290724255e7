"""The door of Automation rules: a secret in a header, and a body that somebody has typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.adapters.clock import SystemClock
from app.adapters.memory import MemorySecrets, MemoryTracker
from app.adapters.vault import Vault, new_key
from app.config import Settings
from app.core.rule_body import read_rule
from app.core.text import Document
from app.core.ticket import Ticket
from app.intake import automation as doors
from app.intake.door import Door
from app.intake.look_up import look_up
from app.intake.receive import keep
from app.intake.signature import BadSignature
from app.intake.tokens import Trust
from app.main import web_app
from app.ports import Transient
from app.store import inbox, installs, sites
from app.store.database import Database
from tests.web.conftest import add_site
from tests.web.signers import APP, KeyServer

Rows = Callable[[], list[sa.RowMapping]]
TOKEN = "typed by whoever wrote the rule"
URL = "/webhooks/automation/rules"
BODY = b'{"issue": {"id": "10001", "key": "BILL-1"}, "comment": {"id": ""}}'
WRONG = b'{"error":"missing or wrong signature"}'
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    key = new_key()
    vault = Vault(key)
    add_site(database, vault, "rules", TOKEN, "automation")
    add_site(database, vault, "others", "another token", "automation")
    add_site(database, vault, "closed", None, "automation")
    for kind in ("token", "server", "poll"):
        add_site(database, vault, f"by-{kind}", TOKEN, kind)
    settings = Settings(
        secret_key=key, data=tmp_path, database_url=database.url, body_limit=100_000
    )
    with TestClient(web_app(settings, database, Trust(KeyServer(), APP))) as client:
        yield client


def post(client: TestClient, *tokens: str, url: str = URL, body: bytes = BODY) -> Any:
    headers = [(b"x-signalbox-token", token.encode()) for token in tokens]
    return client.post(url, content=body, headers=headers)


def unknown(answer: Any) -> bool:
    return (answer.status_code, answer.content) == (401, WRONG)


def test_a_rule_is_a_delivery(client: TestClient, rows: Rows) -> None:
    answers = [post(client, TOKEN) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    # A rule sends the same words every time: each is something that has happened.
    assert [answer.json()["delivery"] for answer in answers] == [row["id"] for row in rows()]
    assert {(row["site_id"], row["kind"], row["issue_id"]) for row in rows()} == {
        ("rules", "ticket", "10001")
    }
    assert {row["outcome"] for row in rows()} == {None}


WRONG_TOKENS = ["", "x", TOKEN.upper(), TOKEN + " x", TOKEN[:-1], "-", "another token", "ü" * 5]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_strangers_leave_nothing(client: TestClient, rows: Rows) -> None:
    for token in [*WRONG_TOKENS, "x" * 1001, "x" * 20_000]:
        assert unknown(post(client, token)), token
    assert unknown(post(client))
    assert unknown(post(client, TOKEN, TOKEN))
    assert unknown(post(client, TOKEN, "x"))
    assert unknown(client.post(URL, content=BODY, headers={"authorization": f"Bearer {TOKEN}"}))
    assert unknown(client.post(f"{URL}?token={TOKEN}", content=BODY))
    assert rows() == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "site", ["unknown", "others", "closed", "by-token", "by-server", "by-poll"]
)
def test_a_token_opens_its_own_site_and_door(client: TestClient, rows: Rows, site: str) -> None:
    for token in (TOKEN, "-", "None"):
        assert unknown(post(client, token, url=f"/webhooks/automation/{site}"))
    assert rows() == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("site", ["RULES", "%00", "a" * 200, "..%2frules", "ü"])
def test_odd_sites(client: TestClient, rows: Rows, site: str) -> None:
    answer = post(client, TOKEN, url=f"/webhooks/automation/{site}")
    assert unknown(answer) or answer.status_code in (404, 307)
    assert rows() == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_door_closes_with_the_site(client: TestClient, database: Database) -> None:
    installs.uninstall(database, "rules", NOW)
    assert unknown(post(client, TOKEN))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_without_a_token_no_body_is_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(*_args: object) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr("app.intake.door.read_body", read)
    assert unknown(post(client))
    assert unknown(post(client, TOKEN, TOKEN))


def test_odd_bodies_are_malformed(client: TestClient, rows: Rows) -> None:  # A24
    odd = [b"", b"{", b"[]", b'{"issue": {"id": "\xff"}}', b"\x00", b'{"issue": {"id": NaN}}']
    for body in odd:
        assert unknown(post(client, "x", body=body))
        assert post(client, TOKEN, body=body).status_code == 200
    assert [row["outcome"] for row in rows()] == ["malformed"] * len(odd)
    assert post(client, TOKEN, body=b"x" * 100_001).status_code == 413


@given(secret=st.text(max_size=20), given_token=st.text(max_size=20))
def test_only_the_secret_opens(secret: str, given_token: str) -> None:
    """Header values come as Latin-1, whatever they were."""
    row = {"webhook_secret": secret, "connection": "automation", "uninstalled_at": None}
    came = given_token.encode().decode("latin-1")

    class Opened(MemorySecrets):
        def unseal(self, sealed: str) -> str:
            return sealed

    door = Door(None, Opened(), SystemClock(), 1, "")  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sites, "get_site", lambda *_: row)
        patch.setattr(doors, "keep", lambda *_: "kept")
        if secret and secret == given_token:
            assert doors._accept(door, "rules", [came], BODY) == "kept"
        else:
            with pytest.raises(BadSignature):
                doors._accept(door, "rules", [came], BODY)


# A key alone

TICKET = Ticket(
    site_id="rules",
    id="10001",
    key="BILL-1",
    project_key="BILL",
    issue_type="Bug",
    summary="CSV export",
    description=Document(()),
    labels=frozenset(),
    status="Open",
    done=False,
    reporter="user-1",
    updated=NOW,
)


def test_a_key_becomes_an_id(database: Database, rows: Rows) -> None:
    """The delivery is relayed twice: to find its ticket, and then as any other."""
    tracker, started = MemoryTracker(), list[tuple[str, str, tuple[Any, ...]]]()
    ticket = tracker.add(TICKET)

    def enqueue(_c: Any, name: str, workflow_id: str, args: tuple[Any, ...]) -> None:
        started.append((name, workflow_id, args))

    for text in (b'{"key": "BILL-1"}', b'{"key": "BILL-1", "commentId": "7"}', b'{"key": "NO-1"}'):
        keep(database, "rules", read_rule(text), f"rule:{text!r}", text, NOW)
    first, second, third = (row["seq"] for row in rows())
    assert inbox.relay(database, enqueue, NOW) == 3
    assert started == [
        ("find_ticket", f"find:rules:{first}.0", ("rules", "BILL-1", first)),
        ("find_ticket", f"find:rules:{second}.0", ("rules", "BILL-1", second)),
        ("find_ticket", f"find:rules:{third}.0", ("rules", "NO-1", third)),
    ]
    started.clear()
    told = [look_up(database, tracker, row["issue_key"], row["seq"])["outcome"] for row in rows()]
    assert told == ["found", "found", "ignored"]
    look_up(database, tracker, "BILL-1", first)  # the step may be repeated
    assert inbox.relay(database, enqueue, NOW) == 2
    assert [(name, args) for name, _, args in started] == [
        ("assess_ticket", ("rules", ticket.id, 1)),
        ("obey_comment", ("rules", ticket.id, "7")),
    ]
    assert [row["issue_id"] for row in rows()] == ["10001", "10001", None]


def test_a_key_that_cannot_be_looked_up_waits(database: Database, rows: Rows) -> None:
    tracker, started = MemoryTracker(), list[str]()
    keep(database, "rules", read_rule(b'{"key": "BILL-1"}'), "rule:1", b"", NOW)
    inbox.relay(database, lambda _c, _name, workflow_id, _args: started.append(workflow_id), NOW)
    tracker.calls.fail("ticket", Transient("Jira is away."))
    with pytest.raises(Transient):
        look_up(database, tracker, "BILL-1", rows()[0]["seq"])
    inbox.wait_again(database, started[0], "Jira did not answer", NOW)
    later = NOW.replace(hour=10)
    inbox.relay(database, lambda _c, _name, workflow_id, _args: started.append(workflow_id), later)
    assert started == [f"find:rules:{rows()[0]['seq']}.{number}" for number in (0, 1)]
