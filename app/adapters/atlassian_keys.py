"""The public keys with which Atlassian signs what it sends us, fetched from Atlassian."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from app.ports import NotFound, PortError, Transient

CONNECT = "https://connect-install-keys.atlassian.com"
FORGE = "https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json"
KID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}){0,3}")
LARGEST = 100_000
"""Bytes of an answer."""
SECONDS = 10.0
"""For a whole answer, however it comes in."""
BITS = 2048
FRESH, LASTING = 3600.0, 86_400.0
"""Seconds until Forge's keys are fetched again, and until old ones no longer serve without that."""
BETWEEN = 60.0
PLAIN = {"Accept-Encoding": "identity"}


class AtlassianKeys:
    """proxy, ca_bundle: as for calls to Jira."""

    def __init__(
        self,
        connect: str = CONNECT,
        forge: str = FORGE,
        proxy: str = "",
        ca_bundle: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect.rstrip("/")
        self._forge_url = forge
        self._proxy = proxy
        self._ca_bundle = ca_bundle
        self._now = now
        self._lock = Lock()
        self._forge: Mapping[str, str] = {}
        self._fetched = self._asked = -LASTING

    def connect_install(self, kid: str) -> str:
        if not KID.fullmatch(kid):  # before it becomes part of an address
            raise NotFound("The key id is no name of a key.")
        return _connect_key(self._get(f"{self._connect}/{kid}"))

    def forge(self, kid: str) -> str:
        """Fetched once, again every hour, and for an unknown key, but never twice a minute."""
        known = self._forge.get(kid)
        if known is None or self._now() - self._fetched > FRESH:
            with self._lock:
                self._refresh(kid)
            known = self._forge.get(kid)
        if known is None:
            raise NotFound("Forge has no key of this name.")
        return known

    def _refresh(self, kid: str) -> None:
        age = self._now() - self._fetched
        if kid in self._forge and age <= FRESH:  # another thread was quicker
            return
        usable = age <= LASTING
        if self._now() - self._asked < BETWEEN:
            if usable:
                return
            raise Transient("Forge's keys could not be read: the next try is in a minute.")
        self._asked = self._now()
        try:
            self._forge = _forge_keys(self._get(self._forge_url))
            self._fetched = self._now()
        except PortError as fault:
            if not (usable and kid in self._forge):
                raise Transient(str(fault)) from fault

    def _get(self, url: str) -> bytes:
        import httpx

        try:
            with self._client() as client, client.stream("GET", url, headers=PLAIN) as answer:
                return self._body(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Transient(f"Atlassian's keys cannot be read: {type(error).__name__}.") from error
        except (ValueError, OSError):  # the text may show the proxy's password
            names = "SIGNALBOX_PROXY or SIGNALBOX_CA_BUNDLE"
            raise Transient(f"Atlassian's keys cannot be read: see {names}.") from None

    def _client(self) -> Any:
        import ssl

        import httpx

        return httpx.Client(
            timeout=SECONDS / 2,
            follow_redirects=False,
            trust_env=False,
            proxy=self._proxy or None,
            verify=ssl.create_default_context(cafile=self._ca_bundle) if self._ca_bundle else True,
        )

    def _body(self, answer: Any) -> bytes:
        if answer.status_code == 404:
            raise NotFound("Atlassian has no key of this name.")
        if answer.status_code != 200:
            raise Transient(f"Atlassian's keys cannot be read ({answer.status_code}).")
        end = self._now() + SECONDS
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > LARGEST or self._now() > end:
                raise Transient("Atlassian's keys cannot be read: the answer has no end.")
        return bytes(body)


def _connect_key(body: bytes) -> str:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return _pem(load_pem_public_key(body))
    except ValueError as error:
        raise Transient("Atlassian's answer holds no key.") from error


def _forge_keys(body: bytes) -> dict[str, str]:
    """RSA keys by their ids; others are passed over."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt import PyJWKSet
    from jwt.exceptions import PyJWTError

    try:
        found = PyJWKSet.from_dict(json.loads(body))
    except (PyJWTError, ValueError, AttributeError, TypeError) as error:
        raise Transient("Forge's list of keys cannot be read.") from error
    keys = {}
    for entry in found.keys:
        key = entry.key
        if entry.key_id and isinstance(key, RSAPublicKey) and key.key_size >= BITS:
            keys[entry.key_id] = _pem(key)
    return keys


def _pem(key: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if not isinstance(key, RSAPublicKey) or key.key_size < BITS:
        raise ValueError("no RSA key of today's size")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
