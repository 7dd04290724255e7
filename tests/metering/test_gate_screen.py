"""What the gate refuses at any budget."""

from typing import Any

import pytest

from tests.fakes.messages_api import FakeMessagesApi
from tests.metering.opened_gate import Ledger, message, opened

pytestmark = pytest.mark.anyio


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
