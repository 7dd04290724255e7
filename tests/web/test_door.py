"""The door over real sockets: what strangers, slow senders and broken lines cost us."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import main
from app.adapters.vault import new_key
from app.config import Settings
from app.intake import door as doors
from tests.web.conftest import sign

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
BODY = b'{"webhookEvent": "jira:issue_updated", "issue": {"id": "1"}}'
Door = tuple[str, int]


@pytest.fixture
def door(client: TestClient) -> Iterator[Door]:
    """Where the web part listens, with the limits of the real service."""
    assert isinstance(client.app, FastAPI)
    with main.running_web(client.app, 0) as url:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        yield parts.hostname, parts.port


def head(site: str, length: int, *signatures: str) -> bytes:
    lines = [f"POST /webhooks/jira/{site} HTTP/1.1", "Host: signalbox", f"Content-Length: {length}"]
    lines += [f"X-Hub-Signature: {signature}" for signature in signatures]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(line: socket.socket) -> bytes:
    """All that comes until the other side ends the connection."""
    line.settimeout(5)
    return b"".join(iter(lambda: line.recv(65536), b""))


NONE: tuple[str, ...] = ()
RIGHT = sign(BODY)
UNSIGNED = {
    "none": NONE,
    "two": (RIGHT, RIGHT),
    "empty": ("",),
    "another kind": ("sha1=" + "0" * 40,),
    "in capitals": ("sha256=" + "A" * 64,),
    "too short": ("sha256=" + "0" * 63,),
    "too long": ("sha256=" + "0" * 65,),
    "no hex": ("sha256=" + "g" * 64,),
    "two in one": (f"{RIGHT},{RIGHT}",),
}


@pytest.mark.parametrize("signatures", UNSIGNED.values(), ids=UNSIGNED.keys())
@pytest.mark.parametrize("site", ["acme", "unknown"])
def test_the_body_of_an_unsigned_request_is_not_waited_for(
    door: Door, site: str, signatures: tuple[str, ...]
) -> None:
    with socket.create_connection(door) as line:
        line.sendall(head(site, 90_000, *signatures))  # and nothing of the body
        said = answer(line)
    assert said.startswith(b"HTTP/1.1 401 ")
    assert said.endswith(b'{"error":"missing or wrong signature"}')


def test_the_body_of_an_unsigned_request_is_never_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(*_args: object) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr(doors, "read_body", read)
    assert client.post("/webhooks/jira/acme", content=BODY).status_code == 401


def test_a_declared_length_over_the_limit_is_not_waited_for(door: Door) -> None:
    with socket.create_connection(door) as line:
        line.sendall(head("acme", 100_001, RIGHT))
        assert answer(line).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("site", ["acme", "unknown"])
def test_a_slow_sender_is_asked_to_send_again(
    door: Door, monkeypatch: pytest.MonkeyPatch, site: str
) -> None:
    monkeypatch.setattr(doors, "LONGEST", 0.2)
    with socket.create_connection(door) as line:
        line.sendall(head(site, len(BODY), RIGHT) + BODY[:9])
        assert answer(line).startswith(b"HTTP/1.1 408 ")


def test_a_sender_that_goes_away_is_no_error(door: Door) -> None:
    with structlog.testing.capture_logs() as logs:
        with socket.create_connection(door) as line:
            line.sendall(head("acme", len(BODY), RIGHT) + BODY[:9])
        end = time.monotonic() + 5
        while not logs and time.monotonic() < end:
            time.sleep(0.01)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("sender went away", "info")
    ]


def test_headers_have_an_end(door: Door) -> None:
    with socket.create_connection(door) as line:
        line.sendall(b"POST /webhooks/jira/acme HTTP/1.1\r\nX-Long: " + b"x" * 40_000)
        assert answer(line).startswith(b"HTTP/1.1 400 ")


def test_the_service_listens_with_limits(
    tmp_path: Path, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _app, **options: asked.update(options))
    main.serve(Settings(secret_key=new_key(), data=tmp_path), web_only=False)
    assert (asked["http"], asked["limit_concurrency"], asked["timeout_keep_alive"]) == (
        "h11",
        500,
        10,
    )
    assert asked["h11_max_incomplete_event_size"] <= 64 * 1024


# Starting


def test_the_address_is_told_once_it_answers(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    startup = uvicorn.Server.startup

    async def late(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.sleep(0.3)
        await startup(self, sockets)

    monkeypatch.setattr(uvicorn.Server, "startup", late)
    with main.running_web(FastAPI(), 0) as url:
        parts = urlsplit(url)
        socket.create_connection((parts.hostname, parts.port), timeout=1).close()


@pytest.mark.parametrize("hangs", [True, False])
def test_a_web_part_that_does_not_start_is_told(
    dialect: str, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    async def never(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        if hangs:
            await asyncio.sleep(0.3)
        self.should_exit = True

    monkeypatch.setattr(uvicorn.Server, "startup", never)
    monkeypatch.setattr(main, "START_SECONDS", 0.1)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="did not start"), main.running_web(FastAPI(), 0):
        pytest.fail("nothing listens")
    assert threading.active_count() == before
