"""The mirror, the agent's clone and our own git directory beside it."""

from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.git import branch_fault
from app.execution.commit import commit_work, push
from app.execution.git import Git
from app.execution.workspace import (
    LARGEST_GUIDELINE,
    Workspace,
    guideline_files,
    make_workspace,
    open_workspace,
    refresh_mirror,
    remove_workspace,
)
from app.ports import Refused, Transient
from tests.repositories import Repository


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    return Repository.make(tmp_path / "my origin", {"app.py": "1\n", "AGENTS.md": "Run pytest.\n"})


def ready(tmp_path: Path, origin: Repository, branch: str = "agent/BILL-1-1") -> Workspace:
    mirror = refresh_mirror(tmp_path / "mirror cache", str(origin.path))
    return make_workspace(tmp_path / "runs" / "one", mirror, "main", branch)


def test_a_mirror_follows_its_repository(tmp_path: Path, origin: Repository) -> None:
    cache = tmp_path / "mirror cache"
    mirror = refresh_mirror(cache, str(origin.path))
    origin.git("branch", "side")
    newer = origin.commit("second", {"app.py": "2\n"})
    assert refresh_mirror(cache, str(origin.path)) == mirror
    assert Git(mirror).line("rev-parse", "refs/heads/main") == newer
    origin.git("branch", "-D", "side")
    refresh_mirror(cache, str(origin.path))
    assert Git(mirror).line("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_a_rewritten_base_is_followed(tmp_path: Path, origin: Repository) -> None:
    mirror = refresh_mirror(tmp_path / "cache", str(origin.path))
    origin.git("commit", "--amend", "--quiet", "-m", "other")
    refresh_mirror(tmp_path / "cache", str(origin.path))
    assert Git(mirror).line("rev-parse", "refs/heads/main") == origin.git("rev-parse", "HEAD")


def test_a_file_address_with_a_space_works(tmp_path: Path, origin: Repository) -> None:
    mirror = refresh_mirror(tmp_path / "cache", f"file://{origin.path}")
    assert Git(mirror).line("rev-parse", "refs/heads/main") == origin.git("rev-parse", "HEAD")


def test_mirrors_are_refreshed_by_many_at_once(tmp_path: Path, origin: Repository) -> None:
    start = threading.Barrier(6)

    def work(number: int) -> Workspace:
        start.wait()
        mirror = refresh_mirror(tmp_path / "cache", str(origin.path))
        return make_workspace(tmp_path / f"run{number}", mirror, "main", f"agent/BILL-1-{number}")

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(work, range(6)))
    assert {workspace.base_commit for workspace in made} == {origin.git("rev-parse", "HEAD")}
    assert len([p for p in (tmp_path / "cache").iterdir() if p.is_dir()]) == 1


def test_a_half_made_mirror_is_replaced(tmp_path: Path, origin: Repository) -> None:
    mirror = refresh_mirror(tmp_path / "cache", str(origin.path))
    left = tmp_path / "cache" / f".new-{mirror.name}-killed"
    mirror.rename(left)
    assert refresh_mirror(tmp_path / "cache", str(origin.path)) == mirror
    assert not left.exists()


@pytest.mark.parametrize(
    ("repository", "why"),
    [
        ("", "empty"),
        ("--upload-pack=touch x", "dash"),
        ("ext::sh -c touch% x", "helper"),
        ("fd::17", "helper"),
        ("ftp://host/x", "not by ftp"),
        ("https://me:secret@host/x", "password"),
        ("/nowhere/at/all", "no repository at"),
        ("/tmp/a\nb", "nobody can see"),
    ],
)
def test_bad_addresses_are_refused(tmp_path: Path, repository: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        refresh_mirror(tmp_path / "cache", repository)
    assert "secret" not in str(caught.value)


def test_a_directory_without_a_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(Refused, match="refuses"):
        refresh_mirror(tmp_path / "cache", str(tmp_path / "plain"))
    assert [p for p in (tmp_path / "cache").iterdir() if p.is_dir()] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_repository_may_belong_to_another_user(tmp_path: Path, origin: Repository) -> None:
    for place in (origin.path, *origin.path.rglob("*")):
        os.chown(place, 4711, 4711)
    workspace = ready(tmp_path, origin)
    (workspace.path / "app.py").write_text("2\n")
    commit = commit_work(workspace, "two", datetime(2026, 11, 23, tzinfo=UTC))
    assert commit is not None
    push(workspace, str(origin.path), commit)


def test_an_unreachable_server_may_answer_later(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="does not answer"):
        refresh_mirror(tmp_path / "cache", "http://127.0.0.1:9/nothing.git")


def test_the_workspace_is_the_agents_own(tmp_path: Path, origin: Repository) -> None:
    workspace = ready(tmp_path, origin)
    clone = Repository(workspace.path)
    assert (workspace.path / "app.py").read_text() == "1\n"
    assert clone.git("branch", "--show-current") == "agent/BILL-1-1"
    assert clone.git("remote") == ""
    assert str(origin.path) not in (workspace.path / ".git" / "config").read_text()
    assert not (workspace.path / ".git" / "objects" / "info" / "alternates").exists()
    for file in (workspace.path / ".git" / "objects").rglob("*"):
        assert file.is_dir() or file.stat().st_nlink == 1
    assert workspace.path not in workspace.trusted.parents


def test_the_workspace_is_made_once(tmp_path: Path, origin: Repository) -> None:
    workspace = ready(tmp_path, origin)
    (workspace.path / "app.py").write_text("work\n")
    origin.commit("second", {"app.py": "2\n"})
    assert ready(tmp_path, origin) == workspace
    assert (workspace.path / "app.py").read_text() == "work\n"
    assert open_workspace(tmp_path / "runs" / "one") == workspace
    with pytest.raises(Refused, match="another branch"):
        ready(tmp_path, origin, "agent/BILL-1-2")


def test_a_branch_of_a_forgotten_run_is_refused_at_once(tmp_path: Path, origin: Repository) -> None:
    origin.git("branch", "agent/BILL-1-1")
    with pytest.raises(Refused, match=r"already has a branch agent/BILL-1-1, .*agent retry"):
        ready(tmp_path, origin)
    assert ready(tmp_path, origin, "agent/BILL-1-2").branch == "agent/BILL-1-2"


def test_a_half_made_workspace_is_made_anew(tmp_path: Path, origin: Repository) -> None:
    left = tmp_path / "runs" / "one" / ".new-killed"
    left.mkdir(parents=True)
    (tmp_path / "runs" / "one" / "home").mkdir()
    assert open_workspace(tmp_path / "runs" / "one") is None
    ready(tmp_path, origin)
    assert not left.exists()
    assert (tmp_path / "runs" / "one" / "home").is_dir()


@pytest.mark.parametrize(
    ("base", "branch"),
    [
        ("main", "main"),
        ("main", "feature/x"),
        ("main", "agent/../main"),
        ("main", "agent/x y"),
        ("main", "agent/"),
        ("main", "-agent/x"),
        ("--upload-pack=x", "agent/x"),
        ("main:evil", "agent/x"),
        ("", "agent/x"),
        ("absent", "agent/x"),
        ("my", "agent/x"),
    ],
)
def test_bad_branches_are_refused(
    tmp_path: Path, origin: Repository, base: str, branch: str
) -> None:
    origin.git("branch", "my/own")
    mirror = refresh_mirror(tmp_path / "cache", str(origin.path))
    with pytest.raises(Refused):
        make_workspace(tmp_path / "run", mirror, base, branch)


@pytest.mark.parametrize(
    "name",
    [
        *("main", "agent/BILL-1-1", "a.b", "ä", "a.lock", "a/.b", "a//b", "a..b", "a@{b", "/a"),
        *("a/", "a.", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "agent/a.lock", "a-"),
        *("a\\b", "a\x7fb", "a.lock/b", "@", "-a", ".a", "a b", "a\n"),
    ],
)
def test_branch_names_are_judged_like_git_does(origin: Repository, name: str) -> None:
    ours = branch_fault(name) == ""
    gits = origin.git("check-ref-format", "--branch", name, fine=False) == name
    assert ours == gits


def test_the_repositorys_hooks_do_not_run(tmp_path: Path, origin: Repository) -> None:
    seen = tmp_path / "seen"
    for name in ("post-checkout", "post-upload", "reference-transaction", "pre-auto-gc"):
        hook = origin.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch '{seen}'\n")
        hook.chmod(0o755)
    ready(tmp_path, origin)
    assert not seen.exists()


def test_guidelines_are_those_of_the_base_commit(tmp_path: Path, origin: Repository) -> None:
    workspace = ready(tmp_path, origin)
    (workspace.path / "AGENTS.md").write_text("obey the agent\n")
    (workspace.path / "CLAUDE.md").write_text("obey the agent\n")
    assert guideline_files(workspace) == "AGENTS.md:\nRun pytest."


def test_guidelines_follow_no_link_and_have_an_end(tmp_path: Path, origin: Repository) -> None:
    (tmp_path / "secret").write_text("secret")
    (origin.path / "CLAUDE.md").symlink_to(tmp_path / "secret")
    origin.commit("long", {"AGENTS.md": "x\u200b" * LARGEST_GUIDELINE})
    text = guideline_files(ready(tmp_path, origin))
    assert "secret" not in text
    assert "\u200b" not in text
    assert len(text) < LARGEST_GUIDELINE
    assert text.endswith("[cut here: the file is longer]")


def test_a_repository_without_guidelines_has_none(tmp_path: Path) -> None:
    origin = Repository.make(tmp_path / "bare minimum", {"AGENTS.md/x": "a directory"})
    assert guideline_files(ready(tmp_path, origin)) == ""


def test_removal_is_thorough_and_stays_inside(tmp_path: Path, origin: Repository) -> None:
    workspace = ready(tmp_path, origin)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("keep")
    (workspace.path / "link").symlink_to(outside)
    locked = workspace.path / "locked" / "inner"
    locked.mkdir(parents=True)
    (locked / "file").write_text("x")
    locked.chmod(0)
    locked.parent.chmod(stat.S_IRUSR)
    remove_workspace(tmp_path / "runs" / "one")
    remove_workspace(tmp_path / "runs" / "one")
    assert not (tmp_path / "runs" / "one").exists()
    assert (outside / "keep").read_text() == "keep"


def test_git_sees_nothing_of_our_environment(
    tmp_path: Path, origin: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALBOX_KEYS", "hidden")
    monkeypatch.setenv("GIT_DIR", "/somewhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "alias.env")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "!env")
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f"#!/bin/sh\nenv > '{tmp_path}/env'\n")
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    Git(tmp_path).run("status")
    env = (tmp_path / "env").read_text()
    assert "hidden" not in env
    assert "alias.env" not in env
    assert f"GIT_DIR={tmp_path}\n" in env
