"""A scorer for the evaluator of SHARED_DIR: the checklist, lowered by recorded answers of a judge.

    evaluate.py --quick --scorer "python -m bench.judge --answers FILE"

`--ask` asks the real judge (SIGNALBOX_ANTHROPIC_API_KEY) about every text that FILE has no answer
for, appends what it said, and stops at `--most` dollars. `--simulate` writes made-up answers
instead: they show that the parts fit together and say nothing of any model. What the answers in
use have cost is told on standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.adapters.claude_judge import ClaudeJudge
from app.adapters.memory_judge import MemoryJudge, content
from app.config import Settings
from app.core.criteria import DEFAULT_MUST_HAVES
from app.core.doubts import Judged
from app.core.judge import with_judge
from app.core.judge_answer import BadAnswer, read_answer
from app.core.judge_request import JudgeRequest, build_request
from app.core.money import MICRO, show
from app.core.readiness import Readiness
from app.core.scoring_lines import read_line, told_line
from app.ports import NoJudgement, SpecJudge

THRESHOLD = 70


class Answers:
    """One JSON object a line: key, body, cost in micro-units, simulated."""

    def __init__(self, file: Path) -> None:
        self.file = file
        lines = file.read_text().splitlines() if file.exists() else []
        self.known = {row["key"]: row for row in map(json.loads, lines)}
        self.used: dict[str, int] = {}

    def add(self, key: str, body: object, cost: int, *, simulated: bool) -> None:
        row = {"key": key, "body": body, "cost": cost, "simulated": simulated}
        self.known[key] = row
        with self.file.open("a") as out:
            out.write(json.dumps(row) + "\n")

    def of(self, key: str) -> Any:
        row = self.known.get(key)
        if row is None:
            return None
        self.used[key] = row["cost"]
        return row["body"]


def made_up(request: JudgeRequest) -> dict[str, Any]:
    """A doubt on the first words of the ticket."""
    first = request.ticket.splitlines()[3].split()[:3]
    return content(vague=("unmet", 1, " ".join(first)))


def judged(readiness: Readiness, body: object) -> Readiness:
    try:
        found = Judged("recorded", read_answer(body, readiness.text))
    except BadAnswer:
        return readiness
    return with_judge(readiness, found, DEFAULT_MUST_HAVES, THRESHOLD)


def scored(lines: Iterator[str], answers: Answers, judge: SpecJudge | None, most: int) -> None:
    model = judge.model if judge else os.environ.get("SIGNALBOX_JUDGE_MODEL", default_model())
    spent = 0
    for line in lines:
        obj = json.loads(line)
        readiness = read_line(obj)
        if readiness.score is not None:
            request = build_request(readiness.text, obj.get("issue_type") or None, "", ())
            key = request.key(model)
            if judge is not None and key not in answers.known and spent < most:
                spent += ask(judge, request, key, answers)
            body = answers.of(key)
            readiness = readiness if body is None else judged(readiness, body)
        print(json.dumps(told_line(obj, readiness)))


def ask(judge: SpecJudge, request: JudgeRequest, key: str, answers: Answers) -> int:
    try:
        found = judge.judge(request)
    except NoJudgement as fault:
        print(f"no answer: {fault}", file=sys.stderr)
        return fault.cost or 0
    cost = found.usage.cost or 0
    answers.add(key, found.body, cost, simulated=judge.simulated)
    return cost


def default_model() -> str:
    return str(Settings.model_fields["judge_model"].default)


def real() -> SpecJudge:
    key = os.environ.get("SIGNALBOX_ANTHROPIC_API_KEY")
    if not key:
        raise SystemExit("SIGNALBOX_ANTHROPIC_API_KEY is not set: nobody can be asked.")
    fields = Settings.model_fields
    where = os.environ.get("SIGNALBOX_ANTHROPIC_BASE_URL", fields["anthropic_base_url"].default)
    return ClaudeJudge(os.environ.get("SIGNALBOX_JUDGE_MODEL", default_model()), key, str(where))


def simulated() -> SpecJudge:
    judge = MemoryJudge(made_up)
    judge.model = default_model()
    return judge


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.judge", description=__doc__)
    parser.add_argument("--answers", type=Path, required=True, metavar="FILE")
    parser.add_argument("--ask", action="store_true")
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--most", type=float, default=5.0, metavar="DOLLARS")
    asked = parser.parse_args(arguments)
    answers = Answers(asked.answers)
    judge = simulated() if asked.simulate else real() if asked.ask else None
    scored(iter(sys.stdin), answers, judge, round(asked.most * MICRO))
    made = sum(answers.known[key]["simulated"] for key in answers.used)
    total = show(sum(answers.used.values()))
    print(f"{len(answers.used)} answers, {made} of them simulated: {total}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
