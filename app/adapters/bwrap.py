"""The cage of bubblewrap: namespaces of its own, a system to read, two directories to write.

Inside are /usr, the worktree at /workspace, HOME at /home/agent and at most one socket. There is
no network but `lo`, no process of ours, no environment of ours, and no file but those bound here.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from app.adapters.warden import warden

WORKSPACE = "/workspace"
HOME = "/home/agent"
SOCKET = "/run/signalbox/model.sock"
SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"

ETC = Path(__file__).with_name("cage_etc")
STUBS = ("passwd", "group", "hosts", "nsswitch.conf")
SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
INSTALL = (
    "bubblewrap (bwrap) is not installed, so an agent cannot be caged here: "
    "install it (Debian, Ubuntu: apt-get install bubblewrap)."
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one command may take. Root is exempt from `processes` by the kernel's own rule."""

    processes: int = 2048
    open_files: int = 16384
    file_bytes: int = 4 * 1024**3
    memory_disk_bytes: int = 1024**3  # each of /tmp and /dev/shm


class Bubblewrap:
    """`hidden`: directories below /usr that hold something of ours and must look empty."""

    name = "bubblewrap"

    def __init__(
        self,
        program: str = "bwrap",
        limits: Limits | None = None,
        hidden: Sequence[Path] = (),
    ) -> None:
        self._program = program
        self._limits = limits or Limits()
        self._hidden = tuple(hidden)

    def available(self) -> str:
        if shutil.which(self._program) is None:
            return INSTALL
        with tempfile.TemporaryDirectory(prefix="signalbox-cage-") as place:
            argv = self.wrap(["true"], worktree=Path(place), home=Path(place), env={})
            try:
                tried = subprocess.run(
                    argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=20, check=False
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                return f"bubblewrap does not run here ({error}): reinstall it."
        return "" if tried.returncode == 0 else _refused(tried.stderr)

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
        """Never put a secret into `env` or `argv`: the machine's other users can read both.

        `env -i` comes first because bubblewrap's own first process stays inside, where its
        /proc/1/environ would show everything that it was started with. Below the warden stand
        bubblewrap's two processes and then the command.
        """
        given = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", "TMPDIR": "/tmp", "USER": "agent"}  # noqa: S108
        given |= {**env, "HOME": HOME}
        if gate is not None:
            given["SIGNALBOX_MODEL_SOCKET"] = SOCKET
        return [
            *(shutil.which("env") or "/usr/bin/env", "-i"),
            *warden(depth=3),
            shutil.which(self._program) or self._program,
            *self._namespaces(),
            *chain.from_iterable(("--setenv", name, value) for name, value in given.items()),
            *self._system(),
            *chain.from_iterable(_read_only(path) for path in readable),
            *("--bind", str(home.resolve()), HOME),
            *("--bind", str(worktree.resolve()), WORKSPACE),
            *(("--ro-bind", str(gate.resolve()), SOCKET) if gate else ()),
            *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORKSPACE, "--"),
            *self._limited(argv),
        ]

    def _namespaces(self) -> Iterable[str]:
        yield from ("--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000")
        if "--disable-userns" in self._known:
            yield "--disable-userns"
        yield from ("--die-with-parent", "--new-session", "--hostname", "cage", "--clearenv")

    def _system(self) -> Iterable[str]:
        yield from ("--ro-bind", "/usr", "/usr")
        for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
            yield from _root_entry(Path(path))
        for hidden in self._hidden:
            yield from ("--tmpfs", str(hidden.resolve())) if _below_usr(hidden) else ()
        for path in SYSTEM_FILES:
            yield from ("--ro-bind-try", path, path)
        for stub in STUBS:
            yield from ("--ro-bind", str(ETC / stub), f"/etc/{stub}")
        # Read-only, because a root that starts us may write the kernel's settings in there.
        yield from ("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev")
        size = str(self._limits.memory_disk_bytes)
        for path in ("/dev/shm", "/tmp"):  # noqa: S108 - the cage's own
            yield from ("--perms", "1777") if "--perms" in self._known else ()
            yield from ("--size", size) if "--size" in self._known else ()
            yield from ("--tmpfs", path)

    def _limited(self, argv: Sequence[str]) -> list[str]:
        """Memory of the address space is not limited: JavaScript engines reserve far more."""
        prlimit = shutil.which("prlimit")
        if prlimit is None:
            return list(argv)
        limits = self._limits
        return [
            prlimit,
            "--core=0",
            f"--nproc={limits.processes}",
            f"--nofile={limits.open_files}",
            f"--fsize={limits.file_bytes}",
            "--",
            *argv,
        ]

    @cached_property
    def _known(self) -> frozenset[str]:
        """The options of the installed version; what it lacks is left out."""
        try:
            told = subprocess.run(
                [self._program, "--help"], capture_output=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return frozenset()
        return frozenset((told.stdout + told.stderr).decode(errors="replace").split())


def _root_entry(path: Path) -> Sequence[str]:
    if path.is_symlink():
        return ("--symlink", str(path.readlink()), str(path))
    return ("--ro-bind", str(path), str(path)) if path.is_dir() else ()


def _read_only(path: Path) -> Sequence[str]:
    return ("--ro-bind", str(path.resolve()), str(path.absolute()))


def _below_usr(path: Path) -> bool:
    return path.resolve().is_relative_to("/usr") and path.is_dir()


def _refused(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    said = lines[-1] if lines else "no message"
    return (
        f"bubblewrap may not make namespaces here ({said}): allow unprivileged user namespaces "
        "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0"
        "; in Docker --security-opt seccomp=unconfined --security-opt systempaths=unconfined)."
    )
