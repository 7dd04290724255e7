from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.adapters.vault import Vault, new_key
from app.config import Settings
from app.intake.tokens import Trust
from app.main import web_app
from app.store import sites
from app.store.database import Database
from app.store.schema import inbox
from tests.web.signers import APP, URL, KeyServer

SECRET = "a secret that only Jira and the tests know"
OWN_ACCOUNT = "signalbox-own-account"


def sign(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def add_site(
    db: Database, vault: Vault, site_id: str, secret: str | None, connection: str = "token"
) -> None:
    values = {
        "id": site_id,
        "connection": connection,
        "deployment": "cloud",
        "api_url": "http://127.0.0.1:9",
        "browse_url": "http://127.0.0.1:9",
        "email": "signalbox@example.com",
        "token": vault.seal("token"),
        "webhook_secret": vault.seal(secret) if secret else None,
        "account_id": OWN_ACCOUNT,
        "label": "agent-ready",
        "zone": "UTC",
        "currency": "USD",
        "connected_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    sites.add_site(db, values)


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    key = new_key()
    add_site(database, Vault(key), "acme", SECRET)
    add_site(database, Vault(key), "closed", None)
    settings = Settings(
        secret_key=key,
        data=tmp_path,
        database_url=database.url,
        admin_token="pages",
        body_limit=100_000,
    )
    with TestClient(web_app(settings, database), raise_server_exceptions=True) as client:
        yield client


@pytest.fixture
def keys() -> KeyServer:
    return KeyServer()


@pytest.fixture
def jira(database: Database, tmp_path: Path, keys: KeyServer) -> Iterator[TestClient]:
    """Our web part at URL, as a Jira that installs apps reaches it."""
    settings = Settings(
        secret_key=new_key(),
        data=tmp_path,
        database_url=database.url,
        url=URL,
        admin_token="pages",
        body_limit=100_000,
    )
    app = web_app(settings, database, Trust(keys, APP))
    with TestClient(app, base_url=URL, raise_server_exceptions=True) as client:
        yield client


@pytest.fixture
def rows(database: Database) -> Callable[[], list[sa.RowMapping]]:
    def read() -> list[sa.RowMapping]:
        with database.read() as c:
            return list(c.execute(sa.select(inbox).order_by(inbox.c.seq)).mappings())

    return read
