"""A judge in memory: answers from a list, counts what it was asked, spends nothing real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.adapters.memory_calls import Guard, no_guard
from app.core.criteria import CRITERIA
from app.core.judge_request import JudgeRequest
from app.core.run import CallUsage
from app.ports import JudgeAnswer, NoJudgement

COST = 30_000
WORST = 100_000


def content(**criteria: tuple[str, int, str]) -> dict[str, Any]:
    """An answer that finds nothing wrong but for the criteria given: status, severity, quote."""
    named = {c.name: criteria.get(c.name, ("met", 0, "")) for c in CRITERIA}
    return {
        "criteria": [
            {"criterion": name, "status": status, "severity": severity, "quote": quote, "why": ""}
            for name, (status, severity, quote) in named.items()
        ],
        "questions": [],
        "instruction": "",
        "proposal": "",
        "size": "unknown",
        "risk": "unknown",
    }


class MemoryJudge:
    """answer: gives the body for a request, or raises NoJudgement. worst: None = price unknown."""

    model = "in-memory"
    prices = ""
    simulated = True

    def __init__(
        self,
        answer: Callable[[JudgeRequest], Any] = lambda _: content(),
        *,
        worst: int | None = WORST,
        guard: Guard = no_guard,
    ) -> None:
        self.answer = answer
        self.worst = worst
        self.asked: list[JudgeRequest] = []
        self._guard = guard

    def worst_case(self, request: JudgeRequest) -> int | None:
        return self.worst

    def judge(self, request: JudgeRequest) -> JudgeAnswer:
        self._guard()
        self.asked.append(request)
        usage = CallUsage(f"memory-{len(self.asked)}", self.model, 1000, 0, 0, 500, COST)
        return JudgeAnswer(self.answer(request), usage)

    def forecast(self, requests: Sequence[JudgeRequest]) -> tuple[int, int] | None:
        return None if self.worst is None else (COST * len(requests), self.worst * len(requests))

    def judge_many(
        self, requests: Sequence[JudgeRequest]
    ) -> Iterator[tuple[int, JudgeAnswer | NoJudgement]]:
        for place, request in enumerate(requests):
            try:
                yield place, self.judge(request)
            except NoJudgement as fault:
                yield place, fault
