"""Our commit of an agent's files: nothing that the agent left may run, hide or reach out."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from app.execution import commit as committing
from app.execution.changes import diff_summary
from app.execution.commit import Author, changed, commit_work, left_out, push
from app.execution.workspace import Workspace
from app.ports import Refused
from tests.repositories import WHEN, Repository, committed, workspace_of, write


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    files = {"app.py": "1\n", "tests/test_app.py": "2\n", ".gitignore": "*.pyc\nbuild/\n"}
    return Repository.make(tmp_path / "my origin", files)


@pytest.fixture
def workspace(tmp_path: Path, origin: Repository) -> Workspace:
    return workspace_of(tmp_path, origin)


def test_nothing_changed_is_no_commit(workspace: Workspace) -> None:
    os.utime(workspace.path / "app.py", (0, 0))
    (workspace.path / "x.pyc").write_text("ignored")
    assert not changed(workspace)
    assert commit_work(workspace, "work", WHEN) is None


def test_the_commit_holds_what_the_agent_did(workspace: Workspace, origin: Repository) -> None:
    write(workspace, **{"app.py": "11\n", "new ü.py": "3\n", ":(odd)": "x", 'a"b\nc': "y"})
    (workspace.path / "tests" / "test_app.py").unlink()
    (workspace.path / "run.sh").write_text("#!/bin/sh\n")
    (workspace.path / "run.sh").chmod(0o755)
    (workspace.path / "build").mkdir()
    (workspace.path / "build" / "out").write_text("ignored")
    assert changed(workspace)
    commit, seen = committed(workspace)
    assert sorted(seen.names(commit)) == sorted(
        [".gitignore", "app.py", "new ü.py", ":(odd)", 'a"b\nc', "run.sh"]
    )
    assert seen.show(commit, "app.py") == "11"
    assert seen.git("ls-tree", commit, "run.sh").startswith("100755")
    assert seen.git("rev-parse", f"{commit}^") == origin.git("rev-parse", "main")


def test_the_same_work_is_the_same_commit(workspace: Workspace) -> None:
    write(workspace, **{"app.py": "11\n"})
    first = commit_work(workspace, "work\x00\x1b[31m", WHEN)
    os.utime(workspace.path / "app.py", (0, 0))
    assert commit_work(workspace, "work\x00\x1b[31m", WHEN) == first
    seen = Repository(workspace.trusted)
    assert seen.git("log", "-1", "--format=%an <%ae> %cn %cI|%B", str(first)) == (
        "Signalbox <signalbox@localhost> Signalbox 2026-11-23T14:26:00+00:00|work[31m"
    )
    other = commit_work(workspace, "work", WHEN, Author("Box", "box@example.com"))
    assert other != first


def test_the_agents_own_commits_do_not_count(workspace: Workspace) -> None:
    clone = Repository(workspace.path)
    clone.commit("mine", {"app.py": "11\n"})
    clone.git("checkout", "--quiet", "-b", "elsewhere")
    commit, seen = committed(workspace)
    assert seen.git("log", "--format=%s", f"{commit}~2..{commit}", fine=False) == ""
    assert seen.git("rev-list", "--count", commit) == "2"


def plant_hooks(workspace: Workspace, trap: str) -> None:
    for name in ("pre-commit", "post-index-change", "reference-transaction", "pre-push"):
        hook = workspace.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{trap}\n")
        hook.chmod(0o755)


def plant_settings(workspace: Workspace, trap: str) -> None:
    (workspace.path / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (workspace.path / "included").write_text(f"[core]\n fsmonitor = {trap}\n")
    with (workspace.path / ".git" / "config").open("a") as config:
        config.write(
            f'[core]\n fsmonitor = "{trap}"\n hooksPath = .git/hooks\n sshCommand = "{trap}"\n'
            f'[filter "evil"]\n clean = "{trap}"\n process = "{trap}"\n required = true\n'
            f'[diff "evil"]\n textconv = "{trap}"\n command = "{trap}"\n'
            f'[include]\n path = ../included\n[alias]\n commit-tree = "!{trap}"\n'
            f'[credential]\n helper = "!{trap}"\n[gpg]\n program = "{trap}"\n'
        )


def plant_nested_repository(workspace: Workspace, trap: str) -> None:
    nested = Repository.make(workspace.path / "vendored", {"inner.txt": "x\n"})
    nested.git("config", "core.fsmonitor", trap)
    (workspace.path / "tests" / ".git").mkdir()
    shutil.copytree(nested.path / ".git", workspace.path / "tests" / ".git", dirs_exist_ok=True)
    (workspace.path / ".gitmodules").write_text(
        f'[submodule "v"]\n path = vendored\n url = ext::{trap}\n update = !{trap}\n'
    )


def plant_other_git_directory(workspace: Workspace, trap: str) -> None:
    elsewhere = workspace.path / "elsewhere"
    shutil.move(workspace.path / ".git", elsewhere)
    (workspace.path / ".git").write_text(f"gitdir: {elsewhere}\n")
    with (elsewhere / "config").open("a") as config:
        config.write(f'[core]\n fsmonitor = "{trap}"\n worktree = /etc\n')


def remove_git_directory(workspace: Workspace, trap: str) -> None:
    shutil.rmtree(workspace.path / ".git")
    (workspace.path / ".git").symlink_to("/etc")


@pytest.mark.parametrize(
    "plant",
    [
        plant_hooks,
        plant_settings,
        plant_nested_repository,
        plant_other_git_directory,
        remove_git_directory,
    ],
)
def test_nothing_that_the_agent_planted_runs(
    tmp_path: Path,
    workspace: Workspace,
    origin: Repository,
    plant: Callable[[Workspace, str], None],
) -> None:
    plant(workspace, f"touch '{tmp_path}/trapped'; false")
    write(workspace, **{"app.py": "11\n"})
    commit, seen = committed(workspace)
    push(workspace, str(origin.path), commit)
    diff_summary(workspace, commit)
    assert not (tmp_path / "trapped").exists()
    names = seen.names(commit)
    assert {"app.py", "tests/test_app.py"} <= set(names)
    assert not [name for name in names if ".git" in name.split("/")]
    assert "160000" not in seen.git("ls-tree", "-r", commit)


@pytest.mark.parametrize("plant", [plant_hooks, plant_settings])
def test_the_traps_are_real(
    tmp_path: Path, workspace: Workspace, plant: Callable[[Workspace, str], None]
) -> None:
    """What would run if we used the clone's own git directory."""
    plant(workspace, f"touch '{tmp_path}/trapped'; false")
    Repository(workspace.path).git("add", "--all", fine=False)
    assert (tmp_path / "trapped").exists()


def test_links_are_stored_and_never_followed(tmp_path: Path, workspace: Workspace) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "test_app.py").write_text("secret")
    shutil.rmtree(workspace.path / "tests")
    (workspace.path / "tests").symlink_to(outside)
    (workspace.path / "app.py").unlink()
    (workspace.path / "app.py").symlink_to(outside / "test_app.py")
    commit, seen = committed(workspace)
    assert seen.names(commit) == [".gitignore", "app.py", "tests"]
    assert seen.show(commit, "tests") == str(outside)
    assert "secret" not in seen.git("log", "-p", commit)
    assert "tests is a symbolic link" in diff_summary(workspace, commit).flags


def test_a_replaced_clone_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    shutil.rmtree(workspace.path)
    with pytest.raises(Refused, match="gone"):
        commit_work(workspace, "work", WHEN)
    workspace.path.symlink_to(tmp_path)
    with pytest.raises(Refused, match="gone"):
        commit_work(workspace, "work", WHEN)


def test_odd_files_do_not_lose_the_work(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing, "LARGEST_FILE", 1000)
    os.mkfifo(workspace.path / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        monkeypatch.chdir(workspace.path)  # the name of a socket is short
        door.bind("door")
    write(workspace, **{"good.py": "1\n", "git~1": "x", "large.bin": "x" * 2000, "app.py": "11\n"})
    (workspace.path / ".gitmodules").symlink_to("/etc/passwd")
    (workspace.path / "sub").mkdir()
    (workspace.path / "sub" / ".GIT").write_text("x")
    Path(os.fsdecode(os.fsencode(workspace.path) + b"/\xff\xfe.txt")).write_text("not text")
    (workspace.path / "good.py").chmod(0)
    write(workspace, **{".gitattributes": "bad.* working-tree-encoding=none\n", "bad.txt": "x"})
    commit, seen = committed(workspace)
    assert {"good.py", "app.py"} <= set(seen.names(commit))
    assert left_out(workspace) == (".gitmodules", "bad.txt", "git~1", "large.bin")
    flags = diff_summary(workspace, commit).flags
    assert "large.bin was left out: too large or not storable" in flags


def test_what_was_large_before_may_stay(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing, "LARGEST_FILE", 1)
    assert commit_work(workspace, "work", WHEN) is None
    assert left_out(workspace) == ()


def test_private_settings_of_the_agent_stay_out(tmp_path: Path) -> None:
    files = {".claude/settings.json": "{}", "pkg/.claude/x": "1", "app.py": "1\n"}
    origin = Repository.make(tmp_path / "origin", files)
    workspace = workspace_of(tmp_path, origin)
    write(workspace, **{".claude/settings.json": '{"hooks": 1}', ".claude/own": "x"})
    (workspace.path / "pkg" / ".claude" / "x").unlink()
    assert commit_work(workspace, "work", WHEN) is None


def test_submodules_stay_as_they_are(tmp_path: Path, origin: Repository) -> None:
    inner = Repository.make(tmp_path / "inner")
    head = inner.git("rev-parse", "HEAD")
    origin.git("update-index", "--add", "--cacheinfo", f"160000,{head},lib")
    origin.git("commit", "--quiet", "-m", "submodule")
    workspace = workspace_of(tmp_path, origin)
    shutil.copytree(inner.path, workspace.path / "lib", dirs_exist_ok=True)
    (workspace.path / "lib" / "planted").write_text("x")
    assert commit_work(workspace, "work", WHEN) is None


def test_line_ends_are_kept_as_the_repository_wants(tmp_path: Path) -> None:
    files = {".gitattributes": "*.bat text eol=crlf\n", "run.bat": "one\ntwo\n"}
    origin = Repository.make(tmp_path / "origin", files)
    workspace = workspace_of(tmp_path, origin)
    assert (workspace.path / "run.bat").read_bytes() == b"one\r\ntwo\r\n"
    assert commit_work(workspace, "work", WHEN) is None
