"""Who works. SQLite: one worker a file, by a file lock. Postgres: a heartbeat, a fence and a
reaper, so that the living take over what the dead have left.

DBOS recovers only its own executor id at its own start; `_recover_pending_workflows` is private
there, and this is the one place that calls it (a test fails when its name or effect moves).
"""

from __future__ import annotations

import fcntl
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import structlog
from dbos import DBOS

from app.store import fence
from app.store.database import Database

SQLITE_EXECUTOR = "sqlite"
EXIT_FENCED = 75  # EX_TEMPFAIL: a supervisor starts a fresh worker

log = structlog.get_logger()


class Taken(Exception):
    """Another worker has this SQLite file."""


def hold_file(database_file: Path) -> int:
    """Lock the SQLite file for this worker; the kernel lets go however the process ends.

    Keep the returned descriptor open. Raises Taken when another worker has it."""
    descriptor = os.open(f"{database_file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Taken(
            f"another worker uses {database_file}; stop it first, or use Postgres for several"
        ) from None
    return descriptor


class Liveness:
    """The heartbeat of this worker on Postgres. `ttl`: seconds of silence until it is dead."""

    def __init__(self, db: Database, ttl: float) -> None:
        self.db, self.ttl = db, ttl
        self.stopping = threading.Event()
        self.sure = 0.0  # monotonic time at which we were last known to be alive
        self.me = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def register(self) -> None:
        """Before the engine starts: nobody may hold work without a row here."""
        self.sure = time.monotonic()
        fence.register(self.db.engine, self.me)
        self.db.executor = self.me
        self.db.on_fenced = self.lost

    def start(self) -> None:
        """Two threads, so that a blocked reaper never stops the heartbeat."""
        for work in (self._beat, self._reap):
            threading.Thread(target=self._forever, args=(work,), daemon=True).start()

    def alive(self) -> None:
        """In front of each call to the outside: one who slept too long asks before it acts."""
        if time.monotonic() - self.sure > self.ttl * 0.7:
            self._beat()

    def stop(self) -> None:
        """Beat no more; after the ttl the others take over what is left undone."""
        self.stopping.set()

    def lost(self, fault: Exception) -> None:
        """Declared dead: another worker has our runs. Write nothing, go; agents die with us."""
        log.error("this worker was declared dead and ends", fault=str(fault))
        os._exit(EXIT_FENCED)

    def _beat(self) -> None:
        asked = time.monotonic()
        try:
            fence.beat(self.db.engine, self.me)
        except fence.Fenced as fault:
            self.lost(fault)
        self.sure = asked

    def _reap(self) -> None:
        # In this order: a worker that registers in between is in neither list.
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        living = fence.bury(self.db.engine, self.ttl)
        gone = {flow.executor_id for flow in pending if flow.executor_id} - living
        if gone:
            log.warning("taking over the work of dead workers", executors=sorted(gone))
            DBOS._recover_pending_workflows(sorted(gone))
        fence.forget(self.db.engine)

    def _forever(self, work: Callable[[], None]) -> None:
        while not self.stopping.wait(self.ttl / 4):
            try:
                work()
            except Exception as fault:  # noqa: BLE001 - single failures are weather; the next round tries again
                log.warning("liveness", fault=repr(fault)[:300])
