"""A Connect app as the sandbox knows it: its descriptor, its secret, its tokens in both directions.

https://developer.atlassian.com/cloud/jira/platform/understanding-jwt-for-connect-apps/
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from app.core.qsh import CONTEXT, query_string_hash
from app.sandbox import signing
from app.sandbox.outbox import Delivery, Happening, Shape
from app.sandbox.webhooks import RETRIES, SECONDS, as_bytes, identity

LIFETIME = 180
"""Seconds a token lasts, by convention."""
LEEWAY = 60
Json = dict[str, Any]


@dataclass(slots=True)
class ConnectApp:
    """One installation. `kid` names the key that signs lifecycle calls; `turns` counts its
    rotations. account_id: the app's own account, which its calls act as."""

    descriptor: Mapping[str, Any]
    client_key: str
    account_id: str
    now: Callable[[], datetime]
    shared_secret: str = ""
    turns: int = 1
    installed: bool = True
    channels: list[int] = field(default_factory=list)

    @property
    def key(self) -> str:
        return str(self.descriptor["key"])

    @property
    def base_url(self) -> str:
        return str(self.descriptor["baseUrl"]).rstrip("/")

    @property
    def kid(self) -> str:
        return f"sandbox/connect-{self.turns}"

    def new_secret(self) -> str:
        """Jira gives another one at every installation."""
        self.shared_secret = secrets.token_urlsafe(48)
        return self.shared_secret

    def url(self, path: str) -> str:
        return self.base_url + "/" + path.lstrip("/")

    # From Jira to the app

    def lifecycle_token(self, url: str) -> str:
        """RS256, as install and uninstall calls carry it."""
        claims = self._claims(self.client_key, "POST", url) | {"aud": [self.base_url]}
        return signing.sign(self.kid, claims)

    def token(self, method: str, url: str, account_id: str = "", **more: Any) -> str:
        """HS256, as webhooks and frames carry it. account_id: who acts or looks."""
        claims = self._claims(self.client_key, method, url) | more
        return self._sign(claims | ({"sub": account_id} if account_id else {}))

    def context_token(self, account_id: str, context: Json) -> str:
        """What AP.context.getToken gives to a page in the frame."""
        claims = self._claims(self.client_key, "GET", self.base_url)
        return self._sign(claims | {"sub": account_id, "qsh": CONTEXT, "context": context})

    # From the app to Jira

    def own_token(self, method: str, url: str, root: str) -> str:
        """What the app itself would send to the site at `root`."""
        path = urlsplit(url).path.removeprefix(urlsplit(root).path)
        asked = f"{path}?{urlsplit(url).query}"
        return self._sign(self._claims(self.key, method, asked, ""))

    def refusal(self, token: str, method: str, path: str, query: str) -> str:
        """Why Jira does not take this token for this request; empty when it does."""
        import jwt

        if not self.installed:
            return "the app is not installed"
        options: Any = {"require": ["iss", "exp", "iat", "qsh"]}
        options |= {"verify_exp": False, "verify_iat": False, "verify_aud": False}
        try:
            claims = jwt.decode(token, self.shared_secret, algorithms=["HS256"], options=options)
        except jwt.InvalidTokenError as error:
            return f"the JWT is not accepted: {error}"
        moment = self.now().timestamp()
        if claims["iss"] != self.key:
            return "the JWT is not issued by the app's key"
        if float(claims["exp"]) < moment - LEEWAY or float(claims["iat"]) > moment + LEEWAY:
            return "the JWT has expired, or comes from the future"
        wanted = query_string_hash(method, path, parse_qsl(query, keep_blank_values=True))
        return "" if claims["qsh"] == wanted else "the qsh is not that of this request"

    def _claims(self, issuer: str, method: str, url: str, root: str | None = None) -> Json:
        base = urlsplit(self.base_url).path if root is None else root
        parts = urlsplit(url)
        path = parts.path.removeprefix(base)
        now = int(self.now().timestamp())
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        return {
            "iss": issuer,
            "iat": now,
            "exp": now + LIFETIME,
            "qsh": query_string_hash(method, path, pairs),
        }

    def _sign(self, claims: Json) -> str:
        import jwt

        return jwt.encode(claims, self.shared_secret, algorithm="HS256")


@dataclass(frozen=True, slots=True)
class AppWebhook:
    """One webhook module of a descriptor; every try carries a token of its own."""

    id: int
    app: ConnectApp
    event: str
    path: str

    @property
    def url(self) -> str:
        return self.app.url(self.path)

    @property
    def shape(self) -> Shape:
        return "webhook"

    @property
    def retries(self) -> int:
        return RETRIES

    @property
    def seconds(self) -> float:
        return SECONDS

    def wants(self, event: str, happening: Happening) -> bool:
        return event == self.event

    def encode(self, content: Any) -> bytes:
        return as_bytes(content)

    def headers(self, delivery: Delivery) -> dict[str, str]:
        token = self.app.token("POST", self.url, delivery.actor)
        return identity(delivery, "Primary") | {"Authorization": f"JWT {token}"}


def installed_body(app: ConnectApp, event: str, base_url: str, with_secret: bool) -> Json:
    """The body of a lifecycle call."""
    body = {
        "key": app.key,
        "clientKey": app.client_key,
        "serverVersion": "100000",
        "pluginsVersion": "1001.0.0-SANDBOX",
        "baseUrl": base_url,
        "displayUrl": base_url,
        "productType": "jira",
        "description": "Sandbox Jira (not a real site)",
        "eventType": event,
    }
    return body | ({"sharedSecret": app.shared_secret} if with_secret else {})


def filled(template: str, facts: Mapping[str, str]) -> str:
    """A module's URL with its context parameters, such as {issue.key}, filled in."""
    for name, value in facts.items():
        template = template.replace("{" + name + "}", quote(value, safe=""))
    return template
