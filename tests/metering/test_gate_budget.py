"""What passes the gate is paid for: before it begins, and whatever becomes of the answer."""

import asyncio
import time

import pytest

from app.adapters.prices import price
from app.core.run import CallUsage
from app.metering.gate import BUDGET_STOP
from tests.fakes.messages_api import FakeMessagesApi
from tests.metering.opened_gate import Ledger, billed, counted, message, opened

pytestmark = pytest.mark.anyio


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
