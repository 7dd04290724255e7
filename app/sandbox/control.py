"""The control API under /sandbox: seed, plan faults, look into journal and deliveries.

No part of Jira. For tests and demos in other processes; it has no login, so the server listens
on this machine alone and refuses calls that a web page of another origin makes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response

from app.sandbox.connections import add_webhook
from app.sandbox.issue_input import FieldFault
from app.sandbox.outbox import Delivery
from app.sandbox.records import User
from app.sandbox.refusals import Refusal
from app.sandbox.seeding import Seeder
from app.sandbox.state import TITLE, SandboxState
from app.sandbox.webhooks import EVENTS

Body = dict[str, Any]


def mount(app: FastAPI, state: SandboxState) -> None:
    control = Control(state)
    table: list[tuple[str, str, Callable[[Body], Any]]] = [
        ("GET", "state", control.overview),
        ("POST", "reset", control.reset),
        ("POST", "users", control.add_user),
        ("POST", "projects", control.add_project),
        ("POST", "issues", control.add_issue),
        ("POST", "webhooks", control.add_webhook),
        ("GET", "faults", control.faults),
        ("POST", "faults", control.add_fault),
        ("DELETE", "faults", control.clear_faults),
        ("GET", "journal", control.journal),
        ("DELETE", "journal", control.clear_journal),
        ("GET", "deliveries", control.deliveries),
        ("POST", "drain", control.drain),
    ]
    for method, path, act in table:
        app.add_api_route(
            f"/sandbox/{path}", _endpoint(act), methods=[method], include_in_schema=False
        )


def _endpoint(act: Callable[[Body], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
            if not isinstance(body, dict):
                raise TypeError("an object is expected")
            out = await asyncio.to_thread(act, body)
        except (KeyError, TypeError, ValueError, TimeoutError, FieldFault) as error:
            raise Refusal(400, f"{type(error).__name__}: {error}") from None
        text = json.dumps(out, ensure_ascii=False)
        return Response(text, media_type="application/json")

    return endpoint


class Control:
    """One method a route. Wrong input raises, the endpoint answers 400."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._seed = Seeder(state)

    def overview(self, body: Body) -> Body:
        state = self._state
        with state.lock:
            return {
                "title": TITLE,
                "base_url": state.base_url,
                "version": state.version,
                "users": [_user(user) for user in state.users.values()],
                "projects": [project.key for project in state.projects.values()],
                "issues": [issue.key for issue in state.issues.values()],
                "comments": len(state.comments),
                "requests": len(state.journal),
                "notices": len(state.notices),
                "webhooks": [
                    {"id": channel.id, "url": channel.url, "shape": channel.shape}
                    for channel in state.outbox.channels
                ],
                "deliveries": len(state.outbox.deliveries),
            }

    def reset(self, body: Body) -> Body:
        """Empty, or with the example data when `seeded` is true."""
        self._state.clear()
        if body.get("seeded"):
            self._seed.examples()
        return {}

    def add_user(self, body: Body) -> Body:
        return _user(self._seed.user(**body))

    def add_project(self, body: Body) -> Body:
        project = self._seed.project(**body)
        return {"id": project.id, "key": project.key}

    def add_issue(self, body: Body) -> Body:
        issue = self._seed.issue(**body)
        return {"id": issue.id, "key": issue.key}

    def add_webhook(self, body: Body) -> Body:
        hook = add_webhook(
            self._state,
            body["url"],
            body.get("secret", ""),
            body.get("events", EVENTS),
            body.get("projects", ()),
        )
        return {"id": hook.id}

    def faults(self, body: Body) -> list[Body]:
        return [fault.as_json() for fault in self._state.faults.planned()]

    def add_fault(self, body: Body) -> Body:
        # The names are checked by `add`, which refuses what it does not know.
        return self._state.faults.add(**body).as_json()

    def clear_faults(self, body: Body) -> Body:
        self._state.faults.clear()
        return {}

    def journal(self, body: Body) -> list[Body]:
        return [entry.as_json() for entry in self._state.journal]

    def clear_journal(self, body: Body) -> Body:
        self._state.journal.clear()
        return {}

    def deliveries(self, body: Body) -> list[Body]:
        return [_delivery(delivery) for delivery in list(self._state.outbox.deliveries)]

    def drain(self, body: Body) -> Body:
        self._state.outbox.drain(float(body.get("timeout", 10)))
        return {}


def _user(user: User) -> Body:
    return {
        "accountId": user.account_id,
        "displayName": user.display_name,
        "email": user.email,
        "token": user.token,
        "accountType": user.account_type,
    }


def _delivery(delivery: Delivery) -> Body:
    return {
        "identifier": delivery.identifier,
        "webhook": delivery.channel.id,
        "event": delivery.event,
        "issue": delivery.issue_key,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "payload": delivery.content(),
    }
