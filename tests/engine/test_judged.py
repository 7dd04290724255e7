"""The judge in the journey: between what was found and what is decided, and only where wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from app.adapters.memory_judge import COST, MemoryJudge, content
from app.core.judge_request import JudgeRequest
from app.ports import NoJudgement
from app.store import spending
from app.store.schema_score import judgement
from tests.engine.stage import Stage, until

Work = Callable[..., Any]
PLACE = "billing/csv_export/writer.py"


def test_a_slight_doubt_lets_it_run_and_its_words_go_with_the_run(
    on_stage: Stage, work: Work
) -> None:
    judge = MemoryJudge(lambda _: content(location=("unmet", 1, PLACE)) | {"proposal": "[...]"})
    on_stage.change(judge=True)
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work(judge=judge)
    until(lambda: on_stage.runs() and on_stage.quiet())
    assert [run["ending"] for run in on_stage.runs()] == ["Succeeded"]
    assert len(judge.asked) == 1
    assert f"{PLACE}\n" in judge.asked[0].surroundings, "it has seen the repository's names"
    assert spending.totals(on_stage.db)["posted"] == 420_000 + COST
    with on_stage.db.read() as c:
        rows = c.execute(sa.select(judgement)).mappings().all()
    assert [(row["state"], row["words"]) for row in rows] == [("answered", None)]
    assert "with AI" in on_stage.comments(key)["readiness"]


def test_a_grave_doubt_keeps_the_agent_from_starting(on_stage: Stage, work: Work) -> None:
    judge = MemoryJudge(lambda _: content(location=("unmet", 3, PLACE)))
    on_stage.change(judge=True)
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work(judge=judge)
    until(lambda: on_stage.outcomes()[0][0] == "handled")
    ticket = on_stage.ticket(key)
    assert (ticket["verdict"], ticket["decision"]["decision"]) == ("nearly", "defer")
    assert [reason["code"] for reason in ticket["decision"]["reasons"]] == ["not_ready"]
    assert (on_stage.runs(), len(judge.asked)) == ([], 1)


def test_a_judge_that_is_away_changes_nothing(on_stage: Stage, work: Work) -> None:
    def away(_: JudgeRequest) -> Any:
        raise NoJudgement("it could not be reached", 0)

    on_stage.change(judge=True)
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work(judge=MemoryJudge(away))
    until(lambda: on_stage.runs() and on_stage.quiet())
    assert [run["ending"] for run in on_stage.runs()] == ["Succeeded"]
    assert "(it could not be reached); the checklist alone" in on_stage.comments(key)["readiness"]
    assert spending.totals(on_stage.db)["posted"] == 420_000
