"""The command line of the warden, which stands above every command that we do not trust."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FILE = Path(__file__).with_name("cage_warden.py")


def warden(depth: int) -> list[str]:
    """To be put before a command that this very process starts."""
    return [sys.executable, "-I", "-S", str(FILE), str(os.getpid()), str(depth)]
