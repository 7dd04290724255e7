"""A Forge app's remote: Jira's events, the timer that keeps our tokens fresh, its lifecycle.

https://developer.atlassian.com/platform/forge/remote/sending-product-events/
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.core.forge_body import read_forge_event
from app.intake.door import Door, stranger, take
from app.intake.fit import Invocation, fit_in, verify_fit
from app.intake.forge_site import site_of
from app.intake.receive import keep
from app.intake.signature import BadSignature
from app.intake.tokens import Trust
from app.store import installs

EVENTS = frozenset({"signalbox-events"})
SCHEDULED = frozenset({"signalbox-scheduled"})
INSTALLED = frozenset({"signalbox-installed"})
UNINSTALLED = frozenset({"signalbox-uninstalled"})
"""Keys of the manifest's modules, each bound to its route: the token says which of them calls."""
log = structlog.get_logger()


def forge_router(door: Door, trust: Trust) -> APIRouter:
    """Each route answers within Forge's five seconds: what it does is write a row."""
    router = APIRouter(prefix="/forge")

    async def called(
        request: Request, keys: frozenset[str], act: Callable[[Invocation, bytes], str], said: str
    ) -> JSONResponse:
        try:
            fit_in(request.headers)
        except BadSignature as fault:
            return stranger(request, fault)

        def accept(body: bytes) -> str:
            return act(verify_fit(trust, request.headers, keys, door.clock.now()), body)

        return await take(door, request, accept, said)

    @router.post("/events")
    async def events(request: Request) -> JSONResponse:
        return await called(
            request, EVENTS, lambda call, body: _deliver(door, call, body), "delivery"
        )

    @router.post("/scheduled")
    async def scheduled(request: Request) -> JSONResponse:
        return await called(request, SCHEDULED, lambda call, _: _present(door, call), "site")

    @router.post("/installed")
    async def installed(request: Request) -> JSONResponse:
        return await called(request, INSTALLED, lambda call, _: _present(door, call), "site")

    @router.post("/uninstalled")
    async def uninstalled(request: Request) -> JSONResponse:
        return await called(request, UNINSTALLED, lambda call, _: _uninstall(door, call), "site")

    return router


def _deliver(door: Door, call: Invocation, body: bytes) -> str:
    site = site_of(door, call)
    event = read_forge_event(body, site["account_id"])
    return keep(door.db, site["id"], event, _ident(call, body), body, door.clock.now())


def _ident(call: Invocation, body: bytes) -> str:
    """Forge gives an event no id. The same words with another token are another event."""
    told = call.token.encode() + b"\n" + body
    return "forge:" + hashlib.blake2b(told, digest_size=16).hexdigest()


def _present(door: Door, call: Invocation) -> str:
    """The app is installed there, and its tokens are taken. The body, which nothing signs, plays
    no part."""
    return str(site_of(door, call, revive=True)["id"])


def _uninstall(door: Door, call: Invocation) -> str:
    site = installs.by_identity(door.db, "forge", call.cloud_id)
    if site is None:
        raise BadSignature("no such installation")
    stopping = installs.uninstall(door.db, site["id"], door.clock.now())
    log.info("uninstalled", site=site["id"], kind="forge", runs_to_stop=stopping)
    return str(site["id"])
