"""Starts one command and ends all that came of it; a plain file, run outside of the cage.

`python3 -I -S cage_warden.py PARENT DEPTH COMMAND…`. PARENT is the process that must have started
it. Needed around bubblewrap too: when that is killed while it still sets up, its namespace lives
on. Orphans become the warden's children (a subreaper), also those in sessions of their own.
TERM ends everything, and is sent by the kernel when the parent dies. INT goes to the DEPTH-th
generation below: 1 is the command itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ENDED = 128 + signal.SIGTERM
AWAITED = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def main(parent: int, depth: int, command: list[str]) -> int:
    """Signals are blocked and waited for: a handler may run too late to be of use, namely after
    the call that was about to wait when the signal came."""
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    for each in AWAITED:  # who starts us may ignore them: a shell does so in the background
        signal.signal(each, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _die_with(parent, signal.SIGTERM)
    warden = os.getpid()
    child = os.fork()
    if child == 0:
        _become(command, warden)
    code = None
    while code is None:
        number = signal.sigwait(AWAITED)
        if number == signal.SIGINT:
            _interrupt(depth)
        code = ENDED if number == signal.SIGTERM else _reap(child)
    _kill_all()
    return code


def _die_with(parent: int, number: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(ENDED)  # it died before we could ask to be told


def _become(command: list[str], warden: int) -> None:
    """In a session of its own, so that a signal to our group does not reach it before us."""
    try:
        os.setsid()
        _die_with(warden, signal.SIGKILL)
        for number in IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, AWAITED)
        os.execvp(command[0], command)  # noqa: S606 - a list of words is what we have
    except OSError as fault:
        os.write(2, f"{command[0]}: {fault.strerror}\n".encode())
    os._exit(127)


def _interrupt(depth: int) -> None:
    generation = [os.getpid()]
    parents = _parents()
    for _ in range(depth):
        generation = [pid for pid, parent in parents.items() if parent in generation]
    if generation:
        os.kill(min(generation), signal.SIGINT)


def _kill_all() -> None:
    """Again and again, because what a killed one leaves behind becomes ours."""
    deadline = time.monotonic() + 5
    while (found := _descendants()) and time.monotonic() < deadline:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.002)
        _reap()


def _reap(child: int = 0) -> int | None:
    """The exit code of `child`, when it is among those that have ended."""
    found = None
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                code = os.waitstatus_to_exitcode(ended[1])
                found = code if code >= 0 else 128 - code
    except ChildProcessError:
        return found
    return found


def _descendants() -> list[int]:
    parents = _parents()
    found = [os.getpid()]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _parents() -> dict[int, int]:
    """The parent of every process of this machine."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - starts at once
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
