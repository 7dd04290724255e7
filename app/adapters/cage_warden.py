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
HANDLED = (signal.SIGINT, signal.SIGTERM)


def main(parent: int, depth: int, command: list[str]) -> int:
    signal.signal(signal.SIGTERM, _end)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _die_with(parent, signal.SIGTERM)
    warden = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    child = os.fork()
    if child == 0:
        _become(command, warden)
    signal.signal(signal.SIGINT, lambda _number, _frame: _interrupt(depth))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    ended, status = 0, 0
    while ended != child:
        ended, status = os.waitpid(-1, 0)
    _kill_all()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _die_with(parent: int, number: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(ENDED)  # it died before we could ask to be told


def _become(command: list[str], warden: int) -> None:
    """In a session of its own, so that a signal to our group does not reach it before us."""
    try:
        os.setsid()
        _die_with(warden, signal.SIGKILL)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        os.execvp(command[0], command)  # noqa: S606 - a list of words is what we have
    except OSError as fault:
        os.write(2, f"{command[0]}: {fault.strerror}\n".encode())
    os._exit(127)


def _end(_number: int, _frame: object) -> None:
    _kill_all()
    os._exit(ENDED)


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


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


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
