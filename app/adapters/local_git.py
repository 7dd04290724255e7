"""The code host "local": any git repository without a forge. The pushed branch is the handoff."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from app.core.git import branch_fault, brief, command, environment
from app.ports import PullRequest, Refused, Transient

SECONDS = 60.0


class LocalGit:
    """`mirror` gives our own up-to-date bare copy of a repository; only that is asked here."""

    def __init__(self, mirror: Callable[[str], Path]) -> None:
        self._mirror = mirror

    def open_agent_pull_requests(self, repository: str, base: str) -> Sequence[PullRequest]:
        """Agent branches with something on them that the base does not have yet."""
        if fault := branch_fault(base):
            raise Refused(fault)
        mirror = self._mirror(repository)
        if not _git(mirror, "for-each-ref", "--format=x", f"refs/heads/{base}"):
            raise Refused(f"The repository has no branch {base!r}.")
        unmerged = f"--no-merged=refs/heads/{base}"
        names = _git(mirror, "for-each-ref", "--format=%(refname)", unmerged, "refs/heads/agent/")
        return [
            PullRequest(branch=ref.removeprefix("refs/heads/"), url=None)
            for ref in names.splitlines()
            if _is_ahead(mirror, base, ref)
        ]

    def hand_over(self, repository: str, base: str, branch: str, title: str, body: str) -> None:
        """There are no pull requests here: the branch itself is handed over."""


def _is_ahead(mirror: Path, base: str, ref: str) -> bool:
    """False also where the base took the same changes as commits of its own (squash, rebase)."""
    cherries = _git(mirror, "cherry", f"refs/heads/{base}", ref)
    return any(line.startswith("+") for line in cherries.splitlines())


def _git(mirror: Path, *args: str) -> str:
    env = environment(os.environ) | {"GIT_DIR": str(mirror)}
    try:
        done = subprocess.run(
            command(*args), env=env, cwd=mirror, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise Transient(f"git {args[0]} did not end within {SECONDS:.0f} seconds.") from late
    if done.returncode:
        raise Refused(f"git {args[0]} failed: {brief(done.stderr.decode(errors='replace'))}")
    return done.stdout.decode(errors="replace")
