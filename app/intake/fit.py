"""Forge Invocation Tokens: who calls our remote, for which site, through which module.

https://developer.atlassian.com/platform/forge/forge-remote-invocation-contract/
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import Headers

from app.core.payload import IDENTITY
from app.intake.hosts import forge_api, site_address
from app.intake.signature import BadSignature
from app.intake.tokens import Claims, Trust, key_id, only_token, public_key, verified

ISSUER = "forge/invocation-token"
SYSTEM, USER = "x-forge-oauth-system", "x-forge-oauth-user"
LONGEST_TOKEN = 16_000


@dataclass(frozen=True, slots=True)
class Invocation:
    """A verified call. site_url, account_id: "" where the token does not say. system_token,
    user_token: for calling Jira back, "" where none came along; the signature does not cover
    them. context: what the module was opened on."""

    token: str = field(repr=False)
    cloud_id: str
    api_url: str
    site_url: str
    account_id: str
    module_key: str
    issued_at: datetime
    system_token: str = field(repr=False)
    user_token: str = field(repr=False)
    context: Mapping[str, Any]


def verify_fit(trust: Trust, headers: Headers, module_keys: Set[str], now: datetime) -> Invocation:
    """The call that these headers belong to. Raises BadSignature; Transient without a key.

    module_keys: of the modules in our manifest that this route is for. Without them a token of
    one module would open every route.
    """
    token = fit_in(headers)
    if not trust.forge_app:
        raise BadSignature("there is no Forge app: SIGNALBOX_FORGE_APP_ID is not set")
    key = public_key(trust.keys.forge, key_id(token))
    claims = verified(token, key, "RS256", now, (trust.forge_app,))
    if claims.get("iss") != ISSUER or "nbf" not in claims:
        raise BadSignature("no invocation token")
    return _invocation(token, claims, headers, module_keys, loopback=trust.loopback)


def fit_in(headers: Headers) -> str:
    """What looks like the token, before a byte of the body is read. Raises BadSignature."""
    token = only_token(headers, "bearer")
    key_id(token)
    return token


def _invocation(
    token: str, claims: Claims, headers: Headers, module_keys: Set[str], *, loopback: bool
) -> Invocation:
    app, context = _inside(claims, "app"), _inside(claims, "context")
    module = _inside(app, "module").get("key")
    if not isinstance(module, str) or module not in module_keys:
        raise BadSignature("a token of another module")
    api = forge_api(app.get("apiBaseUrl"), loopback=loopback)
    if api is None:
        raise BadSignature("the token is not for a Jira site")
    if context.get("cloudId", api[1]) != api[1]:
        raise BadSignature("the token names two sites")
    account = context.get("accountId") or claims.get("principal")
    known = isinstance(account, str) and IDENTITY.fullmatch(account)
    return Invocation(
        token=token,
        cloud_id=api[1],
        api_url=api[0],
        site_url=site_address(context.get("siteUrl"), loopback=loopback) or "",
        account_id=str(account) if known else "",
        module_key=module,
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        system_token=_token_in(headers, SYSTEM),
        user_token=_token_in(headers, USER),
        context=context,
    )


def _inside(claims: Claims, name: str) -> Claims:
    value = claims.get(name)
    return value if isinstance(value, dict) else {}


def _token_in(headers: Headers, name: str) -> str:
    given = headers.getlist(name)
    if len(given) > 1:
        raise BadSignature(f"several {name}")
    token = given[0].removeprefix("Bearer ") if given else ""
    usable = len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable()
    return token if usable and " " not in token else ""
