"""The judge by the vendor's client against a scripted Messages API on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from app.adapters.claude_judge import MOST_OUTPUT, ClaudeJudge
from app.adapters.memory_judge import MemoryJudge, content
from app.adapters.prices import price
from app.core.judge_request import JudgeRequest, build_request
from app.core.run import CallUsage
from app.ports import JudgeAnswer, NoJudgement, SpecJudge
from tests.fakes.judge_script import told
from tests.fakes.messages_api import KEY, FakeCall, FakeMessagesApi

MODEL = "claude-sonnet-5-5"
TEXT = "CSV export\n\nWrite billing/csv_export/writer.py anew."


@pytest.fixture
def api() -> Iterator[FakeMessagesApi]:
    with FakeMessagesApi() as made:
        yield made


def judge_of(api: FakeMessagesApi, model: str = MODEL, **more: Any) -> ClaudeJudge:
    return ClaudeJudge(model, more.pop("key", KEY), api.url, pace=0.0, **more)


def request(text: str = TEXT) -> JudgeRequest:
    return build_request(text, "Bug", "AGENTS.md:\nBe brief.", ["billing/csv_export/writer.py"])


def billed(call: FakeCall) -> int:
    cost = price(call.model, fresh=call.fresh, written=call.written, read=call.read, out=call.out)
    assert cost is not None
    return cost


def test_both_are_the_port() -> None:
    judges: list[SpecJudge] = [ClaudeJudge("m", "k", "http://127.0.0.1:1"), MemoryJudge()]
    assert len(judges) == 2


def test_one_question_one_answer_and_its_price(api: FakeMessagesApi) -> None:
    answer = content(vague=("unmet", 2, "anew"))
    api.judge.replies = [told(answer)]
    judge, asked = judge_of(api), request()
    found = judge.judge(asked)
    assert found.body == answer
    assert [call.tokens for call in api.calls] == [
        (
            *(found.usage.message_id, found.usage.model, found.usage.input_tokens),
            *(found.usage.cache_write_tokens, found.usage.cache_read_tokens),
            found.usage.output_tokens,
        )
    ]
    assert found.usage.cost == billed(api.calls[0])
    worst = judge.worst_case(asked)
    assert worst is not None
    assert found.usage.cost <= worst
    sent = api.bodies[0]
    assert [part["cache_control"] for part in sent["system"]] == [{"type": "ephemeral"}] * 2
    assert sent["output_config"]["format"]["schema"] == asked.schema
    assert (sent["max_tokens"], sent["model"]) == (MOST_OUTPUT, MODEL)
    assert "temperature" not in sent
    assert "tools" not in sent
    assert "CSV export" in sent["messages"][0]["content"]


@pytest.mark.parametrize(
    ("reply", "why", "paid"),
    [
        (("{}", "refusal"), "it refused to read the text", True),
        (('{"criteria": [', "max_tokens"), "its answer was cut off", True),
        (("I would rather talk.", "end_turn"), "its answer was not what was asked for", True),
        (("{}", "tool_use"), "its answer was not what was asked for", True),
        (401, "its key is refused", False),
        (429, "its provider asks us to wait", False),
        (529, "its provider is overloaded", False),
        (500, "its provider answered with an error 500", False),
    ],
)
def test_every_fault_has_a_name_and_a_cost(
    api: FakeMessagesApi, reply: Any, why: str, paid: bool
) -> None:
    api.judge.replies = [reply]
    with pytest.raises(NoJudgement, match=why) as fault:
        judge_of(api).judge(request())
    assert len(api.seen) == 1, "the library does not try again"
    if paid:
        assert fault.value.cost == billed(api.calls[0])
        assert isinstance(fault.value.usage, CallUsage)
    else:
        assert (fault.value.cost, fault.value.usage) == (0, None)


def test_a_wrong_key_is_named(api: FakeMessagesApi) -> None:
    with pytest.raises(NoJudgement, match="its key is refused") as fault:
        judge_of(api, key="wrong").judge(request())
    assert fault.value.cost == 0


def test_what_was_not_answered_in_time_may_have_been_billed(api: FakeMessagesApi) -> None:
    api.pause = 0.5
    with pytest.raises(NoJudgement, match="it took too long") as fault:
        judge_of(api, seconds=0.1).judge(request())
    assert fault.value.cost is None


def test_what_was_never_sent_costs_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(NoJudgement, match="could not be reached") as fault:
            ClaudeJudge(MODEL, KEY, nobody).judge(request())
    assert fault.value.cost == 0


def test_an_unknown_model_has_no_price(api: FakeMessagesApi) -> None:
    judge = judge_of(api, "nobody-1")
    assert judge.worst_case(request()) is None
    assert judge.forecast([request()]) is None
    assert api.seen == []


def test_many_at_once_come_back_in_any_order_at_half_the_price(api: FakeMessagesApi) -> None:
    api.judge.replies = [500, ("{}", "refusal"), told(content())]
    judge = judge_of(api)
    requests = [request(f"{TEXT} {number}") for number in range(4)]
    forecast = judge.forecast(requests)
    found = dict(judge.judge_many(requests))
    assert sorted(found) == [0, 1, 2, 3]
    faults = {place: one for place, one in found.items() if isinstance(one, NoJudgement)}
    assert {place: str(fault) for place, fault in faults.items()} == {
        3: "its provider did not take it on",
        2: "it refused to read the text",
    }
    assert faults[3].cost == 0
    paid = [one.usage.cost for one in found.values() if isinstance(one, JudgeAnswer)]
    paid.append(faults[2].cost)
    assert sorted(c or 0 for c in paid) == sorted(-(-billed(call) // 2) for call in api.calls)
    assert forecast is not None
    low, high = forecast
    assert 0 < low < high
    assert sum(cost or 0 for cost in paid) <= high
    assert list(judge.judge_many([])) == []
