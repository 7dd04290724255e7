"""What Jira and others send to the doors of a Connect app."""

from __future__ import annotations

import json
import time
from typing import Any

from starlette.testclient import TestClient

from tests.web.signers import URL, claims, hs256, rs256

KEY = "jira:00000000-client-key"
SECRET, LATER = "x" * 43, "y" * 43
ADDRESS = "https://acme.atlassian.net"
INSTALLED, UNINSTALLED = f"{URL}/connect/installed", f"{URL}/connect/uninstalled"
HOOKS = f"{URL}/connect/webhooks"
WRONG = b'{"error":"missing or wrong signature"}'
EVENT = b'{"webhookEvent": "jira:issue_updated", "timestamp": 1, "issue": {"id": "1"}}'


def body(**changed: Any) -> bytes:
    told = {
        "key": "signalbox",
        "clientKey": KEY,
        "sharedSecret": SECRET,
        "baseUrl": ADDRESS,
        "productType": "jira",
        "eventType": "installed",
        **changed,
    }
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def lifecycle(url: str = INSTALLED, issuer: str = KEY, **changed: Any) -> str:
    told = claims(issuer, "POST", url, **{"aud": [URL], **changed})
    return rs256(told, "connect", "connect-key")


def post(client: TestClient, url: str, token: str, content: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(url, content=content, headers={"authorization": f"JWT {token}", **named})


def install(client: TestClient, **changed: Any) -> Any:
    content = body(**changed)
    return post(client, INSTALLED, lifecycle(issuer=changed.get("clientKey", KEY)), content)


def deliver(client: TestClient, secret: str = SECRET, issuer: str = KEY, **changed: Any) -> Any:
    token = hs256(claims(issuer, "POST", HOOKS, **changed), secret)
    return post(client, HOOKS, token, EVENT, x_atlassian_webhook_identifier=str(time.time_ns()))


def unknown(answer: Any) -> bool:
    return (answer.status_code, answer.content) == (401, WRONG)


BODIES = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "invalid UTF-8": b'{"clientKey": "\xff"}',
    "a NUL": b'{"clientKey": "\x00"}',
    "a key twice": b'{"clientKey": "a", "clientKey": "b"}',
    "NaN": b'{"clientKey": NaN}',
    "deep": b'{"a":' * 100 + b"1" + b"}" * 100,
}
