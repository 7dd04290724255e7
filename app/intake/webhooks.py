"""`POST /webhooks/jira/{site}`: the admin webhook's door."""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.intake.receive import receive
from app.intake.signature import BadSignature, require_one, verify
from app.ports import Clock, Secrets
from app.store import sites
from app.store.database import Database

LONGEST = 20.0
"""Seconds that a body may take to come in."""
log = structlog.get_logger()


class TooLarge(Exception):
    """The body is over the limit."""


class TooSlow(Exception):
    """The body did not come in within its time."""


def webhook_router(db: Database, secrets: Secrets, clock: Clock, limit: int) -> APIRouter:
    """limit: largest body in bytes. Answers 200 {"delivery": id} after the commit, else 401, 408,
    413 or 503.

    An unknown site is answered like a bad signature, so that nobody learns who uses us. Without
    what looks like a signature the body is not even read: strangers shall not fill our memory.
    """
    router = APIRouter()

    @router.post("/webhooks/jira/{site_id}")
    async def jira(site_id: str, request: Request) -> JSONResponse:
        try:
            signatures = request.headers.getlist("x-hub-signature")
            require_one(signatures)
            body = await _body(request, limit)
            identifier = request.headers.get("x-atlassian-webhook-identifier", "")
            delivery = await run_in_threadpool(_accept, site_id, signatures, identifier, body)
        except TooLarge:
            return _no(413, f"the body is larger than {limit} bytes")
        except TooSlow:  # Jira sends it again after a 408
            return _no(408, f"the body did not come in within {LONGEST:.0f} seconds")
        except ClientDisconnect:  # its own affair; nobody is there to read the answer
            log.info("sender went away", site=site_id)
            return _no(400, "the body was cut off")
        except BadSignature:
            return _no(401, "missing or wrong signature")
        except Exception as fault:  # noqa: BLE001 - Jira sends it again after a 503: nothing is lost
            log.error("delivery not stored", site=site_id, fault=repr(fault))
            return _no(503, "the delivery could not be stored; send it again")
        return JSONResponse({"delivery": delivery})

    def _accept(site_id: str, signatures: list[str], identifier: str, body: bytes) -> str:
        try:
            site = sites.get_site(db, site_id)
        except sites.Unknown:
            verify(signatures, body, None)
            raise
        sealed = site["webhook_secret"]
        verify(signatures, body, secrets.unseal(sealed) if sealed else None)
        return receive(db, site_id, site["account_id"], identifier, body, clock.now())

    return router


async def _body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(LONGEST):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise TooLarge
    except TimeoutError:
        raise TooSlow from None
    return bytes(body)


def _no(status: int, why: str) -> JSONResponse:
    """The connection ends with it, as the body may not have been read to its end."""
    return JSONResponse({"error": why}, status_code=status, headers={"connection": "close"})
