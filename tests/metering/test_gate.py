"""The gate between an agent and the model: who may pass, and what passes."""

import asyncio
import json
import stat
import time

import httpx
import pytest

from app.adapters.prices import price
from app.metering.gate import Gate
from tests.fakes.messages_api import KEY, FakeMessagesApi
from tests.metering.opened_gate import MODEL, Ledger, billed, counted, message, opened

pytestmark = pytest.mark.anyio


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
