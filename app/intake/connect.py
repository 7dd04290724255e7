"""A Connect app's doors: Jira installs us, sends its webhooks, uninstalls us.

https://developer.atlassian.com/cloud/jira/platform/security-for-connect-apps/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.core.payload import IDENTITY, Malformed, load
from app.intake.connect_tokens import verify_call
from app.intake.door import Door, TurnedAway, stranger, take
from app.intake.hosts import site_address, site_name
from app.intake.receive import receive
from app.intake.signature import BadSignature
from app.intake.tokens import Trust, bound_to, key_id, only_token, public_key, verified
from app.store import installs

SHORTEST_SECRET = 32
"""Bytes that HS256 asks for at least (RFC 7518, 3.2)."""
Told = Mapping[str, Any]
log = structlog.get_logger()


def connect_router(door: Door, trust: Trust) -> APIRouter:
    """Lifecycle calls are signed by Atlassian itself (RS256), all others by the site (HS256)."""
    router = APIRouter(prefix="/connect")

    @router.post("/installed")
    async def installed(request: Request) -> JSONResponse:
        return await _lifecycle(
            door, trust, request, lambda told: _install(door, told, loopback=trust.loopback)
        )

    @router.post("/uninstalled")
    async def uninstalled(request: Request) -> JSONResponse:
        return await _lifecycle(door, trust, request, lambda told: _uninstall(door, told))

    @router.post("/webhooks")
    async def webhooks(request: Request) -> JSONResponse:
        try:
            token = only_token(request.headers, "jwt")
        except BadSignature as fault:
            return stranger(request, fault)
        return await take(door, request, lambda body: _deliver(door, request, token, body))

    return router


async def _lifecycle(
    door: Door, trust: Trust, request: Request, act: Callable[[Told], str]
) -> JSONResponse:
    try:
        token = only_token(request.headers, "jwt")
        kid = key_id(token)
    except BadSignature as fault:
        return stranger(request, fault)

    def accept(body: bytes) -> str:
        key = public_key(trust.keys.connect_install, kid)
        ours = (door.url, door.url + "/")
        claims = verified(token, key, "RS256", door.clock.now(), ours)
        bound_to(claims, request)
        return act(_told(body, claims.get("iss")))

    return await take(door, request, accept, "site")


def _told(body: bytes, issuer: object) -> Told:
    """The body, which no signature covers: it has to be about the one that has signed."""
    try:
        told = load(body)
    except Malformed as fault:
        raise TurnedAway(400, f"the install call cannot be read: {fault}") from None
    client_key = told.get("clientKey")
    if not isinstance(client_key, str) or not IDENTITY.fullmatch(client_key):
        raise BadSignature("no client key")
    if client_key != issuer:
        raise BadSignature("the client key is not that of the token")
    return told


def _install(door: Door, told: Told, *, loopback: bool) -> str:
    address = site_address(told.get("baseUrl"), loopback=loopback)
    if address is None:
        raise TurnedAway(400, "baseUrl is not the address of a Jira Cloud site")
    secret = told.get("sharedSecret")
    if not isinstance(secret, str) or not secret.isascii() or len(secret) < SHORTEST_SECRET:
        raise TurnedAway(400, f"sharedSecret is missing, or shorter than {SHORTEST_SECRET} bytes")
    new = installs.Install(
        connection="connect",
        identity=told["clientKey"],
        api_url=address,
        browse_url=address,
        token=door.secrets.seal(secret),
        name=site_name(address),
    )
    try:
        site = installs.install(door.db, new, door.clock.now())
    except installs.Moved:
        raise TurnedAway(
            409,
            "this Jira is known under another address: whoever runs Signalbox removes the old site "
            "first (`signalbox site remove`), then install the app again",
        ) from None
    log.info("installed", site=site["id"], kind="connect", address=address)
    return str(site["id"])


def _uninstall(door: Door, told: Told) -> str:
    site = installs.by_identity(door.db, "connect", told["clientKey"])
    if site is None:
        raise BadSignature("no such installation")
    stopping = installs.uninstall(door.db, site["id"], door.clock.now())
    log.info("uninstalled", site=site["id"], kind="connect", runs_to_stop=stopping)
    return str(site["id"])


def _deliver(door: Door, request: Request, token: str, body: bytes) -> str:
    site = verify_call(door, request, token)
    identifier = request.headers.get("x-atlassian-webhook-identifier", "")
    return receive(door.db, site["id"], site["account_id"], identifier, body, door.clock.now())
