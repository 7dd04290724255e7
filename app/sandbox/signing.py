"""The keys with which the sandbox signs as Atlassian does, and the pages that publish them.

Making an RSA key takes long: each is made when first asked for, and kept for the whole process.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

INSTALL_KEYS = "/sandbox/connect-install-keys"
"""Stands for https://connect-install-keys.atlassian.com: the path goes on with the key's id."""
JWKS = "/sandbox/forge/.well-known/jwks.json"
"""Stands for https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json."""


@cache
def _key(kid: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def sign(kid: str, claims: dict[str, Any]) -> str:
    """A JWT, RS256, by the key with this id."""
    import jwt

    return jwt.encode(claims, _key(kid), algorithm="RS256", headers={"kid": kid})


def read(kid: str, token: str) -> dict[str, Any]:
    """The claims of a token of ours; raises jwt.InvalidTokenError. Times are for the caller."""
    import jwt

    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    options |= {"verify_aud": False}
    return jwt.decode(token, _key(kid).public_key(), algorithms=["RS256"], options=options)


def public_pem(kid: str) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = _key(kid).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_jwk(kid: str) -> dict[str, Any]:
    from jwt.algorithms import RSAAlgorithm

    known = json.loads(RSAAlgorithm.to_jwk(_key(kid).public_key()))
    return {"kty": "RSA", "n": known["n"], "e": known["e"]} | {
        "kid": kid,
        "use": "sig",
        "alg": "RS256",
    }
