"""What the cage of bubblewrap keeps in and out, tried from the inside."""

import json
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from app.adapters import bwrap, warden
from app.adapters.bwrap import Bubblewrap, Limits
from tests.adapters.caged import Inside

CANARY = "canary-7f3a91c2"

pytestmark = pytest.mark.bwrap


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    return Inside(tmp_path)


def test_it_is_available_here() -> None:
    assert Bubblewrap().available() == ""


def test_a_missing_program_is_named_with_what_to_do() -> None:
    assert "apt-get install bubblewrap" in Bubblewrap(program="bwrap-that-is-not").available()


def test_a_refusal_by_the_kernel_is_told_in_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    broken.chmod(0o755)

    told = Bubblewrap(program=str(broken)).available()

    assert "No permissions to create new namespace" in told
    assert "seccomp=unconfined" in told


def test_both_directories_can_be_written_and_nothing_else(inside: Inside) -> None:
    script = (
        "import os,json;"
        "print(json.dumps([r for r,d,f in os.walk('/') if os.access(r, os.W_OK)"
        " and not r.startswith(('/proc/', '/dev/pts'))]))"
    )
    writable = set(json.loads(inside.run("python3", "-c", script)))

    assert writable == {"/workspace", "/home/agent", "/tmp", "/dev/shm"}


def test_nothing_of_the_kernel_can_be_written(inside: Inside) -> None:
    """A root that starts the cage would otherwise let it set kernel.core_pattern for everyone."""
    script = (
        "import os;"
        "print(sum(os.access(os.path.join(r, n), os.W_OK) for r, d, f in os.walk('/proc')"
        " for n in f + d if not os.path.islink(os.path.join(r, n))))"
    )
    assert inside.run("python3", "-c", script).strip() == "0"


def test_the_environment_is_the_given_one(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_KEY", CANARY)

    names = {line.partition("=")[0] for line in inside.run("env").splitlines()}

    assert names - {"PWD", "SHLVL", "_"} == {"PATH", "LANG", "TMPDIR", "USER", "HOME", "GIVEN"}


def test_our_environment_is_in_no_process_inside(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bubblewrap's own first process is inside and would carry what it was started with."""
    monkeypatch.setenv("MODEL_KEY", CANARY)

    seen = inside.run("sh", "-c", "cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'")

    assert CANARY not in seen
    assert "GIVEN=1" in seen


def test_no_process_of_ours_is_seen(inside: Inside) -> None:
    pids = inside.run("sh", "-c", "ls /proc | grep -c '^[0-9]'")
    assert int(pids) <= 5
    assert inside.run("sh", "-c", f"kill -0 {os.getpid()} 2>&1").strip() != ""


def test_other_directories_do_not_exist_inside(inside: Inside, tmp_path: Path) -> None:
    neighbour = tmp_path / "other-run"
    neighbour.mkdir()
    (neighbour / "note").write_text(CANARY)
    (tmp_path / "signalbox.sqlite").write_text(CANARY)
    places = [neighbour, tmp_path, "/root", "/var", "/srv", "/mnt", "/sys", "/run", "/etc/shadow"]

    listed = inside.run("sh", "-c", f"ls -d {' '.join(map(str, places))} 2>/dev/null; ls /home")

    assert listed.split() == ["agent"]
    found = inside.run(
        "sh", "-c", f"grep -rs {CANARY} / --exclude-dir=proc --exclude-dir=usr | head"
    )
    assert found.strip() == ""


def test_there_is_no_network_but_loopback(inside: Inside) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = (
            "import socket, os\n"
            "print(sorted(os.listdir('/proc/self/net/dev_snmp6')))\n"
            f"for host, port in (('127.0.0.1', {port}), ('192.0.2.1', 80), ('1.1.1.1', 53)):\n"
            "    s = socket.socket(); s.settimeout(2)\n"
            "    try: s.connect((host, port)); print('connected', host)\n"
            "    except OSError as e: print('no')\n"
        )
        assert inside.run("python3", "-c", script).split() == ["['lo']", "no", "no", "no"]


def test_the_gates_socket_is_the_only_way_out(inside: Inside, tmp_path: Path) -> None:
    path = tmp_path / "m.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        script = (
            "import os, socket; s = socket.socket(socket.AF_UNIX);"
            "s.connect(os.environ['SIGNALBOX_MODEL_SOCKET']); s.sendall(b'hello')"
        )
        subprocess.run(inside.argv("python3", "-c", script, gate=path), check=True, timeout=30)
        server.settimeout(5)
        assert server.accept()[0].recv(5) == b"hello"


def test_readable_paths_can_be_read_and_not_written(inside: Inside, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("of use")
    script = f"cat {tool}; echo x > {tool}"

    done = subprocess.run(
        inside.argv("sh", "-c", script, readable=[tool]),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stdout == "of use"
    assert "Read-only" in done.stderr


def test_a_hidden_directory_below_usr_looks_empty(tmp_path: Path) -> None:
    cage = Bubblewrap(hidden=[Path("/usr/share"), tmp_path])
    assert Inside(tmp_path, cage).run("ls", "/usr/share") == ""


def test_limits_hold(tmp_path: Path) -> None:
    cage = Bubblewrap(limits=Limits(file_bytes=1000, open_files=20, memory_disk_bytes=4096))
    inside = Inside(tmp_path, cage)

    inside.run("sh", "-c", "head -c 5000 /dev/zero > big")

    assert (inside.worktree / "big").stat().st_size == 1000
    fill = "for n in 1 2 3 4 5 6; do head -c 900 /dev/zero > /tmp/$n; done"
    assert "No space left" in inside.run("sh", "-c", fill)
    assert inside.run("sh", "-c", "ulimit -n; ulimit -c").split() == ["20", "0"]


def test_it_makes_no_namespaces_of_its_own(inside: Inside) -> None:
    assert "unshare failed" in inside.run("unshare", "-U", "true")


def test_an_ordinary_user_can_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.getuid() != 0:
        pytest.skip("the other tests already ran as an ordinary user")
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("there is no Python that every user may run")
    user = pwd.getpwnam("nobody")
    place = Path("/var/tmp") / f"signalbox-cage-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        inside = Inside(place, Bubblewrap())
        for path in (inside.worktree, inside.home):
            os.chown(path, user.pw_uid, user.pw_gid)
        monkeypatch.setattr(bwrap, "ETC", shutil.copytree(bwrap.ETC, place / "etc"))
        monkeypatch.setattr(warden, "FILE", shutil.copy(warden.FILE, place / "warden.py"))
        monkeypatch.setattr("sys.executable", python)
        done = subprocess.run(
            inside.argv("sh", "-c", "id -u; echo x > a"),
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("1000\n", "")
        assert (inside.worktree / "a").stat().st_uid == user.pw_uid
    finally:
        shutil.rmtree(place)
