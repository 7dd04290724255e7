"""Our few files in an agent's HOME, which an earlier attempt could write: no link is followed."""

from __future__ import annotations

import os
from pathlib import Path

FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


def put_file(home: Path, name: str, text: str) -> None:
    """A new file that only we may read, in the place of whatever bears its name."""
    path = home / name
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | FLAGS, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def read_file(home: Path, name: str) -> str:
    descriptor = os.open(home / name, os.O_RDONLY | os.O_NONBLOCK | FLAGS)
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        return file.read(1_000_000)
