from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.engine import relay, worker
from app.engine.sweeps import Rhythm
from app.engine.worker import Worker
from app.store.database import Database
from tests.engine.stage import Stage, parts, stage


@pytest.fixture(autouse=True)
def _quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.03)
    monkeypatch.setattr(relay, "IDLE_SECONDS", 0.02)


@pytest.fixture
def on_stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    with stage(database, tmp_path) as ready:
        yield ready


@pytest.fixture
def work(on_stage: Stage) -> Iterator[Callable[..., Worker]]:
    """Start a worker of this process; it is stopped at the end."""
    with ExitStack() as stack:

        def start(**options: Any) -> Worker:
            made = Worker(parts(on_stage.db, on_stage.directory, **options), 4, Rhythm(3600, 3600))
            made.start()
            stack.callback(made.stop)
            return made

        yield start
