"""Runs one command and ends everything that it started; a plain file, run by its path.

Orphans become this process's children (a subreaper), so even those in sessions of their own are
found. A `kill -9` of the warden itself is what it cannot outlive: only a namespace holds then.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main(argv: list[str]) -> int:
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, _end)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    early: list[int] = []  # an interrupt may come before there is a child to hand it to
    signal.signal(signal.SIGINT, lambda number, _frame: early.append(number))
    child = subprocess.Popen(argv, start_new_session=True)
    signal.signal(signal.SIGINT, lambda number, _frame: child.send_signal(number))
    for number in early:
        child.send_signal(number)
    code = child.wait()
    _kill_descendants()
    return code if code >= 0 else 128 - code


def _end(_number: int, _frame: FrameType | None) -> None:
    _kill_descendants()
    os._exit(143)


def _kill_descendants() -> None:
    """Again and again, because a killed parent hands its children to us."""
    deadline = time.monotonic() + 5
    while (found := _descendants()) and time.monotonic() < deadline:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _reap()
        time.sleep(0.005)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _descendants() -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(after_name[1])
    found = [os.getpid()]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
