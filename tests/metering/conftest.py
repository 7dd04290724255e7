"""A scripted model and an empty ledger for each test of the gate."""

from collections.abc import Iterator

import pytest

from tests.fakes.messages_api import FakeMessagesApi
from tests.metering.opened_gate import Ledger


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
