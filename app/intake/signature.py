"""HMAC signatures of admin webhooks, checked on the raw bytes and without I/O.

https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

SHAPE = re.compile("sha256=[0-9a-f]{64}")


class BadSignature(Exception):
    """The bytes are not from a Jira that shares our secret. Nothing of them was parsed."""


def require_one(signatures: Sequence[str]) -> None:
    """Raise BadSignature unless there is exactly one and it looks like one.

    That can be told before a byte of the body is read."""
    if len(signatures) != 1 or not SHAPE.fullmatch(signatures[0]):
        raise BadSignature("no X-Hub-Signature, several, or one of another shape")


def verify(signatures: Sequence[str], body: bytes, secret: str | None) -> None:
    """Raise BadSignature unless there is exactly one signature and it is the right one.

    signatures: every value of X-Hub-Signature. secret: None or empty closes the endpoint, and
    takes as long as a wrong one.
    """
    right = "sha256=" + hmac.new((secret or "-").encode(), body, hashlib.sha256).hexdigest()
    given = signatures[0] if len(signatures) == 1 else ""
    same = hmac.compare_digest(right.encode(), given.encode("utf-8", "replace"))
    if not same or not secret:
        raise BadSignature("missing or wrong X-Hub-Signature")
