"""What `main` hands to the engine: ports, store and places, put together once a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.execution.attempt import OpenGate
from app.ports import Cage, Clock, CodeHost, CodingAgent, Notifier, SpecJudge, Tracker
from app.store.database import Database
from app.store.sites import Row


@dataclass(frozen=True, slots=True)
class Parts:
    """tracker: by site row. agents: by the name that projects choose. judge: None without a key.
    notifier: None without a webhook."""

    db: Database
    clock: Clock
    tracker: Callable[[Row], Tracker]
    code_host: CodeHost
    agents: Mapping[str, CodingAgent]
    cage: Cage
    no_cage: Cage
    open_gate: OpenGate
    data: Path
    judge: SpecJudge | None = None
    notifier: Notifier | None = None

    def cage_for(self, project: Row) -> Cage:
        """The real cage; the open one only where it is missing and an admin accepted that."""
        if project["without_cage"] and self.cage.available():
            return self.no_cage
        return self.cage

    def cage_of(self, run: Row) -> Cage:
        """The one that the run was let out with: what was promised in the ticket is kept."""
        return self.no_cage if run["cage"] == self.no_cage.name else self.cage

    def directory(self, site_id: str, issue_id: str, number: int) -> Path:
        """The run's own folder: workspace and home."""
        return self.data / "runs" / site_id / f"{issue_id}-{number}"
