"""uvicorn on a unix socket inside a loop that is already running, opened and closed at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

from app.metering.wire import Receive, Scope, Send

KEEP_ALIVE_SECONDS = 3600
LAST_SECONDS = 2.0


class SocketServer:
    """Without signal handlers and without a log of its own, as it lives beside others."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], path: Path) -> None:
        application: Any = app
        self._config = uvicorn.Config(
            application,
            uds=str(path),
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._server = uvicorn.Server(self._config)

    async def open(self) -> None:
        self._config.load()
        self._server.lifespan = self._config.lifespan_class(self._config)
        await self._server.startup()

    def refuse_new(self) -> None:
        for server in self._server.servers:
            server.close()

    async def close(self) -> None:
        """Idle connections at once, busy ones when they are done or the time is over."""
        self.refuse_new()
        state = self._server.server_state
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            _, late = await asyncio.wait(list(state.tasks), timeout=LAST_SECONDS)
            for task in late:
                task.cancel()
