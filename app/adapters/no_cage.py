"""No cage: a clean environment and a warden that ends what was started. Nothing is hidden.

For machines without bubblewrap, where a setting accepts it. The command sees our files, our
processes and the network.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.adapters.warden import warden

SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"


class NoCage:
    name = "none"

    def available(self) -> str:
        if not Path("/proc/self/stat").exists():
            return "Without /proc a command's children cannot be found and ended: use Linux."
        return ""

    def wrap(
        self,
        argv: Sequence[str],
        *,
        worktree: Path,
        home: Path,
        env: Mapping[str, str],
        gate: Path | None = None,
        readable: Sequence[Path] = (),
    ) -> list[str]:
        temporary = home.resolve() / ".tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        given = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", "TMPDIR": str(temporary)}
        given |= {**env, "HOME": str(home.resolve())}
        if gate is not None:
            given["SIGNALBOX_MODEL_SOCKET"] = str(gate.resolve())
        return [
            shutil.which("env") or "/usr/bin/env",
            "-i",
            *("-C", str(worktree.resolve())),
            *(f"{name}={value}" for name, value in given.items()),
            *warden(depth=1),
            *argv,
        ]
