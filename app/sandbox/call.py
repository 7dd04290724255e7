"""One REST call: who calls, in which API version, with what; and the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.datastructures import QueryParams

from app.sandbox.access import Caller
from app.sandbox.records import NOBODY, User
from app.sandbox.refusals import Refusal
from app.sandbox.shapes import Face
from app.sandbox.state import SandboxState

VERSIONS = {
    "cloud": {"2": "2", "3": "3", "latest": "2"},
    "server": {"2": "2", "latest": "2"},
}
ANONYMOUS = frozenset({"/serverInfo"})
"""What Jira tells to those who show no credential at all."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        if self.body is None:
            return Response(status_code=self.status, headers=self.headers)
        content = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        return Response(content, self.status, self.headers, "application/json;charset=UTF-8")


@dataclass(frozen=True, slots=True)
class Call:
    """`actor` is the authenticated user, `face` shows records to them."""

    state: SandboxState
    actor: User
    face: Face
    query: QueryParams
    raw: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            raise Refusal(400, "There was an error parsing JSON. Check that it is valid.") from None

    def document(self) -> dict[str, Any]:
        body = self.json()
        if not isinstance(body, dict):
            raise Refusal(400, "Invalid request payload. Refer to the REST API documentation.")
        return body

    def names(self, name: str) -> list[str]:
        """A list parameter: repeated, comma-separated, or both."""
        values = (part.strip() for value in self.query.getlist(name) for part in value.split(","))
        return [value for value in values if value]

    def flag(self, name: str, default: bool = True) -> bool:
        return self.query.get(name, str(default)).lower() == "true"

    def number(self, name: str, default: int, most: int | None = None) -> int:
        text = self.query.get(name)
        try:
            value = int(text) if text else default
        except ValueError:
            raise Refusal(400, f"Expected a number for '{name}', got '{text}'.") from None
        value = max(0, value)
        return value if most is None else min(value, most)


Handler = Callable[..., Reply]
Route = tuple[str, str, Handler]


def page(call: Call, key: str, values: Sequence[Any], *, most: int, default: int = 50) -> Any:
    """A page of `values` under `key`, from startAt and maxResults."""
    start, size = call.number("startAt", 0), call.number("maxResults", default, most)
    return {
        "startAt": start,
        "maxResults": size,
        "total": len(values),
        key: list(values[start : start + size]),
    }


def mount(app: FastAPI, state: SandboxState, routes: Sequence[Route]) -> None:
    """Serve each handler under every API version, one at a time, behind authentication.

    A handler takes the call and the path's parameters; it runs with the state locked.
    """
    for method, path, handler in routes:
        app.add_api_route(
            f"/rest/api/{{version}}{path}",
            _endpoint(state, handler, path in ANONYMOUS),
            methods=[method],
            include_in_schema=False,
        )


def _endpoint(state: SandboxState, handler: Handler, anonymous: bool) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        parameters = dict(request.path_params)
        version = VERSIONS[state.deployment].get(parameters.pop("version"))
        if version is None:
            raise Refusal(404, "No such version of the API in this sandbox.")
        raw = await request.body()
        caller: Caller = request.scope["caller"]  # the gate has looked
        actor = NOBODY if anonymous and not caller.scheme else caller.user
        if actor is None:
            raise Refusal(401, "Client must be authenticated to access this resource.")
        call = Call(state, actor, Face(state, version, actor), request.query_params, raw)
        with state.lock:
            return handler(call, **parameters).response()

    return endpoint
