"""Where an attempt works: a copy of the repository, the agent's clone, and a git directory that
the agent never sees, from which alone we commit."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.core.git import agent_branch_fault, branch_fault, is_local, repository_fault
from app.core.text import visible
from app.execution.git import FAR, Git, upload_pack
from app.ports import Refused, Transient

GUIDELINES = ("AGENTS.md", "CLAUDE.md")
LARGEST_GUIDELINE = 32_768
_LOCK_SECONDS = 120.0
_COMPLETE = "work"
_RECORD = "workspace.json"


@dataclass(frozen=True, slots=True)
class Workspace:
    """path: the agent's clone, its .git included. trusted: our git directory, outside of it."""

    path: Path
    trusted: Path
    branch: str
    base_commit: str


def address(repository: str) -> str:
    """What git is called with. Raises Refused when the repository's name is not acceptable."""
    if fault := repository_fault(repository):
        raise Refused(fault)
    if "://" in repository or not is_local(repository):
        return repository
    if not Path(repository).is_dir():
        raise Refused(f"There is no repository at {repository}.")
    return str(Path(repository).absolute())


def refresh_mirror(cache: Path, repository: str) -> Path:
    """Our bare copy of the repository, brought up to date. Safe beside other runs."""
    repository = address(repository)
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    mirror = cache.absolute() / _mirror_name(repository)
    with _locked(mirror, fcntl.LOCK_EX):
        if mirror.is_dir():
            _fetch(mirror, repository)
            return mirror
        for left in cache.glob(f".new-{mirror.name}-*"):
            remove_workspace(left)
        fresh = Path(tempfile.mkdtemp(prefix=f".new-{mirror.name}-", dir=cache.absolute()))
        Git(fresh).run("init", "--quiet", "--bare", "--template=", "--initial-branch=none")
        try:
            _fetch(fresh, repository)
        except (Refused, Transient):
            remove_workspace(fresh)
            raise
        fresh.rename(mirror)
    return mirror


def make_workspace(directory: Path, mirror: Path, base: str, branch: str) -> Workspace:
    """The workspace in `directory`; the one that is there already when called again."""
    if fault := branch_fault(base) or agent_branch_fault(branch):
        raise Refused(fault)
    made = open_workspace(directory)
    if made is None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in directory.glob(".new-*"):
            remove_workspace(left)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=directory.absolute()))
        with _locked(mirror, fcntl.LOCK_SH):
            commit = _head(mirror, base)
            _must_be_new(mirror, branch)
            _make_trusted(fresh / "trusted.git", mirror, commit)
            _clone(fresh / "tree", mirror, base, branch)
        (fresh / _RECORD).write_text(json.dumps({"branch": branch, "base_commit": commit}))
        fresh.rename(directory / _COMPLETE)
        made = open_workspace(directory)
    if made is None or made.branch != branch:
        raise Refused(f"The directory {directory} holds the work on another branch.")
    return made


def open_workspace(directory: Path) -> Workspace | None:
    """The workspace that make_workspace completed in this directory, if it did."""
    here = directory.absolute() / _COMPLETE
    try:
        record = json.loads((here / _RECORD).read_text())
    except FileNotFoundError:
        return None
    return Workspace(here / "tree", here / "trusted.git", record["branch"], record["base_commit"])


def remove_workspace(directory: Path) -> None:
    """Delete it, whatever rights an agent took from its own files. Nothing there is fine."""
    if directory.is_symlink() or not directory.is_dir():
        directory.unlink(missing_ok=True)
        return
    for root, names, _ in os.walk(directory):
        for name in names:
            if not Path(root, name).is_symlink():
                Path(root, name).chmod(stat.S_IRWXU)
    shutil.rmtree(directory, ignore_errors=True)


def guideline_files(workspace: Workspace) -> str:
    """What the repository tells agents, as it stood before one worked on it. May be empty."""
    git = Git(workspace.trusted)
    parts: list[str] = []
    for entry in git.run("ls-tree", "-z", "-l", workspace.base_commit, *GUIDELINES).split(b"\0"):
        if not entry.startswith(b"100"):  # symbolic links and directories are not followed
            continue
        about, _, name = entry.partition(b"\t")
        text = git.run("cat-file", "blob", about.split()[2].decode())
        shown, _ = visible(text[:LARGEST_GUIDELINE].decode(errors="replace"))
        cut = "\n[cut here: the file is longer]" if len(text) > LARGEST_GUIDELINE else ""
        parts.append(f"{name.decode()}:\n{shown.strip()}{cut}")
    return "\n\n".join(parts)


def _mirror_name(repository: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9]+", "-", repository.rstrip("/").rpartition("/")[2])[:40].strip("-")
    return f"{slug}-{hashlib.sha256(repository.encode()).hexdigest()[:16]}.git"


def _fetch(mirror: Path, repository: str) -> None:
    refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    options = ("--quiet", "--prune", "--no-tags", "--no-write-fetch-head", *upload_pack(repository))
    Git(mirror).reach("fetch", *options, "--", repository, *refs, repository=repository)


def _head(mirror: Path, base: str) -> str:
    name = f"refs/heads/{base}^{{commit}}"
    found = Git(mirror).run("rev-parse", "--verify", "--quiet", name, fine=(0, 1, 128))
    if not found:
        raise Refused(f"The repository has no branch {base!r}.")
    return found.decode().strip()


def _must_be_new(mirror: Path, branch: str) -> None:
    """Said before an agent spends money on what could not be pushed."""
    if Git(mirror).run("for-each-ref", f"refs/heads/{branch}"):
        raise Refused(
            f"The repository already has a branch {branch}, of a run that is not known any more. "
            'Delete it, or comment "agent retry": the next run takes the next name.'
        )


def _make_trusted(trusted: Path, mirror: Path, commit: str) -> None:
    trusted.mkdir(mode=0o700)
    git = Git(trusted)
    git.run("init", "--quiet", "--bare", "--template=")
    (trusted / "objects" / "info").mkdir(exist_ok=True)
    (trusted / "objects" / "info" / "alternates").write_text(f"{mirror / 'objects'}\n")
    git.run("update-ref", "refs/heads/base", commit)


def _clone(tree: Path, mirror: Path, base: str, branch: str) -> None:
    """A whole copy (no hard links, no remote): the agent can harm nothing but its own."""
    options = ("--quiet", "--local", "--no-hardlinks", "--no-tags", "--template=")
    only = ("--single-branch", f"--branch={base}", "--no-recurse-submodules")
    Git(None).run("clone", *options, *only, "--", str(mirror), str(tree), seconds=FAR)
    for step in (("switch", "--quiet", "--create", branch), ("remote", "remove", "origin")):
        Git(tree / ".git", worktree=tree).run(*step)


@contextlib.contextmanager
def _locked(mirror: Path, kind: int) -> Iterator[None]:
    until = time.monotonic() + _LOCK_SECONDS
    with mirror.with_suffix(".lock").open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Transient("Another run is still copying the repository.") from None
                time.sleep(0.05)
        yield
