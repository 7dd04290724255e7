"""The way to Jira: our own proxy and certificates, and nothing that this machine's user has set."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Auth, Basic, Bearer, Connect
from app.adapters.jira_session import Way
from app.ports import Refused, Transient
from tests.adapters.jira_server import Scripted, no_pause, scripted

MYSELF = "/rest/api/3/myself"
ME = {"accountId": "me", "displayName": "Signalbox"}


@pytest.fixture
def script() -> Iterator[Scripted]:
    with scripted() as server:
        server.answer("GET", MYSELF, ME)
        yield server


def tracker(url: str, auth: Auth | None = None, **way: str) -> JiraTracker:
    made = Way(pause=no_pause, **way)  # type: ignore[arg-type]
    return JiraTracker("acme", url, auth or Bearer("our-token"), way=made)


@pytest.mark.parametrize(
    "auth", [Basic("me@example.com", "t"), Bearer("t"), Connect("signalbox", "s" * 32, "http://x")]
)
def test_the_users_netrc_and_proxies_change_nothing(
    script: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: Auth
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password thief\ndefault login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    tracker(script.url, auth).myself()
    (sent,) = script.headers
    assert sent["Authorization"].startswith(
        {Basic: "Basic bWVA", Bearer: "Bearer t"}.get(type(auth), "JWT ")
    )


def test_our_proxy_is_used_for_every_call(script: Scripted) -> None:
    script.answer("GET", f"http://jira.example{MYSELF}", ME)
    assert tracker("http://jira.example", proxy=script.url).myself().id == "me"
    assert script.asked == [f"GET http://jira.example{MYSELF}"]
    with pytest.raises(Transient, match="proxy of SIGNALBOX_PROXY"):
        tracker("https://jira.example", proxy=script.url).myself()
    assert script.asked[1].startswith("CONNECT jira.example:443")
    assert "our-token" not in str(script.headers[1])


@pytest.mark.parametrize("proxy", ["http://", "http://me:hunter2@:bad", "foo://me:hunter2@x"])
def test_a_wrong_proxy_is_named_without_its_password(script: Scripted, proxy: str) -> None:
    with pytest.raises((Refused, Transient)) as caught:
        tracker(script.url, proxy=proxy).myself()
    assert "hunter2" not in repr(caught.value)
    assert script.asked == []


def test_a_proxy_that_is_away_is_weather(script: Scripted) -> None:
    with pytest.raises(Transient, match="SIGNALBOX_PROXY"):
        tracker("http://jira.example", proxy="http://me:hunter2@127.0.0.1:9").myself()


def test_no_cookie_is_kept(script: Scripted) -> None:
    cookie = {"Set-Cookie": "JSESSIONID=abc; Path=/"}
    script.answer("GET", MYSELF, ME, headers=cookie)
    script.answer("GET", "/rest/api/3/user", ME)
    made = tracker(script.url)
    made.myself()
    made.account("x")
    assert len(script.headers) == 2
    assert "Cookie" not in script.headers[1]


@pytest.mark.parametrize("token", ["a\nX-Evil: 1", "ключ"])
def test_a_token_that_no_header_holds_is_not_shown(script: Scripted, token: str) -> None:
    with pytest.raises(Refused, match="set it anew") as caught:
        tracker(script.url, Bearer(token)).myself()
    assert token not in str(caught.value)
    assert script.asked == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jira")]), datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "jira.pem"
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(plain + made.public_bytes(Encoding.PEM))
    return file


def test_our_own_certificates_are_trusted_where_they_are_named(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with scripted(context) as server:
        server.answer("GET", MYSELF, ME)
        with pytest.raises(Refused, match=r"certificate is not accepted.*SIGNALBOX_CA_BUNDLE"):
            tracker(server.url).myself()
        assert tracker(server.url, ca_bundle=str(certificate)).myself().id == "me"
        assert len(server.asked) == 1


def test_a_bundle_that_is_none_is_named(certificate: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with scripted(context) as server:
        for file in (empty, tmp_path / "nowhere.pem"):
            with pytest.raises(Refused, match="SIGNALBOX_CA_BUNDLE"):
                tracker(server.url, ca_bundle=str(file)).myself()
        assert server.asked == []
