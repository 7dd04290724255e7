"""JSON Web Tokens that Atlassian signs: read with one pinned algorithm each, by our own clock.

Which algorithm is never read from the token: else anybody could sign with a key that is public.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from urllib.parse import parse_qsl

import jwt
from starlette.datastructures import Headers
from starlette.requests import Request

from app.core.qsh import query_string_hash
from app.intake.signature import BadSignature
from app.ports import NotFound, SigningKeys

LEEWAY = 60
"""Seconds by which clocks may differ. One rule for every token."""
LAST_MOMENT = 1e11
LONGEST_LIFE = 3600
"""Seconds. Jira's own tokens last three to fifteen minutes."""
SHAPE = re.compile(r"[A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]{1,24000}\.[A-Za-z0-9_-]{1,2000}")
KEY_ID = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")
LONGEST_KEY_ID = 128
Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the doors of apps believe. forge_app: our Forge app's ARI, "" = there is none.
    loopback: a Jira on this machine may install us too, for the sandbox."""

    keys: SigningKeys
    forge_app: str
    loopback: bool = False


def only_token(headers: Headers, scheme: str) -> str:
    """The token of the one Authorization header. Raises BadSignature, also for a second one."""
    given = headers.getlist("authorization")
    if len(given) != 1:
        raise BadSignature("no Authorization header, or several")
    name, _, token = given[0].partition(" ")
    if name.lower() != scheme:
        raise BadSignature("another kind of Authorization")
    return shaped(token)


def shaped(token: str) -> str:
    if not SHAPE.fullmatch(token):
        raise BadSignature("no token")
    return token


def key_id(token: str) -> str:
    """The id of the key that signed it: all of the header that is looked at. It becomes part of
    an address, so its shape is strict."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise BadSignature("the token's header cannot be read") from None
    if not isinstance(kid, str) or len(kid) > LONGEST_KEY_ID or not KEY_ID.fullmatch(kid):
        raise BadSignature("the token's key id has another shape")
    return kid


def public_key(find: Any, kid: str) -> str:
    """The key by its id; an unknown one is a wrong signature, a fault of the weather is not."""
    try:
        return cast(str, find(kid))
    except NotFound:
        raise BadSignature("no key has this id") from None


def issuer_claimed(token: str) -> str:
    """Who the token says has signed it: good for looking up whose secret has to fit."""
    claims = _decode(token, "", None, {"verify_signature": False})
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else ""


def verified(
    token: str,
    key: str,
    algorithm: Literal["RS256", "HS256"],
    now: datetime,
    audience: Sequence[str] = (),
) -> Claims:
    """The claims, once signature, audience and times are right. Raises BadSignature."""
    if not key:
        raise BadSignature("there is no key")
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}  # by our own clock
    options["verify_aud"] = bool(audience)
    claims = _decode(token, key, algorithm, options, audience)
    _in_time(claims, now.timestamp())
    return claims


def _decode(
    token: str,
    key: str,
    algorithm: str | None,
    options: dict[str, bool],
    audience: Sequence[str] = (),
) -> Claims:
    algorithms = [algorithm] if algorithm else None
    try:
        return jwt.decode(
            token,
            key,
            algorithms=algorithms,
            options=cast(Any, options),
            audience=list(audience) or None,
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as fault:
        raise BadSignature(f"the token does not hold: {type(fault).__name__}") from None


def _in_time(claims: Claims, now: float) -> None:
    begins, ends = _moment(claims, "iat"), _moment(claims, "exp")
    begins = max(begins, _moment(claims, "nbf")) if "nbf" in claims else begins
    if ends <= now - LEEWAY or begins > now + LEEWAY:
        raise BadSignature("the token is too old, or not valid yet")
    if ends - _moment(claims, "iat") > LONGEST_LIFE:
        raise BadSignature("the token is made to last too long")


def _moment(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadSignature(f"the token has no {name}")
    if not 0 <= value < LAST_MOMENT:  # neither NaN nor without end
        raise BadSignature(f"the token's {name} is no time")
    return value


def bound_to(claims: Claims, request: Request) -> None:
    """Raise BadSignature unless the token was made for this very request."""
    given = claims.get("qsh")
    if not isinstance(given, str) or not given.isascii():
        raise BadSignature("the token has no qsh")
    if not hmac.compare_digest(given, request_hash(request)):
        raise BadSignature("the token is for another request")


def request_hash(request: Request) -> str:
    """Of the request as it was sent. The base path of our address never reaches us."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    try:
        told = parse_qsl(request.url.query, keep_blank_values=True, errors="strict")
        return query_string_hash(request.method, path.decode("ascii"), told)
    except ValueError:
        raise BadSignature("the address cannot be read") from None


def expiry_claimed(token: str) -> float | None:
    """When somebody else's token ends, as it says itself: it is not ours to verify."""
    try:
        return _moment(_decode(shaped(token), "", None, {"verify_signature": False}), "exp")
    except BadSignature:
        return None
