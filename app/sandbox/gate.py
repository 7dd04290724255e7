"""Stands before the application: keeps the journal, makes the faults, marks every answer.

Raw ASGI, so that an answer can be held back, cut short, or never sent.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.access import Asked, Caller, identify
from app.sandbox.faults import Fault, limit_headers
from app.sandbox.limits import REASON
from app.sandbox.records import stamp
from app.sandbox.state import SandboxState

MARK = (b"x-sandbox", b"true")
BODY_LIMIT = 2_000_000
_TICK = 0.02


@dataclass(slots=True)
class Answer:
    """A whole answer, kept until it is known what becomes of it."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def keep(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def send(self, send: Send) -> None:
        headers = [pair for pair in self.headers if pair[0].lower() != b"content-length"]
        if self.status != 204:
            headers.append((b"content-length", str(len(self.body)).encode()))
        start = {"type": "http.response.start", "status": self.status, "headers": [*headers, MARK]}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


class Gate:
    """Everything under /rest/ passes through here whole; pages are only marked."""

    def __init__(self, app: ASGIApp, state: SandboxState) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = self._inside(scope)
        if scope["path"].startswith("/rest/"):
            await self._rest(scope, receive, send)
        elif _foreign(scope):
            message = "Another web site may not change this sandbox."
            await _error(403, message).send(send)
        else:
            await self._app(scope, receive, _marked(send))

    def _inside(self, scope: Scope) -> Scope:
        """Without the path that stands before the site's own; `platform`: which of the two it is.

        REST at a wrong address is led to a path that does not exist.
        """
        state, path = self._state, scope["path"]
        before = state.context
        platform = f"/ex/jira/{state.cloud_id}"
        known = state.deployment == "cloud" and path.startswith(platform + "/rest/")
        if known:
            before = platform
        if path != before and not path.startswith(before + "/"):
            lost = path.startswith("/rest/")
            return {**scope, "path": f"/elsewhere{path}"} if lost else scope
        raw = scope.get("raw_path") or path.encode()
        return {
            **scope,
            "path": path.removeprefix(before) or "/",
            "raw_path": raw.removeprefix(before.encode()) or b"/",
            "platform": known,
        }

    async def _rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        body = await _whole(receive)
        scope["caller"] = identify(self._state, _asked(scope))
        fault = self._state.faults.take(scope["method"], scope["path"])
        handled = fault is None or fault.kind not in ("status", "drop")
        wait = self._too_often(scope) if handled else 0
        if len(body) > BODY_LIMIT:
            answer, handled = _error(413, "The request is too large."), False
        elif wait:
            extra = limit_headers(REASON, str(wait))
            answer, handled = _error(429, "Rate limit exceeded.", extra), False
        elif handled:
            answer = await self._answer(scope, body)
        else:
            answer = _error(fault.status, _sentence(fault), fault.headers()) if fault else Answer()
        silent = fault is not None and fault.kind in ("drop", "timeout_after_write")
        self._note(scope, body, None if silent else answer.status, fault, handled, began)
        if fault is not None and fault.seconds > 0:
            await self._wait(fault.seconds)
        if silent:
            await _hang_up(send)
            return
        if fault is not None and fault.kind == "truncated":
            answer.body = answer.body[: len(answer.body) // 2]
        await answer.send(send)

    async def _answer(self, scope: Scope, body: bytes) -> Answer:
        answer = Answer()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        await self._app(scope, receive, answer.keep)
        return answer

    def _too_often(self, scope: Scope) -> int:
        return self._state.limits.wait(scope["method"], scope["path"], time.monotonic())

    def _note(
        self,
        scope: Scope,
        body: bytes,
        status: int | None,
        fault: Fault | None,
        handled: bool,
        began: float,
    ) -> None:
        caller: Caller = scope["caller"]
        self._state.journal.add(
            at=stamp(self._state.now()),
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            body=_readable(body),
            status=status,
            account=caller.user.account_id if caller.user else None,
            scheme=caller.scheme,
            refusal=caller.refusal,
            platform=scope["platform"],
            fault=fault.kind if fault else None,
            handled=handled,
            milliseconds=round((time.perf_counter() - began) * 1000, 3),
        )

    async def _wait(self, seconds: float) -> None:
        """In short steps, so that the server can stop meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._state.stopping:
            await asyncio.sleep(min(_TICK, seconds))  # set by another thread


def _asked(scope: Scope) -> Asked:
    return Asked(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        Headers(scope=scope).get("authorization", ""),
        scope["platform"],
    )


def _foreign(scope: Scope) -> bool:
    """A write that a page of another origin makes in somebody's browser. Pages and control API
    have no login, so this is what keeps other sites out."""
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _sentence(fault: Fault) -> str:
    if fault.status == 429:
        return "Rate limit exceeded."
    return f"Fault of the sandbox: {fault.status}."


def _error(status: int, message: str, extra: dict[str, str] | None = None) -> Answer:
    body = json.dumps({"errorMessages": [message], "errors": {}}).encode()
    headers = [(b"content-type", b"application/json;charset=UTF-8")]
    headers += [(name.encode(), value.encode()) for name, value in (extra or {}).items()]
    return Answer(status, headers, body)


async def _hang_up(send: Send) -> None:
    """End the connection without an answer.

    ASGI has no word for this. uvicorn's `send` belongs to the object that holds the transport;
    the test of the fault `drop` fails when that changes.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("the sandbox can drop a connection under uvicorn only")
    transport.abort()
    await asyncio.sleep(0)


def _marked(send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), MARK]
        await send(message)

    return marked
