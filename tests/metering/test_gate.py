"""The gate between an agent and the model: who may pass, what it costs, when it ends."""

import asyncio
import json
import stat
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.adapters.prices import price
from app.core.run import CallUsage
from app.metering.gate import BUDGET_STOP, Gate
from tests.fakes.messages_api import KEY, FakeMessagesApi
from tests.metering.opened_gate import MODEL, Ledger, message, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def api() -> Iterator[FakeMessagesApi]:
    with FakeMessagesApi() as api:
        yield api


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def counted(ledger: Ledger) -> list[tuple[str, str, int, int, int, int]]:
    return sorted(
        (
            u.message_id,
            u.model,
            u.input_tokens,
            u.cache_write_tokens,
            u.cache_read_tokens,
            u.output_tokens,
        )
        for u in ledger.finished.values()
    )


def billed(api: FakeMessagesApi) -> int:
    costs = [
        price(call.model, fresh=call.fresh, written=call.written, read=call.read, out=call.out)
        for call in api.calls
    ]
    assert None not in costs
    return sum(cost for cost in costs if cost is not None)


async def test_a_streamed_answer_passes_and_is_counted(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    async with opened(api, ledger) as gate:
        answer = await gate.ask(message("fix"))

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: message_stop" in answer.text
    assert counted(ledger) == [call.tokens for call in api.calls]
    assert ledger.spent == billed(api) == gate.gate.spent


async def test_a_whole_answer_passes_and_is_counted(api: FakeMessagesApi, ledger: Ledger) -> None:
    async with opened(api, ledger) as gate:
        answer = await gate.ask(message(stream=False))

    assert answer.json()["content"][0]["text"].startswith("Hello")
    assert counted(ledger) == [call.tokens for call in api.calls]


async def test_side_calls_and_calls_at_once_are_all_counted(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    async with opened(api, ledger) as gate:
        await asyncio.gather(*(gate.ask(message(tools=[])) for _ in range(3)), gate.ask(message()))

    assert [call.side for call in api.calls].count(True) == 3
    assert counted(ledger) == sorted(call.tokens for call in api.calls)
    assert ledger.spent == billed(api)


async def test_the_call_is_written_down_before_it_is_let_through(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    seen_before: list[int] = []

    def start(call_id: str, bound: int) -> None:
        seen_before.append(len(api.seen))
        ledger.start(call_id, bound)

    async with opened(api, ledger, record_started=start) as gate:
        await gate.ask(message())

    assert seen_before == [0]
    (bound,), (usage,) = ledger.started.values(), ledger.finished.values()
    assert usage.cost is not None
    assert usage.cost <= bound


async def test_a_ledger_that_fails_lets_nothing_through(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    def broken(_call_id: str, _bound: int) -> None:
        raise OSError("the database is away")

    async with opened(api, ledger, record_started=broken) as gate:
        answer = await gate.ask(message())

    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == "api_error"
    assert api.seen == []
    assert gate.gate.spent == 0


async def test_an_end_that_cannot_be_written_leaves_the_call_open(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    def broken(_call_id: str, _usage: CallUsage) -> None:
        raise OSError("the database is away")

    async with opened(api, ledger, record_finished=broken) as gate:
        assert (await gate.ask(message())).status_code == 200

    assert ledger.spent == sum(ledger.started.values())


@pytest.mark.parametrize("headers", [{"x-api-key": "wrong"}, {"x-api-key": ""}, {"x-api-key": KEY}])
async def test_a_wrong_token_is_refused(
    api: FakeMessagesApi, ledger: Ledger, headers: dict[str, str]
) -> None:
    async with opened(api, ledger) as gate:
        answer = await gate.ask(message(), **headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"
    assert api.seen == []


async def test_the_token_may_come_as_a_bearer(api: FakeMessagesApi, ledger: Ledger) -> None:
    async with opened(api, ledger) as gate:
        del gate.client.headers["x-api-key"]
        assert (await gate.ask(message())).status_code == 401
        answer = await gate.ask(message(), Authorization=f"Bearer {gate.way.token}")

    assert answer.status_code == 200


async def test_the_key_goes_upstream_and_the_token_does_not(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    async with opened(api, ledger) as gate:
        await gate.ask(message(), Cookie="a=b", **{"anthropic-beta": "x-1", "X-Other": "y"})
        token = gate.way.token

    (sent,) = api.headers
    assert sent["x-api-key"] == KEY
    assert sent["anthropic-beta"] == "x-1"
    assert token not in json.dumps(sent)
    assert not {"cookie", "authorization", "x-other"} & sent.keys()


async def test_only_what_a_client_needs_is_there(api: FakeMessagesApi, ledger: Ledger) -> None:
    async with opened(api, ledger) as gate:
        ask = gate.client.request
        told = {
            (method, path): (await ask(method, path)).status_code
            for method, path in (
                ("HEAD", "/"),
                ("GET", "/v1/models"),
                ("GET", "/api/hello"),
                ("GET", "/v1/files"),
                ("POST", "/v1/files"),
                ("POST", "/v1/messages/batches"),
                ("GET", "/v1/messages"),
                ("POST", "/v1/messages/../organizations"),
            )
        }
    assert list(told.values()) == [200, 200, 404, 404, 404, 404, 404, 404]
    assert api.seen == []


async def test_tokens_are_counted_by_the_provider(api: FakeMessagesApi, ledger: Ledger) -> None:
    async with opened(api, ledger) as gate:
        answer = await gate.client.post("/v1/messages/count_tokens", json={"model": MODEL})
    assert answer.json()["input_tokens"] > 0
    assert ledger.started == {}


@pytest.mark.parametrize("status", [401, 402, 429, 500, 529])
async def test_errors_of_the_model_pass_through_and_cost_nothing(
    api: FakeMessagesApi, ledger: Ledger, status: int
) -> None:
    names = {401: "auth", 402: "billing", 429: "limited", 500: "broken", 529: "overload"}
    async with opened(api, ledger) as gate:
        answer = await gate.ask(message(names[status]))

    assert answer.status_code == status
    assert answer.json()["error"]["message"] == f"fake {status}"
    assert ledger.spent == 0
    assert len(ledger.finished) == 1


async def test_an_api_that_is_not_there_costs_nothing(ledger: Ledger) -> None:
    async with opened("http://127.0.0.1:9", ledger) as gate:
        answer = await gate.ask(message())
    assert answer.status_code == 502
    assert ledger.spent == 0


async def test_a_cut_answer_stays_open_at_its_bound(api: FakeMessagesApi, ledger: Ledger) -> None:
    async with opened(api, ledger) as gate:
        await gate.ask(message("cut"))
        assert gate.gate.spent == ledger.spent

    assert ledger.finished == {}
    assert ledger.spent == sum(ledger.started.values()) > 0


async def test_a_reader_who_leaves_does_not_make_the_cost_unknown(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    api.pause = 0.05
    async with opened(api, ledger) as gate:
        async with gate.client.stream("POST", "/v1/messages", json=message()) as answer:
            async for _line in answer.aiter_lines():
                break
        await gate.client.aclose()

    assert counted(ledger) == [call.tokens for call in api.calls]


async def test_an_answer_that_nobody_reads_is_not_awaited_for_ever(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    begun = time.monotonic()
    async with opened(api, ledger, drain_seconds=0.3) as gate:
        stream = gate.client.stream("POST", "/v1/messages", json=message("slowstream"))
        async with stream as answer:
            async for _line in answer.aiter_lines():
                break

    assert time.monotonic() - begun < 3
    assert ledger.finished == {}
    assert ledger.spent > 0


@pytest.mark.parametrize("budget", [5_000, 60_000, 200_000, 700_000])
async def test_no_budget_can_be_passed(api: FakeMessagesApi, ledger: Ledger, budget: int) -> None:
    """Requests of every size, as greedy as the model allows, until the gate says stop."""
    async with opened(api, ledger, budget) as gate:
        for number in range(60):
            body = message(max_tokens=128_000, stream=number % 2 == 0)
            body["messages"][0]["content"] += "word " * 400 * (number % 5)
            answer = await gate.ask(body)
            assert billed(api) == gate.gate.spent <= budget
            if answer.status_code != 200:
                break

    assert answer.status_code == 402
    assert BUDGET_STOP in answer.json()["error"]["message"]
    assert gate.gate.budget_stopped
    assert ledger.spent == billed(api)
    assert budget - ledger.spent < 200_000


async def test_many_at_once_cannot_pass_it_either(api: FakeMessagesApi, ledger: Ledger) -> None:
    budget = 900_000
    async with opened(api, ledger, budget) as gate:
        answers = await asyncio.gather(*(gate.ask(message(max_tokens=128_000)) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200, 402}
    assert ledger.spent == billed(api) <= budget
    assert billed(api) > budget / 2


async def test_an_answer_is_shortened_to_what_is_left(api: FakeMessagesApi, ledger: Ledger) -> None:
    thinking = {"type": "enabled", "budget_tokens": 100_000}
    async with opened(api, ledger, budget=100_000) as gate:
        await gate.ask(message(max_tokens=128_000, thinking=thinking))

    (body,) = api.bodies
    assert 1024 <= body["max_tokens"] < 5000
    assert body["thinking"]["budget_tokens"] < body["max_tokens"]


async def test_the_providers_count_is_asked_where_bytes_leave_no_room(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    body = message()
    body["messages"][0]["content"] += "x" * 60_000
    async with opened(api, ledger, budget=250_000) as gate:
        answer = await gate.ask(body)

    assert api.seen == ["/v1/messages/count_tokens", "/v1/messages"]
    assert answer.status_code == 200


async def test_an_unknown_price_is_refused(api: FakeMessagesApi, ledger: Ledger) -> None:
    async with opened(api, ledger) as gate:
        answer = await gate.ask(message(model="claude-unheard-of"))

    assert answer.status_code == 400
    assert "price" in answer.json()["error"]["message"]
    assert api.seen == []


async def test_an_answer_of_an_unpriced_model_stands_at_its_bound(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    def only_asked(model: str, **tokens: int) -> int | None:
        return None if tokens.get("read") else price(model, **tokens)

    async with opened(api, ledger, price=only_asked) as gate:
        await gate.ask(message())

    (usage,) = ledger.finished.values()
    assert usage.cost is None
    assert gate.gate.spent == sum(ledger.started.values())


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search"),
        ({"tools": [{"type": "code_execution_20260120", "name": "x"}]}, "code_execution"),
        ({"mcp_servers": [{"url": "https://example.invalid"}]}, "mcp_servers"),
        ({"speed": "fast"}, "speed"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"model": 5}, "model"),
        (
            {"messages": [{"role": "user", "content": [
                {"type": "image", "source": {"type": "url", "url": "http://192.0.2.1/?secret"}}
            ]}]},
            "url",
        ),
        (
            {"messages": [{"role": "system", "content": [
                {"type": "tool_addition", "tool": {"type": "web_fetch_20260209", "name": "f"}}
            ]}]},
            "web_fetch",
        ),
    ],
)  # fmt: skip
async def test_what_costs_more_than_tokens_or_reaches_the_network_is_refused(
    api: FakeMessagesApi, ledger: Ledger, more: dict[str, Any], told: str
) -> None:
    async with opened(api, ledger) as gate:
        answer = await gate.ask(message(**more))

    assert answer.status_code == 400
    assert told in answer.json()["error"]["message"]
    assert api.seen == []


async def test_the_agents_own_words_are_not_taken_for_tools(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    call = {"type": "web_search_20250305", "name": "x", "source": {"type": "url"}}
    said = [{"type": "tool_use", "id": "t", "name": "Write", "input": call}]
    body = message()
    body["messages"].append({"role": "assistant", "content": said})
    async with opened(api, ledger) as gate:
        assert (await gate.ask(body)).status_code == 200


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 200_000, b'"text"'])
async def test_what_is_no_request_is_refused(
    api: FakeMessagesApi, ledger: Ledger, content: bytes
) -> None:
    async with opened(api, ledger) as gate:
        answer = await gate.client.post("/v1/messages", content=content)
    assert answer.status_code == 400
    assert api.seen == []


async def test_nothing_secret_is_logged(
    api: FakeMessagesApi, ledger: Ledger, capfd: pytest.CaptureFixture[str]
) -> None:
    async with opened(api, ledger) as gate:
        await gate.ask(message("auth"))
        await gate.ask(message(speed="fast"))
        await gate.ask(message("cut"))
        token = gate.way.token

    told = capfd.readouterr()
    assert KEY not in told.out + told.err
    assert token not in told.out + told.err
    assert "SCENARIO" not in told.out + told.err


async def test_it_opens_and_closes_quickly_and_leaves_nothing(ledger: Ledger) -> None:
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        async with opened("http://127.0.0.1:9", ledger) as gate:
            directory = gate.way.socket.parent
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        took.append(time.perf_counter() - begun)
        assert not directory.exists()
    assert min(took) < 0.2


async def test_two_attempts_have_nothing_in_common(api: FakeMessagesApi, ledger: Ledger) -> None:
    other = Ledger()
    async with opened(api, ledger) as one, opened(api, other) as two:
        assert one.way.socket != two.way.socket
        answer = await one.ask(message(), **{"x-api-key": two.way.token})
        await two.ask(message())

    assert answer.status_code == 401
    assert ledger.started == {}
    assert len(other.finished) == 1


async def test_cancelling_the_attempt_closes_the_gate(api: FakeMessagesApi, ledger: Ledger) -> None:
    paths = []

    async def attempt() -> None:
        async with opened(api, ledger, drain_seconds=0.2) as gate:
            paths.append(gate.way.socket)
            await gate.ask(message("slowstream"))

    task = asyncio.create_task(attempt())
    await asyncio.sleep(1.2)
    task.cancel()
    with pytest.raises((asyncio.CancelledError, httpx.HTTPError)):
        await task
    assert not paths[0].exists()


def test_it_does_not_need_the_key_to_be_shown() -> None:
    gate = Gate(
        upstream="http://127.0.0.1:9",
        api_key=KEY,
        budget=1,
        price=price,
        record_started=lambda _id, _bound: None,
        record_finished=lambda _id, _usage: None,
    )
    assert KEY not in repr(gate)
