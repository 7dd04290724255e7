"""The page that connects a site, in a browser's words, over a real sandbox Jira."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from app.adapters.vault import new_key
from app.config import Settings
from app.core.connection import KINDS
from app.main import web_app
from app.sandbox.server import SandboxJira
from app.store import sites
from app.store.database import Database

ADMIN = ("admin", "a password for the pages")
HOST = "http://testserver"
TOKEN = "token-of-signalbox"


@pytest.fixture
def jira() -> Iterator[str]:
    with SandboxJira.seeded().serve() as address:
        yield address


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    settings = Settings(
        secret_key=new_key(),
        data=tmp_path,
        url="https://signalbox.acme.example",
        admin_token=ADMIN[1],
    )
    return TestClient(web_app(settings, database), base_url=HOST)


def send(client: TestClient, origin: str = HOST, **fields: str) -> tuple[int, str]:
    answer = client.post(
        "/connect", content=urlencode(fields), auth=ADMIN, headers={"Origin": origin}
    )
    return answer.status_code, answer.text


def filled(jira: str, **more: str) -> dict[str, str]:
    return {
        "kind": "token",
        "site_id": "acme",
        "browse_url": jira,
        "email": "signalbox@sandbox.example",
        "token": TOKEN,
        "token_ends": "2027-01-31",
        "project": "bill",
    } | more


def test_it_connects_and_says_where_to_click(
    client: TestClient, jira: str, database: Database
) -> None:
    status, page = send(client, **filled(jira))
    assert status == 200
    assert "The site acme is connected. Its project BILL gets advice" in page
    assert "Jira right Browse Projects." in page
    assert "https://signalbox.acme.example/webhooks/jira/acme" in page
    assert re.search(r"<dt>Secret</dt><dd><code>[\w-]{40,}</code>", page)
    assert TOKEN not in page
    site = sites.get_site(database, "acme")
    assert (site["connection"], site["token_expires_at"].year) == ("token", 2027)


def test_it_refuses_what_jira_refuses_and_keeps_what_was_typed(
    client: TestClient, jira: str, database: Database
) -> None:
    status, page = send(client, **filled(jira, token="of-somebody-else"))
    assert status == 422
    assert "does not accept Signalbox&#39;s credentials" in page
    assert f'value="{jira}"' in page
    assert "of-somebody-else" not in page
    assert sites.list_sites(database) == []


def test_a_site_that_is_there_is_not_overwritten(client: TestClient, jira: str) -> None:
    assert send(client, **filled(jira))[0] == 200
    status, page = send(client, **filled(jira, kind="poll"))
    assert status == 422
    assert "There is a site acme already" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"site_id": "A site"}, "cannot be a site"),
        ({"browse_url": "javascript:alert(1)"}, "is no url"),
        ({"token_ends": "tomorrow"}, "is no day"),
        ({"project": "<script>"}, "is no project key"),
        ({"token": ""}, "The token is empty"),
    ],
)
def test_what_cannot_be_is_said(
    client: TestClient, jira: str, fields: dict[str, str], said: str
) -> None:
    status, page = send(client, **filled(jira, **fields))
    assert status == 422
    assert said in page
    assert "<script>" not in page


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://testserver.evil"])
def test_another_page_cannot_send_the_form(
    client: TestClient, jira: str, database: Database, origin: str
) -> None:
    assert send(client, origin, **filled(jira))[0] == 403
    assert sites.list_sites(database) == []


def test_nobody_else_sees_it(client: TestClient) -> None:
    for answer in (client.get("/connect"), client.post("/connect", content="kind=token")):
        assert answer.status_code == 401


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_steps(client: TestClient, kind: str) -> None:
    page = client.get(f"/connect?kind={kind}", auth=ADMIN)
    assert page.status_code == 200
    assert 'aria-current="page"' in page.text
    assert ('name="token"' in page.text) == (not KINDS[kind].handed)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_form_that_is_none(client: TestClient) -> None:
    headers = {"Origin": HOST}
    assert client.post(
        "/connect", content=b"\xff=\xff", auth=ADMIN, headers=headers
    ).status_code in (
        400,
        404,
    )
    long = "kind=" + "x" * 30_000
    assert client.post("/connect", content=long, auth=ADMIN, headers=headers).status_code == 413
    many = "&".join(f"a{n}=1" for n in range(50))
    assert client.post("/connect", content=many, auth=ADMIN, headers=headers).status_code == 400
    assert (
        client.post("/connect", content="kind=forge", auth=ADMIN, headers=headers).status_code
        == 404
    )
