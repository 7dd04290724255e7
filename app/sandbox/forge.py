"""A Forge app whose work is done by a remote: invocation tokens, system tokens, events.

https://developer.atlassian.com/platform/forge/forge-remote-invocation-contract/
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from app.sandbox import signing
from app.sandbox.outbox import Delivery, Happening, Shape
from app.sandbox.webhooks import as_bytes

KID = "forge/invocation-token/sandbox"
SYSTEM_KID = "forge/system-token/sandbox"
FIT_LIFETIME = 25
RETRIES = 4
SECONDS = 5.0
UI_SECONDS = 25.0
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the manifest that calls the remote: its key, its type and the endpoint."""

    key: str
    type: str
    path: str


MODULES: Mapping[str, Module] = {
    "events": Module("signalbox-events", "core:trigger", "/forge/events"),
    "installed": Module("signalbox-installed", "core:trigger", "/forge/installed"),
    "uninstalled": Module("signalbox-uninstalled", "core:trigger", "/forge/uninstalled"),
    "scheduled": Module("signalbox-scheduled", "core:scheduledTrigger", "/forge/scheduled"),
    "panel": Module("signalbox-panel", "jira:issuePanel", "/forge/surfaces/panel"),
    "project": Module("signalbox-project", "jira:projectPage", "/forge/surfaces/project"),
    "admin": Module("signalbox-admin", "jira:adminPage", "/forge/surfaces/admin"),
    "agent": Module("signalbox-agent", "rovo:agentConnector", "/a2a"),
}
"""The modules of our own manifest, by what they are for."""


@dataclass(slots=True)
class ForgeApp:
    """One installation. token_seconds: how long a system token lasts from its issue.

    ignore_self: the trigger's filter. changelog_as_list: the other shape that is told of.
    ui_url: where its pages lie; they are files that Atlassian serves, not the remote.
    """

    app_id: str
    remote_url: str
    cloud_id: str
    site_url: str
    api_url: str
    account_id: str
    now: Callable[[], datetime]
    modules: Mapping[str, Module] = field(default_factory=lambda: dict(MODULES))
    ui_url: str = ""
    kid: str = KID
    token_seconds: int = 3600
    ignore_self: bool = True
    changelog_as_list: bool = False
    installed: bool = True
    installation: str = field(default_factory=lambda: str(uuid4()))
    channels: list[int] = field(default_factory=list)

    def url(self, module: str) -> str:
        return self.remote_url.rstrip("/") + self.modules[module].path

    def fit(self, module: str, account_id: str = "", extension: Json | None = None) -> str:
        """A Forge Invocation Token for one call of one module."""
        now, found = int(self.now().timestamp()), self.modules[module]
        context: Json = {
            "cloudId": self.cloud_id,
            "siteUrl": self.site_url,
            "moduleKey": found.key,
            "environmentType": "DEVELOPMENT",
            "extension": {"type": found.type} | (extension or {}),
        }
        claims: Json = {
            "app": self._app(found),
            "context": context | ({"accountId": account_id} if account_id else {}),
            "aud": self.app_id,
            "iss": "forge/invocation-token",
            "iat": now,
            "nbf": now,
            "exp": now + FIT_LIFETIME,
            "jti": secrets.token_hex(20),
        }
        return signing.sign(self.kid, claims | ({"principal": account_id} if account_id else {}))

    def system_token(self) -> str:
        """What the app calls Jira with, as itself; a fresh one comes with every invocation."""
        now = int(self.now().timestamp())
        claims: Json = {"sub": self.account_id, "aud": self.cloud_id}
        claims["installation"] = self.installation
        claims |= {"iat": now, "exp": now + self.token_seconds, "jti": secrets.token_hex(20)}
        return signing.sign(SYSTEM_KID, claims)

    def headers(self, module: str, account_id: str = "", extension: Json | None = None) -> Json:
        """Of one call to the remote."""
        return {
            "Authorization": f"Bearer {self.fit(module, account_id, extension)}",
            "x-forge-oauth-system": self.system_token(),
            "x-b3-traceid": secrets.token_hex(16),
            "x-b3-spanid": secrets.token_hex(8),
            "User-Agent": "Forge Remote (sandbox)",
        }

    def refusal(self, token: str) -> str:
        """Why Jira does not take this system token; empty when it does."""
        import jwt

        try:
            claims = signing.read(SYSTEM_KID, token)
        except jwt.InvalidTokenError as error:
            return f"no system token: {error}"
        if not self.installed or claims.get("installation") != self.installation:
            return "the app is not installed"
        return "" if claims["exp"] > self.now().timestamp() else "the system token has expired"

    def _app(self, module: Module) -> Json:
        short = self.app_id.rpartition("/")[2]
        installation = f"ari:cloud:ecosystem::installation/{self.installation}"
        return {
            "id": self.app_id,
            "version": "1",
            "appVersion": "1.0.0",
            "installationId": installation,
            "apiBaseUrl": self.api_url,
            "environment": {
                "type": "DEVELOPMENT",
                "id": f"ari:cloud:ecosystem::environment/{short}/{self.cloud_id}",
            },
            "module": {"type": module.type, "key": module.key},
            "installation": {
                "id": installation,
                "contexts": [{"name": "jira", "apiBaseUrl": self.api_url}],
            },
        }


@dataclass(frozen=True, slots=True)
class Trigger:
    """One module that the remote is called through: Jira's events, or a timer, or a lifecycle."""

    id: int
    app: ForgeApp
    module: str = "events"

    @property
    def url(self) -> str:
        return self.app.url(self.module)

    @property
    def shape(self) -> Shape:
        return "forge"

    @property
    def retries(self) -> int:
        return RETRIES

    @property
    def seconds(self) -> float:
        return SECONDS

    def wants(self, event: str, happening: Happening) -> bool:
        own = self.app.ignore_self and happening.actor == self.app.account_id
        return self.module == "events" and not own

    def encode(self, content: Any) -> bytes:
        body = dict(content)
        if self.app.changelog_as_list and "changelog" in body:
            body["changelog"] = body["changelog"]["items"]
        if "atlassianId" in body:
            body["selfGenerated"] = body["atlassianId"] == self.app.account_id
        key = self.app.modules[self.module].key
        return as_bytes(body | {"context": {"cloudId": self.app.cloud_id, "moduleKey": key}})

    def headers(self, delivery: Delivery) -> dict[str, str]:
        return self.app.headers(self.module)
