"""How a Claude Code process ended, as one of our endings with one cause.

Neither its exit code nor the result's `subtype` says that alone: a refused key is "success".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.adapters.claude_stream import Told, clean
from app.core.run import Ending

BUDGET_STOP = "signalbox_budget_stop"
"""Our gate's refusal of a request that the attempt's budget cannot pay."""

API_CAUSES = {
    400: "The model refused the request",
    401: "The model key was refused",
    402: "The model provider asks for payment",
    403: "The model key was refused",
    404: "The model does not exist for this key",
    413: "The request to the model became too large",
    429: "The model provider limits our requests",
    502: "The model provider cannot be reached",
    503: "The gate to the model is closed",
    529: "The model is overloaded",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How the process went, as we saw it. asked: we were told to stop it."""

    code: int | None
    asked: bool = False
    out_of_time: bool = False
    last_words: str = ""


def outcome(told: Told, ended: Ended) -> tuple[Ending, str]:
    """Ending and cause, one sentence for people; the cause is empty where all went well.

    The turn limit is Failed and not TimedOut: another try with more context may still succeed.
    """
    if ended.asked:
        return Ending.CANCELLED, "It was asked to stop."
    if ended.out_of_time:
        return Ending.TIMED_OUT, "It was not done when its time was over."
    if told.repeated and (told.result or {}).get("terminal_reason") != "completed":
        return Ending.STALLED, f"The same call came again and again: it {told.repeated}."
    if told.refused is not None:
        return Ending.FAILED, f"{API_CAUSES[told.refused]} ({told.refused})."
    if told.result is None:
        return Ending.FAILED, _silent(ended)
    return _of_result(told, told.result)


def _of_result(told: Told, result: Mapping[str, Any]) -> tuple[Ending, str]:
    subtype, reason = result.get("subtype"), result.get("terminal_reason")
    words = _words(result)
    if subtype == "error_max_budget_usd" or reason == "budget_exhausted" or BUDGET_STOP in words:
        return Ending.OVER_BUDGET, "Its budget is used up."
    if subtype == "error_max_turns" or reason == "max_turns":
        return Ending.FAILED, f"It reached its limit of {result.get('num_turns', 1) - 1} turns."
    if not result.get("is_error"):
        return _claimed(told)
    if reason == "api_error":
        status = result.get("api_error_status")
        cause = API_CAUSES.get(status or 502, "The model provider failed")
        return Ending.FAILED, f"{cause} ({status})." if status else f"{cause}."
    if str(reason).startswith("aborted"):
        return Ending.FAILED, "Its client broke off by itself."
    return Ending.FAILED, f"Its client failed: {clean(words, 300) or subtype}"


def _claimed(told: Told) -> tuple[Ending, str]:
    """It says that it is done. Where all its changes were denied, that is no claim to follow."""
    if told.denied and not told.changed:
        names = ", ".join(sorted(set(told.denied)))
        return Ending.FAILED, f"It may not do what it tried ({names}), and changed nothing."
    return Ending.SUCCEEDED, ""


def _silent(ended: Ended) -> str:
    code = "without an exit code" if ended.code is None else f"with exit code {ended.code}"
    words = clean(ended.last_words, 300)
    return f"Its client ended {code} and no result{': ' + words if words else '.'}"


def _words(result: Mapping[str, Any]) -> str:
    errors = result.get("errors")
    parts = [result.get("result"), *(errors if isinstance(errors, list) else [])]
    return " ".join(part for part in parts if isinstance(part, str))
