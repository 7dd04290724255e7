"""The model's API, with our key. What comes back is passed on as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx

from app.metering.wire import Headers

PASSED_ON = ("accept", "content-type", "user-agent", "x-app")
PASSED_ON_PREFIXES = ("anthropic-", "x-stainless-", "x-claude-code-")
PASSED_BACK = ("content-type", "retry-after", "request-id", "x-should-retry")


class Upstream:
    """Made for one attempt; opens its connection with the first request."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def ask(
        self, path: str, query: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> AsyncIterator[httpx.Response]:
        """POST it and give the answer as soon as its head is there. Raises httpx.HTTPError."""
        if self._client is None:
            # Ten minutes of silence, as the vendor's own clients allow; a ping breaks it.
            timeout = httpx.Timeout(600, connect=15)
            self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False)
        url = httpx.URL(self._base_url + path).copy_with(query=query or None)
        sent = {**_passed_on(headers), "accept-encoding": "identity", "x-api-key": self._api_key}
        async with self._client.stream("POST", url, headers=sent, content=body) as response:
            yield response

    async def count_tokens(
        self, query: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> int | None:
        """The provider's own count of a request's input, which costs nothing."""
        try:
            async with self.ask("/v1/messages/count_tokens", query, headers, body) as response:
                await response.aread()
                found = response.json() if response.status_code == httpx.codes.OK else {}
        except (httpx.HTTPError, ValueError):
            return None
        count = found.get("input_tokens") if isinstance(found, dict) else None
        return count if isinstance(count, int) and count >= 0 else None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    named = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return {
        name: value
        for name, value in named
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }


def passed_back(response: httpx.Response) -> Headers:
    return [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.items()
        if name in PASSED_BACK or name.startswith("anthropic-")
    ]
