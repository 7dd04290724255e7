"""A Connect app in the sandbox: installed, told, written to, installed again, taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest

from app.core.qsh import query_string_hash
from app.sandbox.connect import ConnectApp
from app.sandbox.installs import InstallRefused
from app.sandbox.server import SandboxJira
from tests.sandbox.receiver import Received, Receiver, listening

WEBHOOK = {"event": "jira:issue_updated", "url": "/connect/webhooks?from=jira"}


@pytest.fixture
def app() -> Iterator[Receiver]:
    """The far side. Its address has a path, which no qsh counts."""
    with listening() as receiver:
        receiver.documents["/base/atlassian-connect.json"] = {
            "key": "signalbox",
            "name": "Signalbox",
            "baseUrl": f"{receiver.root}/base",
            "scopes": ["READ", "WRITE"],
            "lifecycle": {"installed": "/connect/installed", "uninstalled": "/connect/uninstalled"},
            "modules": {"webhooks": [WEBHOOK]},
        }
        yield receiver


@pytest.fixture
def installed(jira: SandboxJira, app: Receiver) -> ConnectApp:
    return jira.install_connect(f"{app.root}/base")


def lifecycle(jira: SandboxJira, entry: Received) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a lifecycle call, verified with the key that the sandbox publishes."""
    token = entry.headers["authorization"].removeprefix("JWT ")
    header = jwt.get_unverified_header(token)
    key = httpx.get(f"{jira.install_keys_url}/{header['kid']}").text
    audience = f"http://{entry.headers['host']}/base"
    return header, jwt.decode(token, key, algorithms=["RS256"], audience=audience)


class TestLifecycle:
    def test_installed(self, jira: SandboxJira, app: Receiver, installed: ConnectApp) -> None:
        (entry,) = app.at("/base/connect/installed")
        body = entry.payload
        assert (body["key"], body["eventType"]) == ("signalbox", "installed")
        assert (body["clientKey"], body["baseUrl"]) == (jira.state.client_key, jira.base_url)
        assert body["sharedSecret"] == installed.shared_secret
        header, claims = lifecycle(jira, entry)
        assert header["alg"] == "RS256"
        assert claims["iss"] == body["clientKey"]
        assert claims["exp"] - claims["iat"] == 180
        assert claims["qsh"] == query_string_hash("POST", "/connect/installed", [])
        account = jira.user("Signalbox (app)")
        assert (account.account_type, account.account_id) == ("app", installed.account_id)

    def test_again_with_another_secret(
        self, jira: SandboxJira, app: Receiver, installed: ConnectApp
    ) -> None:
        before = installed.shared_secret
        jira.reinstall_connect(installed)
        first, second = (entry.payload for entry in app.at("/base/connect/installed"))
        assert first["clientKey"] == second["clientKey"]
        assert (first["sharedSecret"], second["sharedSecret"]) == (before, installed.shared_secret)
        assert before != installed.shared_secret

    def test_the_signing_key_turns(
        self, jira: SandboxJira, app: Receiver, installed: ConnectApp
    ) -> None:
        installed.turns += 1
        jira.reinstall_connect(installed)
        first, second = app.at("/base/connect/installed")
        assert lifecycle(jira, second)[0]["kid"] == installed.kid
        old = jwt.get_unverified_header(first.headers["authorization"].removeprefix("JWT "))["kid"]
        assert old != installed.kid
        assert httpx.get(f"{jira.install_keys_url}/{old}").status_code == 404
        assert httpx.get(f"{jira.install_keys_url}/").status_code == 404

    def test_uninstalled(self, jira: SandboxJira, app: Receiver, installed: ConnectApp) -> None:
        jira.uninstall_connect(installed)
        (entry,) = app.at("/base/connect/uninstalled")
        assert "sharedSecret" not in entry.payload
        assert lifecycle(jira, entry)[1]["iss"] == entry.payload["clientKey"]
        jira.add_label("BILL-1", "x", as_user="Author")
        assert jira.webhooks.deliveries == []
        url = f"{jira.base_url}/rest/api/3/myself"
        token = installed.own_token("GET", url, jira.base_url)
        assert httpx.get(url, headers={"authorization": f"JWT {token}"}).status_code == 401

    def test_an_app_may_say_no(self, jira: SandboxJira, app: Receiver) -> None:
        app.answers = [401]
        with pytest.raises(InstallRefused, match="installed: 401"):
            jira.install_connect(f"{app.root}/base")
        assert (jira.state.connect_apps, jira.webhooks.channels) == ([], [])
        with pytest.raises(InstallRefused, match="the descriptor: 404"):
            jira.install_connect(app.root)

    def test_no_to_a_new_secret_leaves_the_old_one(
        self, jira: SandboxJira, app: Receiver, installed: ConnectApp
    ) -> None:
        before = installed.shared_secret
        app.answers = [500]
        with pytest.raises(InstallRefused, match="500"):
            jira.reinstall_connect(installed)
        assert installed.shared_secret == before


class TestWebhooks:
    def claims(self, entry: Received, app: ConnectApp) -> dict[str, Any]:
        token = entry.headers["authorization"].removeprefix("JWT ")
        return dict(jwt.decode(token, app.shared_secret, algorithms=["HS256"]))

    def test_carry_a_token_for_this_request(
        self, jira: SandboxJira, app: Receiver, installed: ConnectApp
    ) -> None:
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.comment("BILL-1", "not asked for", as_user="Author")
        jira.webhooks.drain()
        (entry,) = app.at("/base/connect/webhooks?from=jira")
        assert "x-hub-signature" not in entry.headers
        assert entry.payload["changelog"]["items"][0]["toString"] == "x"
        claims = self.claims(entry, installed)
        assert claims["iss"] == jira.state.client_key
        assert claims["sub"] == jira.user("Author").account_id
        query = parse_qsl(entry.path.partition("?")[2])
        assert claims["qsh"] == query_string_hash("POST", "/connect/webhooks", query)

    def test_come_again_with_a_fresh_one(
        self, jira: SandboxJira, app: Receiver, installed: ConnectApp
    ) -> None:
        app.answers = [503]
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        first, second = app.at("/base/connect/webhooks?from=jira")
        name = "x-atlassian-webhook-identifier"
        assert first.headers[name] == second.headers[name]
        assert second.headers["x-atlassian-webhook-retry"] == "1"

    def test_a_new_secret_signs_from_then_on(
        self, jira: SandboxJira, app: Receiver, installed: ConnectApp
    ) -> None:
        before = installed.shared_secret
        jira.reinstall_connect(installed)
        jira.add_label("BILL-1", "x", as_user="Author")
        jira.webhooks.drain()
        token = app.received[-1].headers["authorization"].removeprefix("JWT ")
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, before, algorithms=["HS256"])


def test_its_account_has_what_its_scopes_allow(jira: SandboxJira, installed: ConnectApp) -> None:
    user = jira.user("Signalbox (app)")
    assert user.may("EDIT_ISSUES", "BILL")
    assert user.administers("BILL")
    assert not user.may("DELETE_ISSUES", "BILL")
    assert not user.may("ADMINISTER")


def test_a_context_token_is_for_any_page_of_the_app(installed: ConnectApp) -> None:
    token = installed.context_token("somebody", {"jira": {}})
    claims = jwt.decode(token, installed.shared_secret, algorithms=["HS256"])
    assert (claims["qsh"], claims["sub"]) == ("context-qsh", "somebody")
