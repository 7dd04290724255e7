"""Who stands behind a call of a Connect site: HS256 with the secret of its installation.

https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from app.core.payload import IDENTITY
from app.core.qsh import CONTEXT
from app.intake.door import Door
from app.intake.signature import BadSignature
from app.intake.tokens import Claims, bound_to, issuer_claimed, only_token, shaped, verified
from app.store import installs
from app.store.sites import Row

NOBODY = "-" * 32
"""Signs for a client key that we do not know: that takes as long as a wrong signature."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of ours inside Jira's frame. account_id "" = nobody is signed in there. context: what
    Jira says the frame is about, as claimed in the token."""

    site: Row
    account_id: str
    context: Mapping[str, Any]


def verify_call(door: Door, request: Request, token: str) -> Row:
    """The site that makes this call. Raises BadSignature, also for a token of its frames."""
    site, claims = _signed(door, token)
    bound_to(claims, request)
    return site


def verify_page(door: Door, request: Request, *, context: bool = False) -> Page:
    """Who looks at a page in the frame. Raises BadSignature.

    context: the token that the page asks Jira for (AP.context.getToken) is good enough. It fits
    every page of ours there, so only where the page itself was opened with a bound one.
    """
    site, claims = _signed(door, _of_page(request))
    if not (context and claims.get("qsh") == CONTEXT):
        bound_to(claims, request)
    account, about = claims.get("sub"), claims.get("context")
    known = isinstance(account, str) and IDENTITY.fullmatch(account)
    return Page(site, str(account) if known else "", about if isinstance(about, dict) else {})


def _of_page(request: Request) -> str:
    """From the address, where Jira puts it, or from the header. One in all."""
    told = [value for name, value in request.query_params.multi_items() if name == "jwt"]
    if not told:
        return only_token(request.headers, "jwt")
    if len(told) > 1 or "authorization" in request.headers:
        raise BadSignature("several tokens")
    return shaped(told[0])


def _signed(door: Door, token: str) -> tuple[Row, Claims]:
    claimed = issuer_claimed(token)
    site = (
        installs.by_identity(door.db, "connect", claimed) if IDENTITY.fullmatch(claimed) else None
    )
    closed = site is None or site["uninstalled_at"] is not None
    secret = NOBODY if site is None or closed else door.secrets.unseal(site["token"])
    claims = verified(token, secret, "HS256", door.clock.now())
    if site is None or closed:
        raise BadSignature("no such installation")
    return site, claims
