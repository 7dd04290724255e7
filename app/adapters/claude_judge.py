"""The LLM judge by Anthropic's Messages API: one request a text, structured output, no tools.

The library never tries again by itself: a call that timed out was probably billed, and a second
one would not be covered by the first one's hold.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from app.adapters.prices import VERSION
from app.adapters.prices import price as list_price
from app.core.judge_request import JudgeRequest
from app.core.run import CallUsage
from app.ports import JudgeAnswer, NoJudgement

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message

MOST_OUTPUT = 6_000
LIKELY_OUTPUT = 1_500
BYTES_A_TOKEN = 4
OVERHEAD_TOKENS = 2_000
"""What the provider adds to the text, such as its own words about the form of the answer."""
SECONDS = 120.0
DAY_SECONDS = 24 * 3600.0
GATEWAY_TIMEOUT = 504


class Price(Protocol):
    def __call__(
        self, model: str, *, fresh: int = 0, written: int = 0, read: int = 0, out: int = 0
    ) -> int | None: ...


class ClaudeJudge:
    """base_url: the provider, or a gateway before it. pace: seconds between looks at a batch."""

    simulated = False
    prices = VERSION

    def __init__(
        self,
        model: str,
        api_key: str,
        base_url: str,
        *,
        price: Price = list_price,
        seconds: float = SECONDS,
        pace: float = 30.0,
    ) -> None:
        self.model = model
        self._api_key, self._base_url = api_key, base_url
        self._price = price
        self._seconds = seconds
        self._pace = pace
        self._client: anthropic.Anthropic | None = None

    def worst_case(self, request: JudgeRequest) -> int | None:
        """A token is at least one byte of the text, so this is a bound and no guess."""
        inputs = len(_dumped(self._body(request))) + OVERHEAD_TOKENS
        ways = [
            self._price(self.model, fresh=inputs, out=MOST_OUTPUT),
            self._price(self.model, written=inputs, out=MOST_OUTPUT),
        ]
        known = [way for way in ways if way is not None]
        return max(known) if len(known) == len(ways) else None

    def judge(self, request: JudgeRequest) -> JudgeAnswer:
        with _named():
            message = self._api().messages.create(**self._body(request))
            return self._read(message, whole=True)

    def forecast(self, requests: Sequence[JudgeRequest]) -> tuple[int, int] | None:
        low = high = 0
        for request in requests:
            inputs = len(_dumped(self._body(request))) // BYTES_A_TOKEN
            likely = self._price(self.model, fresh=inputs, out=LIKELY_OUTPUT)
            most = self.worst_case(request)
            if likely is None or most is None:
                return None
            low, high = low + _half(likely), high + _half(most)
        return low, high

    def judge_many(
        self, requests: Sequence[JudgeRequest]
    ) -> Iterator[tuple[int, JudgeAnswer | NoJudgement]]:
        bodies: list[Any] = [
            {"custom_id": f"text-{place}", "params": self._body(request)}
            for place, request in enumerate(requests)
        ]
        if not bodies:
            return
        with _named():
            batches = self._api().messages.batches
            batch = batches.create(requests=bodies)
            until = time.monotonic() + DAY_SECONDS + 3600
            while batch.processing_status != "ended":
                if time.monotonic() > until:
                    raise NoJudgement("its provider did not come to an end with it", None)
                time.sleep(self._pace)
                batch = batches.retrieve(batch.id)
            results = list(batches.results(batch.id))
        for row in results:
            yield int(row.custom_id.removeprefix("text-")), self._result(row.result)

    def _result(self, result: Any) -> JudgeAnswer | NoJudgement:
        if result.type != "succeeded":
            return NoJudgement("its provider did not take it on", 0)
        try:
            return self._read(result.message, whole=False)
        except NoJudgement as fault:
            return fault

    def _api(self) -> anthropic.Anthropic:
        if self._client is None:
            import anthropic

            self._client = anthropic.Anthropic(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=0,
                timeout=self._seconds,
                open_telemetry=False,
            )
        return self._client

    def _body(self, request: JudgeRequest) -> dict[str, Any]:
        """What is the same for many tickets stands first and is cached by the provider."""
        parts = (request.rules, request.surroundings)
        return {
            "model": self.model,
            "max_tokens": MOST_OUTPUT,
            "system": [
                {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
                for text in parts
            ],
            "messages": [{"role": "user", "content": request.ticket}],
            "output_config": {"format": {"type": "json_schema", "schema": dict(request.schema)}},
        }

    def _read(self, message: Message, *, whole: bool) -> JudgeAnswer:
        """whole: at the full price. Raises NoJudgement with what it cost."""
        usage = self._usage(message, whole=whole)
        match message.stop_reason:
            case "end_turn":
                pass
            case "refusal":
                raise NoJudgement("it refused to read the text", usage.cost, usage)
            case "max_tokens" | "model_context_window_exceeded":
                raise NoJudgement("its answer was cut off", usage.cost, usage)
            case _:
                raise NoJudgement("its answer was not what was asked for", usage.cost, usage)
        text = "".join(block.text for block in message.content if block.type == "text")
        try:
            return JudgeAnswer(json.loads(text), usage)
        except (ValueError, RecursionError):
            fault = NoJudgement("its answer was not what was asked for", usage.cost, usage)
        raise fault

    def _usage(self, message: Message, *, whole: bool) -> CallUsage:
        used = message.usage
        written = used.cache_creation_input_tokens or 0
        read = used.cache_read_input_tokens or 0
        counts = {"fresh": used.input_tokens, "written": written, "read": read}
        cost = self._price(message.model, **counts, out=used.output_tokens)
        if cost is None:  # the answer names it otherwise than it was asked for
            cost = self._price(self.model, **counts, out=used.output_tokens)
        if cost is not None and not whole:
            cost = _half(cost)
        return CallUsage(
            message.id, message.model, used.input_tokens, written, read, used.output_tokens, cost
        )


@contextmanager
def _named() -> Iterator[None]:
    """Whatever goes wrong inside becomes a NoJudgement that says what it cost."""
    try:
        yield
    except NoJudgement:
        raise
    except Exception as fault:
        raise _fault(fault) from fault


def _fault(fault: Exception) -> NoJudgement:
    import anthropic

    unsent = type(fault.__cause__).__name__ in ("ConnectError", "ConnectTimeout")
    cost = 0 if unsent else None
    match fault:
        case anthropic.APITimeoutError():
            return NoJudgement("it took too long", cost)
        case anthropic.APIConnectionError():
            return NoJudgement("it could not be reached", cost)
        case anthropic.APIStatusError():
            return _refused(fault.status_code, fault.body)
    return NoJudgement("its answer could not be read", None)


REFUSALS: dict[int, str] = {
    401: "its key is refused",
    402: "its provider wants to be paid first",
    403: "its key is refused",
    404: "its provider does not know the model",
    413: "the text is too long for it",
    429: "its provider asks us to wait",
    529: "its provider is overloaded",
}


def _refused(status: int, body: object) -> NoJudgement:
    """An error in the API's own form comes instead of an answer, so nothing was used."""
    by_api = isinstance(body, dict) and body.get("type") == "error"
    known = by_api or status in REFUSALS
    cost = 0 if known and status != GATEWAY_TIMEOUT else None
    return NoJudgement(REFUSALS.get(status, f"its provider answered with an error {status}"), cost)


def _half(cost: int) -> int:
    """The price in a batch, rounded up."""
    return -(-cost // 2)


def _dumped(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
