"""The sandbox as a server, and the way into it from Python.

jira = SandboxJira.seeded()
with jira.serve() as base_url:
    jira.add_label("BILL-1", "agent-ready", as_user="Author")
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Unpack

import uvicorn
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from app.sandbox import (
    board,
    call,
    comments,
    control,
    issues,
    rest_comments,
    rest_issues,
    rest_lists,
    rest_search,
    rest_site,
)
from app.sandbox.comments import Draft
from app.sandbox.faults import Faults
from app.sandbox.gate import Gate
from app.sandbox.issue_input import FieldReader
from app.sandbox.journal import Journal
from app.sandbox.records import Comment, History, Issue, Project, ProjectType, User
from app.sandbox.refusals import Refusal
from app.sandbox.seeding import IssueOptions, Seeder, Text, UserOptions, text
from app.sandbox.state import TITLE, SandboxState
from app.sandbox.webhooks import EVENTS, Outbox, Webhook

TICK = 0.01
GRACE = 0.3
"""Seconds that requests in flight get when the server stops."""


def create_app(state: SandboxState) -> ASGIApp:
    """The whole application over one state."""
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    for module in (rest_issues, rest_comments, rest_search, rest_site, rest_lists):
        call.mount(app, state, module.ROUTES)
    control.mount(app, state)
    board.mount(app, state)

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> JSONResponse:
        return JSONResponse(refusal.body(), refusal.status)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        message = f"{request.method} {request.url.path}: {error.detail} (in this sandbox)"
        return JSONResponse({"errorMessages": [message], "errors": {}}, error.status_code)

    return Gate(app, state)


class SandboxJira:
    """One sandbox. Users are named by display name, e-mail address or account id."""

    def __init__(self) -> None:
        self.state = SandboxState()
        self._seed = Seeder(self.state)

    @classmethod
    def seeded(cls) -> SandboxJira:
        """With example users, projects and issues."""
        jira = cls()
        jira._seed.examples()
        return jira

    # Looking

    @property
    def base_url(self) -> str:
        return self.state.base_url

    @property
    def faults(self) -> Faults:
        return self.state.faults

    @property
    def journal(self) -> Journal:
        return self.state.journal

    @property
    def webhooks(self) -> Outbox:
        """Deliveries, delays, and `drain`."""
        return self.state.outbox

    def user(self, who: str | User) -> User:
        return self.state.person(who)

    def credentials(self, who: str | User) -> tuple[str, str]:
        """E-mail address and API token, for basic authentication."""
        user = self.state.person(who)
        return user.email, user.token

    def issue(self, key: str) -> Issue:
        return self.state.issue(key)

    def comments(self, key: str) -> list[Comment]:
        """All comments of an issue, oldest first, whoever may see them."""
        with self.state.lock:
            issue = self.state.issue(key)
            return [self.state.comments[comment_id] for comment_id in issue.comments]

    # Setting up

    def add_user(self, name: str, **options: Unpack[UserOptions]) -> User:
        return self._seed.user(name, **options)

    def add_project(
        self, key: str, name: str = "", project_type: ProjectType = "software"
    ) -> Project:
        return self._seed.project(key, name, project_type)

    def grant_role(self, who: str | User, project_key: str, role: str) -> None:
        self._seed.grant(self.state.person(who), project_key, role)

    def webhook(self, url: str, secret: str, events: Sequence[str] = EVENTS) -> Webhook:
        return self.state.outbox.register(url, secret, events)

    # Doing what people do

    def create_issue(self, project: str, summary: str, **options: Unpack[IssueOptions]) -> Issue:
        return self._seed.issue(project, summary, **options)

    def edit(
        self, key: str, fields: Mapping[str, Any], as_user: str | User | None = None
    ) -> History | None:
        """Set fields by Jira's names; a description is wiki markup or a document."""
        return self._change(key, {"fields": dict(fields)}, as_user)

    def add_label(self, key: str, label: str, as_user: str | User | None = None) -> History | None:
        return self._change(key, {"update": {"labels": [{"add": label}]}}, as_user)

    def remove_label(
        self, key: str, label: str, as_user: str | User | None = None
    ) -> History | None:
        return self._change(key, {"update": {"labels": [{"remove": label}]}}, as_user)

    def _change(
        self, key: str, body: Mapping[str, Any], as_user: str | User | None
    ) -> History | None:
        with self.state.lock:
            actor, issue = self._seed.actor(as_user), self.state.issue(key)
            text_given = body.get("fields", {}).get("description")
            version = "3" if isinstance(text_given, Mapping) else "2"
            values = FieldReader(self.state, version, actor).read(body, issue)
            return issues.edit(self.state, issue, values, actor)

    def comment(self, key: str, body: Text, as_user: str | User | None = None) -> Comment:
        return self._seed.comment(key, body, as_user)

    def edit_comment(self, comment_id: str, body: Text, as_user: str | User | None = None) -> None:
        with self.state.lock:
            known = self.state.comments[comment_id]
            comments.edit(self.state, known, Draft(text(body)), self._seed.actor(as_user))

    def transition(self, key: str, status: str, as_user: str | User | None = None) -> None:
        """To a status by its name."""
        with self.state.lock:
            issue = self.state.issue(key)
            actor = self._seed.actor(as_user)
            issues.transition(self.state, issue, issues.transition_to(status), {}, actor)

    def link(self, blocker: str, blocked: str, as_user: str | User | None = None) -> None:
        """`blocker` blocks `blocked`."""
        with self.state.lock:
            ends = self.state.issue(blocker), self.state.issue(blocked)
            issues.link(self.state, "10000", *ends, self._seed.actor(as_user))

    def delete_issue(self, key: str, as_user: str | User | None = None) -> None:
        with self.state.lock:
            issues.delete(self.state, self.state.issue(key), self._seed.actor(as_user))

    # Serving

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Answer HTTP on this machine in a thread; yields the base URL."""
        with socket.socket() as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(("127.0.0.1", port))
            self.state.base_url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            self.state.stopping = False
            self.state.outbox.resume()
            server = QuickServer(_config(create_app(self.state)))
            arguments: dict[str, Any] = {"sockets": [bound]}
            thread = threading.Thread(
                target=server.run, kwargs=arguments, name="sandbox-jira", daemon=True
            )
            thread.start()
            try:
                _wait_until_started(server, thread)
                yield self.state.base_url
            finally:
                self.state.stopping = True
                self.state.outbox.close()
                server.should_exit = True
                thread.join(5)


def run(port: int, jira: SandboxJira | None = None) -> None:
    """Serve the examples (or a given sandbox) until interrupted."""
    sandbox = jira or SandboxJira.seeded()
    sandbox.state.base_url = f"http://127.0.0.1:{port}"
    config = _config(create_app(sandbox.state), port=port)
    try:
        uvicorn.Server(config).run()
    finally:
        sandbox.state.stopping = True
        sandbox.state.outbox.close()


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
