from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from app.core.run import DRIFTED, Ending, final_ending
from app.core.ticket import LabelChange, label_change, label_set_by

START = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = st.frozensets(st.text("abc-", min_size=1, max_size=4), max_size=5)


def change(number: int, added: str = "", removed: str = "") -> LabelChange:
    at = START + timedelta(minutes=number)
    return LabelChange(str(number), at, f"account-{number}", *label_change(removed, added))


@given(LABELS, LABELS)
def test_labels_are_compared_as_sets(before: frozenset[str], after: frozenset[str]) -> None:
    added, removed = label_change(" ".join(before), " ".join(after))
    assert (before - removed) | added == after
    assert not added & before
    assert not removed & after


def test_the_label_as_it_stands_counts() -> None:
    history = [change(1, added="agent-ready x"), change(2, removed="agent-ready"),
               change(3, added="agent-ready"), change(4, added="other")]  # fmt: skip
    for order in permutations(history):
        found = label_set_by(order, "agent-ready")
        assert found is not None
        assert found.actor == "account-3"
    assert label_set_by(history[:2], "agent-ready") is None
    assert label_set_by([], "agent-ready") is None


def test_another_label_with_the_same_beginning_is_another_label() -> None:
    assert label_set_by([change(1, added="agent-ready-not")], "agent-ready") is None


def test_final_ending() -> None:
    assert final_ending(Ending.SUCCEEDED, None, True) is Ending.SUCCEEDED
    assert final_ending(Ending.SUCCEEDED, None, False) is Ending.DRIFTED
    assert final_ending(Ending.FAILED, None, False) is Ending.FAILED
    for last in Ending:
        assert final_ending(last, DRIFTED, True) is Ending.DRIFTED
        assert final_ending(last, "asked", True) is Ending.CANCELLED
