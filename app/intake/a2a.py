"""`POST /a2a`: the agent that people assign tickets to in Jira, behind its agent connector.

The library reads both versions of the protocol; what it is given has passed our own limits first.
https://developer.atlassian.com/platform/forge/manifest-reference/modules/rovo-agent-connector/
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.response_helpers import agent_card_to_dict
from a2a.server.routes.common import ServerCallContextBuilder
from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher
from a2a.types.a2a_pb2 import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    HTTPAuthSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
)
from a2a.utils.constants import AGENT_CARD_WELL_KNOWN_PATH, VERSION_HEADER
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app import __version__
from app.core.payload import Malformed, load
from app.intake.a2a_agent import Caller, Connector
from app.intake.door import (
    LONGEST,
    Door,
    TooLarge,
    TooSlow,
    TurnedAway,
    read_body,
    refuse,
    stranger,
)
from app.intake.fit import verify_fit
from app.intake.forge_site import site_of
from app.intake.signature import BadSignature
from app.intake.tokens import Trust

MODULES = frozenset({"signalbox-agent"})
"""The key of our module in the app's manifest: tokens of other modules open other doors."""
log = structlog.get_logger()


def a2a_router(door: Door, trust: Trust) -> APIRouter:
    """A stranger learns nothing: no body of theirs is read, and another's task is not found."""
    router = APIRouter()
    dispatcher = JsonRpcDispatcher(Connector(door), _Builder(), enable_v0_3_compat=True)
    card = agent_card_to_dict(_card(f"{door.url}/a2a"))

    @router.get(AGENT_CARD_WELL_KNOWN_PATH)
    def agent_card() -> JSONResponse:
        return JSONResponse(card)

    @router.post("/a2a")
    async def agent(request: Request) -> Response:
        try:
            caller = await run_in_threadpool(_caller, door, trust, request)
        except BadSignature as fault:
            return stranger(request, fault)
        except TurnedAway as fault:
            return refuse(fault.status, str(fault))
        except Exception as fault:  # noqa: BLE001 - it is logged here, and told without its words
            log.error("a token could not be checked", door="/a2a", fault=repr(fault)[:300])
            return refuse(503, "the token could not be checked; send it again")
        try:
            body = await read_body(request, door.limit)
        except TooLarge:
            return refuse(413, f"the body is larger than {door.limit} bytes")
        except TooSlow:
            return refuse(408, f"the body did not come in within {LONGEST:.0f} seconds")
        except ClientDisconnect:  # its own affair; nobody is there to read the answer
            return refuse(400, "the body was cut off")
        try:
            method = _method(body)
        except Malformed as fault:
            return _not_json(str(fault))
        return await dispatcher.handle_requests(_again(request, caller, body, method))

    return router


def _caller(door: Door, trust: Trust, request: Request) -> Caller:
    call = verify_fit(trust, request.headers, MODULES, door.clock.now())
    return Caller(site_of(door, call), call.account_id)


class _Builder(ServerCallContextBuilder):
    def build(self, request: Request) -> ServerCallContext:
        state = request.scope["a2a"]
        return ServerCallContext(state={"headers": dict(request.headers), **state})


def _method(body: bytes) -> str:
    """The method, of a body that can be read strictly and told again without a surprise."""
    payload = load(body)
    try:
        json.dumps(payload, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Malformed("the body holds half a character") from None
    return str(payload.get("method"))


def _again(request: Request, caller: Caller, body: bytes, method: str) -> Request:
    """The request as the library is to read it. Without a version, the method's name tells it."""
    headers = list(request.scope["headers"])
    if VERSION_HEADER.lower() not in request.headers:
        version = b"0.3" if "/" in method else b"1.0"
        headers.append((VERSION_HEADER.lower().encode(), version))
    state = {"caller": caller, "body": body}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**request.scope, "headers": headers, "a2a": state}, receive)


def _not_json(why: str) -> JSONResponse:
    error = {"code": -32700, "message": f"Invalid JSON payload: {why}"}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error})


def _card(url: str) -> AgentCard:
    """Public: it says what there is, and that a token of Atlassian's is needed for all of it."""
    token = HTTPAuthSecurityScheme(
        scheme="Bearer", bearer_format="JWT", description="Forge Invocation Token"
    )
    return AgentCard(
        name="Signalbox",
        description="Looks whether a ticket is fit for a coding agent, asks for what is missing, "
        "lets an agent work on it inside a budget, and reports in the ticket.",
        version=__version__,
        supported_interfaces=[
            AgentInterface(url=url, protocol_binding="JSONRPC", protocol_version=version)
            for version in ("1.0", "0.3")
        ],
        capabilities=AgentCapabilities(streaming=True, push_notifications=False),
        security_schemes={"forge": SecurityScheme(http_auth_security_scheme=token)},
        security_requirements=[SecurityRequirement(schemes={"forge": StringList()})],
        default_input_modes=["application/json", "text/plain"],
        default_output_modes=["text/plain", "application/json"],
        skills=[
            AgentSkill(
                id="ticket",
                name="Work on a ticket",
                description="Assign a ticket, or mention the agent in a comment.",
                tags=["jira", "coding"],
                examples=["agent status", "agent help"],
            )
        ],
    )
