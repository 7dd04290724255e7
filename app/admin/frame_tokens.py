"""Our own short token for a page inside Jira's frame, where no cookie lives.

It says who looks at what; it gives no right: rights are read live at every press.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import jwt

from app.intake.signature import BadSignature
from app.intake.tokens import shaped, verified

Surface = Literal["panel", "project", "admin"]
SURFACES: tuple[Surface, ...] = get_args(Surface)
PURPOSE = b"signalbox frame session 1"
ISSUER = "signalbox/frame"
LIFE, LONGEST = timedelta(minutes=15), timedelta(hours=8)


class Ended(Exception):
    """The token is not ours, not whole, or too old: sign in again."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at what. subject: the ticket's id, the project's key, or "" on the admin page.
    account_id "" = nobody is signed in to Jira. operator: whoever holds the admin token, and so
    no person of Jira: they see everything, and no button is theirs."""

    site_id: str
    account_id: str
    surface: Surface
    subject: str
    began: datetime
    operator: bool = False


class Sessions:
    """`keys`: the settings' secret key or keys; the first signs, all of them are accepted."""

    def __init__(self, keys: str) -> None:
        parts = [part.strip().encode() for part in keys.split(",") if part.strip()]
        self._keys = [hmac.digest(part, PURPOSE, hashlib.sha256).hex() for part in parts]

    def issue(self, viewer: Viewer, now: datetime) -> str:
        """A token for the next quarter of an hour, never for more than eight hours in all."""
        claims = {
            "iss": ISSUER,
            "site": viewer.site_id,
            "sub": viewer.account_id,
            "surface": viewer.surface,
            "of": viewer.subject,
            "operator": viewer.operator,
            "began": int(viewer.began.timestamp()),
            "iat": int(now.timestamp()),
            "exp": int(min(now + LIFE, viewer.began + LONGEST).timestamp()),
        }
        return jwt.encode(claims, self._keys[0], algorithm="HS256")

    def read(self, token: str, now: datetime) -> Viewer:
        """Raises Ended."""
        for key in self._keys:
            try:
                return _viewer(verified(shaped(token), key, "HS256", now))
            except (BadSignature, KeyError, TypeError, ValueError):
                continue
        raise Ended


def _viewer(claims: Mapping[str, Any]) -> Viewer:
    if claims["iss"] != ISSUER or claims["surface"] not in SURFACES:
        raise ValueError
    began = datetime.fromtimestamp(claims["began"], UTC)
    site_id, account_id, subject = (str(claims[name]) for name in ("site", "sub", "of"))
    return Viewer(
        site_id, account_id, claims["surface"], subject, began, claims["operator"] is True
    )
