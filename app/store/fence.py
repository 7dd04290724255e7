"""Postgres only: the heartbeat of workers, and the guard that shuts out one declared dead."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.store.schema import executor

NOW = sa.func.extract("epoch", sa.func.clock_timestamp())  # the database's clock, not a machine's


class Fenced(Exception):
    """This process was declared dead: nothing more may be written or sent by it."""


def guard(connection: Connection, me: str | None) -> None:
    """First statement of each writing store function. Holds our row until the commit, so that
    nobody can declare us dead in between. `me` is None on SQLite, where a file lock does this."""
    if me is None:
        return
    query = sa.select(executor.c.id).where(executor.c.id == me, executor.c.dead_at.is_(None))
    if connection.execute(query.with_for_update(read=True)).first() is None:
        raise Fenced("this worker was declared dead by another one")


def register(engine: sa.Engine, me: str) -> None:
    with engine.begin() as connection:
        connection.execute(executor.insert().values(id=me, beat_at=NOW))


def beat(engine: sa.Engine, me: str) -> None:
    with engine.begin() as connection:
        alive = executor.update().where(executor.c.id == me, executor.c.dead_at.is_(None))
        if connection.execute(alive.values(beat_at=NOW)).rowcount == 0:
            raise Fenced("this worker was declared dead by another one")


def bury(engine: sa.Engine, ttl: float) -> set[str]:
    """Declare the workers dead that have been silent for `ttl` seconds; the ids of the living."""
    with engine.begin() as connection:
        living = executor.c.dead_at.is_(None)
        silent = executor.update().where(living, executor.c.beat_at < NOW - ttl)
        connection.execute(silent.values(dead_at=NOW))
        return set(connection.execute(sa.select(executor.c.id).where(living)).scalars())


KEEP_DEAD_SECONDS = 86_400


def forget(engine: sa.Engine) -> None:
    """Delete who has been dead for a day: their work was taken over long ago."""
    with engine.begin() as connection:
        old = executor.c.dead_at < NOW - KEEP_DEAD_SECONDS
        connection.execute(executor.delete().where(old))
