"""A fresh, migrated database for each test: a copy of a template made once per process."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from app.store import migrate

Make = Callable[[], str]
"""Makes a fresh database and says its URL."""


class CannotStart(Exception):
    """There is no such database to be had on this machine."""


class Databases:
    """Databases of each dialect: the template, and the server, are made at first use."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stack = ExitStack()
        self.makes: dict[str, Make | CannotStart] = {}

    def make(self, dialect: str) -> str:
        """The URL of a fresh one. Raises CannotStart, at once where it has failed before."""
        if dialect not in self.makes:
            directory = self.directory / dialect
            directory.mkdir()
            start = {"sqlite": sqlite_databases, "postgres": postgres_databases}[dialect]
            try:
                self.makes[dialect] = self.stack.enter_context(start(directory))
            except RuntimeError as fault:
                self.makes[dialect] = CannotStart(str(fault))
        made = self.makes[dialect]
        if isinstance(made, CannotStart):
            raise made
        return made()


@contextmanager
def sqlite_databases(directory: Path) -> Iterator[Make]:
    """Copies of one migrated file. They go with the directory."""
    template = directory / "template.sqlite"
    _migrate(f"sqlite:///{template}")
    with sqlite3.connect(template) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    numbers = count(1)

    def make() -> str:
        return f"sqlite:///{shutil.copy(template, directory / f't{next(numbers)}.sqlite')}"

    yield make


@contextmanager
def postgres_databases(directory: Path) -> Iterator[Make]:
    """Databases in one server of our own. They go with the server, which leaves nothing."""
    from tests.postgres import running_postgres

    with running_postgres(directory) as server:
        admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        _migrate(_create(admin, "tpl"))
        numbers = count(1)
        yield lambda: _create(admin, f"t{next(numbers)}", template="tpl")
        admin.dispose()


def _migrate(url: str) -> None:
    """Our tables and the engine's, once for all tests."""
    from app.engine import worker

    migrate.upgrade(url)
    worker.migrate(url)


def _create(admin: sa.Engine, name: str, template: str = "template0") -> str:
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name} template {template}"))
    return admin.url.set(database=name).render_as_string(hide_password=False)


def drop(url: str) -> None:
    """Give the room back at once; whoever is still connected is disconnected."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{parsed.database}{suffix}").unlink(missing_ok=True)
        return
    admin = sa.create_engine(parsed.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database if exists {parsed.database} with (force)"))
    admin.dispose()
