"""The worker of this process: engine, relay and schedules, started and stopped together."""

from __future__ import annotations

import threading
from pathlib import Path

from dbos import DBOS, DBOSConfig

from app.engine import journey, liveness, steps, sweeps
from app.engine.parts import Parts
from app.engine.relay import APPLICATION, Enqueuer, relay_until

POLL_SECONDS = 0.25
PARALLEL_ASSESSMENTS = 8
HEARTBEAT_TTL = 10.0  # seconds until a silent worker counts as dead
DRAIN_SECONDS = 5


def migrate(url: str) -> None:
    """Create or upgrade the engine's own tables (schema `dbos` on Postgres) and its queues."""
    DBOS(config={**_config(url, "migration"), "run_migrations": True})
    DBOS.launch()
    _queues(parallel_runs=1)
    DBOS.destroy()


class Worker:
    """One a process. On SQLite it holds the file's lock; raises liveness.Taken otherwise."""

    def __init__(
        self, parts: Parts, parallel_runs: int, look_again_seconds: int, ttl: float = HEARTBEAT_TTL
    ) -> None:
        self.parts = parts
        self.parallel_runs = parallel_runs
        self.look_again_seconds = look_again_seconds
        self.ttl = ttl
        self.stopping = threading.Event()
        self.enqueue = Enqueuer(parts.db.url)
        self.relay = threading.Thread(
            target=relay_until, args=(self.stopping, parts, self.enqueue), daemon=True
        )

    def start(self) -> None:
        db = self.parts.db
        alive = None
        executor = liveness.SQLITE_EXECUTOR
        if db.sqlite:
            self.lock = liveness.hold_file(Path(str(db.engine.url.database)))
        else:
            alive = liveness.Liveness(db, self.ttl)
            alive.register()
            executor = alive.me
        steps.bind(self.parts, self.enqueue)
        DBOS(config=_config(db.url, executor))
        DBOS.launch()
        _queues(self.parallel_runs)
        sweeps.schedule(self.look_again_seconds)
        if alive is not None:
            alive.start()
        self.relay.start()

    def stop(self) -> None:
        """Take no new work; what is under way goes on in the next process."""
        self.stopping.set()
        self.relay.join(timeout=5)
        DBOS.destroy(workflow_completion_timeout_sec=DRAIN_SECONDS)
        self.enqueue.close()


def _queues(parallel_runs: int) -> None:
    for name, most in (("assess", PARALLEL_ASSESSMENTS), ("runs", parallel_runs)):
        DBOS.register_queue(name, worker_concurrency=most, polling_interval_sec=POLL_SECONDS)


def _config(url: str, executor: str) -> DBOSConfig:
    return {
        "name": APPLICATION,
        "system_database_url": url,
        "executor_id": executor,
        "application_version": journey.FLOW_VERSION,
        "log_level": "WARNING",
        "run_migrations": False,
        "scheduler_polling_interval_sec": 5.0,
    }
