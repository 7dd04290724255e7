"""The page that shows an app in a frame: its address, its token, its bridge."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import pytest

from app.core.qsh import query_string_hash
from app.sandbox.server import SandboxJira
from tests.sandbox.receiver import Receiver, listening

MODULES = {
    "webPanels": [{"key": "panel", "url": "/panel?issue={issue.id}"}],
    "jiraProjectPages": [{"key": "project", "url": "/project?project={project.key}"}],
    "configurePage": {"key": "admin", "url": "/admin"},
}


@pytest.fixture
def app(jira: SandboxJira) -> Iterator[Receiver]:
    with listening() as receiver:
        about = {"key": "app", "name": "App", "baseUrl": receiver.root, "modules": MODULES}
        receiver.documents["/atlassian-connect.json"] = about
        yield receiver


def opened(url: str) -> tuple[httpx.Response, str]:
    """The sandbox's page, and the address in its frame."""
    answer = httpx.get(url)
    assert answer.status_code == 200, answer.text
    found = re.search(r'data-address="(http[^"]+)"', answer.text)
    assert found
    return answer, html.unescape(found[1])


class TestConnect:
    @pytest.mark.parametrize(
        ("module", "asked", "path"),
        [
            ("panel", {"issue": "BILL-2"}, "/panel?issue=10001"),
            ("project", {"project": "BILL"}, "/project?project=BILL"),
            ("admin", {}, "/admin?"),
        ],
    )
    def test_the_address_is_signed_for_viewer_and_place(
        self, jira: SandboxJira, app: Receiver, module: str, asked: dict[str, str], path: str
    ) -> None:
        installed = jira.install_connect(app.root)
        url = jira.frame_url(module, as_user="Reviewer", **asked)
        framed = urlsplit(opened(url)[1])
        direct = urlsplit(jira.framed_url(module, as_user="Reviewer", **asked))
        assert (direct.netloc, direct.path) == (framed.netloc, framed.path)
        assert f"{framed.path}?{framed.query}".startswith(path)
        query = parse_qsl(framed.query)
        token = dict(query)["jwt"]
        claims = jwt.decode(token, installed.shared_secret, algorithms=["HS256"])
        assert claims["iss"] == jira.state.client_key
        assert claims["sub"] == jira.user("Reviewer").account_id
        assert claims["qsh"] == query_string_hash("GET", framed.path, query)
        about = claims["context"]["jira"]
        assert about.get("issue", {}).get("key") == asked.get("issue")
        assert ("project" in about) == bool(asked)

    def test_the_frame_stands_as_in_jira(self, jira: SandboxJira, app: Receiver) -> None:
        jira.install_connect(app.root)
        page, _ = opened(jira.frame_url("panel", "BILL-1", theme="dark"))
        assert (
            'data-sandbox="allow-scripts allow-forms allow-popups allow-same-origin"' in page.text
        )
        assert 'data-color-mode="dark"' in page.text
        assert f"frame-src {app.root};" in page.headers["content-security-policy"]
        assert page.headers["x-sandbox"] == "true"
        assert "not a real site" in page.text
        for name in ("frame.js", "frame.css"):
            assert httpx.get(f"{jira.base_url}/sandbox/static/{name}").status_code == 200

    def test_a_ticket_leads_to_it(self, jira: SandboxJira, app: Receiver) -> None:
        assert "/sandbox/frame" not in httpx.get(f"{jira.base_url}/browse/BILL-1").text
        jira.install_connect(app.root)
        page = httpx.get(f"{jira.base_url}/browse/BILL-1").text
        found = re.search(r'href="(/sandbox/frame[^"]+)"', page)
        assert found
        assert opened(jira.base_url + html.unescape(found[1]))[1].startswith(app.root)

    def test_a_context_token(self, jira: SandboxJira, app: Receiver) -> None:
        installed = jira.install_connect(app.root)
        asked = {"call": "getToken", "as": jira.user("Author").account_id, "context": {"jira": {}}}
        token = httpx.post(f"{jira.base_url}/sandbox/bridge", json=asked).json()["token"]
        claims = jwt.decode(token, installed.shared_secret, algorithms=["HS256"])
        assert (claims["qsh"], claims["sub"]) == ("context-qsh", asked["as"])
        foreign = {"origin": app.root}
        answer = httpx.post(f"{jira.base_url}/sandbox/bridge", json=asked, headers=foreign)
        assert answer.status_code == 403


class TestForge:
    def test_the_bridge_adds_the_token(self, jira: SandboxJira, app: Receiver) -> None:
        app.reply = lambda entry: {"got": entry.payload}
        jira.install_forge(app.root, "ari:cloud:ecosystem::app/1", ui_url=f"{app.root}/ui")
        page, address = opened(jira.frame_url("panel", "BILL-1", as_user="Author"))
        assert address == f"{app.root}/ui"
        found = re.search(r'data-facts="([^"]+)"', page.text)
        assert found
        facts: dict[str, Any] = json.loads(html.unescape(found[1]))
        asked = {"call": "invokeRemote", "path": "/forge/surfaces/panel", "method": "POST"}
        url = f"{jira.base_url}/sandbox/bridge"
        answer = httpx.post(url, json=facts | asked | {"body": {"press": "stop"}}).json()
        assert answer["status"] == 200
        assert json.loads(answer["body"]) == {"got": {"press": "stop"}}
        (entry,) = app.at("/forge/surfaces/panel")
        token = entry.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["app"]["module"] == {"type": "jira:issuePanel", "key": "signalbox-panel"}
        assert claims["context"]["extension"]["issue"]["key"] == "BILL-1"
        assert claims["context"]["accountId"] == jira.user("Author").account_id


@pytest.mark.parametrize(
    ("change", "status"),
    [({"as": "nobody"}, 404), ({"module": "kitchen"}, 404), ({"path": "/elsewhere"}, 200)],
)
def test_odd_calls_of_the_bridge(
    jira: SandboxJira, app: Receiver, change: dict[str, str], status: int
) -> None:
    jira.install_forge(app.root, "ari:cloud:ecosystem::app/1")
    url = f"{jira.base_url}/sandbox/bridge"
    asked = {"as": jira.user("Author").account_id, "module": "panel", "call": "invokeRemote"}
    assert httpx.post(url, json=asked | {"path": "/"} | change).status_code == status
    assert httpx.post(url, content=b"[1").status_code == 400
    who = change.get("as", asked["as"])
    page = httpx.get(f"{jira.base_url}/sandbox/frame?module=panel&as={who}&issue=BILL-99")
    assert page.status_code == 404


def test_without_an_app_or_a_module(jira: SandboxJira, app: Receiver) -> None:
    url = jira.frame_url("panel", "BILL-1")
    answer = httpx.get(url)
    assert (answer.status_code, "No app is installed" in answer.text) == (404, True)
    with pytest.raises(ValueError, match="unknown module 'kitchen'"):
        jira.frame_url("kitchen")
    app.documents["/atlassian-connect.json"]["modules"] = {}
    jira.install_connect(app.root)
    assert "no module for" in httpx.get(url).text
