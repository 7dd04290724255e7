"""`signalbox rubric precision`, over what people have called wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from app.store import objections
from app.store.database import Database
from tests.cli.conftest import Terminal

SITE = "acme"


def shown(db: Database, issue: str, minute: int, *criteria: str) -> None:
    findings = [[name, f"mark of {name}"] for name in criteria]
    at = datetime(2026, 11, 23, 9, minute, tzinfo=UTC)
    row = {"site_id": SITE, "issue_id": issue, "shown_at": at, "rubric": "checklist v1"}
    objections.show(db, row | {"spec_hash": "a", "findings": findings})


def test_each_rule_with_how_often_it_was_called_wrong(
    connected: Terminal, database: Database
) -> None:
    assert connected.run("rubric precision") == "No question was asked in a comment yet.\n"
    shown(database, "1", 1, "vague", "reason")
    shown(database, "1", 2, "vague")  # the same question, in an edited comment
    shown(database, "2", 3, "vague")
    said = {"site_id": SITE, "issue_id": "2", "criterion": "vague", "spec_hash": "a"}
    said |= {"mark": "mark of vague", "rubric": "checklist v1", "by": "somebody", "reason": ""}
    at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    objections.make(database, said | {"role_holder": True, "made_at": at})
    assert connected.run("rubric precision").splitlines()[1:] == [
        "checklist v1  vague       2      1          1    50%",
        "checklist v1  reason      1      0          0   100%",
    ]
    rules = connected.json("rubric precision")["rules"]
    assert rules[0] == {
        "rubric": "checklist v1",
        "criterion": "vague",
        "shown": 2,
        "wrong": 1,
        "by_role": 1,
        "precision": 0.5,
    }
