"""Our commit of what an agent left in its clone, and the push of it.

Nothing of the clone's own .git is used: it belongs to the agent, who may have planted hooks,
filters, helpers or settings there. The commit is built in the workspace's trusted git directory
from the files alone, and its id depends on the content and the arguments only.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.core.git import agent_branch_fault
from app.core.text import visible
from app.execution.git import Git, receive_pack, upload_pack
from app.execution.workspace import Workspace, address
from app.ports import Refused, Transient

LARGEST_FILE = 50_000_000
MOST_FILES = 500_000
MOST_REFUSED = 30
_LEFT_OUT = "left-out.json"
_OWN = frozenset({b".git", b".claude"})
"""Never committed: git's own directory, and the agent client's private settings."""


@dataclass(frozen=True, slots=True)
class Author:
    name: str = "Signalbox"
    email: str = "signalbox@localhost"


def changed(workspace: Workspace) -> bool:
    """Whether the agent's files differ from the commit that it started from."""
    return _tree(workspace) != _base_tree(workspace)


def commit_work(
    workspace: Workspace, message: str, when: datetime, author: Author | None = None
) -> str | None:
    """The commit of everything in the clone on top of its base; None when nothing changed.

    The same files, message, time and author give the same id, however often it is called. Also
    the way to keep the work of a run that was stopped.
    """
    tree = _tree(workspace)
    if tree == _base_tree(workspace):
        return None
    by, date = author or Author(), f"{int(when.timestamp())} +0000"
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", by.name), ("EMAIL", by.email), ("DATE", date))
    }
    git = Git(workspace.trusted, extra=who)
    text = visible(message)[0].encode()
    commit = git.line("commit-tree", tree, "-p", workspace.base_commit, "-F", "-", stdin=text)
    git.run("update-ref", f"refs/heads/{workspace.branch}", commit)
    return commit


def push(workspace: Workspace, repository: str, commit: str) -> None:
    """Put the commit on the workspace's branch of the repository, once; never over another one."""
    if fault := agent_branch_fault(workspace.branch):
        raise Refused(fault)
    repository = address(repository)
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        raise Refused(f"{commit[:80]!r} is not a commit.")
    git, ref = Git(workspace.trusted), f"refs/heads/{workspace.branch}"
    if _is_there(git, repository, ref, commit):
        return
    options = ("--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
    target = (*options, *receive_pack(repository), "--", repository, f"{commit}:{ref}")
    try:
        git.reach("push", *target, repository=repository)
    except (Refused, Transient):
        if not _is_there(git, repository, ref, commit):  # the answer may be lost, not the push
            raise


def left_out(workspace: Workspace) -> tuple[str, ...]:
    """Files of the clone that the last commit_work did not take: too large, or not storable."""
    try:
        return tuple(json.loads((workspace.trusted / _LEFT_OUT).read_text()))
    except FileNotFoundError:
        return ()


def _is_there(git: Git, repository: str, ref: str, commit: str) -> bool:
    program = upload_pack(repository)
    out = git.reach("ls-remote", *program, "--", repository, ref, repository=repository)
    lines = (line.partition("\t") for line in out.decode().splitlines())
    there = next((head for head, _, name in lines if name == ref), None)
    if there not in (None, commit):
        raise Refused(f"The branch {ref.removeprefix('refs/heads/')} holds other work already.")
    return there == commit


def _base_tree(workspace: Workspace) -> str:
    return Git(workspace.trusted).line("rev-parse", f"{workspace.base_commit}^{{tree}}")


def _tree(workspace: Workspace) -> str:
    """The git tree of the clone's files, written to the trusted directory."""
    if workspace.path.is_symlink() or not workspace.path.is_dir():
        raise Refused("The agent's clone is gone: there is nothing to commit.")
    with tempfile.TemporaryDirectory(dir=workspace.trusted) as place:
        index = {"GIT_INDEX_FILE": str(Path(place) / "index")}
        git = Git(workspace.trusted, worktree=workspace.path, extra=index)
        git.run("read-tree", workspace.base_commit)
        before, modules = _tracked(git, workspace.base_commit)
        found = _files(os.fsencode(workspace.path))
        files = {path: size for path, size in found if not path.startswith(tuple(modules))}
        fresh = _unignored(git, sorted(files.keys() - before.keys()))
        taken = [*sorted(files.keys() & before.keys()), *fresh]
        large = {p for p in taken if files[p] > LARGEST_FILE and files[p] != before.get(p)}
        _update(git, sorted(before.keys() - files.keys()), "--force-remove")
        refused = _add(git, [path for path in taken if path not in large])
        stored = set(git.run("ls-files", "-z").split(b"\0"))  # git passes over names it forbids
        lost = large.union(refused, set(taken) - stored)
        shown = sorted(path.decode(errors="replace") for path in lost)
        (workspace.trusted / _LEFT_OUT).write_text(json.dumps(shown))
        return git.line("write-tree")


def _tracked(git: Git, base_commit: str) -> tuple[dict[bytes, int], list[bytes]]:
    """The base commit's files that may change, with sizes, and its submodules, which never do."""
    files, modules = dict[bytes, int](), list[bytes]()
    for entry in git.run("ls-tree", "-r", "-l", "-z", base_commit).split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, _, _, size = about.split()
        if mode == b"160000":
            modules.append(path + b"/")
        elif not _OWN.intersection(path.split(b"/")):
            files[path] = int(size)
    return files, modules


def _files(root: bytes) -> Iterator[tuple[bytes, int]]:
    """Regular files and symbolic links below root, none reached through a link, with sizes."""
    waiting, count = [b""], 0
    while waiting:
        inside = waiting.pop()
        place = os.path.join(root, inside)  # noqa: PTH118 - names need not be text
        if stat.S_IMODE(os.stat(place).st_mode) & 0o500 != 0o500:  # noqa: PTH116
            os.chmod(place, 0o700)  # noqa: PTH101
        with os.scandir(place) as entries:
            for entry in entries:
                path = os.path.join(inside, entry.name)  # noqa: PTH118
                if entry.name.lower() in _OWN:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                    count += 1
                    yield path, _readable_size(entry)
        if count > MOST_FILES:
            raise Refused(f"The agent left more than {MOST_FILES} files: nothing was committed.")


def _readable_size(entry: os.DirEntry[bytes]) -> int:
    about = entry.stat(follow_symlinks=False)
    if stat.S_ISREG(about.st_mode) and not about.st_mode & stat.S_IRUSR:
        os.chmod(entry.path, stat.S_IMODE(about.st_mode) | stat.S_IRUSR)  # noqa: PTH101
    return about.st_size


def _unignored(git: Git, paths: Sequence[bytes]) -> list[bytes]:
    if not paths:
        return []
    listed = b"".join(b"./" + path + b"\0" for path in paths)  # ":x" would be git's own syntax
    # None of them is in the index: without --no-index each would be looked for in all of it.
    out = git.run("check-ignore", "--no-index", "-z", "--stdin", stdin=listed, fine=(0, 1))
    ignored = {path.removeprefix(b"./") for path in out.split(b"\0")}
    return [path for path in paths if path not in ignored]


def _update(git: Git, paths: Sequence[bytes], *how: str) -> None:
    if paths:
        listed = b"".join(path + b"\0" for path in paths)
        git.run("update-index", *how, "-z", "--stdin", stdin=listed)


def _add(git: Git, paths: list[bytes]) -> list[bytes]:
    """Paths that git will not store, found by halving; all others are in the index after it."""
    waiting, refused = [paths], list[bytes]()
    while waiting:
        batch = waiting.pop()
        try:
            _update(git, batch, "--add", "--replace")
        except Refused:
            if len(refused) == MOST_REFUSED:
                raise
            if len(batch) == 1:
                refused += batch
            else:
                waiting += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
    return refused
