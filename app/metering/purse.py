"""An attempt's money while it is being spent: no request begins that could pass the budget."""

from __future__ import annotations

import asyncio

from app.metering.screen import COMFORTABLE_OUTPUT, LEAST_OUTPUT, Bound


class Purse:
    """`spent` is settled; `opened` is, by call, what the open requests can cost at most."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.spent = 0
        self.opened: dict[str, int] = {}
        self._changed = asyncio.Condition()

    @property
    def free(self) -> int:
        return self.budget - self.spent - sum(self.opened.values())

    async def grow(self, budget: int) -> None:
        """More was set aside. It never shrinks: what was promised may be on its way."""
        async with self._changed:
            self.budget = max(self.budget, budget)
            self._changed.notify_all()

    async def open(self, call_id: str, bound: Bound, longest: int) -> int:
        """Set the bound aside and tell how long the answer may be; 0 when it cannot be paid.

        While other requests are open, it rather waits for what they give back than be cut short.
        """
        least, comfortable = min(longest, LEAST_OUTPUT), min(longest, COMFORTABLE_OUTPUT)
        async with self._changed:
            while True:
                out = bound.output(longest, self.free)
                if out >= (comfortable if self.opened else least):
                    cost = bound.cost(out)
                    assert cost is not None
                    self.opened[call_id] = cost
                    return out
                if not self.opened or bound.output(least, self.budget - self.spent) < least:
                    return 0
                await self._changed.wait()

    async def settle(self, call_id: str, cost: int | None) -> None:
        """An unknown cost is the whole bound: it was probably billed."""
        async with self._changed:
            bound = self.opened.pop(call_id)
            self.spent += bound if cost is None else cost
            self._changed.notify_all()
