"""The one way to a transaction. Nothing outside `app/store` begins or commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.store import fence

T = TypeVar("T")
TRY_AGAIN = {"40001", "40P01"}  # Postgres: serialization failure, deadlock
DatabaseFault = sa.exc.SQLAlchemyError
"""It does not answer, is none, or refuses: for those who have to say so to a person."""


DatabaseAway = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
"""What may be over in a moment: it restarts, is locked, or a deadlock was resolved against us."""


class Database:
    """A database by its SQLAlchemy URL (`sqlite:///…` or `postgresql+psycopg://…`).

    `executor` is set by a worker on Postgres: each of its writes is then guarded by the fence,
    and `on_fenced` is called when the fence has shut it out; it does not come back.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self.engine = (
            _sqlite_engine(url)
            if self.sqlite
            else sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
        )
        self.executor: str | None = None
        self.on_fenced: Callable[[Exception], None] = lambda fault: None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One short writing transaction. Raises fence.Fenced when we were declared dead."""
        with self.engine.begin() as connection:
            try:
                fence.guard(connection, self.executor)
            except fence.Fenced as fault:
                self.on_fenced(fault)
                raise
            yield connection

    def alone(self, verb: Callable[[Connection], T]) -> T:
        """The verb in one `write`; once more where Postgres says that two transactions got into
        each other's way. Only for verbs that may be repeated."""
        try:
            with self.write() as connection:
                return verb(connection)
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in TRY_AGAIN:
                raise
        with self.write() as connection:
            return verb(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One short reading transaction that never waits for a writer."""
        with self.engine.connect().execution_options(reads_only=True) as connection:
            yield connection

    def insert(self, table: sa.Table) -> Any:
        """An insert of this database's dialect, for ON CONFLICT. Its result has a true rowcount;
        that of a plain insert is -1 on Postgres, which looks like "inserted"."""
        from sqlalchemy.dialects import postgresql, sqlite

        insert = sqlite.insert(table) if self.sqlite else postgresql.insert(table)
        return insert.execution_options(preserve_rowcount=True)

    def journal_mode(self) -> str:
        """How SQLite keeps its journal; "wal" lets readers and a writer work at once."""
        with self.read() as connection:
            return str(connection.exec_driver_sql("pragma journal_mode").scalar())

    def close(self) -> None:
        self.engine.dispose()


def _sqlite_engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None  # we say BEGIN ourselves, below
        dbapi_connection.execute("pragma busy_timeout=30000")
        dbapi_connection.execute("pragma foreign_keys=on")
        dbapi_connection.execute("pragma synchronous=full")

    @sa.event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        # A deferred transaction that reads first and writes later loses updates silently.
        reads_only = connection.get_execution_options().get("reads_only")
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine
