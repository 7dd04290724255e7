"""The sandbox behind HTTP on this machine: the whole application, and a server quick to start."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from app.sandbox import (
    board,
    call,
    control,
    frames,
    rest_comments,
    rest_issues,
    rest_lists,
    rest_search,
    rest_site,
)
from app.sandbox.gate import Gate
from app.sandbox.refusals import Refusal
from app.sandbox.rest_server import server_routes
from app.sandbox.state import TITLE, SandboxState

TICK = 0.01
GRACE = 0.3
"""Seconds that requests in flight get when the server stops."""
REST = (rest_issues, rest_comments, rest_search, rest_site, rest_lists)


def create_app(state: SandboxState) -> ASGIApp:
    """The whole application over one state."""
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    routes = [route for module in REST for route in module.ROUTES]
    call.mount(app, state, server_routes(routes) if state.deployment == "server" else routes)
    control.mount(app, state)
    frames.mount(app, state)
    board.mount(app, state)

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> JSONResponse:
        return JSONResponse(refusal.body(), refusal.status)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        message = f"{request.method} {request.url.path}: {error.detail} (in this sandbox)"
        return JSONResponse({"errorMessages": [message], "errors": {}}, error.status_code)

    return Gate(app, state)


@contextmanager
def serve(state: SandboxState, port: int = 0) -> Iterator[str]:
    """Answer HTTP on this machine in a thread; yields the base URL."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        state.origin = f"http://127.0.0.1:{bound.getsockname()[1]}"
        state.stopping = False
        state.outbox.resume()
        server = QuickServer(_config(create_app(state)))
        arguments: dict[str, Any] = {"sockets": [bound]}
        thread = threading.Thread(
            target=server.run, kwargs=arguments, name="sandbox-jira", daemon=True
        )
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield state.base_url
        finally:
            state.stopping = True
            state.outbox.close()
            server.should_exit = True
            thread.join(5)


def serve_forever(state: SandboxState, port: int) -> None:
    """Until interrupted, in this thread."""
    state.origin = f"http://127.0.0.1:{port}"
    config = _config(create_app(state), port=port)
    try:
        uvicorn.Server(config).run()
    finally:
        state.stopping = True
        state.outbox.close()


def _config(app: ASGIApp, port: int = 0) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
    )


class QuickServer(uvicorn.Server):
    """Tests start and stop a sandbox hundreds of times; uvicorn's own loop takes 0.2 s for it."""

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            await asyncio.sleep(TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        end = time.monotonic() + GRACE
        while self.server_state.connections and time.monotonic() < end:
            await asyncio.sleep(0.002)


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + 10
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise RuntimeError("the sandbox Jira did not start")
        time.sleep(0.002)
