"""Migrations lead to exactly the tables that the code works with, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.store import migrate, schema
from app.store.database import Database

OURS = set(schema.metadata.tables)


def test_migrated_database_equals_the_schema(database: Database) -> None:
    with database.engine.connect() as c:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            # on SQLite the engine's tables lie beside ours
            "include_name": lambda name, kind, _: kind != "table" or name in OURS,
        }
        assert compare_metadata(MigrationContext.configure(c, opts=options), schema.metadata) == []


def test_migrated_constraints_equal_the_schema(database: Database, tmp_path: Path) -> None:
    # Alembic compares neither checks nor primary keys.
    if not database.sqlite:
        with database.write() as c:
            c.execute(sa.schema.CreateSchema("wanted"))
            c.execute(sa.text("set local search_path to wanted"))
            schema.metadata.create_all(c)
        inspector = sa.inspect(database.engine)
        assert _keys_and_checks(inspector, "wanted") == _keys_and_checks(inspector, None)
        return
    wanted = Database(f"sqlite:///{tmp_path / 'wanted.sqlite'}")
    schema.metadata.create_all(wanted.engine)
    assert _keys_and_checks(sa.inspect(wanted.engine), None) == _keys_and_checks(
        sa.inspect(database.engine), None
    )
    wanted.close()


def _keys_and_checks(inspector: sa.Inspector, where: str | None) -> dict[str, object]:
    return {
        table: (
            inspector.get_pk_constraint(table, schema=where),
            sorted(inspector.get_check_constraints(table, schema=where), key=str),
            sorted(str(column["name"]) for column in inspector.get_columns(table, schema=where)),
        )
        for table in schema.metadata.tables
    }


def test_upgrade_again_changes_nothing(database_url: str) -> None:
    assert migrate.current(database_url) == migrate.head()
    migrate.upgrade(database_url)
    assert migrate.current(database_url) == migrate.head()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_sqlite_file_is_in_wal_mode(database: Database) -> None:
    with database.read() as c:
        assert c.exec_driver_sql("pragma journal_mode").scalar() == "wal"


def test_a_new_file_has_no_revision(tmp_path: Path) -> None:
    assert migrate.current(f"sqlite:///{tmp_path / 'new.sqlite'}") is None


def test_a_migration_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'half.sqlite'}"
    monkeypatch.setattr(sa.Double, "__init__", _refuse)  # used by the last table only
    with pytest.raises(RuntimeError, match="disk"):
        migrate.upgrade(url)
    db = Database(url)
    assert sa.inspect(db.engine).get_table_names() == []
    db.close()


def _refuse(*_: object) -> None:
    raise RuntimeError("disk full")


def test_works_from_any_folder_and_a_path_with_a_space(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    code = "import sys; from app.store import migrate; migrate.upgrade(sys.argv[1])"
    url = f"sqlite:///{folder / 'signal box.sqlite'}"
    root = str(migrate.SCRIPTS.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", code, url], cwd=folder, env=environment, check=True)
    assert migrate.current(url) == migrate.head()


def test_alembic_is_imported_only_when_it_works() -> None:
    code = "import sys, app.store.migrate; sys.exit('alembic' in sys.modules)"
    root = migrate.SCRIPTS.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_tables_beside_ours_are_left_alone(database: Database) -> None:
    with database.write() as c:
        c.execute(sa.text("create table not_ours (id integer primary key)"))
    migrate.upgrade(database.url)
    assert sa.inspect(database.engine).has_table("not_ours")
