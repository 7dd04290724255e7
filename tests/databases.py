"""A fresh, migrated database for each test: a copy of a template made once per process."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg
import sqlalchemy as sa

from app.store import migrate


class Supply(Protocol):
    """Databases of one dialect, by their URLs."""

    def make(self) -> str: ...

    def take_back(self, url: str) -> None:
        """Nobody has to have disconnected."""


class CannotStart(Exception):
    """There is no such database to be had on this machine."""


class Databases:
    """Databases of each dialect: the template, and the server, are made at first use."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stack = ExitStack()
        self.supplies: dict[str, Supply | CannotStart] = {}

    def make(self, dialect: str) -> str:
        """The URL of a fresh one. Raises CannotStart, at once where it has failed before."""
        if dialect not in self.supplies:
            directory = self.directory / dialect
            directory.mkdir()
            start = {"sqlite": sqlite_databases, "postgres": postgres_databases}[dialect]
            try:
                self.supplies[dialect] = self.stack.enter_context(start(directory))
            except RuntimeError as fault:
                self.supplies[dialect] = CannotStart(str(fault))
        return self._supply(dialect).make()

    def take_back(self, url: str) -> None:
        self._supply("sqlite" if url.startswith("sqlite") else "postgres").take_back(url)

    def _supply(self, dialect: str) -> Supply:
        supply = self.supplies[dialect]
        if isinstance(supply, CannotStart):
            raise supply
        return supply


@contextmanager
def sqlite_databases(directory: Path) -> Iterator[Supply]:
    """They go with the directory."""
    yield _Sqlite(directory)


class _Sqlite:
    """Copies of one migrated file."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.template = directory / "template.sqlite"
        self.numbers = count(1)
        _migrate(f"sqlite:///{self.template}")
        with sqlite3.connect(self.template) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()

    def make(self) -> str:
        copy = self.directory / f"t{next(self.numbers)}.sqlite"
        return f"sqlite:///{shutil.copy(self.template, copy)}"

    def take_back(self, url: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{sa.make_url(url).database}{suffix}").unlink(missing_ok=True)


@contextmanager
def postgres_databases(directory: Path) -> Iterator[Supply]:
    """Databases in one server of our own. They go with the server, which leaves nothing."""
    from tests.postgres import running_postgres

    with running_postgres(directory) as server:
        supply = _Postgres(sa.make_url(server))
        with supply.admin:
            yield supply


_SHAPE = """
select md5(string_agg(part, ' ' order by part)) from (
  select concat(attrelid::regclass, attname, atttypid, attnotnull) from pg_attribute
    where attrelid >= 16384 and attnum > 0 and attrelid::regclass::text not like 'pg_toast%'
  union all select concat(conrelid::regclass, conname, pg_get_constraintdef(oid))
    from pg_constraint where oid >= 16384
  union all select concat(tgrelid::regclass, tgname, tgenabled) from pg_trigger where oid >= 16384
  union all select pg_get_functiondef(oid) from pg_proc where oid >= 16384
) as parts (part)
"""
_TABLES = """
select oid::regclass::text from pg_class
where oid >= 16384 and relkind = 'r' and pg_relation_size(oid) > 0
"""


class _Postgres:
    """Copies of a migrated database. One that comes back is emptied and given out again, for
    copying takes longer than most tests; under another name, which none of the last test's
    threads and processes knows."""

    def __init__(self, server: sa.URL) -> None:
        self.server = server
        self.admin = self._connect("postgres")
        self.numbers = count(1)
        self.empty: list[str] = []
        _migrate(self._url(self._create("tpl", "template0")))
        with self._connect("tpl") as c:
            self.filled = _tables(c)
            self.shape = self._shape(c)

    def make(self) -> str:
        return self._url(self.empty.pop() if self.empty else self._create(self._name(), "tpl"))

    def take_back(self, url: str) -> None:
        name, other = sa.make_url(url).database, self._name()
        # Asked often, since Postgres itself would look again after a tenth of a second only.
        end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
        while self.admin.execute(end, [name]).fetchall():
            time.sleep(0.002)
        try:
            self.admin.execute(f"alter database {name} rename to {other}")
        except psycopg.errors.ObjectInUse:  # somebody came in again
            self.admin.execute(f"drop database {name} with (force)")
            return
        with self._connect(other) as c:
            if used := _tables(c) - self.filled:
                c.execute(f"truncate {', '.join(used)} restart identity cascade")
            as_made = self._shape(c) == self.shape
        if as_made:
            self.empty.append(other)
        else:
            self.admin.execute(f"drop database {other} with (force)")

    def _shape(self, c: psycopg.Connection) -> list[object]:
        """What the migrations made, and the rows they left."""
        rows = [c.execute(f"select * from {table}").fetchall() for table in sorted(self.filled)]
        return [c.execute(_SHAPE).fetchone(), rows]

    def _create(self, name: str, template: str) -> str:
        self.admin.execute(f"create database {name} template {template}")
        return name

    def _connect(self, name: str) -> psycopg.Connection:
        host = str(self.server.query["host"])
        return psycopg.connect(host=host, user=self.server.username, dbname=name, autocommit=True)

    def _name(self) -> str:
        return f"t{next(self.numbers)}"

    def _url(self, name: str) -> str:
        return self.server.set(database=name).render_as_string(hide_password=False)


def _tables(c: psycopg.Connection) -> set[str]:
    """Those that have, or had, a row."""
    return {name for (name,) in c.execute(_TABLES)}


def _migrate(url: str) -> None:
    """Our tables and the engine's, once for all tests."""
    from app.engine import worker

    migrate.upgrade(url)
    worker.migrate(url)
