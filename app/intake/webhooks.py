"""`POST /webhooks/jira/{site}`: the admin webhook's door, on Cloud and Data Center."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.intake.door import Door, refuse, take
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
        except BadSignature:
            return refuse(401, "missing or wrong signature")
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
    verify(signatures, body, _secret(door, site))
    return receive(door.db, site_id, site["account_id"], identifier, body, door.clock.now())


def _secret(door: Door, site: sites.Row) -> str | None:
    """None closes the door: the site is connected in another way, or has left."""
    sealed = site["webhook_secret"]
    shut = site["connection"] not in ("token", "server") or site["uninstalled_at"] is not None
    return None if shut or not sealed else door.secrets.unseal(sealed)
