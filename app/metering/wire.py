"""The little of HTTP that the gate speaks itself: bodies in, small JSON answers out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BODY_LIMIT = 32 * 1024 * 1024


async def read_body(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large or the other side has gone."""
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size > BODY_LIMIT:
            return None
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


async def disconnected(receive: Receive) -> None:
    """Returns when the other side has gone; to be started when its body is read."""
    while (await receive())["type"] != "http.disconnect":
        continue


async def reply(send: Send, status: int, content: dict[str, Any]) -> None:
    headers, body = answer(content)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, status: int, kind: str, text: str) -> None:
    await reply(send, status, error(kind, text))


def error(kind: str, text: str) -> dict[str, Any]:
    """In the shape of the provider's own errors, so that a client shows the text."""
    return {"type": "error", "error": {"type": kind, "message": text}}


def answer(content: dict[str, Any]) -> tuple[Headers, bytes]:
    body = json.dumps(content).encode()
    length = str(len(body)).encode()
    return [(b"content-type", b"application/json"), (b"content-length", length)], body
