"""Atlassian's keys from a server of the test: which it is asked for, and what it may answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from app.adapters import atlassian_keys
from app.adapters.atlassian_keys import BETWEEN, FRESH, LASTING, AtlassianKeys
from app.ports import NotFound, Transient
from tests.adapters.jira_server import Scripted, scripted

JWKS = "/.well-known/jwks.json"


@cache
def key(name: str, size: int = 2048) -> Any:
    return rsa.generate_private_key(65537, size).public_key()


def pem(found: Any) -> str:
    text = found.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return str(text.decode())


def jwk(kid: str, found: Any) -> dict[str, Any]:
    return {**json.loads(RSAAlgorithm.to_jwk(found)), "kid": kid, "use": "sig", "alg": "RS256"}


class Time:
    at = 50.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def script() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


@pytest.fixture
def now() -> Time:
    return Time()


@pytest.fixture
def keys(script: Scripted, now: Time) -> AtlassianKeys:
    return AtlassianKeys(script.url + "/", script.url + JWKS, now=now)


def give(script: Scripted, *kids: str) -> None:
    script.answer("GET", JWKS, {"keys": [jwk(kid, key(kid)) for kid in kids]})


@pytest.mark.parametrize("kid", ["0b4c9b1e-7e0f-4a55", "sandbox/connect-1", "a.b_c"])
def test_a_connect_key_is_fetched_by_its_id(
    script: Scripted, keys: AtlassianKeys, kid: str
) -> None:
    script.answer("GET", f"/{kid}", pem(key("connect")).encode())
    assert keys.connect_install(kid) == pem(key("connect"))
    assert script.asked == [f"GET /{kid}"]


BAD = ["", ".", "..", "../x", "a/../b", "/a", "a/", "a//b", "a?b", "a#b", "a b", "a%2e", "a\n"]
BAD += ["http://evil", "//evil/x", "a@evil", "a\\b", "ä", ".hidden", "a/.b", "x" * 200, "a:b"]


@pytest.mark.parametrize("kid", BAD)
def test_a_bad_key_id_is_never_asked_for(script: Scripted, keys: AtlassianKeys, kid: str) -> None:
    with pytest.raises(NotFound):
        keys.connect_install(kid)
    assert script.asked == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_no_key_id_leads_anywhere_else(script: Scripted, keys: AtlassianKeys, kid: str) -> None:
    script.asked.clear()
    with pytest.raises(NotFound):
        keys.connect_install(kid)
    assert script.asked in ([], [f"GET /{kid}"])


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (404, b"", NotFound),
        (302, b"", Transient),
        (403, b"", Transient),
        (500, b"", Transient),
        (200, b"<html>", Transient),
        (200, b"", Transient),
        (200, b"x" * 200_000, Transient),
        (200, pem(ec.generate_private_key(ec.SECP256R1()).public_key()).encode(), Transient),
        (200, pem(key("small", 1024)).encode(), Transient),
    ],
)
def test_what_is_no_key_is_none(
    script: Scripted, keys: AtlassianKeys, status: int, body: bytes, fault: type[Exception]
) -> None:
    headers = {"Location": f"{script.url}/other"} if status == 302 else {}
    script.answer("GET", "/kid", body, status=status, headers=headers)
    script.answer("GET", "/other", pem(key("connect")).encode())
    with pytest.raises(fault):
        keys.connect_install("kid")
    assert script.asked == ["GET /kid"], "a redirect is not followed"


def test_a_slow_answer_has_an_end(
    script: Scripted, keys: AtlassianKeys, now: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.answer("GET", "/kid", pem(key("connect")).encode())
    monkeypatch.setattr(atlassian_keys, "SECONDS", -1.0)
    with pytest.raises(Transient):
        keys.connect_install("kid")


def test_nobody_there_is_weather(now: Time) -> None:
    gone = AtlassianKeys("http://127.0.0.1:9", "http://127.0.0.1:9/jwks", now=now)
    for ask in (gone.connect_install, gone.forge):
        with pytest.raises(Transient, match="keys cannot be read: ConnectError"):
            ask("kid")


def test_a_wrong_setting_is_named_without_its_password(now: Time) -> None:
    wrong = AtlassianKeys("http://127.0.0.1:9", proxy="foo://me:hunter2@x", now=now)
    with pytest.raises(Transient, match="SIGNALBOX_PROXY") as caught:
        wrong.connect_install("kid")
    assert "hunter2" not in repr(caught.value)
    with pytest.raises(Transient, match="SIGNALBOX_CA_BUNDLE"):
        AtlassianKeys("https://127.0.0.1:9", ca_bundle="/nowhere.pem", now=now).connect_install("k")


def test_forges_keys_are_fetched_once(script: Scripted, keys: AtlassianKeys, now: Time) -> None:
    give(script, "one", "two")
    assert keys.forge("one") == pem(key("one"))
    assert keys.forge("two") == pem(key("two"))
    now.at += FRESH
    assert keys.forge("one") == pem(key("one"))
    assert len(script.asked) == 1


def test_an_unknown_key_is_looked_for_once_a_minute(
    script: Scripted, keys: AtlassianKeys, now: Time
) -> None:
    give(script, "one")
    keys.forge("one")
    for _ in range(20):
        with pytest.raises(NotFound):
            keys.forge("two")
    assert len(script.asked) == 1
    now.at += BETWEEN
    give(script, "two")
    assert keys.forge("two") == pem(key("two"))
    with pytest.raises(NotFound):  # Forge took it back
        keys.forge("one")
    assert len(script.asked) == 2


def test_old_keys_serve_while_forge_is_away_but_not_for_ever(
    script: Scripted, keys: AtlassianKeys, now: Time
) -> None:
    give(script, "one")
    keys.forge("one")
    script.answer("GET", JWKS, {}, status=503)
    now.at += FRESH + 1
    for _ in range(5):
        assert keys.forge("one") == pem(key("one"))
    assert len(script.asked) == 2
    now.at += LASTING
    for _ in range(5):
        with pytest.raises(Transient):
            keys.forge("one")
    assert len(script.asked) == 3
    now.at += BETWEEN
    give(script, "one")
    assert keys.forge("one") == pem(key("one"))


def test_only_keys_that_fit_are_taken(script: Scripted, keys: AtlassianKeys) -> None:
    small, nameless = jwk("small", key("small", 1024)), jwk("", key("one"))
    secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}
    broken = {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"}
    listed = [small, nameless, secret, broken, "text", jwk("one", key("one"))]
    script.answer("GET", JWKS, {"keys": listed})
    assert keys.forge("one") == pem(key("one"))
    for kid in ("small", "", "None", "secret", "broken"):
        with pytest.raises(NotFound):
            keys.forge(kid)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": []}', b"<html>"])
def test_a_list_that_is_none_is_weather(script: Scripted, keys: AtlassianKeys, body: bytes) -> None:
    script.answer("GET", JWKS, body)
    for _ in range(3):
        with pytest.raises(Transient):
            keys.forge("one")
    assert len(script.asked) == 1


def test_many_threads_ask_once(script: Scripted, keys: AtlassianKeys) -> None:
    give(script, "one")
    start, found = threading.Barrier(8), list[str]()

    def ask() -> None:
        start.wait()
        found.append(keys.forge("one"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [pem(key("one"))] * 8
    assert len(script.asked) == 1
