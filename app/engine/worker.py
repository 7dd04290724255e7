"""The worker of this process: engine, relay and schedules, started and stopped together."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from dbos import DBOS, DBOSClient, DBOSConfig

from app.engine import binding, journey, liveness, sweeps
from app.engine.parts import Parts
from app.engine.relay import APPLICATION, Enqueuer, relay_until
from app.engine.sweeps import Rhythm

POLL_SECONDS = 0.25
PARALLEL_ASSESSMENTS = 8
HEARTBEAT_TTL = 10.0  # seconds until a silent worker counts as dead
DRAIN_SECONDS = 5


def migrate(url: str) -> None:
    """Create or upgrade the engine's own tables (schema `dbos` on Postgres) and its queues."""
    DBOS.migrate(url)
    client = DBOSClient(system_database_url=url, application_name=APPLICATION)
    _queues(client.register_queue, parallel_runs=1)
    client.destroy()


class Worker:
    """One a process. On SQLite it holds the file's lock; raises liveness.Taken otherwise."""

    def __init__(
        self, parts: Parts, parallel_runs: int, rhythm: Rhythm, ttl: float = HEARTBEAT_TTL
    ) -> None:
        self.parts = parts
        self.parallel_runs = parallel_runs
        self.rhythm = rhythm
        self.ttl = ttl
        self.stopping = threading.Event()
        self.alive: liveness.Liveness | None = None
        self.lock: int | None = None
        self.executor = liveness.SQLITE_EXECUTOR
        self.enqueue = Enqueuer(parts.db.url)
        self.relay = threading.Thread(
            target=relay_until, args=(self.stopping, parts, self.enqueue), daemon=True
        )

    def start(self) -> None:
        db = self.parts.db
        if db.sqlite:
            self.lock = liveness.hold_file(Path(str(db.engine.url.database)))
        else:
            self.alive = liveness.Liveness(db, self.ttl)
            self.alive.register()
            self.executor = self.alive.me
        binding.bind(self.parts, self.enqueue, self.alive.alive if self.alive else lambda: None)
        DBOS(config=_config(db.url, self.executor))
        DBOS.launch()
        _queues(DBOS.register_queue, self.parallel_runs)
        sweeps.schedule(self.rhythm)
        if self.alive is not None:
            self.alive.start()
        self.relay.start()

    def stop(self) -> None:
        """Take no new work; what is under way goes on in the next process."""
        self.stopping.set()
        self.relay.join(timeout=5)
        mine = DBOS.list_workflows(
            status="PENDING", executor_id=self.executor, load_input=False, load_output=False
        )
        # What it then interrupts is no fault: the next process goes on with it.
        logging.getLogger("dbos").setLevel(logging.ERROR)
        DBOS.destroy(workflow_completion_timeout_sec=DRAIN_SECONDS if mine else 0)
        if self.alive is not None:
            self.alive.stop()
        self.enqueue.close()
        if self.lock is not None:
            os.close(self.lock)


def _queues(register: Callable[..., object], parallel_runs: int) -> None:
    register(
        "assess",
        worker_concurrency=PARALLEL_ASSESSMENTS,
        partition_concurrency=1,
        polling_interval_sec=POLL_SECONDS,
    )
    register("runs", worker_concurrency=parallel_runs, polling_interval_sec=POLL_SECONDS)


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
        "notification_listener_polling_interval_sec": 0.1,  # a stop waits for its next look
    }
