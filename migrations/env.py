"""What Alembic runs for every command: `app.store.migrate` hands it an open transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context

from app.store.schema import metadata

ONE_AT_A_TIME = 0x5369676E616C  # "Signal": key of the lock that makes other migrations wait


def ours(_object: Any, name: str | None, type_: str, reflected: bool, _other: Any) -> bool:
    """On SQLite the engine's tables lie beside ours: not our business."""
    return not (type_ == "table" and reflected and name not in metadata.tables)


def run() -> None:
    connection = context.config.attributes["connection"]
    if connection.dialect.name == "postgresql":
        # Rather fail than stand in front of every other query behind one that does not end.
        connection.execute(sa.text("set local lock_timeout = '5s'"))
        connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        include_object=ours,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
