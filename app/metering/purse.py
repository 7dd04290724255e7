"""An attempt's money while it is being spent: no request begins that could pass the budget."""

from __future__ import annotations

import asyncio

from app.metering.screen import (
    COMFORTABLE_OUTPUT,
    LEAST_OUTPUT,
    affordable_output,
    most_cost,
)
from app.metering.usage import Price


class Purse:
    """`spent` is settled, `opened` is what the open requests can cost at most."""

    def __init__(self, budget: int, price: Price) -> None:
        self.budget = budget
        self.spent = 0
        self.opened: dict[str, int] = {}
        self._price = price
        self._changed = asyncio.Condition()

    @property
    def free(self) -> int:
        return self.budget - self.spent - sum(self.opened.values())

    async def open(self, call_id: str, model: str, inputs: int, longest: int) -> int:
        """Set the bound aside and tell how long the answer may be; 0 when it cannot be paid.

        While other requests are open, it rather waits for what they give back than be cut short.
        """
        least, comfortable = min(longest, LEAST_OUTPUT), min(longest, COMFORTABLE_OUTPUT)
        async with self._changed:
            while True:
                out = affordable_output(self._price, model, inputs, longest, self.free)
                if out >= (comfortable if self.opened else least):
                    bound = most_cost(self._price, model, inputs, out)
                    assert bound is not None
                    self.opened[call_id] = bound
                    return out
                if not self.opened or not self._could(model, inputs, least):
                    return 0
                await self._changed.wait()

    async def settle(self, call_id: str, cost: int | None) -> None:
        """An unknown cost is the whole bound: it was probably billed."""
        async with self._changed:
            bound = self.opened.pop(call_id)
            self.spent += bound if cost is None else cost
            self._changed.notify_all()

    def _could(self, model: str, inputs: int, least: int) -> bool:
        """Would it fit if everything open came back?"""
        free = self.budget - self.spent
        return affordable_output(self._price, model, inputs, least, free) >= least
