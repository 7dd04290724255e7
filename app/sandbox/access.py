"""Who calls, told by the one credential that a kind of connection has; any other is refused.

Cloud takes an API token (Basic), a Connect app's JWT, or a Forge system token at the address of
api.atlassian.com; Data Center takes a personal access token (Bearer).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from app.sandbox.records import User
from app.sandbox.state import SandboxState

Scheme = Literal["", "token", "pat", "connect", "forge"]
TAKES: dict[str, frozenset[Scheme]] = {
    "token": frozenset({"token"}),
    "automation": frozenset({"token"}),
    "poll": frozenset({"token", "pat"}),
    "connect": frozenset({"connect"}),
    "forge": frozenset({"forge"}),
    "server": frozenset({"pat"}),
}
"""By kind of connection. Without one, all that the deployment knows."""
CLOUD: frozenset[Scheme] = frozenset({"token", "connect", "forge"})
SERVER: frozenset[Scheme] = frozenset({"pat"})


class Stranger(Exception):
    """The credential is refused; the message says why, for the journal alone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request tells who makes it. path: percent-encoded, without context path.
    platform: it came to the address of api.atlassian.com."""

    method: str
    path: str
    query: str
    authorization: str
    platform: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """user: None for a stranger; `refusal` says why. scheme: empty when nothing was shown."""

    user: User | None
    scheme: Scheme = ""
    refusal: str = ""


def identify(state: SandboxState, asked: Asked) -> Caller:
    scheme = _scheme(state, asked)
    if not scheme:
        return Caller(None, "", "no credential that Jira knows")
    try:
        _check_taken(state, scheme)
        user = _READERS[scheme](state, asked)
        if not user.active:
            raise Stranger("the account is not active")
    except Stranger as why:
        return Caller(None, scheme, str(why))
    return Caller(user, scheme)


def taken(state: SandboxState) -> frozenset[Scheme]:
    known = SERVER if state.deployment == "server" else CLOUD
    return known & TAKES[state.required] if state.required else known


def _scheme(state: SandboxState, asked: Asked) -> Scheme:
    word = asked.authorization.partition(" ")[0].lower()
    if word == "bearer":
        return "forge" if asked.platform else "pat"
    if word == "jwt" or (not word and "jwt" in dict(parse_qsl(asked.query))):
        return "connect"
    return "token" if word == "basic" else ""


def _check_taken(state: SandboxState, scheme: Scheme) -> None:
    if scheme not in taken(state):
        kind = state.required or state.deployment
        raise Stranger(f"a credential of the kind {scheme!r} is not taken here ({kind})")


def _by_api_token(state: SandboxState, asked: Asked) -> User:
    try:
        plain = base64.b64decode(_rest(asked), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Stranger("the Basic header cannot be read") from None
    email, _, token = plain.partition(":")
    for user in state.users.values():
        if user.email == email and _same(user.token, token):
            if user.scoped and not asked.platform:
                raise Stranger("a scoped API token works at api.atlassian.com alone")
            return user
    raise Stranger("unknown e-mail address or wrong API token")


def _by_personal_token(state: SandboxState, asked: Asked) -> User:
    for user in state.users.values():
        if _same(user.token, _rest(asked)):
            return user
    raise Stranger("unknown personal access token")


def _by_connect(state: SandboxState, asked: Asked) -> User:
    token = _rest(asked) or dict(parse_qsl(asked.query)).get("jwt", "")
    why = "no Connect app is installed"
    for app in state.connect_apps:
        why = app.refusal(token, asked.method, asked.path, asked.query)
        if not why:
            return state.users[app.account_id]
    raise Stranger(why)


def _by_forge(state: SandboxState, asked: Asked) -> User:
    why = "no Forge app is installed"
    for app in state.forge_apps:
        why = app.refusal(_rest(asked))
        if not why:
            return state.users[app.account_id]
    raise Stranger(why)


def _rest(asked: Asked) -> str:
    return asked.authorization.partition(" ")[2].strip()


def _same(known: str, shown: str) -> bool:
    return bool(known) and hmac.compare_digest(known.encode(), shown.encode())


_READERS = {
    "token": _by_api_token,
    "pat": _by_personal_token,
    "connect": _by_connect,
    "forge": _by_forge,
}
