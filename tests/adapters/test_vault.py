"""Secrets at rest: sealed by the first key, opened by any, never shown in an error."""

from __future__ import annotations

import pytest

from app import ports
from app.adapters.vault import BadKeyError, Vault, new_key
from app.ports import Refused


@pytest.mark.parametrize("plain", ["token", "", "ü — \n", "x" * 10_000])
def test_what_is_sealed_is_opened(plain: str) -> None:
    vault: ports.Secrets = Vault(new_key())
    sealed = vault.seal(plain)
    assert plain == "" or plain not in sealed
    assert vault.unseal(sealed) == plain
    assert vault.seal(plain) != sealed


def test_keys_are_rotated() -> None:
    old, new = new_key(), new_key()
    sealed = Vault(old).seal("token")
    both = Vault(f" {new} , {old},")
    assert both.unseal(sealed) == "token"
    assert Vault(new).unseal(both.seal("token")) == "token"
    with pytest.raises(Refused, match="present keys"):
        Vault(new).unseal(sealed)


@pytest.mark.parametrize("sealed", ["", "token", "gAAAA", "ü"])
def test_what_was_not_sealed_is_refused(sealed: str) -> None:
    with pytest.raises(Refused, match="cannot be opened"):
        Vault(new_key()).unseal(sealed)


def test_a_changed_secret_is_refused() -> None:
    vault = Vault(new_key())
    sealed = vault.seal("token")
    with pytest.raises(Refused):
        vault.unseal(sealed[:-4] + ("AAA=" if not sealed.endswith("AAA=") else "BBB="))


@pytest.mark.parametrize("keys", ["", " , ", "hunter2hunter2", "ü" * 44, "A" * 39])
def test_a_malformed_key_is_named_but_not_shown(keys: str) -> None:
    with pytest.raises(BadKeyError, match="key") as caught:
        Vault(keys)
    assert keys.strip(" ,") == "" or keys not in str(caught.value)


def test_the_malformed_one_of_several_is_told() -> None:
    with pytest.raises(BadKeyError, match="Key 2 of 2"):
        Vault(f"{new_key()},nonsense")
