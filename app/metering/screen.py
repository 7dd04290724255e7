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
    """A request for an answer. `longest`: the output tokens that it asks for."""

    body: dict[str, Any]
    model: str
    longest: int
    size: int

    @property
    def most_input(self) -> int:
        """A token is at least one byte of the text, so this is a bound and no guess."""
        return self.size + OVERHEAD_TOKENS


def read_request(raw: bytes) -> Request:
    try:
        body = json.loads(raw)
    except ValueError:
        raise NotAllowed("The request is not JSON.") from None
    if not isinstance(body, dict):
        raise NotAllowed("The request is not a JSON object.")
    longest = body.get("max_tokens")
    if not isinstance(longest, int) or isinstance(longest, bool) or longest < 1:
        raise NotAllowed("max_tokens is not a positive number.")
    if not isinstance(body.get("model"), str):
        raise NotAllowed("model is missing.")
    _screen(body)
    return Request(body, body["model"], min(longest, MOST_OUTPUT), len(raw))


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


def most_cost(price: Price, model: str, inputs: int, out: int) -> int | None:
    """The dearest way to be billed for it: uncached, or written into either cache."""
    ways = (
        price(model, fresh=inputs, out=out),
        price(model, written=inputs, out=out),
        price(model, written_long=inputs, out=out),
    )
    known = [way for way in ways if way is not None]
    return max(known) if len(known) == len(ways) else None


def affordable_output(price: Price, model: str, inputs: int, longest: int, free: int) -> int:
    """The longest answer, up to `longest`, whose bound fits into `free`; 0 when none does."""
    low, high = 0, longest
    while low < high:
        middle = (low + high + 1) // 2
        cost = most_cost(price, model, inputs, middle)
        if cost is not None and cost <= free:
            low = middle
        else:
            high = middle - 1
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
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
