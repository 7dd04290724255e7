"""A channel in memory."""

from __future__ import annotations

from app.adapters.memory_calls import Calls, Guard, no_guard


class MemoryNotifier:
    """Keeps what it was told."""

    def __init__(self, *, guard: Guard = no_guard) -> None:
        self.calls = Calls(guard)
        self.told: list[str] = []

    def notify(self, text: str) -> None:
        self.calls.begin("notify", text)
        self.told.append(text)
        self.calls.end("notify")
