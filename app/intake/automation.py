"""`POST /webhooks/automation/{site}`: the door of an Automation rule, "Send web request".

Nothing signs its body: it carries a secret header that whoever wrote the rule has typed in. So it
is believed in one thing only, that something happened to a ticket.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.core.rule_body import read_rule
from app.intake.door import Door, secret_of, stranger, take
from app.intake.receive import keep
from app.intake.signature import BadSignature
from app.store import sites

HEADER = "x-signalbox-token"
LONGEST = 1000


def automation_router(door: Door) -> APIRouter:
    """An unknown site is answered like a wrong token, and without a token no body is read."""
    router = APIRouter()

    @router.post("/webhooks/automation/{site_id}")
    async def automation(site_id: str, request: Request) -> JSONResponse:
        tokens = request.headers.getlist(HEADER)
        if len(tokens) != 1 or not 0 < len(tokens[0]) <= LONGEST:
            return stranger(request, BadSignature("no token in the header, or several"))
        return await take(door, request, lambda body: _accept(door, site_id, tokens, body))

    return router


def _accept(door: Door, site_id: str, tokens: Sequence[str], body: bytes) -> str:
    try:
        secret = secret_of(door, sites.get_site(door.db, site_id), "automation")
    except sites.Unknown:
        secret = None
    # Headers come as Latin-1 and are compared as the bytes that they were.
    same = hmac.compare_digest(tokens[0].encode("latin-1"), (secret or "-").encode())
    if not same or not secret:
        raise BadSignature("wrong token")
    # The same rule sends the same body every time: it is no repeat.
    ident = f"rule:{uuid4()}"
    return keep(door.db, site_id, read_rule(body), ident, body, door.clock.now())
