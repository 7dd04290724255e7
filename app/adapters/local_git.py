"""The code host "local": any git repository without a forge. The pushed branch is the handoff."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from app.core.git import branch_fault, brief, command, environment
from app.core.text import visible
from app.ports import Outline, PullRequest, Refused, Transient

SECONDS = 60.0
GUIDELINES = ("AGENTS.md", "CLAUDE.md")
LARGEST_GUIDELINE = 32_768


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

    def outline(self, repository: str, base: str) -> Outline:
        if fault := branch_fault(base):
            raise Refused(fault)
        mirror, tree = self._mirror(repository), f"refs/heads/{base}"
        if not _git(mirror, "for-each-ref", "--format=x", tree):
            raise Refused(f"The repository has no branch {base!r}.")
        listed = _git(mirror, "ls-tree", "-r", "-z", tree)
        entries = [entry.split("\t", 1) for entry in listed.split("\0") if entry]
        # Symbolic links and modules are not followed.
        files = {name: about.split()[2] for about, name in entries if about.startswith("100")}
        told = {name: files[name] for name in GUIDELINES if name in files}
        texts = [f"{name}:\n{_text(mirror, blob)}" for name, blob in told.items()]
        return Outline(tuple(sorted(files)), "\n\n".join(texts))


def _text(mirror: Path, blob: str) -> str:
    return visible(_git(mirror, "cat-file", "blob", blob)[:LARGEST_GUIDELINE])[0].strip()


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
