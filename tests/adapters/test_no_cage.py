"""Without a cage: a clean environment, and nothing that outlives the warden."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from app.adapters.no_cage import NoCage


def wrapped(place: Path, *command: str) -> list[str]:
    worktree, home = place / "tree with space", place / "home"
    worktree.mkdir(exist_ok=True)
    home.mkdir(exist_ok=True)
    return NoCage().wrap(
        command, worktree=worktree, home=home, env={"GIVEN": "a b"}, gate=place / "model.sock"
    )


def test_it_is_available_here() -> None:
    assert NoCage().available() == ""


def test_the_environment_is_the_given_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_KEY", "canary")

    told = subprocess.run(wrapped(tmp_path, "env"), capture_output=True, text=True, check=True)

    given = dict(line.split("=", 1) for line in told.stdout.splitlines())
    assert given["GIVEN"] == "a b"
    assert given["HOME"] == str(tmp_path / "home")
    assert given["SIGNALBOX_MODEL_SOCKET"] == str(tmp_path / "model.sock")
    assert "MODEL_KEY" not in given


def test_it_runs_in_the_worktree_and_tells_the_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        wrapped(tmp_path, "sh", "-c", "pwd; exit 3"), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (3, str(tmp_path / "tree with space"))


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN])
def test_sigint_reaches_the_command(tmp_path: Path, inherited: signal.Handlers) -> None:
    script = "trap 'exit 7' INT; echo up; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        wrapped(tmp_path, "sh", "-c", script),
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, inherited),  # noqa: PLW1509
    )
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)

    assert process.wait(5) == 7
    process.stdout.close()


def test_a_broken_pipe_ends_a_command_as_it_should(tmp_path: Path) -> None:
    argv = wrapped(tmp_path, "bash", "-c", "yes | head -1; exit ${PIPESTATUS[0]}")
    assert subprocess.run(argv, stdout=subprocess.DEVNULL, check=False).returncode == 141


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    argv = wrapped(tmp_path, "no-such-command")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (127, "no-such-command: No such file or directory\n")


def test_children_in_their_own_sessions_end_with_it(tmp_path: Path) -> None:
    mark = f"8642{os.getpid() % 1000}"
    script = (
        f"trap '' TERM; setsid sleep {mark} & setsid sh -c 'sleep {mark} & wait' & sleep {mark}"
    )
    process = subprocess.Popen(wrapped(tmp_path, "sh", "-c", script))
    deadline = time.monotonic() + 5
    while sleepers(mark) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sleepers(mark) == 3

    process.terminate()

    assert process.wait(5) == 143
    assert sleepers(mark) == 0


def test_what_a_finished_command_left_running_is_ended(tmp_path: Path) -> None:
    mark = f"8643{os.getpid() % 1000}"
    subprocess.run(wrapped(tmp_path, "sh", "-c", f"setsid sleep {mark} & exit 0"), check=True)
    assert sleepers(mark) == 0


def sleepers(mark: str) -> int:
    found = 0
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            found += (entry / "cmdline").read_bytes() == f"sleep\0{mark}\0".encode()
    return found
