"""What holds for every comment: outside text in it can do nothing, and money has its words."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.adf import to_adf
from app.core.commands import WrongCommand
from app.core.comments import (
    ReadinessView,
    help_reply,
    readiness_comment,
    result_comment,
    run_comment,
    wrong_reply,
)
from app.core.comments.phrases import count, listed, short
from app.core.eligibility import Defer, Reason
from app.core.readiness import Finding, Question
from app.core.run import Check, Ending
from app.core.text import Block, Document, Span
from app.core.wiki import from_wiki, to_wiki
from tests.core.generated import hostile_text
from tests.core.views import DONE, RUN, VAGUE

hostile = st.builds(
    lambda t: (
        readiness_comment(
            ReadinessView(
                replace(
                    VAGUE,
                    text=f"x\n{t}",
                    note=t,
                    good=(t,),
                    questions=(Question("vague", t, t, t), Question("outside_source", t, t, t)),
                    findings=(Finding(t, "unmet", ((0, 3),), t, t, t),),
                ),
                Defer((Reason("x", t, t),)),
                t,
                unread=(t,) * 7,
                approvers=(t,),
            )
        )
        + run_comment(replace(RUN, agent_title=t, repository=t, doing=t, branch=t, cage=t))
        + result_comment(
            replace(DONE, change=t, pull_request=t, checks=(Check(t, t, t),), said=t, branch=t)
        )
        + result_comment(replace(DONE, ending=Ending.CANCELLED, stopped_why=t, stopped_by=t))
        + result_comment(replace(DONE, ending=Ending.FAILED, cause=t))
        + wrong_reply(WrongCommand(t, ""))
    ),
    hostile_text,
)


@given(hostile)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_outside_text_stays_inert(blocks: tuple[Block, ...]) -> None:
    links = {span.link for span in _spans(blocks)} - {None}
    assert all(link.startswith(("http://", "https://")) for link in links if link)
    json.dumps(to_adf(blocks))
    written = from_wiki(to_wiki(blocks))
    assert not written.unread
    assert {block.kind for block in written.blocks} <= {"paragraph", "numbers", "panel", "table"}


def _spans(blocks: tuple[Block, ...]) -> list[Span]:
    return [s for b in blocks for s in (*b.spans, *_spans(b.children))]


def test_phrases() -> None:
    assert [listed(["a", "b", "c"]), listed(["a"]), listed([])] == ["a, b and c", "a", ""]
    assert [count(1, "day", "days"), count(12, "day", "days")] == ["one day", "12 days"]
    assert short("a\n b  " + "c" * 50, 20) == "a b cccccccccccccccc…"[:19] + "…"
    assert Document(help_reply()).plain()
