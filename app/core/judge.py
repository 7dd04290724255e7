"""The checklist's result with what the judge adds. The judge only ever lowers: no answer raises a
score or a verdict, clears a finding or takes a question away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from app.core.criteria import BY_NAME
from app.core.doubts import INJECTION, Doubt, Judged, Judgement
from app.core.objections import Objection, mark
from app.core.questions import MOST_QUESTIONS, Question, short
from app.core.readiness import FEW, NEAR, Readiness, Verdict, points

SHARE = 6
"""A doubt takes severity / SHARE of its criterion's points: half of them at the most."""
ASKS = 2
"""From this severity on a doubt is a question, with the rubric's words where the judge has none."""
HOLDS = 3
"""A must-have that is doubted so gravely keeps the text from being ready."""
ORDER: tuple[Verdict, ...] = ("not_yet", "nearly", "ready")


def with_judge(
    readiness: Readiness,
    judged: Judged | None,
    must_haves: frozenset[str],
    threshold: int,
    objections: Collection[Objection] = (),
) -> Readiness:
    """The checklist's readiness, lowered by the judge's doubts; the same input, the same result.

    What somebody with a role called wrong is doubted no more; what anybody did, is not asked."""
    if judged is None or readiness.score is None:
        return readiness
    if judged.judgement is None:
        told = f"The AI check did not answer ({judged.why}); the checklist alone was used."
        return replace(readiness, judged=judged, note=_noted(readiness.note, told))
    judgement = judged.judgement
    wrong = _called_wrong(readiness, objections)
    doubts = _standing(readiness, [d for d in judgement.doubts if not wrong.get(d.criterion)])
    askable = [doubt for doubt in doubts if doubt.criterion not in wrong]
    score = round(sum(p.got for p in points(readiness.findings)) - _lost(readiness, doubts))
    questions = _questions(readiness, judgement.questions, askable, must_haves)
    spoken_to = next((doubt for doubt in doubts if doubt.criterion == INJECTION), None)
    held = spoken_to is not None or any(
        doubt.severity >= HOLDS and doubt.criterion in must_haves for doubt in doubts
    )
    verdict = _verdict(score - threshold, len(questions), held=held)
    note = readiness.note
    if spoken_to is not None:
        note = _noted(note, _warning(readiness.text, spoken_to))
    return replace(
        readiness,
        score=min(score, readiness.score),
        verdict=min(readiness.verdict, verdict, key=ORDER.index),
        questions=questions,
        note=note,
        judged=replace(judged, judgement=replace(judgement, doubts=doubts)),
    )


def _called_wrong(readiness: Readiness, objections: Collection[Objection]) -> dict[str, bool]:
    """By criterion: was it somebody with a role? The judge's doubt shares the finding's mark."""
    if not objections:
        return {}
    marks = {f.criterion: mark(f, readiness.text) for f in readiness.findings}
    said = [o for o in objections if marks.get(o.criterion) == o.mark]
    return {o.criterion: any(s.lifts for s in said if s.criterion == o.criterion) for o in said}


def _standing(readiness: Readiness, doubts: Sequence[Doubt]) -> tuple[Doubt, ...]:
    """Doubts on criteria that apply and that nobody with a role has lifted, gravest first. They are
    of the same text, so their quotes fit."""
    applying = {
        finding.criterion
        for finding in readiness.findings
        if finding.status != "not_applicable" and finding.aside != "lifted"
    }
    rank = {name: number for number, name in enumerate([INJECTION, *BY_NAME])}
    return tuple(
        sorted(
            (d for d in doubts if d.criterion in applying or d.criterion == INJECTION),
            key=lambda doubt: (-doubt.severity, rank[doubt.criterion]),
        )
    )


def _lost(readiness: Readiness, doubts: Sequence[Doubt]) -> float:
    """Points that the doubts take: never more than the checklist gave for the criterion."""
    lines = {line.criterion: line for line in points(readiness.findings)}
    return sum(
        min(lines[d.criterion].got, lines[d.criterion].of * d.severity / SHARE)
        for d in doubts
        if d.criterion in lines
    )


def _verdict(lead: int, asked: int, *, held: bool) -> Verdict:
    """As the checklist's own: `lead` is the distance from the threshold."""
    if lead >= 0:
        return "nearly" if held else "ready"
    return "nearly" if lead >= -NEAR and asked <= FEW else "not_yet"


def _questions(
    readiness: Readiness,
    asked: Sequence[Question],
    doubts: Sequence[Doubt],
    must_haves: frozenset[str],
) -> tuple[Question, ...]:
    """All that the checklist asks; in the judge's words where it has some, as they are about this
    ticket. Further ones of the judge's as far as there is room. Must-haves stay first, then what
    would change the work most."""
    words = {question.criterion: question for question in asked}
    mine = {question.criterion: question for question in readiness.questions}
    grave = [d.criterion for d in doubts if d.severity >= ASKS and d.criterion in BY_NAME]
    standing = {doubt.criterion: doubt for doubt in doubts}
    wanted = [name for name in dict.fromkeys([*words, *grave]) if name in standing]
    aside = {finding.criterion for finding in readiness.findings if finding.aside}
    wanted = [name for name in wanted if name not in aside]
    words = {name: question for name, question in words.items() if name not in aside}
    more = [name for name in wanted if name not in mine][: max(0, MOST_QUESTIONS - len(mine))]
    ranked = list(dict.fromkeys([*words, *mine, *more]))
    chosen = sorted([*mine, *more], key=lambda n: (n not in must_haves, ranked.index(n)))
    return tuple(
        _question(name, mine.get(name), words.get(name), standing.get(name), readiness.text)
        for name in chosen
    )


def _question(
    name: str, mine: Question | None, words: Question | None, doubt: Doubt | None, text: str
) -> Question:
    found = mine.found if mine else short(text[slice(*doubt.quote)]) if doubt else ""
    if words is not None:
        return replace(words, found=found)
    if mine is not None:
        return mine
    return Question(name, BY_NAME[name].question, BY_NAME[name].example, found)


def _warning(text: str, doubt: Doubt) -> str:
    quote = short(text[slice(*doubt.quote)], 120)
    return (
        f'Some words speak to the machine that reads them: "{quote}". A person has to look; '
        "no agent starts while they stand there."
    )


def _noted(note: str, more: str) -> str:
    return f"{note} {more}".strip()


def stored(judgement: Judgement) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is kept of it: ratings, which name no word of the ticket, and words, which do."""
    ratings = {
        "doubts": [[d.criterion, d.severity, *d.quote] for d in judgement.doubts],
        "size": judgement.size,
        "risk": judgement.risk,
        "dropped": judgement.dropped,
    }
    words = {
        "why": [doubt.why for doubt in judgement.doubts],
        "questions": [asdict(question) for question in judgement.questions],
        "proposal": judgement.proposal,
    }
    return ratings, words


def recalled(ratings: Mapping[str, Any], words: Mapping[str, Any] | None) -> Judgement:
    """The same again; without its words where they were erased."""
    words = words or {}
    whys = words.get("why") or [""] * len(ratings["doubts"])
    doubts = [
        Doubt(name, severity, (start, end), why)
        for (name, severity, start, end), why in zip(ratings["doubts"], whys, strict=True)
    ]
    return Judgement(
        doubts=tuple(doubts),
        questions=tuple(Question(**row) for row in words.get("questions", ())),
        proposal=words.get("proposal", ""),
        size=ratings["size"],
        risk=ratings["risk"],
        dropped=ratings["dropped"],
    )
