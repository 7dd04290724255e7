"""A cage of bubblewrap over two fresh directories, for tests that look at it from the inside."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from app.adapters.bwrap import Bubblewrap
from app.ports import Cage


class Inside:
    """Runs commands in a cage over two fresh directories."""

    def __init__(self, place: Path, cage: Cage | None = None) -> None:
        self.cage = cage or Bubblewrap()
        self.worktree, self.home = place / "worktree", place / "home"
        self.worktree.mkdir()
        self.home.mkdir()

    def argv(
        self, *command: str, gate: Path | None = None, readable: Sequence[Path] = ()
    ) -> list[str]:
        return self.cage.wrap(
            command,
            worktree=self.worktree,
            home=self.home,
            env={"GIVEN": "1"},
            gate=gate,
            readable=readable,
        )

    def run(self, *command: str) -> str:
        done = subprocess.run(
            self.argv(*command), capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout + done.stderr
