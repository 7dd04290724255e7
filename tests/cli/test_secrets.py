"""`signalbox secrets rotate`: a new key takes over without a site being connected anew."""

from __future__ import annotations

import pytest

from app.adapters.vault import Vault, new_key
from app.store import installs, sites
from app.store.database import Database
from tests.cli.conftest import NOW, SECRET, TOKEN, Terminal

KEY = "SIGNALBOX_SECRET_KEY"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_new_key_takes_over(connected: Terminal, database: Database) -> None:
    old, new = connected.env[KEY], new_key()
    connected.env[KEY] = f"{new}, {old}"
    assert connected.run("secrets rotate") == (
        "Secrets sealed anew with the first key: 2. Older keys can be taken out.\n"
    )
    assert connected.json("secrets rotate") == {"sealed_anew": 2}, "a repeat is harmless"
    connected.env[KEY] = new
    row, vault = sites.get_site(database, "acme"), Vault(new)
    assert (vault.unseal(row["token"]), vault.unseal(row["webhook_secret"])) == (TOKEN, SECRET)
    assert connected.run("site add acme --label robot").startswith("Site acme is connected")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_cannot_be_opened_is_named_and_left(connected: Terminal, database: Database) -> None:
    before, old = sites.get_site(database, "acme"), connected.env[KEY]
    new = connected.env[KEY] = new_key()
    install = installs.Install(
        "forge", "cloud", "https://a.example", "https://a.example", Vault(new).seal("t"), "other"
    )
    installs.install(database, install, NOW)
    said = connected.refused("secrets rotate")
    assert said == (
        "Secrets sealed anew: 1. These cannot be opened: acme (token), acme (webhook"
        " secret). Add the key that they were sealed with at the end of SIGNALBOX_SECRET_KEY, or"
        " store them again with `signalbox site add`."
    )
    assert sites.get_site(database, "acme") == before
    connected.env[KEY] = f"{new},{old}"
    assert connected.json("secrets rotate") == {"sealed_anew": 3}
