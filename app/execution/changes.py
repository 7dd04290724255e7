"""What our commit changes, and which of its files a person should look at first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.execution.commit import left_out
from app.execution.git import Git
from app.execution.workspace import Workspace

_PROTECTED: tuple[tuple[str, str], ...] = (
    (r"\.github/|\.gitlab/|\.circleci/|\.ci/|\.husky/", "changes what runs in CI"),
    (r"(.*/)?(\.gitlab-ci\.yml|Jenkinsfile|azure-pipelines\.yml)$", "changes what runs in CI"),
    (r"(.*/)?\.pre-commit-config\.yaml$", "changes what runs in CI"),
    (r"(.*/)?CODEOWNERS$", "changes who has to review"),
    (r"(.*/)?(AGENTS|CLAUDE)\.md$|(.*/)?\.mcp\.json$", "changes what agents are told"),
    (r"(.*/)?\.git(modules|attributes)$", "changes how git treats files"),
    (
        r"(.*/)?(package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|go\.sum|[^/]+\.lock)$",
        "changes dependencies",
    ),
)
_TEST = re.compile(r"(.*/)?(tests?|__tests__|spec)/|(.*/)?(test_[^/]+|[^/]+[._-](test|spec)\.\w+)$")


@dataclass(frozen=True, slots=True)
class FileChange:
    """status: A added, D deleted, M modified, T type changed. Lines are None for a binary file."""

    path: str
    status: str
    added: int | None
    removed: int | None


@dataclass(frozen=True, slots=True)
class DiffSummary:
    """flags: one sentence each, for the person who reviews."""

    files: tuple[FileChange, ...]
    flags: tuple[str, ...]

    @property
    def added(self) -> int:
        return sum(file.added or 0 for file in self.files)

    @property
    def removed(self) -> int:
        return sum(file.removed or 0 for file in self.files)


def diff_summary(workspace: Workspace, commit: str) -> DiffSummary:
    """What the commit does to the base, as git counts it."""
    git = Git(workspace.trusted)
    how = ("-r", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
    ends = ("--end-of-options", workspace.base_commit, commit)
    raw = _text(git.run("diff-tree", *how, "--raw", *ends)).split("\0")
    counts = _text(git.run("diff-tree", *how, "--numstat", *ends)).split("\0")
    lines = {}
    for count in counts[:-1]:
        added, removed, path = count.split("\t", 2)
        lines[path] = (_number(added), _number(removed))
    files, flags = [], []
    for about, path in zip(raw[0:-1:2], raw[1::2], strict=True):
        status = about.split(" ")[4][0]
        files.append(FileChange(path, status, *lines.get(path, (None, None))))
        flags += _flags(path, status, link=about.split(" ")[1] == "120000")
    flags += [f"{path} was left out: too large or not storable" for path in left_out(workspace)]
    return DiffSummary(tuple(files), tuple(flags))


def _flags(path: str, status: str, link: bool) -> list[str]:
    flags = [f"{path} {why}" for pattern, why in _PROTECTED if re.match(pattern, path)]
    if status == "D" and _TEST.match(path):
        flags.append(f"{path} is a deleted test")
    if link:
        flags.append(f"{path} is a symbolic link")
    return flags


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
