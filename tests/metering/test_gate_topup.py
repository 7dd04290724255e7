"""A hold that is topped up while its attempt is on: the gate lets through what it then can pay."""

from __future__ import annotations

import pytest

from tests.fakes.messages_api import FakeMessagesApi
from tests.metering.opened_gate import Ledger, billed, message, opened

pytestmark = pytest.mark.anyio


async def test_a_request_that_could_not_be_paid_can_be_after_a_top_up(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    held = [1000]
    async with opened(api, ledger, budget=1000, set_aside=lambda: held[0]) as gate:
        assert (await gate.ask(message())).status_code == 402
        assert api.calls == []
        held[0] = 3_000_000
        assert (await gate.ask(message())).status_code == 200
        assert 0 < billed(api) <= held[0]
        assert gate.gate.spent == billed(api)


async def test_what_is_set_aside_never_shrinks_under_an_attempt(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    async with opened(api, ledger, set_aside=lambda: 0) as gate:
        assert (await gate.ask(message())).status_code == 200


async def test_a_ledger_that_cannot_be_asked_adds_nothing(
    api: FakeMessagesApi, ledger: Ledger
) -> None:
    def broken() -> int:
        raise OSError("the database is away")

    async with opened(api, ledger, budget=1000, set_aside=broken) as gate:
        assert (await gate.ask(message())).status_code == 402
    assert api.calls == []
