"""One request on its way to the model and back: what came, and what it used."""

from __future__ import annotations

import asyncio

import httpx

from app.core.run import CallUsage
from app.metering.screen import Request, shortened
from app.metering.upstream import Upstream, passed_back
from app.metering.usage import Price, UsageReader
from app.metering.wire import Headers, Scope, answer, error

Piece = tuple[int, Headers, bytes]
"""Status and headers of the answer with the next bytes of its body."""


class Call:
    """`pieces` fills as the answer comes in; None ends it."""

    def __init__(self, identity: str, scope: Scope, request: Request, out: int) -> None:
        self.id = identity
        self.pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        self._scope = scope
        self._request = request
        self._body = shortened(request, out)

    async def run(self, upstream: Upstream, price: Price) -> CallUsage | None:
        """What it used; None when the answer was cut, so that only its bound is known."""
        scope, begun = self._scope, False
        try:
            async with upstream.ask(
                "/v1/messages", scope["query_string"], scope["headers"], self._body
            ) as response:
                begun = True
                reader = UsageReader(response.headers.get("content-type", ""))
                await self._read(response, reader)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            self._fail("The model's API cannot be reached.")
            return self._nothing()
        except httpx.HTTPError as fault:
            if not begun:
                self._fail(f"The model's API broke off ({type(fault).__name__}).")
            return None
        if response.is_error or reader.failed_early:
            return self._nothing()
        used = reader.used()
        return used.priced(price) if used else None

    async def _read(self, response: httpx.Response, reader: UsageReader) -> None:
        status, headers = response.status_code, passed_back(response)
        self.pieces.put_nowait((status, headers, b""))
        async for piece in response.aiter_raw():
            reader.feed(piece)
            self.pieces.put_nowait((status, headers, piece))

    def _fail(self, text: str) -> None:
        headers, body = answer(error("api_error", text))
        self.pieces.put_nowait((502, headers, body))

    def _nothing(self) -> CallUsage:
        return CallUsage(f"none-{self.id}", self._request.model, 0, 0, 0, 0, 0)
