"""Inside the cage: a port of loopback that leads to the gate's socket, and the agent's command.

A plain file of the standard library, run by its path: `python3 -I cage_relay.py TOKEN COMMAND…`.
TOKEN names a file below HOME that is read and removed, so that no command line shows it. Words
of the command that begin with ~/ are paths below HOME, wherever the cage has put that.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

PIECE = 65536


def main(token_file: str, command: list[str]) -> int:
    path = Path(os.environ["HOME"]) / token_file
    token = path.read_text(encoding="ascii")
    path.unlink()
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    gate = os.environ["SIGNALBOX_MODEL_SOCKET"]
    threading.Thread(target=_serve, args=(server, gate), daemon=True).start()
    env = {
        **os.environ,
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{server.getsockname()[1]}",
        "ANTHROPIC_API_KEY": token,
    }
    expanded = [str(Path(word).expanduser()) if word[:2] == "~/" else word for word in command]
    return _run(expanded, env)


def _run(command: list[str], env: dict[str, str]) -> int:
    """A signal may come before there is a child to hand it to; it is kept until then."""
    early: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: early.append(number))
    child = subprocess.Popen(command, env=env)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: child.send_signal(number))
    for kept in early:
        child.send_signal(kept)
    code = child.wait()
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
