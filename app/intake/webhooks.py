"""`POST /webhooks/jira/{site}`: the admin webhook's door, on Cloud and Data Center."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.intake.door import Door, secret_of, stranger, take
from app.intake.receive import receive
from app.intake.signature import BadSignature, require_one, verify
from app.store import sites


def webhook_router(door: Door) -> APIRouter:
    """An unknown site is answered like a bad signature, so that nobody learns who uses us. Without
    what looks like a signature the body is not even read: strangers shall not fill our memory.
    """
    router = APIRouter()

    @router.post("/webhooks/jira/{site_id}")
    async def jira(site_id: str, request: Request) -> JSONResponse:
        signatures = request.headers.getlist("x-hub-signature")
        try:
            require_one(signatures)
        except BadSignature as fault:
            return stranger(request, fault)
        identifier = request.headers.get("x-atlassian-webhook-identifier", "")
        return await take(
            door, request, lambda body: _accept(door, site_id, signatures, identifier, body)
        )

    return router


def _accept(door: Door, site_id: str, signatures: list[str], identifier: str, body: bytes) -> str:
    try:
        site = sites.get_site(door.db, site_id)
    except sites.Unknown:
        verify(signatures, body, None)
        raise
    verify(signatures, body, secret_of(door, site, "webhook"))
    return receive(door.db, site_id, site["account_id"], identifier, body, door.clock.now())
