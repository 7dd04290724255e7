"""Claude Code end to end: the real client edits, tests, is stopped, killed, and counted."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.claude_code import ClaudeCode, find_cli
from app.adapters.no_cage import NoCage
from app.core.run import CallUsage, Ending
from app.ports import Refused
from tests.adapters.claude_bench import ClaudeBench
from tests.fakes.messages_api import FakeMessagesApi
from tests.metering.opened_gate import MODEL

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ClaudeBench]:
    with FakeMessagesApi() as api:
        yield ClaudeBench(tmp_path, api)


def tokens(usage: CallUsage) -> tuple[str, str, int, int, int, int]:
    return (
        usage.message_id,
        usage.model,
        usage.input_tokens,
        usage.cache_write_tokens,
        usage.cache_read_tokens,
        usage.output_tokens,
    )


@pytest.mark.claude
@pytest.mark.bwrap
async def test_it_edits_and_tests_and_every_token_is_counted(bench: ClaudeBench) -> None:
    report = await bench.run("fix")

    assert (report.ending, report.cause) == (Ending.SUCCEEDED, "")
    assert report.said == "Done: add adds now, and the tests pass."
    assert bench.lines == ["reads calc.py", "changes calc.py", "runs python3 -m unittest -q"]
    assert bench.changed() == ["calc.py"]
    assert "return a + b" in (bench.worktree / "calc.py").read_text()
    assert sorted(map(tokens, bench.ledger.finished.values())) == [
        c.tokens for c in bench.api.calls
    ]
    assert bench.ledger.spent == bench.billed > 0
    assert sorted(map(tokens, report.usage)) == [call.tokens for call in bench.api.calls]
    assert sum(call.cost or 0 for call in report.usage) == bench.billed
    assert bench.processes() == []


@pytest.mark.claude
@pytest.mark.bwrap
async def test_calls_beside_the_agents_own_are_counted_too(bench: ClaudeBench) -> None:
    """Any program in the cage can ask the model; only the gate sees that."""
    report = await bench.run("side")

    assert report.ending is Ending.SUCCEEDED
    assert [call.side for call in bench.api.calls].count(True) == 2
    assert bench.ledger.spent == bench.billed
    assert sorted(map(tokens, bench.ledger.finished.values())) == sorted(
        call.tokens for call in bench.api.calls
    )
    assert len(report.usage) == len(bench.api.calls) - 2


@pytest.mark.claude
@pytest.mark.bwrap
async def test_a_refused_key_ends_at_once(bench: ClaudeBench) -> None:
    report = await bench.run("auth")

    assert (report.ending, report.cause) == (Ending.FAILED, "The model key was refused (401).")
    assert bench.api.seen == ["/v1/messages"]
    assert bench.ledger.spent == 0


@pytest.mark.claude
@pytest.mark.bwrap
async def test_an_overloaded_model_is_said_to_be_so(bench: ClaudeBench) -> None:
    report = await bench.run("overload")

    assert (report.ending, report.cause) == (Ending.FAILED, "The model is overloaded (529).")
    assert len(bench.api.seen) == 2
    assert bench.ledger.spent == 0


@pytest.mark.claude
@pytest.mark.bwrap
@pytest.mark.parametrize("budget", [20_000, 400_000])
async def test_the_budget_ends_it_and_is_not_passed(bench: ClaudeBench, budget: int) -> None:
    report = await bench.run("slow", budget=budget)

    assert (report.ending, report.cause) == (Ending.OVER_BUDGET, "Its budget is used up.")
    assert bench.billed == bench.ledger.spent <= budget
    assert bench.processes() == []


@pytest.mark.claude
@pytest.mark.bwrap
async def test_a_loop_is_ended_as_stalled(bench: ClaudeBench) -> None:
    report = await bench.run("loop")

    assert report.ending is Ending.STALLED
    assert report.cause == "The same call came again and again: it runs false."
    assert len(bench.lines) <= 6


@pytest.mark.claude
@pytest.mark.bwrap
async def test_a_stop_ends_it_with_all_its_children(bench: ClaudeBench) -> None:
    asked: list[float] = []

    def stop() -> None:
        assert bench.processes() != []
        asked.append(time.monotonic())
        bench.stop.set()

    report = await bench.run("longbash", when=("sleep", stop))

    assert time.monotonic() - asked[0] < 7
    assert (report.ending, report.cause) == (Ending.CANCELLED, "It was asked to stop.")
    assert bench.ledger.spent == bench.billed
    assert bench.processes() == []


@pytest.mark.claude
@pytest.mark.bwrap
async def test_a_stop_before_the_first_word_ends_it_too(bench: ClaudeBench) -> None:
    bench.stop.set()
    report = await bench.run("fix")
    assert report.ending is Ending.CANCELLED
    assert bench.processes() == []


@pytest.mark.claude
@pytest.mark.bwrap
async def test_the_time_limit_ends_it(bench: ClaudeBench) -> None:
    report = await bench.run("slow", seconds=4)
    assert report.ending is Ending.TIMED_OUT
    assert bench.processes() == []


@pytest.mark.claude
@pytest.mark.bwrap
async def test_cancelling_the_task_leaves_no_process(bench: ClaudeBench) -> None:
    def cancel() -> None:
        assert bench.processes() != []
        running.cancel()

    running = asyncio.create_task(bench.run("longbash", when=("sleep", cancel)))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.processes() == []


@pytest.mark.claude
@pytest.mark.bwrap
@pytest.mark.parametrize(("victim", "code"), [("warden", -9), ("bwrap", 137)])
async def test_killing_the_cage_leaves_no_process_and_the_session_goes_on(
    bench: ClaudeBench, victim: str, code: int
) -> None:
    def kill() -> None:
        (warden,) = [pid for pid in children(os.getpid()) if "warden" in command_of(pid)]
        (cage,) = children(warden)
        os.kill(warden if victim == "warden" else cage, signal.SIGKILL)

    report = await bench.run("slow", when=("step 2", kill))

    assert report.ending is Ending.FAILED
    assert report.cause.startswith(f"Its client ended with exit code {code} and no result")
    await nothing_left(bench)
    agent = ClaudeCode(MODEL)
    recovered = agent.recovered_usage(bench.task())
    assert recovered is not None
    assert len(bench.api.calls) - 1 <= len(recovered) <= len(bench.api.calls)
    session = agent.session_of(bench.task())
    assert session == report.session

    before = len(bench.api.calls)
    stopped = await bench.run("slow", attempt=2, resume=session, when=("step 5", bench.stop.set))

    assert stopped.session == session
    assert bench.lines[-1].startswith("runs sleep 0.2; echo step")
    assert int(bench.lines[-1].split()[-1]) >= 5
    assert len(stopped.usage) <= len(bench.api.calls) - before
    assert bench.ledger.spent == bench.billed


@pytest.mark.claude
@pytest.mark.bwrap
async def test_a_lost_session_is_begun_anew(bench: ClaudeBench) -> None:
    report = await bench.run("hello", resume="00000000-0000-4000-8000-000000000000")
    assert report.ending is Ending.SUCCEEDED
    assert report.session != "00000000-0000-4000-8000-000000000000"


async def test_without_a_gate_it_is_refused(tmp_path: Path) -> None:
    task = ClaudeBench(tmp_path, FakeMessagesApi()).task()
    with pytest.raises(Refused, match="SIGNALBOX_ANTHROPIC_API_KEY"):
        await ClaudeCode(MODEL).work(task, NoCage(), asyncio.Event(), lambda _line: None)


def test_a_missing_client_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(Refused, match="make claude"):
        find_cli()


@pytest.mark.claude
def test_a_command_line_that_is_not_there_is_named() -> None:
    with pytest.raises(Refused, match="/no/such/claude"):
        find_cli("/no/such/claude")


def test_the_module_does_not_load_the_client() -> None:
    code = (
        "import sys, app.adapters.claude_code;"
        "print({'claude_agent_sdk', 'anyio', 'genai_prices'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "set()"


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(parent) == pid:
                found.append(int(entry.name))
    return found


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


async def nothing_left(bench: ClaudeBench) -> None:
    """After a kill -9 it is the kernel that ends the namespace, a moment later."""
    for _ in range(100):
        if not bench.processes():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"still there: {bench.processes()}")
