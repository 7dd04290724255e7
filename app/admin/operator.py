"""Who runs Signalbox: the user `admin` with the token of the settings, by HTTP Basic."""

from __future__ import annotations

import hmac

from fastapi import HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials

basic = HTTPBasic(realm="Signalbox", auto_error=False)


def let_in(given: HTTPBasicCredentials | None, admin_token: str) -> None:
    """Raises HTTPException for anybody else; without a token in the settings for everybody."""
    if not admin_token:
        raise HTTPException(403, "These pages are closed: set SIGNALBOX_ADMIN_TOKEN.")
    name = given.username.encode() if given else b""
    token = given.password.encode() if given else b""
    right = hmac.compare_digest(token, admin_token.encode())
    if not (hmac.compare_digest(name, b"admin") and right):
        challenge = {"WWW-Authenticate": 'Basic realm="Signalbox"'}
        raise HTTPException(401, "User admin and the admin token, please.", challenge)
