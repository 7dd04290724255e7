"""An attempt's only way to a model: a unix socket of its own, while the attempt lasts.

It holds the key, lets through what is allowed and can be paid, and writes down each call before
it begins and after it ends. A raw ASGI application: answers pass through byte by byte.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from app.core.run import CallUsage
from app.metering.call import Call
from app.metering.purse import Purse
from app.metering.screen import Bound, NotAllowed, Request, read_request
from app.metering.server import SocketServer
from app.metering.upstream import Upstream
from app.metering.usage import Price
from app.metering.wire import Headers, Receive, Scope, Send, disconnected, read_body, refuse, reply
from app.ports import ModelGate

DRAIN_SECONDS = 10.0
"""How long an answer that nobody reads any more is read on, so that its cost is known."""
BUDGET_STOP = "signalbox_budget_stop"
"""Marks the refusal that ends an attempt as OverBudget; see adapters/claude_outcome.py."""

log = structlog.get_logger()


class Gate:
    """`async with Gate(...) as model_gate`. budget: micro-units that can never be passed; where it
    may be topped up meanwhile, set_aside() tells before each request what it has grown to.

    record_started(call id, bound) is asked before a request is let through; when it fails, the
    request is refused. record_finished(call id, usage) follows when the cost is known; a call
    without it stays open at its bound. Both run in a thread.
    """

    def __init__(  # noqa: PLR0913 - named one by one where it is wired
        self,
        *,
        upstream: str,
        api_key: str,
        budget: int,
        price: Price,
        record_started: Callable[[str, int], None],
        record_finished: Callable[[str, CallUsage], None],
        set_aside: Callable[[], int] | None = None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self.budget_stopped = False
        self._token = secrets.token_urlsafe(32)
        self._upstream = Upstream(upstream, api_key)
        self._price = price
        self._purse = Purse(budget)
        self._started = record_started
        self._finished = record_finished
        self._set_aside = set_aside
        self._drain = drain_seconds
        self._calls: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ModelGate:
        self._directory = Path(tempfile.mkdtemp(prefix="signalbox-gate-"))
        path = self._directory / "model.sock"
        self._server = SocketServer(self._answer, path)
        await self._server.open()
        return ModelGate(path, self._token)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            self._server.refuse_new()
            if self._calls:
                _, late = await asyncio.wait(self._calls, timeout=self._drain)
                for call in late:
                    call.cancel()
                await asyncio.gather(*late, return_exceptions=True)
            await self._upstream.close()
        finally:
            for call in self._calls:
                call.cancel()
            await self._server.close()
            shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def spent(self) -> int:
        return self._purse.spent

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"]
        if (method, path) == ("HEAD", "/"):
            await reply(send, 200, {})
        elif not self._knows(scope["headers"]):
            await refuse(send, 401, "authentication_error", "The attempt's token is wrong.")
        elif (method, path) == ("GET", "/v1/models"):
            await reply(send, 200, {"data": [], "has_more": False})
        elif (method, path) == ("POST", "/v1/messages"):
            await self._messages(scope, receive, send)
        elif (method, path) == ("POST", "/v1/messages/count_tokens"):
            await self._count(scope, receive, send)
        else:
            await refuse(send, 404, "not_found_error", "There is nothing here.")

    def _knows(self, headers: Headers) -> bool:
        given = dict(headers)
        token = given.get(b"x-api-key") or given.get(b"authorization", b"").removeprefix(b"Bearer ")
        return hmac.compare_digest(token, self._token.encode())

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = await read_body(receive)
        found = None
        if raw is not None:
            count = self._upstream.count_tokens
            found = await count(scope["query_string"], scope["headers"], raw)
        if found is None:
            await refuse(send, 400, "invalid_request_error", "The tokens could not be counted.")
        else:
            await reply(send, 200, {"input_tokens": found})

    async def _messages(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = await read_body(receive)
        if raw is None:
            await refuse(send, 413, "request_too_large", "The request is too large.")
            return
        try:
            request = read_request(raw)
        except NotAllowed as refusal:
            log.info("a model request was refused", why=str(refusal))
            await refuse(send, 400, "invalid_request_error", f"Signalbox: {refusal}")
            return
        if self._price(request.model, fresh=1) is None:
            text = f"Signalbox: the price of the model {request.model[:80]!r} is not known."
            await refuse(send, 400, "invalid_request_error", text)
            return
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await self._pay(scope, request, send, gone)
        finally:
            gone.cancel()

    async def _pay(
        self, scope: Scope, request: Request, send: Send, gone: asyncio.Future[None]
    ) -> None:
        """Begin the call only when its dearest outcome is paid for and written down."""
        await self._grow()
        bound = await self._bound(scope, request)
        call_id = secrets.token_hex(16)
        opening = asyncio.ensure_future(self._purse.open(call_id, bound, request.longest))
        if not await _before(gone, opening):
            if call_id in self._purse.opened:
                await self._purse.settle(call_id, 0)
            return
        out = opening.result()
        if out == 0:
            self.budget_stopped = True
            text = f"{BUDGET_STOP}: the rest of this attempt's budget cannot pay another request."
            # After 402 Claude Code gives up at once; after 400 it tries five more times.
            await refuse(send, 402, "billing_error", text)
            return
        try:
            await asyncio.to_thread(self._started, call_id, self._purse.opened[call_id])
        except Exception as fault:  # noqa: BLE001 - whatever the ledger raises
            await self._purse.settle(call_id, 0)
            log.warning("a model call cannot be recorded", fault=type(fault).__name__)
            await refuse(send, 503, "api_error", "Signalbox: the ledger cannot be reached.")
            return
        call = Call(call_id, scope, request, out)
        task = asyncio.create_task(self._spend(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        await self._pass_on(call, task, send, gone)

    async def _grow(self) -> None:
        """A ledger that cannot be asked has nothing to add."""
        if self._set_aside is None:
            return
        try:
            await self._purse.grow(await asyncio.to_thread(self._set_aside))
        except Exception as fault:  # noqa: BLE001 - whatever the ledger raises
            log.warning("a top-up cannot be seen", fault=type(fault).__name__)

    async def _bound(self, scope: Scope, request: Request) -> Bound:
        """By the bytes where there is room for that; else by the provider's own count."""
        bound = Bound(self._price, request.model, request.most_input, request.long_cache)
        if bound.output(request.longest, self._purse.free) == request.longest:
            return bound
        count = self._upstream.count_tokens
        counted = await count(scope["query_string"], scope["headers"], request.countable())
        if counted is None:
            return bound
        inputs = min(request.most_input, request.margin(counted))
        return Bound(self._price, request.model, inputs, request.long_cache)

    async def _spend(self, call: Call) -> None:
        """Runs to the end of the answer, whether or not anybody still reads it."""
        cost: int | None = None
        try:
            usage = await call.run(self._upstream, self._price)
            cost = usage.cost if usage else None
            if usage is not None:
                await asyncio.to_thread(self._finished, call.id, usage)
        except Exception as fault:  # noqa: BLE001 - whatever the ledger raises
            log.warning("a model call's end is not recorded", fault=type(fault).__name__)
        finally:
            await asyncio.shield(self._purse.settle(call.id, cost))
            call.pieces.put_nowait(None)

    async def _pass_on(
        self, call: Call, task: asyncio.Task[None], send: Send, gone: asyncio.Future[None]
    ) -> None:
        head = False
        while True:
            coming = asyncio.ensure_future(call.pieces.get())
            if not await _before(gone, coming):
                asyncio.get_running_loop().call_later(self._drain, task.cancel)
                return
            piece = coming.result()
            if piece is None:
                break
            status, headers, content = piece
            if not head:
                await send({"type": "http.response.start", "status": status, "headers": headers})
                head = True
            await send({"type": "http.response.body", "body": content, "more_body": True})
        if head:
            await send({"type": "http.response.body", "body": b""})


async def _before(gone: asyncio.Future[None], awaited: asyncio.Future[Any]) -> bool:
    """Wait for it; False when the other side went first, and it is cancelled then."""
    await asyncio.wait((gone, awaited), return_when=asyncio.FIRST_COMPLETED)
    if gone.done():
        awaited.cancel()
        await asyncio.gather(awaited, return_exceptions=True)
        return False
    return True
