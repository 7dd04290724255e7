"""Real git repositories for tests, made without reading anybody's settings."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.execution.commit import commit_work
from app.execution.workspace import Workspace, make_workspace, refresh_mirror

WHEN = datetime(2026, 11, 23, 14, 26, tzinfo=UTC)
ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "2026-11-01T12:00:00Z",
    "GIT_COMMITTER_DATE": "2026-11-01T12:00:00Z",
}
WHO = ("-c", "user.name=Author", "-c", "user.email=author@example.com")


@dataclass(frozen=True)
class Repository:
    path: Path

    @classmethod
    def make(cls, path: Path, files: dict[str, str] | None = None) -> Repository:
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "--quiet", "--initial-branch=main")
        made.commit("first", files or {"app.py": "print('hello')\n"})
        return made

    def git(self, *args: str, fine: bool = True) -> str:
        argv = ["git", *WHO, *args]
        done = subprocess.run(argv, cwd=self.path, env=ENV, capture_output=True, check=False)
        assert done.returncode == 0 or not fine, done.stderr
        return os.fsdecode(done.stdout).strip()

    def commit(self, message: str, files: dict[str, str]) -> str:
        for name, text in files.items():
            place = self.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def show(self, commit: str, name: str) -> str:
        return self.git("show", f"{commit}:{name}")

    def names(self, commit: str) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", "-z", commit).strip("\0").split("\0")

    def branches(self) -> list[str]:
        return self.git("for-each-ref", "--format=%(refname:strip=2)", "refs/heads").splitlines()


def workspace_of(place: Path, origin: Repository) -> Workspace:
    mirror = refresh_mirror(place / "mirror cache", str(origin.path))
    return make_workspace(place / "run", mirror, "main", "agent/BILL-1-1")


def write(workspace: Workspace, **files: str) -> None:
    for name, text in files.items():
        (workspace.path / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.path / name).write_text(text)


def committed(workspace: Workspace) -> tuple[str, Repository]:
    """Our commit of the work, and a repository to look at it in."""
    commit = commit_work(workspace, "work", WHEN)
    assert commit is not None
    return commit, Repository(workspace.trusted)
