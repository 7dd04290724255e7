"""`POST /webhooks/jira/{site}`: the admin webhook's door."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from app.intake.receive import receive
from app.intake.signature import BadSignature, verify
from app.ports import Clock, Secrets
from app.store import sites
from app.store.database import Database

log = structlog.get_logger()


class TooLarge(Exception):
    """The body is over the limit."""


def webhook_router(db: Database, secrets: Secrets, clock: Clock, limit: int) -> APIRouter:
    """limit: largest body in bytes. Answers 200 {"delivery": id} after the commit, 401, 413, 503.

    An unknown site is answered like a bad signature, so that nobody learns who uses us.
    """
    router = APIRouter()

    @router.post("/webhooks/jira/{site_id}")
    async def jira(site_id: str, request: Request) -> JSONResponse:
        try:
            body = await _body(request, limit)
            signatures = request.headers.getlist("x-hub-signature")
            identifier = request.headers.get("x-atlassian-webhook-identifier", "")
            delivery = await run_in_threadpool(_accept, site_id, signatures, identifier, body)
        except TooLarge:
            return _no(413, f"the body is larger than {limit} bytes")
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
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


def _no(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status_code=status)
