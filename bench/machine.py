"""What the figures were made on. Without it a figure says nothing to anybody else."""

from __future__ import annotations

import hashlib
import os
import platform
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def facts() -> dict[str, Any]:
    """The two yardsticks let figures of different machines be compared as ratios."""
    return {
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "-s") else ""),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": [round(value, 1) for value in os.getloadavg()],
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "hashing_ms": round(_hashing(), 2),
        "fdatasync_ms": round(_fdatasync(), 2),
    }


def _git(*arguments: str) -> str:
    argv = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _hashing() -> float:
    """Milliseconds for 10,000 short SHA-256 in Python, the best of five."""
    best = []
    for _ in range(5):
        started = time.perf_counter()
        for number in range(10_000):
            hashlib.sha256(b"%d" % number).hexdigest()
        best.append(time.perf_counter() - started)
    return 1000 * min(best)


def _fdatasync() -> float:
    """Milliseconds for 4 KB to reach the disk that temporary files lie on, the median of 20."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(20):
            started = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    return 1000 * statistics.median(took)
