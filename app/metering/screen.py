"""Which requests of an agent may reach the model, and what one of them can cost at most.

Refused is all that costs more than tokens, costs more for each token, or makes the provider's
machines fetch something from the network in the agent's name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.metering.usage import Price

MOST_OUTPUT = 32_000
"""No answer may be longer, so that one cut answer cannot take a whole budget with it."""
LEAST_OUTPUT = 1024
COMFORTABLE_OUTPUT = 4096
COUNTED = ("model", "messages", "system", "tools", "tool_choice", "thinking")
OVERHEAD_TOKENS = 2000
"""What the provider adds to the text of a request, such as its own words about tools."""

REFUSED_FIELDS = ("mcp_servers", "container", "inference_geo", "fallbacks")
SAME_PRICE = {"speed": ("standard", None), "service_tier": ("auto", "standard_only", None)}
SOURCES = ("base64", "text", "content")
HARMLESS_TOOLS = ("bash_", "text_editor_", "memory_", "computer_", "tool_search_tool")
"""Types of tools that reach nothing; every other one has the provider's machines do something."""
DATED = re.compile(r"_20\d{6}$")
"""How the provider names its own tools, which may also be added in the middle of a talk."""
INERT = ("input", "input_schema")


class NotAllowed(Exception):
    """The request is refused, whatever the budget; the message tells the agent why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request for an answer. `longest`: the output tokens that it may have at most.

    long_cache: it may write into the cache that lasts an hour, which costs more.
    """

    body: dict[str, Any]
    model: str
    longest: int
    size: int
    long_cache: bool

    @property
    def most_input(self) -> int:
        """A token is at least one byte of the text, so this is a bound and no guess."""
        return self.size + OVERHEAD_TOKENS

    def countable(self) -> bytes:
        """The part that the provider counts the tokens of."""
        return _dumped({name: self.body[name] for name in COUNTED if name in self.body})

    def margin(self, counted: int) -> int:
        """The provider calls its own count an estimate; these are the input tokens to set aside."""
        return counted + counted // 20 + OVERHEAD_TOKENS // 10


def read_request(raw: bytes) -> Request:
    try:
        body = json.loads(raw)
        text = json.dumps(body)
    except (ValueError, RecursionError):
        raise NotAllowed("The request is not JSON, or too deep.") from None
    if not isinstance(body, dict):
        raise NotAllowed("The request is not a JSON object.")
    longest = body.get("max_tokens")
    if not isinstance(longest, int) or isinstance(longest, bool) or longest < 1:
        raise NotAllowed("max_tokens is not a positive number.")
    if not isinstance(body.get("model"), str):
        raise NotAllowed("model is missing.")
    _screen(body)
    return Request(
        body=body,
        model=body["model"],
        longest=min(longest, MOST_OUTPUT),
        size=len(raw),
        long_cache='"1h"' in text,
    )


def _screen(body: dict[str, Any]) -> None:
    for field in REFUSED_FIELDS:
        if body.get(field):
            raise NotAllowed(f"{field} is not available here.")
    for field, values in SAME_PRICE.items():
        if body.get(field, values[0]) not in values:
            raise NotAllowed(f"{field} {body[field]!r} is not available here.")
    for tool in body.get("tools") or ():
        _screen_tool(tool.get("type") if isinstance(tool, dict) else "unknown")
    for part in _parts([body.get("messages"), body.get("system")]):
        source, kind = part.get("source"), part.get("type")
        if isinstance(source, dict) and source.get("type") not in SOURCES:
            raise NotAllowed(f"Sources of the type {source.get('type')} are not available here.")
        if isinstance(kind, str) and DATED.search(kind):
            _screen_tool(kind)


def _screen_tool(kind: object) -> None:
    if kind not in (None, "custom") and not str(kind).startswith(HARMLESS_TOOLS):
        raise NotAllowed(f"Tools of the type {kind} are not available here.")


def _parts(found: object) -> Iterable[dict[str, Any]]:
    """Every object in the messages at any depth, but for the arguments of the agent's own calls."""
    waiting = [found]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(value for name, value in item.items() if name not in INERT)
        elif isinstance(item, list):
            waiting.extend(item)


@dataclass(frozen=True, slots=True)
class Bound:
    """What an answer to a request can cost at most; `inputs` is a bound of its input tokens."""

    price: Price
    model: str
    inputs: int
    long_cache: bool

    def cost(self, out: int) -> int | None:
        """The dearest way to be billed for it: uncached, or written into the cache."""
        ways = [
            self.price(self.model, fresh=self.inputs, out=out),
            self.price(self.model, written=self.inputs, out=out),
        ]
        if self.long_cache:
            ways.append(self.price(self.model, written_long=self.inputs, out=out))
        known = [way for way in ways if way is not None]
        return max(known) if len(known) == len(ways) else None

    def output(self, longest: int, money: int) -> int:
        """The longest answer, up to `longest`, that `money` pays for certain; 0 when none."""
        low, high, middle = 0, longest, longest
        while low < high:
            cost = self.cost(middle)
            if cost is not None and cost <= money:
                low = middle
            else:
                high = middle - 1
            middle = (low + high + 1) // 2
        return low


def shortened(request: Request, out: int) -> bytes:
    """The body with an answer of at most `out` tokens, thinking included."""
    body = {**request.body, "max_tokens": out}
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and isinstance(thinking.get("budget_tokens"), int):
        if out < 2 * LEAST_OUTPUT:
            body["thinking"] = {"type": "disabled"}
        else:
            most = min(thinking["budget_tokens"], out // 2)
            body["thinking"] = {**thinking, "budget_tokens": max(LEAST_OUTPUT, most)}
    return _dumped(body)


def _dumped(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
