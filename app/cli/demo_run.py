"""What `signalbox demo` does: the story told by itself, or everything left for a person."""

from __future__ import annotations

import contextlib
import errno
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from app.cli import demo_play
from app.cli.demo_explore import explore
from app.cli.demo_stage import interruption
from app.cli.faults import Mistake


def run(
    *, once: bool, as_json: bool, agent: str, directory: Path | None, port: int, api_key: str = ""
) -> int:
    """Play the story (`once`) or leave everything running until interrupted. The exit code."""
    if as_json and not once:
        raise Mistake("--json goes with --once: without it the demo is for a person")
    interruption.listen()
    with _free_ports(port):
        if not once:
            return explore(agent, directory, port, api_key)
        result, difference = demo_play.play(
            directory, agent, _silent if as_json else _say, api_key, port
        )
    if as_json:
        print(json.dumps(result))
    elif not difference:
        print(f"\n{demo_play.ENDING}")
    if difference:
        print(f"The story did not end as told: {difference}", file=sys.stderr)
    return 1 if difference else 0


@contextlib.contextmanager
def _free_ports(port: int) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if fault.errno != errno.EADDRINUSE:
            raise
        raise Mistake(f"port {port} or {port + 1} is in use on this machine") from None


def _silent(_line: str) -> None:
    """Where a machine reads, the story is not told."""


def _say(line: str) -> None:
    print(line, flush=True)
