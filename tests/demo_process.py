"""`signalbox demo` as a process with a temporary folder of its own, and what is left of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIGNALBOX = Path(sys.executable).with_name("signalbox")


@contextmanager
def demo(temporary: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Running, or killed with the block."""
    process = subprocess.Popen(
        [SIGNALBOX, "demo", *arguments],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def nothing_left(temporary: Path) -> bool:
    """No file, and no process that works in the folder or was started with its name."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text(errors="replace") + str(
                (process / "cwd").readlink()
            )
        except OSError:
            continue
        assert str(temporary) not in words, f"{process.name} is still running: {words!r}"
    return not list(temporary.iterdir())
