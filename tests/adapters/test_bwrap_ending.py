"""Whatever ends the cage, and whenever: nothing of it lives on."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.caged import Inside

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.bwrap


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    return Inside(tmp_path)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_in_its_own_session_dies_with_the_cage(inside: Inside, ending: int) -> None:
    mark = f"8640{os.getpid() % 1000}"
    script = f"trap '' TERM INT; setsid sleep {mark} & sleep {mark}"
    process = subprocess.Popen(inside.argv("sh", "-c", script))
    try:
        wait_until(lambda: len(running(mark)) >= 2)
        process.send_signal(ending)
        process.wait(5)
        wait_until(lambda: not running(mark))
    finally:
        process.kill()


def start(inside: Inside, *command: str) -> subprocess.Popen[bytes]:
    """A process of its own that starts the command in the cage, as a worker does."""
    code = (
        "import subprocess\n"
        "from pathlib import Path\n"
        "from app.adapters.bwrap import Bubblewrap\n"
        f"argv = Bubblewrap().wrap({command!r}, worktree=Path({str(inside.worktree)!r}),"
        f" home=Path({str(inside.home)!r}), env={{}})\n"
        "print('ready', flush=True)\n"
        "subprocess.run(argv)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, cwd=ROOT
    )


def test_the_cage_dies_with_who_started_it(inside: Inside) -> None:
    mark = f"8641{os.getpid() % 1000}"
    starter = start(inside, "sh", "-c", f"setsid sleep {mark} & sleep {mark}")
    wait_until(lambda: len(running(mark)) >= 2)

    starter.kill()
    starter.communicate(timeout=5)

    wait_until(lambda: not running(mark))


def test_it_dies_also_while_it_still_sets_up(inside: Inside) -> None:
    """bubblewrap alone leaves its namespace behind when it is killed in its first milliseconds."""
    mark = f"8645{os.getpid() % 1000}"
    for step in range(12):
        starter = start(inside, "sleep", mark)
        assert starter.stdout is not None
        starter.stdout.readline()
        time.sleep(step * 0.006)
        starter.kill()
        starter.communicate(timeout=5)
        wait_until(lambda: not naming(mark))


def test_a_stop_at_any_moment_leaves_nothing(inside: Inside) -> None:
    mark = f"8646{os.getpid() % 1000}"
    for step in range(20):
        process = subprocess.Popen(inside.argv("sleep", mark))
        time.sleep(step * 0.004)
        process.terminate()
        process.wait(5)
        wait_until(lambda: not naming(mark))


def test_another_process_cannot_start_it(inside: Inside) -> None:
    """The warden would not be told of its parent's death; it must be the one that wrapped."""
    argv = inside.argv("true")
    code = f"import subprocess, sys; sys.exit(subprocess.run({argv!r}).returncode)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 143


def test_sigint_reaches_the_command_inside(inside: Inside) -> None:
    script = "trap 'exit 7' INT; echo up; while :; do sleep 0.05; done"
    process = subprocess.Popen(inside.argv("sh", "-c", script), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)

    assert process.wait(5) == 7
    process.stdout.close()


def running(mark: str) -> list[int]:
    """Processes of this machine that sleep for `mark` seconds."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (
                entry.name.isdigit()
                and (entry / "cmdline").read_bytes() == f"sleep\0{mark}\0".encode()
            ):
                found.append(int(entry.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def naming(mark: str) -> list[str]:
    """Processes of this machine whose command line ends in `mark`, set up or not."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().endswith(
                f"sleep\0{mark}\0".encode()
            ):
                found.append(entry.name)
    return found
