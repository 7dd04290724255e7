"""The query string hash that binds a Connect token to one request.

https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

CONTEXT = "context-qsh"
"""Stands in tokens of Jira's own frame instead of a hash: they fit every page of ours there."""
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def query_string_hash(method: str, path: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Hex SHA-256 of METHOD & path & query.

    path: percent-encoded as sent, without the base path of our own address. parameters: decoded
    names and values in any order; `jwt` is left out.
    """
    shown = "/" + path.strip("/").replace("&", "%26")
    request = f"{method.upper()}&{shown}&{_query(parameters)}"
    return hashlib.sha256(request.encode()).hexdigest()


def _query(parameters: Iterable[tuple[str, str]]) -> str:
    values: dict[str, list[str]] = defaultdict(list)
    for name, value in parameters:
        if name != "jwt":
            values[name].append(encoded(value))
    parts = (f"{encoded(name)}={','.join(sorted(values[name]))}" for name in sorted(values))
    return "&".join(parts)


def encoded(text: str) -> str:
    """RFC 3986: a blank is %20, hex digits are capitals."""
    return "".join(chr(b) if b in UNRESERVED else f"%{b:02X}" for b in text.encode())
