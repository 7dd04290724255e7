"""The code host "local": branches are the handoff."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from app import ports
from app.adapters.local_git import LocalGit
from app.execution.workspace import refresh_mirror
from app.ports import Refused
from tests.repositories import Repository


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    return Repository.make(tmp_path / "my origin")


@pytest.fixture
def host(tmp_path: Path) -> ports.CodeHost:
    return LocalGit(partial(refresh_mirror, tmp_path / "cache"))


def branch(origin: Repository, name: str, text: str) -> None:
    origin.git("switch", "--quiet", "--create", name, "main")
    origin.commit(name, {"app.py": text})
    origin.git("switch", "--quiet", "main")


def names(host: ports.CodeHost, origin: Repository) -> list[str]:
    return [pull.branch for pull in host.open_agent_pull_requests(str(origin.path), "main")]


def test_agent_branches_that_wait_are_open(host: ports.CodeHost, origin: Repository) -> None:
    assert names(host, origin) == []
    branch(origin, "agent/BILL-1-1", "a\n")
    branch(origin, "agent/BILL-2-1", "b\n")
    branch(origin, "feature/x", "c\n")
    origin.git("branch", "agent/BILL-3-1", "main")
    assert names(host, origin) == ["agent/BILL-1-1", "agent/BILL-2-1"]


@pytest.mark.parametrize("how", ["--ff", "--no-ff", "--squash"])
def test_merged_ones_are_not(host: ports.CodeHost, origin: Repository, how: str) -> None:
    branch(origin, "agent/BILL-1-1", "a\n")
    origin.git("merge", "--quiet", "--no-edit", how, "agent/BILL-1-1")
    origin.git("commit", "--quiet", "--allow-empty", "-m", "after")
    assert names(host, origin) == []


def test_deleted_ones_are_not(host: ports.CodeHost, origin: Repository) -> None:
    branch(origin, "agent/BILL-1-1", "a\n")
    assert names(host, origin) == ["agent/BILL-1-1"]
    origin.git("branch", "-D", "agent/BILL-1-1")
    assert names(host, origin) == []


@pytest.mark.parametrize("base", ["absent", "--all", "", "main..x", "agent"])
def test_a_bad_base_is_refused(host: ports.CodeHost, origin: Repository, base: str) -> None:
    branch(origin, "agent/BILL-1-1", "a\n")
    with pytest.raises(Refused):
        host.open_agent_pull_requests(str(origin.path), base)


def test_hostile_addresses_are_refused(host: ports.CodeHost) -> None:
    for repository in ("--output=/tmp/x", "ext::sh -c id", "/nowhere"):
        with pytest.raises(Refused):
            host.open_agent_pull_requests(repository, "main")


def test_the_branch_itself_is_handed_over(host: ports.CodeHost, origin: Repository) -> None:
    found = host.hand_over(str(origin.path), "main", "agent/BILL-1-1", "title", "body")
    assert found is None
