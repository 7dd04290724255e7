"""Inside the cage: a port of loopback that leads to the gate's socket, and the agent's command.

A plain file of the standard library, run by its path: `python3 -I cage_relay.py TOKEN COMMAND…`.
TOKEN names a file below HOME that is read and removed, so that no command line shows it. Words
of the command that begin with ~/ are paths below HOME, wherever the cage has put that.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

PIECE = 65536
AWAITED = {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD}
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def main(token_file: str, command: list[str]) -> int:
    path = Path(os.environ["HOME"]) / token_file
    os.environ["ANTHROPIC_API_KEY"] = path.read_text(encoding="ascii")
    path.unlink()
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    os.environ["ANTHROPIC_BASE_URL"] = f"http://127.0.0.1:{server.getsockname()[1]}"
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    child = os.fork()
    if child == 0:
        _become([str(Path(word).expanduser()) if word[:2] == "~/" else word for word in command])
    gate = os.environ["SIGNALBOX_MODEL_SOCKET"]
    threading.Thread(target=_serve, args=(server, gate), daemon=True).start()
    return _wait(child)


def _become(command: list[str]) -> None:
    try:
        for number in IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, AWAITED)
        os.execvp(command[0], command)  # noqa: S606 - a list of words is what we have
    except OSError as fault:
        os.write(2, f"{command[0]}: {fault.strerror}\n".encode())
    os._exit(127)


def _wait(child: int) -> int:
    """Until it ends; interrupts are handed to it. Waited for, as a handler may run too late."""
    while True:
        number = signal.sigwait(AWAITED)
        if number != signal.SIGCHLD:
            os.kill(child, number)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _serve(server: socket.socket, gate: str) -> None:
    while True:
        client, _ = server.accept()
        threading.Thread(target=_join, args=(client, gate), daemon=True).start()


def _join(client: socket.socket, gate: str) -> None:
    """Both directions until both are closed; one thread each, as reads may wait for minutes."""
    with client, socket.socket(socket.AF_UNIX) as far:
        try:
            far.connect(gate)
        except OSError:
            return
        back = threading.Thread(target=_copy, args=(far, client), daemon=True)
        back.start()
        _copy(client, far)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(PIECE):
            target.sendall(piece)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
