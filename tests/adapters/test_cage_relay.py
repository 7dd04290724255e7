"""The relay inside a cage: from a port of loopback through the socket to the gate and back."""

import asyncio
import signal
import subprocess
import time
from pathlib import Path

import pytest

from app.adapters.bwrap import Bubblewrap
from app.adapters.claude_code import RELAY
from app.adapters.claude_home import put_file
from app.adapters.no_cage import NoCage
from app.ports import Cage
from tests.fakes.messages_api import FakeMessagesApi
from tests.metering.opened_gate import Ledger, opened

ASK = """
import json, os, urllib.request
body = {"model": "claude-opus-5-5", "max_tokens": 100, "stream": STREAM,
        "messages": [{"role": "user", "content": "x" * SIZE}]}
request = urllib.request.Request(
    os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(),
    {"content-type": "application/json", "x-api-key": os.environ["ANTHROPIC_API_KEY"]})
print(urllib.request.urlopen(request).read().decode()[-40:])
"""

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=[NoCage, pytest.param(Bubblewrap, marks=pytest.mark.bwrap)])
def cage(request: pytest.FixtureRequest) -> Cage:
    made: Cage = request.param()
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "worktree").mkdir()
    (tmp_path / "home").mkdir()
    return tmp_path


def relayed(cage: Cage, place: Path, socket: Path, token: str, *command: str) -> list[str]:
    put_file(place / "home", "token", token)
    return cage.wrap(
        ["python3", "-I", str(RELAY), "token", *command],
        worktree=place / "worktree",
        home=place / "home",
        env={},
        gate=socket,
        readable=[RELAY],
    )


@pytest.mark.parametrize(("stream", "size"), [("True", 10), ("False", 300_000)])
async def test_a_program_in_the_cage_reaches_the_model(
    cage: Cage, place: Path, stream: str, size: int
) -> None:
    ledger = Ledger()
    script = ASK.replace("STREAM", stream).replace("SIZE", str(size))
    with FakeMessagesApi() as api:
        async with opened(api, ledger) as gate:
            argv = relayed(cage, place, gate.way.socket, gate.way.token, "python3", "-c", script)
            done = await asyncio.to_thread(
                subprocess.run, argv, capture_output=True, text=True, timeout=30, check=False
            )

        assert done.stderr == ""
        assert ("message_stop" in done.stdout) == (stream == "True")
        assert len(ledger.finished) == len(api.calls) == 1


def test_the_token_is_handed_over_once_and_the_exit_code_comes_back(
    cage: Cage, place: Path
) -> None:
    (place / "m.sock").touch()
    script = 'test "$ANTHROPIC_API_KEY" = s3cret && test ! -e ~/token && test "$0" = ~/x && exit 7'
    argv = relayed(cage, place, place / "m.sock", "s3cret", "sh", "-c", script, "~/x")
    assert subprocess.run(argv, check=False, timeout=30).returncode == 7


def test_sigint_reaches_the_command(place: Path) -> None:
    (place / "m.sock").touch()
    script = "trap 'exit 9' INT; echo up; while :; do sleep 0.05; done"
    argv = relayed(NoCage(), place, place / "m.sock", "t", "sh", "-c", script)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 9
    process.stdout.close()


def test_a_gate_that_is_gone_closes_the_connection(place: Path) -> None:
    script = (
        "import os, urllib.request\n"
        "try: urllib.request.urlopen(os.environ['ANTHROPIC_BASE_URL'], timeout=10)\n"
        "except OSError as e: print('closed')"
    )
    argv = relayed(NoCage(), place, place / "nothing.sock", "t", "python3", "-c", script)
    begun = time.monotonic()
    told = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert told.stdout.strip() == "closed"
    assert time.monotonic() - begun < 9
