"""A gate before the scripted model, and a client that speaks to it over its socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.adapters.prices import price
from app.core.run import CallUsage
from app.metering.gate import Gate
from app.ports import ModelGate
from tests.fakes.messages_api import KEY, FakeMessagesApi

MODEL = "claude-opus-5-5"


@dataclass
class Ledger:
    started: dict[str, int] = field(default_factory=dict)
    finished: dict[str, CallUsage] = field(default_factory=dict)

    def start(self, call_id: str, bound: int) -> None:
        self.started[call_id] = bound

    def finish(self, call_id: str, usage: CallUsage) -> None:
        assert call_id in self.started
        self.finished[call_id] = usage

    @property
    def spent(self) -> int:
        """As the store counts it: an open call, or one of unknown cost, stands at its bound."""
        total = 0
        for call_id, bound in self.started.items():
            usage = self.finished.get(call_id)
            total += bound if usage is None or usage.cost is None else usage.cost
        return total


@dataclass
class Opened:
    gate: Gate
    way: ModelGate
    client: httpx.AsyncClient

    async def ask(self, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.client.post("/v1/messages?beta=true", json=body, headers=headers)


def message(scenario: str = "hello", **more: Any) -> dict[str, Any]:
    return {
        "model": MODEL,
        "max_tokens": 8000,
        "stream": True,
        "tools": [{"name": "Bash", "input_schema": {"type": "object"}}],
        "messages": [{"role": "user", "content": f"SCENARIO:{scenario} go " + "text " * 200}],
        **more,
    }


@asynccontextmanager
async def opened(
    api: FakeMessagesApi | str, ledger: Ledger, budget: int = 3_000_000, **more: Any
) -> AsyncIterator[Opened]:
    gate = Gate(
        upstream=api if isinstance(api, str) else api.url,
        api_key=KEY,
        budget=budget,
        **{
            "price": price,
            "record_started": ledger.start,
            "record_finished": ledger.finish,
            "drain_seconds": 5.0,
            **more,
        },
    )
    async with gate as way:
        transport = httpx.AsyncHTTPTransport(uds=str(way.socket))
        headers = {"x-api-key": way.token}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gate", headers=headers, timeout=30
        ) as client:
            yield Opened(gate, way, client)


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
