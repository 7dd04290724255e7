"""Which signal is an intent of its own: the label, an assignment, and what they say together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.core.signals import PastRun, Signals, Wanted, standing
from app.core.ticket import Assignment, LabelChange

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LABEL, US = frozenset({"agent-ready"}), "557:us"
NONE = frozenset[str]()


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def on(number: int, second: float, who: str = "ann") -> LabelChange:
    return LabelChange(str(number), at(second), who, LABEL, NONE)


def off(number: int, second: float) -> LabelChange:
    return LabelChange(str(number), at(second), "ann", NONE, LABEL)


def to(number: int, second: float, whom: str = US) -> Assignment:
    return Assignment(str(number), at(second), "bob", whom)


def seen(*entries: LabelChange | Assignment, shown: str = "") -> Signals:
    wanted = Wanted("agent-ready", US, frozenset(shown.split()))
    labels = [entry for entry in entries if isinstance(entry, LabelChange)]
    return standing(labels, [e for e in entries if isinstance(e, Assignment)], wanted)


def ids(signals: Signals, *before: PastRun) -> list[str]:
    return [trigger.id for trigger in signals.news(before)]


RAN = PastRun("label:1", at(0), at(60))


def test_a_label_and_an_assignment_each_ask_for_a_start() -> None:
    both = seen(on(1, 0), to(2, 1), shown="label assign")
    assert sorted(ids(both)) == ["assign:2", "label:1"]
    assert [t.actor for t in both.standing] == ["bob", "ann"]


def test_what_the_changelog_does_not_explain_starts_nothing_and_stops_nothing() -> None:
    odd = seen(shown="label")
    assert ids(odd) == []
    assert not odd.withdrawn_since(RAN)


def test_a_second_signal_during_a_run_says_the_same_once_more() -> None:
    assert ids(seen(on(1, 0), to(2, 30), shown="label assign"), RAN) == []


def test_a_second_signal_after_the_run_is_new() -> None:
    assert ids(seen(on(1, 0), to(2, 61), shown="label assign"), RAN) == ["assign:2"]


def test_a_label_set_anew_is_new_also_while_its_run_was_being_stopped() -> None:
    again = seen(on(1, 0), off(2, 10), on(3, 11), shown="label")
    assert again.withdrawn_since(RAN)
    assert ids(again, RAN) == ["label:3"]


def test_entries_of_one_instant_stand_in_the_order_of_their_ids() -> None:
    again = seen(on(3, 0), off(2, 0), on(1, 0), shown="label")
    assert again.withdrawn_since(RAN)
    assert ids(again, RAN) == ["label:3"]


def test_an_assignment_bridges_the_gap_between_two_labels() -> None:
    bridged = seen(on(1, 0), to(2, 5), off(3, 10), on(4, 11), to(5, 12, ""), shown="label")
    assert not bridged.withdrawn_since(RAN)
    assert ids(bridged, RAN) == []


def test_removing_one_of_two_leaves_the_other() -> None:
    assert not seen(on(1, 0), to(2, 5), off(3, 10), shown="assign").withdrawn_since(RAN)
    assert not seen(on(1, 0), to(2, 5), to(3, 10, "x"), shown="label").withdrawn_since(RAN)
    assert seen(on(1, 0), to(2, 5), off(3, 10), to(4, 11, "x")).withdrawn_since(RAN)


def test_an_assignment_right_after_the_label_was_taken_off_is_a_new_intent() -> None:
    swapped = seen(on(1, 0), off(2, 10), to(3, 11), shown="assign")
    assert swapped.withdrawn_since(RAN)
    assert ids(swapped, RAN) == ["assign:3"]


def test_a_run_by_command_needs_no_label_but_goes_with_it() -> None:
    asked = PastRun("run:77", at(5), None)
    assert not seen().withdrawn_since(asked)
    assert not seen(on(1, 0), off(2, 3)).withdrawn_since(asked)
    assert seen(on(1, 0), off(2, 6)).withdrawn_since(asked)


KINDS = st.sampled_from(["on", "off", "ours", "theirs"])
MADE: dict[str, Callable[[int], LabelChange | Assignment]] = {
    "on": lambda n: on(n, n / 3),
    "off": lambda n: off(n, n / 3),
    "ours": lambda n: to(n, n / 3),
    "theirs": lambda n: to(n, n / 3, "x"),
}


@given(st.lists(KINDS, max_size=12), st.randoms(use_true_random=False))
def test_the_changelog_may_be_told_in_any_order(kinds: list[str], shuffle: Random) -> None:
    entries = [MADE[kind](number) for number, kind in enumerate(kinds, 1)]
    stands = [
        name
        for name, pair in (("label", ("on", "off")), ("assign", ("ours", "theirs")))
        if next((kind for kind in reversed(kinds) if kind in pair), None) == pair[0]
    ]
    told = seen(*entries, shown=" ".join(stands))
    shuffle.shuffle(entries)
    assert seen(*entries, shown=" ".join(stands)) == told
    assert {t.id.partition(":")[0] for t in told.standing} == set(stands)
    if told.standing:  # right after a run for the newest signal none is left that is new
        newest = max(told.standing, key=lambda t: (t.at, int(t.id.partition(":")[2])))
        assert told.news([PastRun(newest.id, newest.at, at(100))]) == ()
