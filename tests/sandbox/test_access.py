"""Each kind's own credential is taken, all others are refused, and the journal says why."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest

from app.sandbox.connect import ConnectApp
from app.sandbox.forge import ForgeApp
from app.sandbox.server import SandboxJira
from tests.sandbox.receiver import listening

DESCRIPTOR = {"key": "app", "name": "App", "scopes": ["READ", "WRITE"]}
PATH = "/rest/api/2/myself"
KINDS = ["token", "automation", "poll", "connect", "forge"]


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded()
    with sandbox.serve(), listening() as app:
        app.documents["/atlassian-connect.json"] = DESCRIPTOR | {"baseUrl": app.root}
        sandbox.install_connect(app.root)
        sandbox.install_forge(app.root, "ari:cloud:ecosystem::app/1")
        yield sandbox


def connect(jira: SandboxJira) -> ConnectApp:
    return jira.state.connect_apps[0]


def forge(jira: SandboxJira) -> ForgeApp:
    return jira.state.forge_apps[0]


def credentials(jira: SandboxJira) -> dict[str, tuple[str, dict[str, str]]]:
    """Address and headers, by scheme."""
    site, platform = jira.base_url + PATH, jira.api_url + PATH
    user = jira.user("Signalbox")
    basic = httpx.BasicAuth(user.email, user.token)
    plain = next(basic.auth_flow(httpx.Request("GET", site))).headers["authorization"]
    own = connect(jira).own_token("GET", site, jira.base_url)
    return {
        "token": (site, {"authorization": plain}),
        "pat": (site, {"authorization": f"Bearer {user.token}"}),
        "connect": (site, {"authorization": f"JWT {own}"}),
        "forge": (platform, {"authorization": f"Bearer {forge(jira).system_token()}"}),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_takes_its_own_alone(jira: SandboxJira, kind: str) -> None:
    login = jira.require(kind)
    wanted = kind if kind in ("connect", "forge") else "token"
    for scheme, (url, headers) in credentials(jira).items():
        answer = httpx.get(url, headers=headers)
        entry = jira.journal[-1]
        assert answer.status_code == (200 if scheme == wanted else 401)
        assert entry.scheme == scheme
        assert (entry.account is None) == bool(entry.refusal) == (scheme != wanted)
        if scheme == wanted:
            assert entry.account == login.account_id == answer.json()["accountId"]
            assert url == login.api_url + PATH


def test_cloud_by_itself_takes_all_but_personal_tokens(jira: SandboxJira) -> None:
    found = {s: httpx.get(u, headers=h).status_code for s, (u, h) in credentials(jira).items()}
    assert found == {"token": 200, "pat": 401, "connect": 200, "forge": 200}


def test_data_center_takes_personal_tokens_alone() -> None:
    jira = SandboxJira.seeded("server")
    with jira.serve() as url:
        login = jira.require("server")
        assert (login.email, login.api_url) == ("", url)
        bearer = {"authorization": f"Bearer {login.token}"}
        assert httpx.get(url + PATH, headers=bearer).json()["key"] == login.account_id
        user = jira.user("Signalbox")
        for name in (user.email, user.name):
            assert httpx.get(url + PATH, auth=(name, user.token)).status_code == 401
        platform = f"{jira.api_url}{PATH}"
        assert httpx.get(platform, headers=bearer).status_code == 404
        assert jira.require("poll").token == login.token
        with pytest.raises(ValueError, match="no way into a server Jira"):
            jira.require("token")
        assert jira.state.required == "poll"


def test_what_is_no_kind(jira: SandboxJira) -> None:
    with pytest.raises(ValueError, match="no way into a cloud Jira"):
        jira.require("server")
    with pytest.raises(ValueError, match="unknown kind 'magic'"):
        jira.require("magic")


def test_a_scoped_token_belongs_to_the_platforms_address(jira: SandboxJira) -> None:
    jira.add_user("Scoped", scoped=True)
    login = jira.require("token", "Scoped")
    auth = (login.email, login.token)
    assert login.api_url == jira.api_url
    assert httpx.get(login.api_url + PATH, auth=auth).status_code == 200
    assert jira.journal[-1].platform
    assert httpx.get(jira.base_url + PATH, auth=auth).status_code == 401
    wrong = jira.api_url.replace(jira.state.cloud_id, "another")
    assert httpx.get(wrong + PATH, auth=auth).status_code == 404


class TestConnect:
    def ask(self, jira: SandboxJira, token: str, path: str = PATH, query: str = "") -> int:
        headers = {"authorization": f"JWT {token}"}
        return httpx.get(f"{jira.base_url}{path}{query}", headers=headers).status_code

    def test_the_query_counts(self, jira: SandboxJira) -> None:
        query = "?permissions=ADD_COMMENTS&projectKey=BILL"
        path = "/rest/api/3/mypermissions"
        token = connect(jira).own_token("GET", jira.base_url + path + query, jira.base_url)
        assert self.ask(jira, token, path, query) == 200
        assert self.ask(jira, token, path, query.replace("BILL", "HELP")) == 401
        assert jira.journal[-1].refusal == "the qsh is not that of this request"
        assert self.ask(jira, token, PATH) == 401

    def test_it_may_stand_in_the_address(self, jira: SandboxJira) -> None:
        token = connect(jira).own_token("GET", jira.base_url + PATH, jira.base_url)
        assert httpx.get(f"{jira.base_url}{PATH}?jwt={token}").status_code == 200

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"iss": "another"}, "not issued by the app's key"),
            ({"exp": -61}, "has expired"),
            ({"iat": 90}, "has expired"),
            ({"qsh": "context-qsh"}, "qsh"),
            ({"exp": None}, "exp"),
        ],
    )
    def test_every_claim_counts(
        self, jira: SandboxJira, change: dict[str, object], why: str
    ) -> None:
        app = connect(jira)
        token = app.own_token("GET", jira.base_url + PATH, jira.base_url)
        claims = jwt.decode(token, app.shared_secret, algorithms=["HS256"])
        now = int(time.time())  # whole numbers are seconds from now
        change = {k: now + v if isinstance(v, int) else v for k, v in change.items()}
        claims = {k: v for k, v in {**claims, **change}.items() if v is not None}
        signed = jwt.encode(claims, app.shared_secret, algorithm="HS256")
        assert self.ask(jira, signed) == 401
        assert why in jira.journal[-1].refusal

    @pytest.mark.parametrize("algorithm", ["none", "HS512"])
    def test_no_other_algorithm(self, jira: SandboxJira, algorithm: str) -> None:
        app = connect(jira)
        token = app.own_token("GET", jira.base_url + PATH, jira.base_url)
        claims = jwt.decode(token, app.shared_secret, algorithms=["HS256"])
        key = "" if algorithm == "none" else app.shared_secret
        assert self.ask(jira, jwt.encode(claims, key, algorithm=algorithm)) == 401


class TestForge:
    def ask(self, jira: SandboxJira, token: str) -> int:
        headers = {"authorization": f"Bearer {token}"}
        return httpx.get(jira.api_url + PATH, headers=headers).status_code

    def test_a_token_ends(self, jira: SandboxJira) -> None:
        app = forge(jira)
        app.token_seconds = 60
        token = app.system_token()
        assert self.ask(jira, token) == 200
        app.now = lambda: datetime.now(UTC) + timedelta(seconds=61)
        assert self.ask(jira, token) == 401
        assert jira.journal[-1].refusal == "the system token has expired"
        assert self.ask(jira, app.system_token()) == 200

    def test_an_invocation_token_is_none(self, jira: SandboxJira) -> None:
        assert self.ask(jira, forge(jira).fit("events")) == 401
        assert self.ask(jira, "x.y.z") == 401

    def test_none_after_the_app_has_gone(self, jira: SandboxJira) -> None:
        token = forge(jira).system_token()
        jira.uninstall_forge(forge(jira))
        assert self.ask(jira, token) == 401

    def test_not_at_the_sites_own_address(self, jira: SandboxJira) -> None:
        headers = {"authorization": f"Bearer {forge(jira).system_token()}"}
        assert httpx.get(jira.base_url + PATH, headers=headers).status_code == 401
