"""The sample repository on this machine: a small package with open tickets, as a bare origin."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SAMPLE = Path(__file__).with_name("sample")
NAME = "billing.git"
BRANCH = "main"
_BY = "Signalbox sample"
_AT = "2026-01-05T09:00:00+00:00"


def create_sample_repository(directory: Path) -> Path:
    """The bare repository `billing.git` in `directory`, made where it is not there yet.

    The same content gives the same commit id on every machine.
    """
    origin = directory / NAME
    if origin.exists():
        return origin
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sample-", dir=directory) as place:
        tree, bare = Path(place) / "tree", Path(place) / NAME
        shutil.copytree(SAMPLE, tree, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        for path in (tree, *tree.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        _git(tree, "init", "--quiet", f"--initial-branch={BRANCH}")
        _git(tree, "add", "--all", "--force")
        _git(tree, "commit", "--quiet", "--message=Invoices and their export as CSV")
        _git(tree, "clone", "--quiet", "--bare", "--no-hardlinks", str(tree), str(bare))
        _git(bare, "remote", "remove", "origin")
        bare.rename(origin)
    return origin


def _git(directory: Path, *arguments: str) -> None:
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": _BY,
        "GIT_COMMITTER_NAME": _BY,
        "GIT_AUTHOR_EMAIL": "sample@signalbox.invalid",
        "GIT_COMMITTER_EMAIL": "sample@signalbox.invalid",
        "GIT_AUTHOR_DATE": _AT,
        "GIT_COMMITTER_DATE": _AT,
    }
    subprocess.run(["git", "-C", str(directory), *arguments], env=env, check=True, timeout=60)
