"""Which addresses and branches git is called with, and what its words mean."""

from __future__ import annotations

import pytest

from app.core.git import (
    agent_branch_fault,
    branch_fault,
    brief,
    command,
    environment,
    is_local,
    passing,
    repository_fault,
)


@pytest.mark.parametrize(
    ("repository", "local"),
    [
        ("/srv/git/my repo.git", True),
        ("repo", True),
        ("./a:b", True),
        ("file:///srv/git/x", True),
        ("https://host/x.git", False),
        ("http://host/x.git", False),
        ("ssh://git@host:22/x.git", False),
        ("git@host:team/x.git", False),
        ("git://host/x", False),
    ],
)
def test_good_addresses(repository: str, local: bool) -> None:
    assert repository_fault(repository) == ""
    assert is_local(repository) == local


@pytest.mark.parametrize(
    "repository",
    [
        *("", " ", "-x", "--upload-pack=x", "ext::sh -c x", "foo::bar", "ftp://h/x", "js://x"),
        *("https://a:b@h/x", "https://:b@h/x", "/a\nb", "/a\0b", "/a\u202eb", "/a\ud800"),
    ],
)
def test_bad_addresses(repository: str) -> None:
    assert repository_fault(repository).endswith(".")


def test_branches_that_we_write() -> None:
    assert agent_branch_fault("agent/BILL-1-1") == ""
    for name in ("main", "agent", "agents/x", "agent//x", "agent/../main", "refs/heads/agent/x"):
        assert agent_branch_fault(name)
    assert branch_fault("x" * 201)
    assert branch_fault("a\ud800")


@pytest.mark.parametrize(
    ("said", "again"),
    [
        ("fatal: unable to access 'x': Could not resolve host: github.com", True),
        ("ssh: connect to host x port 22: Connection refused", True),
        ("error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503", True),
        ("fatal: early EOF", True),
        ("fatal: Unable to create '/x/packed-refs.lock': File exists.", True),
        ("fatal: Authentication failed for 'https://host/x'", False),
        ("git@host: Permission denied (publickey).", False),
        ("fatal: repository 'https://host/x' not found", False),
        ("! [rejected] x -> x (non-fast-forward)", False),
        ("The requested URL returned error: 403", False),
    ],
)
def test_faults_that_pass(said: str, again: bool) -> None:
    assert passing(said) == again


def test_gits_words_are_kept_short() -> None:
    assert brief("hint: this\nfatal: no\n\nerror: bad\n") == "fatal: no error: bad"
    assert brief("just this\n") == "just this"
    assert brief("") == ""
    assert len(brief("fatal: " + "x" * 1000)) == 300


def test_the_call_is_closed() -> None:
    argv = command("status")
    assert argv[0] == "git"
    assert argv[-1] == "status"
    assert "core.hooksPath=/dev/null" in argv
    env = environment({"PATH": "/bin", "ANTHROPIC_API_KEY": "x", "GIT_DIR": "/x", "HOME": "/root"})
    assert env["PATH"] == "/bin"
    assert env["HOME"] == "/nonexistent"
    assert env["GIT_ALLOW_PROTOCOL"] == "file:https:http:ssh:git"
    assert not {"ANTHROPIC_API_KEY", "GIT_DIR"} & set(env)
