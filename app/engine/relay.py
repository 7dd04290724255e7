"""Inbox → workflows. The row is marked and its workflow enqueued in one transaction."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from dbos import DBOSClient, EnqueueOptions

from app.engine.journey import FLOW_VERSION
from app.engine.parts import Parts
from app.store import inbox
from app.store.database import DatabaseFault

APPLICATION = "signalbox"
QUEUES = {
    "find_ticket": "assess",
    "find_mention": "assess",
    "cancel_task": "assess",
    "obey_press": "assess",
    "tell_storm": "assess",
    "assess_ticket": "assess",
    "obey_comment": "assess",
    "tell_result": "assess",
    "run_ticket": "runs",
}
BUSY_SECONDS, IDLE_SECONDS = 0.01, 0.1

log = structlog.get_logger()


class Enqueuer:
    """Starts a workflow in the store's own transaction. One thing: calling it."""

    def __init__(self, url: str) -> None:
        self.client = DBOSClient(system_database_url=url, application_name=APPLICATION, lazy=True)

    def __call__(self, c: Any, workflow: str, workflow_id: str, args: tuple[Any, ...]) -> None:
        options: EnqueueOptions = {
            "workflow_name": workflow,
            "queue_name": QUEUES[workflow],
            "workflow_id": workflow_id,
            "app_version": FLOW_VERSION,
        }
        if QUEUES[workflow] == "assess":
            # One at a time for each ticket: "look for our comment, else write it" must not race.
            options["queue_partition_key"] = f"{args[0]}:{args[1]}"
        self.client.enqueue_in_transaction(c, options, *args)

    def close(self) -> None:
        self.client.destroy()


def relay_until(stop: threading.Event, parts: Parts, enqueue: Enqueuer) -> None:
    """Relay until told to stop. A database that is away for a while is waited for."""
    while not stop.is_set():
        try:
            found = inbox.relay(parts.db, enqueue, parts.clock.now())
        except DatabaseFault as fault:
            log.warning("relay waits for the database", fault=repr(fault)[:300])
            stop.wait(1.0)
        except Exception as fault:  # noqa: BLE001 - one delivery must not stop all that follow
            log.error("a delivery broke the relay", fault=repr(fault)[:300])
            _without_poison(parts, enqueue, repr(fault)[:300])
        else:
            stop.wait(BUSY_SECONDS if found else IDLE_SECONDS)


def _without_poison(parts: Parts, enqueue: Enqueuer, fault: str) -> None:
    """Relay what can be, one by one; put the first aside that cannot."""
    try:
        while inbox.relay(parts.db, enqueue, parts.clock.now(), most=1):
            pass
    except DatabaseFault:
        return
    except Exception:  # noqa: BLE001 - this is the one
        inbox.park_first(parts.db, fault)
