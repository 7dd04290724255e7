"""The worker of this process: engine, relay and schedules, started and stopped together."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from dbos import DBOS, DBOSConfig

from app.engine import binding, journey, liveness, sweeps
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
        self.alive: liveness.Liveness | None = None
        self.lock: int | None = None
        self.enqueue = Enqueuer(parts.db.url)
        self.relay = threading.Thread(
            target=relay_until, args=(self.stopping, parts, self.enqueue), daemon=True
        )

    def start(self) -> None:
        db = self.parts.db
        executor = liveness.SQLITE_EXECUTOR
        if db.sqlite:
            self.lock = liveness.hold_file(Path(str(db.engine.url.database)))
        else:
            self.alive = liveness.Liveness(db, self.ttl)
            self.alive.register()
            executor = self.alive.me
        binding.bind(self.parts, self.enqueue, self.alive.alive if self.alive else lambda: None)
        DBOS(config=_config(db.url, executor))
        DBOS.launch()
        _queues(self.parallel_runs)
        sweeps.schedule(self.look_again_seconds)
        if self.alive is not None:
            self.alive.start()
        self.relay.start()

    def stop(self) -> None:
        """Take no new work; what is under way goes on in the next process."""
        self.stopping.set()
        self.relay.join(timeout=5)
        DBOS.destroy(workflow_completion_timeout_sec=DRAIN_SECONDS)
        if self.alive is not None:
            self.alive.stop()
        self.enqueue.close()
        if self.lock is not None:
            os.close(self.lock)


def _queues(parallel_runs: int) -> None:
    DBOS.register_queue(
        "assess",
        worker_concurrency=PARALLEL_ASSESSMENTS,
        partition_concurrency=1,
        polling_interval_sec=POLL_SECONDS,
    )
    DBOS.register_queue("runs", worker_concurrency=parallel_runs, polling_interval_sec=POLL_SECONDS)


def _config(url: str, executor: str) -> DBOSConfig:
    return {
        "name": APPLICATION,
        "system_database_url": url,
        "db_engine_kwargs": {"hide_parameters": True},
        "executor_id": executor,
        "application_version": journey.FLOW_VERSION,
        "log_level": "WARNING",
        "run_migrations": False,
        "scheduler_polling_interval_sec": 5.0,
    }
