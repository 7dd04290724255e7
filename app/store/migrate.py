"""Our tables, brought to the shape that this version of the code works with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import app
from app.store import schema_money as _money  # noqa: F401 - their tables are compared and made
from app.store import schema_score as _score  # noqa: F401
from app.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

# Beside `app` in a checkout and in an installed tree alike.
SCRIPTS = Path(app.__file__).parent.parent / "migrations"


def upgrade(url: str) -> None:
    """Bring the database to `head`: all of it, or nothing where it fails. A repeat is harmless."""
    from alembic import command

    db = Database(url)
    try:
        with db.engine.connect() as c:
            if db.sqlite:
                _prepare_sqlite(c.connection.driver_connection)
            with c.begin():
                config = _config()
                config.attributes["connection"] = c
                command.upgrade(config, "head")
    finally:
        db.close()


def current(url: str) -> str | None:
    """The revision that the database has now; None before the first."""
    from alembic.migration import MigrationContext

    db = Database(url)
    try:
        with db.read() as c:
            return MigrationContext.configure(c).get_current_revision()
    finally:
        db.close()


def head() -> str:
    """The revision that this code needs."""
    from alembic.script import ScriptDirectory

    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise RuntimeError(f"no migrations in {SCRIPTS}")
    return newest


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _prepare_sqlite(driver_connection: Any) -> None:
    """What cannot be said inside a transaction. WAL stays in the file; the engine's tables lie
    there too. A batch migration replaces whole tables, which must not touch the rows of others."""
    driver_connection.execute("pragma journal_mode=wal")
    driver_connection.execute("pragma foreign_keys=off")
