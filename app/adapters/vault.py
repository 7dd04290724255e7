"""Seals what is stored at rest, with Fernet (AES-128-CBC and HMAC-SHA256)."""

from __future__ import annotations

from app.ports import Refused


class BadKeyError(ValueError):
    """The key cannot be used. The message never holds any part of it."""


class Vault:
    """`keys`: one or more Fernet keys, comma-separated; the first seals, all of them unseal."""

    def __init__(self, keys: str) -> None:
        from cryptography.fernet import Fernet, MultiFernet

        parts = [part.strip() for part in keys.split(",") if part.strip()]
        if not parts:
            raise BadKeyError("There is no key to seal secrets with: make one and set it.")
        fernets = []
        for position, part in enumerate(parts, 1):
            try:
                fernets.append(Fernet(part))
            except ValueError:
                raise BadKeyError(
                    f"Key {position} of {len(parts)} is malformed: it has to be 32 bytes in"
                    " URL-safe base64, 44 characters, as new_key() makes them."
                ) from None
        self._fernet = MultiFernet(fernets)

    def seal(self, plain: str) -> str:
        return self._fernet.encrypt(plain.encode()).decode()

    def unseal(self, sealed: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Refused(
                "A stored secret cannot be opened with the present keys:"
                " add the key that it was sealed with, or store the secret again."
            ) from None


def new_key() -> str:
    """A fresh key for Vault."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()
