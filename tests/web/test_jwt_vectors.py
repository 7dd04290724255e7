"""Published vectors of tokens and query-string hashes, through the code that guards our doors."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.requests import Request

from app.core.qsh import encoded, query_string_hash
from app.intake.fit import verify_fit
from app.intake.signature import BadSignature
from app.intake.tokens import LEEWAY, Trust, bound_to, issuer_claimed, request_hash, verified
from tests.web.signers import KID, KeyServer, hs256, pem, private_key, rs256

IN_2014 = datetime.fromtimestamp(1392204642 - 60, UTC)  # a minute before the vectors end


def request(method: str, url: str, base: str = "") -> Request:
    """As it reaches us: the base path of our address is gone by then."""
    parts = urlsplit(url)
    path = parts.path.removeprefix(base) or "/"
    scope = {
        "type": "http",
        "method": method,
        "scheme": "https",
        "server": ("signalbox.example.com", 443),
        "path": path,
        "raw_path": path.encode(),
        "query_string": parts.query.encode(),
        "headers": [],
    }
    return Request(scope)


@pytest.mark.shared
def test_query_string_hashes(shared: Path) -> None:
    vectors = json.loads((shared / "contracts/jwt/qsh-vectors.json").read_text())["vectors"]
    assert len(vectors) > 20
    for vector in vectors:
        asked = request(vector["method"], vector["url"], vector["contextPath"])
        assert request_hash(asked) == vector["qsh"], vector["name"]


def signed_urls(shared: Path) -> tuple[str, list[Mapping[str, Any]]]:
    found = json.loads((shared / "contracts/jwt/jwt-signed-urls.json").read_text())
    assert len(found["tests"]) > 50
    return found["secret"], found["tests"]


def token_of(url: str) -> str:
    (token,) = [value for name, value in parse_qsl(urlsplit(url).query) if name == "jwt"]
    return token


def base_of(vector: Mapping[str, Any]) -> str:
    return str(urlsplit(vector.get("addonBaseUrl", "")).path)


@pytest.fixture
def _short_secret() -> Any:
    """That of the vectors has 18 bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        yield


@pytest.mark.shared
@pytest.mark.usefixtures("_short_secret")
def test_signed_urls(shared: Path) -> None:
    secret, vectors = signed_urls(shared)
    for vector in vectors:
        token = token_of(vector["signedUrl"])
        claims = verified(token, secret, "HS256", IN_2014)
        bound_to(claims, request("GET", vector["signedUrl"], base_of(vector)))
        assert issuer_claimed(token) == claims["iss"]


@pytest.mark.shared
@pytest.mark.usefixtures("_short_secret")
def test_signed_urls_hold_for_nothing_else(shared: Path) -> None:
    secret, vectors = signed_urls(shared)
    for vector in vectors:
        url, token = vector["signedUrl"], token_of(vector["signedUrl"])
        claims = verified(token, secret, "HS256", IN_2014)
        others = [
            request("POST", url, base_of(vector)),
            request("GET", url + "&more=1", base_of(vector)),
            request("GET", url.replace("?", "/elsewhere?", 1), base_of(vector)),
        ]
        for other in others:
            with pytest.raises(BadSignature, match="another request"):
                bound_to(claims, other)
        head, body, tail = token.split(".")
        for broken in (
            f"{head}.{body}.{tail[::-1]}",
            f"{head}.{body[:-2]}.{tail}",
            f"{head}.{body}.",
        ):
            with pytest.raises(BadSignature):
                verified(broken, secret, "HS256", IN_2014)
        for wrong in ("", secret + "x"):
            with pytest.raises(BadSignature):
                verified(token, wrong, "HS256", IN_2014)


SECRET = "a secret of thirty-two bytes or more"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
GOOD: dict[str, Any] = {"iat": AT, "exp": AT + 180}
TIMES: dict[str, tuple[dict[str, Any], bool]] = {
    "as it should be": ({}, True),
    "just over": ({"iat": AT - 239, "exp": AT - LEEWAY + 1}, True),
    "over": ({"iat": AT - 240, "exp": AT - LEEWAY}, False),
    "soon": ({"iat": AT + LEEWAY, "exp": AT + 200}, True),
    "later": ({"iat": AT + LEEWAY + 1, "exp": AT + 200}, False),
    "not before later": ({"nbf": AT + LEEWAY + 1}, False),
    "an hour": ({"exp": AT + 3600}, True),
    "more than an hour": ({"exp": AT + 3601}, False),
    "without end": ({"exp": None}, False),
    "without beginning": ({"iat": None}, False),
    "a text": ({"exp": str(AT + 180)}, False),
    "true": ({"iat": True}, False),
    "a list": ({"exp": [AT + 180]}, False),
    "not a number": ({"exp": float("nan")}, False),
    "endless": ({"exp": float("inf")}, False),
    "a nan before": ({"nbf": float("nan")}, False),
    "a huge number": ({"exp": 10**400}, False),
    "before all time": ({"iat": -1}, False),
    "with a fraction": ({"exp": AT + 0.5}, True),
}


@pytest.mark.parametrize("case", TIMES.values(), ids=TIMES.keys())
def test_times(case: tuple[dict[str, Any], bool]) -> None:
    changed, right = case
    claims = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    token = hs256(claims, SECRET)
    if right:
        assert verified(token, SECRET, "HS256", NOW) == claims
    else:
        with pytest.raises(BadSignature):
            verified(token, SECRET, "HS256", NOW)


def test_one_algorithm_each() -> None:
    """Whatever the token says of itself, and though its signature is right."""
    assert verified(hs256(GOOD, SECRET), SECRET, "HS256", NOW) == GOOD
    with pytest.raises(BadSignature):
        verified(hs256(GOOD, SECRET), SECRET, "RS256", NOW)
    key = private_key("connect")
    for made in ("RS512", "PS256"):
        other = jwt.encode(GOOD, key, algorithm=made)
        for wanted in ("RS256", "HS256"):
            with pytest.raises(BadSignature):
                verified(other, pem("connect"), wanted, NOW)
    for made in ("HS384", "HS512"):
        long = SECRET * 2
        with pytest.raises(BadSignature):
            verified(jwt.encode(GOOD, long, algorithm=made), long, "HS256", NOW)
    with pytest.raises(BadSignature):
        verified(hs256(GOOD, ""), "", "HS256", NOW)


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,9}(\.[A-Za-z0-9_-]{0,9}){0,3}"))
def test_reading_a_token_only_ever_refuses(token: str) -> None:
    for algorithm in ("HS256", "RS256"):
        with pytest.raises(BadSignature):
            verified(token, SECRET, algorithm, NOW)


pairs = st.lists(st.tuples(st.text(min_size=1, max_size=6), st.text(max_size=6)), max_size=5)


@given(pairs.filter(lambda told: all(name != "jwt" for name, _ in told)), st.randoms())
def test_the_hash_knows_no_order_and_no_spelling(told: list[tuple[str, str]], random: Any) -> None:
    def url(spelling: Any, told: list[tuple[str, str]]) -> str:
        query = "&".join(f"{spelling(name)}={spelling(value)}" for name, value in told)
        return f"https://signalbox.example.com/surfaces/panel?{query}"

    wanted = query_string_hash("GET", "/surfaces/panel", told)
    mixed = random.sample(told, len(told))
    for spelling in (encoded, lambda text: quote(text, safe="").replace("%20", "+")):
        assert request_hash(request("GET", url(spelling, mixed))) == wanted
    other = [*told, ("one", "more")]
    assert request_hash(request("GET", url(encoded, other))) != wanted


def test_a_query_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadSignature):
        request_hash(request("GET", "https://signalbox.example.com/x?a=%ff"))


# Forge


@pytest.mark.shared
def test_the_recorded_invocation_token(shared: Path) -> None:
    found = json.loads((shared / "contracts/forge/fit-claims-example.json").read_text())
    payload, kid = found["payload"], found["header"]["kid"]
    trust, keys = Trust(KeyServer(), payload["aud"]), frozenset({"example-module"})
    now = datetime.fromtimestamp(payload["iat"], UTC) + timedelta(seconds=5)
    assert kid == KID

    def headers(claims: Mapping[str, Any]) -> Headers:
        return Headers({"authorization": f"Bearer {rs256(dict(claims), 'forge', kid)}"})

    with pytest.raises(BadSignature, match="not for a Jira site"):  # it was Confluence's
        verify_fit(trust, headers(payload), keys, now)
    app = {
        **payload["app"],
        "apiBaseUrl": payload["app"]["apiBaseUrl"].replace("confluence", "jira"),
    }
    call = verify_fit(trust, headers({**payload, "app": app}), keys, now)
    assert call.cloud_id == payload["context"]["cloudId"]
    assert call.api_url == app["apiBaseUrl"]
    assert call.account_id == payload["principal"]
    assert (call.module_key, call.site_url) == ("example-module", "")  # its host is made up
    assert call.context == payload["context"]
