"""One git call with a fixed, clean environment: no settings, hooks or helpers but our own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.core.git import brief, command, environment, is_local, passing
from app.ports import Refused, Transient

QUICK = 60.0
"""Seconds for a call that stays on this machine."""
FAR = 300.0
"""Seconds for a call that may move a whole repository."""


@dataclass(frozen=True, slots=True)
class Git:
    """git on one git directory, and on a worktree where it needs one."""

    directory: Path | None
    worktree: Path | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        fine: tuple[int, ...] = (0,),
        seconds: float = QUICK,
    ) -> bytes:
        """What a local call printed. Raises Refused when it failed."""
        code, out, said = self._call(args, stdin, seconds)
        if code in fine:
            return out
        raise Refused(f"git {args[0]} failed: {brief(said) or f'exit {code}'}")

    def line(self, *args: str, stdin: bytes = b"") -> str:
        return os.fsdecode(self.run(*args, stdin=stdin)).strip()

    def reach(self, *args: str, repository: str) -> bytes:
        """A call that talks to the repository. Raises Transient when it may work later."""
        code, out, said = self._call(args, b"", FAR)
        if code == 0:
            return out
        if code == TIMED_OUT or passing(said):
            raise Transient(f"The repository {repository} does not answer: {brief(said)}")
        raise Refused(f"The repository {repository} refuses: {brief(said) or f'exit {code}'}")

    def _call(self, args: tuple[str, ...], stdin: bytes, seconds: float) -> tuple[int, bytes, str]:
        env = environment(os.environ) | dict(self.extra)
        if self.directory:
            env["GIT_DIR"] = str(self.directory)
        if self.worktree:
            env["GIT_WORK_TREE"] = str(self.worktree)
        place = self.worktree or self.directory or Path("/")
        return _finish(command(*args), env, place, stdin, seconds)


TIMED_OUT = -1


def upload_pack(repository: str) -> list[str]:
    return _owned("upload-pack", repository)


def receive_pack(repository: str) -> list[str]:
    return _owned("receive-pack", repository)


def _owned(program: str, repository: str) -> list[str]:
    """An admin named this directory: it may belong to another user than the one we run as."""
    if not is_local(repository):
        return []
    return [f"--{program}=git -c 'safe.directory=*' {program}"]


def _finish(
    argv: list[str], env: Mapping[str, str], cwd: Path, stdin: bytes, seconds: float
) -> tuple[int, bytes, str]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, env=env, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        try:
            out, said = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # git leaves its own helpers behind otherwise
            process.communicate()
            return TIMED_OUT, b"", f"no end within {seconds:.0f} seconds"
        return process.returncode, out, said.decode(errors="replace")
