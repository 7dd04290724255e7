"""The judge is asked once a text, with money set aside first, and no fault of it opens anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.adapters.memory import FixedClock, MemoryCodeHost, MemoryTracker
from app.adapters.memory_judge import COST, WORST, MemoryJudge, content
from app.assessment import assess, feedback
from app.assessment import judge as judging
from app.core.money import MICRO
from app.core.plain import render
from app.core.run import CallUsage
from app.core.ticket import Ticket
from app.core.wiki import from_wiki
from app.ports import NoJudgement, Outline, SpecJudge, Transient
from app.sandbox.story import QUOTING, VAGUE
from app.store import budgets, judgements, ledger, sites, spending, tickets
from app.store.database import Database
from app.store.schema_score import judgement
from tests.engine.stage import LABEL, LONG_AGO, PROJECT, SITE, set_up

PLACE = "billing/csv_export/writer.py"


class Desk:
    """One ticket on a database, and everything that judges it. No transaction may be open while
    the judge is asked."""

    def __init__(self, db: Database, judge: SpecJudge | None, **project: Any) -> None:
        self.db, self.judge = db, judge
        self.clock = FixedClock()
        self.jira = MemoryTracker(clock=self.clock)
        self.host = MemoryCodeHost()
        self.host.outlines["origin"] = Outline((PLACE,), "AGENTS.md:\nBe brief.")
        set_up(db, "http://jira.invalid", "us", ("a", "b"), Path("origin"), judge=True, **project)
        self.jira.add(
            Ticket(
                site_id=SITE,
                id="1",
                key="BILL-1",
                project_key=PROJECT,
                issue_type="Bug",
                summary="CSV export: quote fields that contain a comma",
                description=from_wiki(QUOTING),
                labels=frozenset({LABEL}),
                status="To Do",
                done=False,
                reporter="author",
                updated=self.clock.now(),
            )
        )
        self.gen = 0

    def look(self) -> dict[str, Any]:
        """One assessment, as the journey has it; what stands in the ticket then."""
        self.gen += 1
        tickets.ask(self.db, SITE, "1", {"quiet": False}, f"look-{self.gen}", "test", LONG_AGO)
        now = self.clock.tick()
        seen = assess.assess(self.db, self.jira, SITE, "1", self.gen, now)
        site = sites.get_site(self.db, SITE)
        done = ""
        if seen["judge"]:
            bench = judging.Bench(self.db, self.jira, self.host, self.judge, self.clock)
            done = judging.judge(bench, site, "1", seen["spec_hash"])
        desk = feedback.Desk(self.db, self.jira, site, {})
        feedback.tell(desk, "1", seen["spec_hash"], self.gen, now)
        row = tickets.get(self.db, SITE, "1")
        assert row is not None
        return {
            "done": done,
            "score": row["score"],
            "verdict": row["verdict"],
            "comment": render(self.jira.ours("1")["readiness"].text.blocks),
            "property": self.jira.properties["1", feedback.PROPERTY],
        }

    def rows(self) -> list[Any]:
        with self.db.read() as c:
            return list(c.execute(sa.select(judgement)).mappings())

    def money(self) -> tuple[int, int, int]:
        total = spending.totals(self.db)
        return total["held"], total["posted"], total["open_holds"]


def doubting(_: object) -> Any:
    return content(location=("unmet", 3, PLACE)) | {
        "questions": [{"criterion": "location", "question": "Is it only there?", "example": "yes"}],
        "proposal": QUOTING,
        "size": "small",
    }


def test_one_call_a_text_and_the_second_look_is_free(database: Database) -> None:
    judge = MemoryJudge(doubting)
    desk = Desk(database, judge)
    plain = desk.look()
    assert plain["done"] == "judged"
    assert (len(judge.asked), desk.money()) == (1, (0, COST, 0))
    again = desk.look()
    assert again["done"] == "known"
    assert {**again, "done": ""} == {**plain, "done": ""}
    assert (len(judge.asked), desk.money()) == (1, (0, COST, 0))
    assert "AGENTS.md" in judge.asked[0].surroundings
    assert PLACE in judge.asked[0].surroundings


def test_what_the_ticket_says(database: Database) -> None:
    desk = Desk(database, MemoryJudge(doubting))
    seen = desk.look()
    assert (seen["verdict"], seen["property"]["judge"]) == ("nearly", "on")
    assert seen["property"]["score"] == seen["score"]
    comment = seen["comment"]
    assert comment.startswith("[NEARLY] No agent will start: one answer is missing.")
    assert "Is it only there?" in comment
    assert "What the AI doubts: one point" in comment
    assert "Location | grave" in comment
    assert "It takes the work for: size: small." in comment
    assert "with AI, text was sent to it" in comment
    assert "Nothing was spent" not in comment


def test_the_switch_is_off_by_default(database: Database) -> None:
    judge = MemoryJudge(doubting)
    desk = Desk(database, judge)
    project = sites.get_project(database, SITE, PROJECT)
    assert project is not None
    sites.add_project(database, {**project, "judge": False})
    seen = desk.look()
    assert (seen["done"], judge.asked, desk.rows()) == ("", [], [])
    assert (seen["verdict"], seen["property"]["judge"]) == ("ready", "off")
    assert "no AI, text stayed here" in seen["comment"]


def test_switched_off_again_its_doubts_count_no_more(database: Database) -> None:
    desk = Desk(database, MemoryJudge(doubting))
    assert desk.look()["verdict"] == "nearly"
    project = sites.get_project(database, SITE, PROJECT)
    assert project is not None
    sites.add_project(database, {**project, "judge": False})
    assert desk.look()["verdict"] == "ready"


def test_an_edit_is_a_new_text(database: Database) -> None:
    judge = MemoryJudge(doubting)
    desk = Desk(database, judge)
    desk.look()
    desk.jira.edit("1", summary="CSV export: quote all fields")
    assert desk.look()["done"] == "judged"
    assert (len(judge.asked), desk.money()) == (2, (0, 2 * COST, 0))


FAULTS = {
    "paid": (NoJudgement("it refused to read the text", 7, None), 7),
    "free": (NoJudgement("its key is refused", 0), 0),
    "unknown": (NoJudgement("it took too long", None), WORST),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_leaves_the_checklist_and_is_paid_for(database: Database, kind: str) -> None:
    fault, cost = FAULTS[kind]

    def fails(_: object) -> Any:
        raise fault

    judge = MemoryJudge(fails)
    desk = Desk(database, judge)
    seen = desk.look()
    assert (seen["done"], seen["verdict"], seen["property"]["judge"]) == (
        "failed",
        "ready",
        "failed",
    )
    assert f"The AI check did not answer ({fault}); the checklist alone" in seen["comment"]
    assert "without AI" in seen["comment"]
    assert desk.money() == (0, cost, 0)
    assert desk.look()["done"] == "rests", "not at every look"
    desk.clock.tick(3700)
    assert desk.look()["done"] == "failed"
    desk.clock.tick(3700)
    desk.look()
    desk.clock.tick(3700)
    done = desk.look()["done"]
    assert (done, len(judge.asked)) == (("rests", 3) if cost else ("failed", 4))


def test_an_answer_out_of_form_is_a_fault_with_a_cost(database: Database) -> None:
    desk = Desk(database, MemoryJudge(lambda _: {"score": 100}))
    seen = desk.look()
    assert (seen["done"], seen["verdict"]) == ("failed", "ready")
    assert "its answer was not what was asked for" in seen["comment"]
    assert desk.money() == (0, COST, 0)


@pytest.mark.parametrize("level", ["site", "project", "ticket"])
def test_no_room_no_call(database: Database, level: str) -> None:
    judge = MemoryJudge(doubting)
    desk = Desk(database, judge)
    subject = {"site": SITE, "project": PROJECT, "ticket": "1"}[level]
    period = "once" if level == "ticket" else "month"
    budgets.set_limit(database, SITE, level, subject, period, WORST - 1, "admin", LONG_AGO)
    seen = desk.look()
    assert (seen["done"], judge.asked, desk.money()) == ("not asked", [], (0, 0, 0))
    assert f"the {level}'s budget has no room for it" in seen["comment"]
    budgets.set_limit(database, SITE, level, subject, period, MICRO, "admin", LONG_AGO)
    assert desk.look()["done"] == "judged"


HINDRANCES = {
    "no key": (None, {}, "no key for it is set up here"),
    "no price": (MemoryJudge(worst=None), {}, "the price of in-memory is not known"),
    "paused": (MemoryJudge(), {"paused_at": LONG_AGO}, "Signalbox is paused"),
}


@pytest.mark.parametrize("name", HINDRANCES)
def test_without_key_price_or_leave_nothing_is_asked(database: Database, name: str) -> None:
    judge, project, why = HINDRANCES[name]
    desk = Desk(database, judge, **project)
    seen = desk.look()
    assert (seen["done"], seen["property"]["judge"]) == ("not asked", "failed")
    assert why in seen["comment"]
    assert desk.money() == (0, 0, 0)
    assert judge is None or judge.asked == []


def test_a_text_that_cannot_be_judged_costs_nothing(database: Database) -> None:
    judge = MemoryJudge()
    desk = Desk(database, judge)
    desk.jira.edit("1", summary="x", description="")
    assert desk.look()["done"] == "nothing to judge"
    desk.jira.edit("1", summary="CSV export", description=VAGUE + " more text" * 10_000)
    assert desk.look()["done"] == "not asked"
    assert judge.asked == []


def test_a_repository_that_is_away_does_not_matter(database: Database) -> None:
    desk = Desk(database, MemoryJudge(doubting))
    desk.host.calls.fail("outline", Transient("away"))
    assert desk.look()["done"] == "judged"


def test_a_worker_that_died_in_the_call_has_paid_for_it(database: Database) -> None:
    class Died(BaseException):
        pass

    def dies(_: object) -> Any:
        raise Died

    judge = MemoryJudge(dies)
    desk = Desk(database, judge)
    for tries in (1, 2, 3):
        with pytest.raises(Died):
            desk.look()
        assert desk.money() == (WORST, (tries - 1) * WORST, 1)
    assert desk.look()["done"] == "rests", "a text that kills workers is not tried for ever"
    assert (len(judge.asked), desk.money()) == (3, (0, 3 * WORST, 0))


def test_a_lost_call_is_closed_and_its_late_end_changes_nothing(database: Database) -> None:
    desk = Desk(database, MemoryJudge(doubting))
    now = desk.clock.now()
    asking = judgements.Asking(
        *(SITE, "k" * 64, PROJECT, "1", "hash", "m", "UTC", "USD"),
        amount=WORST,
        prices="list",
        simulated=False,
        ends_at=now + timedelta(minutes=10),
    )
    hold = judgements.begin(database, asking, now)
    assert isinstance(hold, str)
    assert judgements.close_lost(database, now + timedelta(minutes=9)) == 0
    assert judgements.close_lost(database, now + timedelta(minutes=11)) == 1
    assert desk.money() == (0, WORST, 0)
    usage = CallUsage("m", "m", 1, 0, 0, 1, COST)
    judgements.answered(database, asking, hold, ({}, {}), usage, now)
    assert [row["state"] for row in desk.rows()] == ["failed"]
    assert desk.money() == (0, WORST, 0)


def test_a_hold_without_a_price_list_is_refused(database: Database) -> None:
    judge = MemoryJudge(doubting)
    judge.simulated = False
    with pytest.raises(ledger.UnknownPrice):
        Desk(database, judge).look()
    assert judge.asked == []


def test_words_go_with_the_run_and_all_goes_after_a_month(database: Database) -> None:
    desk = Desk(database, MemoryJudge(doubting))
    before = desk.look()
    with database.write() as c:
        judgements.erase_words_in(c, SITE, "1")
    assert [row["words"] for row in desk.rows()] == [None]
    kept = str([(row["ratings"], row["usage"]) for row in desk.rows()])
    assert PLACE not in kept
    after = desk.look()
    assert (after["done"], after["score"], after["verdict"]) == (
        *("known", before["score"]),
        before["verdict"],
    )
    assert "Is it only there?" not in after["comment"]
    judgements.erase(database, desk.clock.now() + timedelta(days=1))
    assert desk.rows() == []


def test_another_model_is_another_judge(database: Database) -> None:
    first, second = MemoryJudge(doubting), MemoryJudge()
    second.model = "another"
    desk = Desk(database, first)
    assert desk.look()["verdict"] == "nearly"
    desk.judge = second
    assert (desk.look()["done"], len(second.asked)) == ("judged", 1)
    assert desk.look()["verdict"] == "ready"


def test_a_text_that_has_changed_since_is_left_to_the_next_look(database: Database) -> None:
    judge = MemoryJudge()
    desk = Desk(database, judge)
    bench = judging.Bench(database, desk.jira, desk.host, judge, desk.clock)
    assert judging.judge(bench, sites.get_site(database, SITE), "1", "old") == "not wanted"
    assert judging.judge(bench, sites.get_site(database, SITE), "9", "old") == "gone"
    assert judge.asked == []


def test_the_gate_reads_the_judge_too(database: Database) -> None:
    from app.dispatch.admit import Gate, _readiness

    desk = Desk(database, MemoryJudge(doubting))
    desk.look()
    gate: Any = Gate(database, desk.jira, desk.host, None, None, lambda *_: None)  # type: ignore[arg-type]
    project = sites.get_project(database, SITE, PROJECT)
    assert project is not None
    assert _readiness(gate, project, desk.jira.ticket("1")).verdict == "nearly"
    off = replace(desk.jira.ticket("1"), summary="another")
    assert _readiness(gate, project, off).judged is None
