"""Looks whether somebody wants a run to stop; a database that is away for a moment is no answer."""

from __future__ import annotations

import asyncio

import structlog

from app.core.run import RunRef
from app.store import runs
from app.store.database import Database, DatabaseFault

LOOK_SECONDS = 0.3  # how soon a wish to stop is seen

log = structlog.get_logger()


async def watch(db: Database, ref: RunRef, stop: asyncio.Event) -> None:
    """Set `stop` once the wish is there. It lies in the database, so any process can have it."""
    while not stop.is_set():
        try:
            if await asyncio.to_thread(runs.stop_asked, db, ref):
                stop.set()
        except DatabaseFault as fault:
            log.warning("the wish to stop cannot be read", run=ref.workflow_id, fault=repr(fault))
        await asyncio.sleep(LOOK_SECONDS)
