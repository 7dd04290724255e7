"""Atlassian as tests need it: keys, tokens with each claim to choose, a counting key server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.core.qsh import query_string_hash
from app.ports import NotFound

URL = "https://signalbox.example.com"
APP = "ari:cloud:ecosystem::app/00000000-0000-4000-8000-0000000000a1"
CLOUD = "00000000-0000-4000-8000-0000000000c1"
KID = "forge/invocation-token/00000000-0000-4000-8000-0000000000f1"
Claims = dict[str, Any]


@cache
def private_key(name: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem(name: str) -> str:
    public = private_key(name).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass
class KeyServer:
    """One key a place. `fault` is raised instead of an answer."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    fault: Exception | None = None
    connect_id: str = "connect-key"

    def connect_install(self, kid: str) -> str:
        return self._key("connect", kid, self.connect_id)

    def forge(self, kid: str) -> str:
        return self._key("forge", kid, KID)

    def _key(self, place: str, kid: str, known: str) -> str:
        self.asked.append((place, kid))
        if self.fault is not None:
            raise self.fault
        if kid != known:
            raise NotFound("There is no key of this name.")
        return pem(place)


def rs256(claims: Claims, place: str, kid: str) -> str:
    return jwt.encode(claims, private_key(place), algorithm="RS256", headers={"kid": kid})


def hs256(claims: Claims, secret: str, **headers: Any) -> str:
    """Also with a secret that the library would refuse, as an attacker's would not."""
    import base64
    import hashlib
    import hmac
    import json

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    head = {"alg": "HS256", "typ": "JWT", **headers}
    told = f"{part(json.dumps(head).encode())}.{part(json.dumps(claims).encode())}"
    return f"{told}.{part(hmac.digest(secret.encode(), told.encode(), hashlib.sha256))}"


def claims(issuer: str, method: str, url: str, **changed: Any) -> Claims:
    """For this request, for three minutes. A value of None leaves the claim out."""
    now, parts = int(time.time()), urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    whole = {
        "iss": issuer,
        "iat": now,
        "exp": now + 180,
        "qsh": query_string_hash(method, parts.path, pairs),
    }
    return _without({**whole, **changed})


def fit_claims(module: str, **changed: Any) -> Claims:
    """As a call of one module of our app carries them."""
    now = int(time.time())
    api = f"https://api.atlassian.com/ex/jira/{changed.pop('cloud', CLOUD)}"
    whole = {
        "app": {
            "id": APP,
            "apiBaseUrl": api,
            "environment": {"type": "PRODUCTION"},
            "module": {"type": "core:trigger", "key": module},
        },
        "context": {
            "cloudId": api.rpartition("/")[2],
            "siteUrl": "https://acme.atlassian.net",
            "accountId": "user-1",
        },
        "principal": "user-1",
        "aud": APP,
        "iss": "forge/invocation-token",
        "iat": now,
        "nbf": now,
        "exp": now + 25,
        "jti": str(time.time_ns()),
    }
    return _without({**whole, **changed})


def fit(module: str, **changed: Any) -> str:
    return rs256(fit_claims(module, **changed), "forge", KID)


def system_token(ends_in: float = 3600) -> str:
    return hs256({"exp": int(time.time() + ends_in), "n": time.time_ns()}, "not ours to verify")


def _without(told: Mapping[str, Any]) -> Claims:
    return {name: value for name, value in told.items() if value is not None}
