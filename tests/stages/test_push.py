"""The push of our commit, once and over nobody else's work, and what it says about the commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.execution.changes import diff_summary
from app.execution.commit import push
from app.execution.git import Git
from app.execution.workspace import Workspace
from app.ports import Refused, Transient
from tests.repositories import Repository, committed, workspace_of, write


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    files = {"app.py": "1\n", "tests/test_app.py": "2\n"}
    return Repository.make(tmp_path / "my origin", files)


@pytest.fixture
def workspace(tmp_path: Path, origin: Repository) -> Workspace:
    return workspace_of(tmp_path, origin)


def test_a_push_is_safe_to_repeat(workspace: Workspace, origin: Repository) -> None:
    write(workspace, **{"app.py": "11\n"})
    commit, _ = committed(workspace)
    for _ in range(2):
        push(workspace, str(origin.path), commit)
    assert origin.git("rev-parse", "agent/BILL-1-1") == commit
    assert origin.branches() == ["agent/BILL-1-1", "main"]
    assert (origin.path / "app.py").read_text() == "1\n"


def test_other_work_is_never_overwritten(workspace: Workspace, origin: Repository) -> None:
    write(workspace, **{"app.py": "11\n"})
    commit, _ = committed(workspace)
    origin.git("branch", "agent/BILL-1-1", "main")
    with pytest.raises(Refused, match="other work"):
        push(workspace, str(origin.path), commit)
    assert origin.git("rev-parse", "agent/BILL-1-1") == origin.git("rev-parse", "main")


def test_a_repository_that_says_no_is_heard(workspace: Workspace, origin: Repository) -> None:
    hook = origin.path / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'only reviewed work' >&2; exit 1\n")
    hook.chmod(0o755)
    write(workspace, **{"app.py": "11\n"})
    commit, _ = committed(workspace)
    with pytest.raises(Refused, match="only reviewed work"):
        push(workspace, str(origin.path), commit)


def test_a_push_whose_answer_was_lost_has_happened(
    workspace: Workspace, origin: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace, **{"app.py": "11\n"})
    commit, _ = committed(workspace)
    reach = Git.reach

    def lossy(self: Git, *args: str, repository: str) -> bytes:
        out = reach(self, *args, repository=repository)
        if args[0] == "push":
            raise Transient("the connection was lost")
        return out

    monkeypatch.setattr(Git, "reach", lossy)
    push(workspace, str(origin.path), commit)
    assert origin.git("rev-parse", "agent/BILL-1-1") == commit


@pytest.mark.parametrize("commit", ["HEAD", "--force", "+main", "", "a" * 39])
def test_only_a_commit_is_pushed(workspace: Workspace, origin: Repository, commit: str) -> None:
    with pytest.raises(Refused, match="not a commit"):
        push(workspace, str(origin.path), commit)


def test_the_summary_points_at_what_needs_eyes(workspace: Workspace) -> None:
    for name in (".github/workflows/ci.yml", "docs/CODEOWNERS", "web/package-lock.json"):
        (workspace.path / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.path / name).write_text("x\n")
    write(workspace, **{"app.py": "11\n12\n", "AGENTS.md": "be nice\n", "poetry.lock": "x\n"})
    (workspace.path / "blob.bin").write_bytes(b"\0\1")
    (workspace.path / "tests" / "test_app.py").unlink()
    commit, _ = committed(workspace)
    summary = diff_summary(workspace, commit)
    assert (summary.added, summary.removed) == (7, 2)
    by_name = {file.path: file for file in summary.files}
    assert by_name["blob.bin"].added is None
    assert by_name["tests/test_app.py"].status == "D"
    assert by_name["app.py"].status == "M"
    assert set(summary.flags) == {
        ".github/workflows/ci.yml changes what runs in CI",
        "docs/CODEOWNERS changes who has to review",
        "web/package-lock.json changes dependencies",
        "poetry.lock changes dependencies",
        "AGENTS.md changes what agents are told",
        "tests/test_app.py is a deleted test",
    }
