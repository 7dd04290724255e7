"""How recorded streams of the real client end for us; the files' README names each command."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.adapters.claude_outcome import BUDGET_STOP, Ended, outcome
from app.adapters.claude_stream import Told, clean
from app.adapters.claude_transcript import priced, read_usage
from app.adapters.prices import price
from app.core.run import Ending
from app.metering import gate

NOBODY = "00000000-0000-4000-8000-000000000000"
FAILED, DONE = Ending.FAILED, Ending.SUCCEEDED

EXPECTED = {
    "success": (DONE, ""),
    "partial": (DONE, ""),
    "structured": (DONE, ""),
    "hooks": (DONE, ""),
    "hooks-deny": (DONE, ""),
    "bare": (DONE, ""),
    "mcp-stdio": (DONE, ""),
    "resume-clean-1": (DONE, ""),
    "resume-clean-2": (DONE, ""),
    "stdin-two-messages": (DONE, ""),
    "denied-dontask": (DONE, ""),
    "denied-default": (FAILED, "It may not do what it tried (Bash, Edit), and changed nothing."),
    "denied-outside": (FAILED, "It may not do what it tried (Bash, Write), and changed nothing."),
    "budget": (Ending.OVER_BUDGET, "Its budget is used up."),
    "turns": (FAILED, "It reached its limit of 3 turns."),
    "kill9-2-resume": (FAILED, "It reached its limit of 2 turns."),
    "auth-error": (FAILED, "The model key was refused (401)."),
    "overload": (FAILED, "The model is overloaded (529)."),
    "no-server": (FAILED, "The model provider cannot be reached."),
    "sigint": (FAILED, "Its client broke off by itself."),
    "sigterm": (FAILED, "Its client ended with exit code 143 and no result."),
    "kill9-1": (
        Ending.STALLED,
        "The same call came again and again: it runs sleep 1; echo step.",
    ),
    "resume-unknown": (
        FAILED,
        f"Its client failed: No conversation found with session ID: {NOBODY}",
    ),
}
CODES = {"sigterm": 143}


def stream(shared: Path, name: str) -> list[Mapping[str, Any]]:
    text = (shared / "samples/agents" / f"{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def told(shared: Path, name: str, until: int | None = None) -> Told:
    folded = Told()
    for event in stream(shared, name)[:until]:
        folded.take(event)
    return folded


@pytest.mark.shared
def test_every_stream_of_the_client_is_in_the_table(shared: Path) -> None:
    others = {"transcript-on-disk", "loop"}
    names = {path.stem for path in (shared / "samples/agents").glob("*.jsonl")}
    assert {name for name in names if not name.startswith("acp-")} == set(EXPECTED) | others


@pytest.mark.shared
@pytest.mark.parametrize("name", EXPECTED)
def test_each_stream_ends_in_its_own_way(shared: Path, name: str) -> None:
    assert outcome(told(shared, name), Ended(CODES.get(name, 0))) == EXPECTED[name]


@pytest.mark.shared
def test_a_stop_that_we_asked_for_is_told_from_a_crash(shared: Path) -> None:
    for name in ("sigint", "sigterm", "success"):
        ending, _ = outcome(told(shared, name), Ended(137, asked=True))
        assert ending is Ending.CANCELLED


@pytest.mark.shared
def test_a_loop_is_seen_at_the_fourth_same_call(shared: Path) -> None:
    folded, calls = Told(), 0
    for event in stream(shared, "loop"):
        calls += len(folded.take(event))
        if folded.repeated:
            break

    assert calls == 4
    assert outcome(folded, Ended(0)) == (
        Ending.STALLED,
        "The same call came again and again: it runs false.",
    )


@pytest.mark.shared
def test_the_first_refused_retry_is_seen_before_the_result(shared: Path) -> None:
    folded = Told()
    for event in stream(shared, "auth-error"):
        folded.take(event)
        if folded.refused:
            break
    assert (folded.refused, folded.result) == (401, None)
    assert outcome(folded, Ended(None))[1] == "The model key was refused (401)."


@pytest.mark.shared
def test_lines_for_people_name_what_it_does(shared: Path) -> None:
    folded = Told()
    lines = [line for event in stream(shared, "success") for line in folded.take(event)]
    assert lines[:3] == [
        "reads calc.py",
        "changes calc.py",
        "runs python3 -m unittest -v test_calc 2>&1",
    ]


@pytest.mark.shared
def test_usage_comes_from_the_message_delta(shared: Path) -> None:
    (call,) = priced(told(shared, "partial").usage, price)

    assert (call.input_tokens, call.cache_write_tokens) == (1000, 2000)
    assert (call.cache_read_tokens, call.output_tokens) == (30000, 5000)
    assert (call.model, call.cost) == ("claude-opus-5-5", 120_000)


@pytest.mark.shared
def test_a_transcript_counts_each_message_once_and_no_synthetic_one(shared: Path) -> None:
    text = (shared / "samples/agents/transcript-on-disk.jsonl").read_text()
    calls = priced(read_usage(text.splitlines()), price)

    assert len(calls) == 7  # the last of six before the kill is missing, two came after
    assert {call.cost for call in calls} == {120_000}
    assert "<synthetic>" not in {call.model for call in calls}


def fold(*events: Mapping[str, Any]) -> Told:
    folded = Told()
    for event in events:
        folded.take(event)
    return folded


def result(**more: Any) -> Mapping[str, Any]:
    return {"type": "result", "subtype": "success", "is_error": False, **more}


def delta(identity: str, out: int, parent: str | None = None) -> list[Mapping[str, Any]]:
    message = {"id": identity, "model": "m", "usage": {"input_tokens": 7, "output_tokens": 1}}
    both = [
        {"type": "message_start", "message": message},
        {"type": "message_delta", "usage": {"output_tokens": out, "input_tokens": None}},
    ]
    return [{"type": "stream_event", "event": e, "parent_tool_use_id": parent} for e in both]


def test_messages_of_sub_agents_may_interleave() -> None:
    one, two = delta("a", 10), delta("b", 20, "toolu_1")
    folded = fold(one[0], two[0], one[1], two[1])
    assert {name: counts["output_tokens"] for name, (_, counts) in folded.usage.items()} == {
        "a": 10,
        "b": 20,
    }
    assert folded.usage["a"][1]["input_tokens"] == 7


def test_a_message_without_its_delta_is_not_counted() -> None:
    assert fold(delta("a", 10)[0]).usage == {}


def test_our_gates_refusal_is_over_budget() -> None:
    text = f"API Error: 402 {BUDGET_STOP}: the rest cannot pay"
    event = result(is_error=True, terminal_reason="api_error", api_error_status=402, result=text)
    assert outcome(fold(event), Ended(1))[0] is Ending.OVER_BUDGET
    assert BUDGET_STOP == gate.BUDGET_STOP


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (402, "The model provider asks for payment (402)."),
        (429, "The model provider limits our requests (429)."),
        (500, "The model provider failed (500)."),
        (None, "The model provider cannot be reached."),
    ],
)
def test_errors_of_the_api_have_causes_of_their_own(status: int | None, cause: str) -> None:
    event = result(is_error=True, terminal_reason="api_error", api_error_status=status)
    assert outcome(fold(event), Ended(1)) == (FAILED, cause)


def test_out_of_time_is_its_own_ending() -> None:
    assert outcome(Told(), Ended(None, out_of_time=True))[0] is Ending.TIMED_OUT


def test_last_words_are_told_in_one_printable_line() -> None:
    _, cause = outcome(Told(), Ended(1, last_words="bwrap:\n\x1b[31m no\u202e such file\x00\n"))
    assert cause == ("Its client ended with exit code 1 and no result: bwrap: [31m no such file")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "unheard_of"},
        {"type": "system"},
        {"type": "system", "subtype": "new"},
        {"type": "assistant", "message": None},
        {"type": "assistant", "message": {"content": "text"}},
        {"type": "user", "message": {"content": [None, 5, {"type": "tool_result"}]}},
        {"type": "stream_event", "event": {"type": "message_delta", "usage": {}}},
        {"type": "result", "permission_denials": [None, {}]},
    ],
)
def test_unknown_and_broken_events_are_passed_over(event: Mapping[str, Any]) -> None:
    assert fold(event).take(event) == []


def test_the_same_call_with_other_results_is_progress() -> None:
    folded = Told()
    for number in range(12):
        block = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": "x"}}
        folded.take({"type": "assistant", "message": {"content": [block]}})
        answer = {"type": "tool_result", "tool_use_id": f"t{number}", "content": f"{number} left"}
        folded.take({"type": "user", "message": {"content": [answer]}})
    assert folded.repeated == ""


def test_the_same_failure_in_another_time_is_the_same() -> None:
    folded = Told()
    for number in range(4):
        block = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": "x"}}
        folded.take({"type": "assistant", "message": {"content": [block]}})
        content = f"Ran 1 test in 0.0{number}s\nFAILED"
        answer = {"type": "tool_result", "tool_use_id": f"t{number}", "content": content}
        folded.take({"type": "user", "message": {"content": [answer]}})
    assert folded.repeated == "runs x"


def test_a_cut_line_of_a_transcript_is_passed_over() -> None:
    record = {"message": {"id": "a", "model": "m", "usage": {"output_tokens": 5}}}
    whole = json.dumps({"type": "assistant", **record})
    assert set(read_usage([whole, whole[:40], "", "[]", "null", '{"type": "assistant"}'])) == {"a"}


def test_clean_keeps_one_line() -> None:
    assert clean("a\n b\tc\u2028d", 20) == "a b c d"
    assert clean("x" * 30, 10) == "x" * 9 + "…"
