"""From a label in Jira to the readiness comment there, as the author of a ticket waits for it.

Both times are Jira's own: when the changelog entry of the label was made, and when the comment was.
"""

from __future__ import annotations

import itertools
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.progress import Progress

from app.sandbox.story import QUOTING, SPEED, TOTALS, VAGUE
from bench.report import Line, Report
from bench.service import AUTHOR, LABEL, PROJECT, Service, serving

GOAL = ("p95", 1.5)
TEXTS = (VAGUE, QUOTING, SPEED, TOTALS)
WARMING = 5
"""Tickets before the first one that counts: a service is not started for one ticket."""
PATIENCE = 60.0


def run(progress: Progress, tickets: int, burst: int, mode: str, warming: int = WARMING) -> Report:
    """`tickets` one at a time, then `burst` of them at once, `mode` as projects have it."""
    with (
        tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder,
        serving(Path(folder), mode) as service,
    ):
        ready = _write(service, warming + tickets + burst)
        _paced(progress, service, ready[:warming], "warming up")
        busy = service.cpu_seconds()
        paced = _paced(progress, service, ready[warming : warming + tickets], "one at a time")
        busy = service.cpu_seconds() - busy
        at_once = _burst(progress, service, ready[warming + tickets :])
        notes = {
            "mode": mode,
            "CPU ms a ticket, paced": round(1000 * busy / tickets),
            "peak memory MB": round(service.memory_mb()),
            "Jira requests a ticket": round(len(service.jira.journal) / len(ready), 1),
        }
    lines = [Line("one at a time", paced, GOAL), Line(f"{burst} at once", at_once)]
    return Report("first_comment", "label set → readiness comment", lines, notes)


def _write(service: Service, count: int) -> list[str]:
    """Tickets without a label, from before the service listens."""
    texts = itertools.islice(itertools.cycle(TEXTS), count)
    keys = [
        service.jira.create_issue(
            PROJECT, "CSV export for customers", description=text, reporter=AUTHOR
        ).key
        for text in texts
    ]
    service.listen()
    return keys


def _paced(progress: Progress, service: Service, keys: Sequence[str], title: str) -> list[float]:
    """Each is labelled when the one before is done with, at a moment that no poll knows."""
    phase = random.Random(1)
    for key in progress.track(keys, description=title):
        service.jira.add_label(key, LABEL, AUTHOR)
        _wait(service, [key])
        service.jira.webhooks.drain()
        time.sleep(phase.uniform(0.1, 0.6))
    return [_seconds(service, key) for key in keys]


def _burst(progress: Progress, service: Service, keys: Sequence[str]) -> list[float]:
    task = progress.add_task(f"{len(keys)} at once", total=len(keys))
    for key in keys:
        service.jira.add_label(key, LABEL, AUTHOR)
    for count, key in enumerate(keys, 1):
        _wait(service, [key])
        progress.update(task, completed=count)
    return [_seconds(service, key) for key in keys]


def _wait(service: Service, keys: Sequence[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not all(service.jira.comments(key) for key in keys):
        if time.monotonic() > end:
            raise RuntimeError(f"no comment in {keys} after {PATIENCE:.0f} seconds")
        time.sleep(0.02)


def _seconds(service: Service, key: str) -> float:
    label = next(
        entry.created
        for entry in service.jira.issue(key).history
        if any(change.field == "labels" for change in entry.changes)
    )
    return (service.jira.comments(key)[0].created - label).total_seconds()
