"""The readiness comment: may an agent start, what is missing, what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from app.core.comments.checks import checks_fold, skeleton_fold
from app.core.comments.doubts import judge_folds, means
from app.core.comments.parts import made_line, split_fold
from app.core.comments.phrases import (
    clock,
    count,
    footer,
    headline,
    listed,
    lozenge,
    named,
    short,
    steps,
)
from app.core.criteria import BY_NAME
from app.core.eligibility import Defer, Reason
from app.core.questions import MOST_QUESTIONS
from app.core.readiness import Question, Readiness
from app.core.split import Part
from app.core.text import Block, paragraph

_BY_ITSELF = frozenset(
    ["budget", "no_budget", "slots", "blocked", "review_queue", "code_host", "paused", "no_cage"]
)
"""Reasons that end without the author: nobody who reads them has to act."""
_SAID = ("not_ready", "objection")
"""Reasons that the comment has told already, as questions and as a note."""


@dataclass(frozen=True, slots=True)
class Starts:
    """An agent has been let out: this is its run."""

    agent_title: str
    simulated: bool
    run_number: int


@dataclass(frozen=True, slots=True)
class NoStart:
    """Nobody asks for a start now. `run` is the last one, where there was one."""

    why: Literal["mode", "no_label", "label_used", "text_changed"]
    run: int | None = None


@dataclass(frozen=True, slots=True)
class ReadinessView:
    """Everything the comment is made of.

    unread, hidden: of the document. label: of the site. assigned: what asks for an agent is not the
    label but that the ticket is assigned to us. nothing_spent: the ticket has cost nothing so far.
    approvers: who may approve, by role or name.
    costs: whether comments name money here. asked: when a command last had it looked at.
    waiting: criteria that people set aside whose word opens no gate; lifters: roles that can agree.
    parts: the split that is proposed. made: keys of the tickets that were made by it.
    """

    readiness: Readiness
    decision: Starts | Defer | NoStart
    label: str
    assigned: bool = False
    nothing_spent: bool = True
    unread: tuple[str, ...] = ()
    hidden: bool = False
    approvers: tuple[str, ...] = ()
    costs: bool = True
    asked: tuple[datetime, tzinfo] | None = None
    waiting: tuple[str, ...] = ()
    lifters: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    made: tuple[str, ...] = ()


def readiness_comment(view: ReadinessView) -> tuple[Block, ...]:
    """Verdict first, then what is good, the questions, what happens next; the rest is folded."""
    readiness = view.readiness
    ready = readiness.verdict == "ready"
    blocks = [_first_line(view)]
    if readiness.good and not ready:
        blocks.append(paragraph(f"Good already: {listed(readiness.good)}."))
    blocks.extend(_notes(view))
    questions = readiness.questions[:MOST_QUESTIONS]
    if questions and not ready:
        blocks.append(steps(_asked(question) for question in questions))
    blocks.extend(_reasons(view))
    if questions and not ready:
        blocks.append(skeleton_fold(readiness))
    blocks.extend(judge_folds(readiness))
    if view.made:
        blocks.append(made_line(view.made))
    elif view.parts and not ready:
        blocks.append(split_fold(view.parts))
    if readiness.findings:
        blocks.append(checks_fold(readiness))
    blocks.append(paragraph(_next(view)))
    blocks.append(_last_line(view))
    return tuple(blocks)


def _first_line(view: ReadinessView) -> Block:
    readiness, decision = view.readiness, view.decision
    if isinstance(decision, Starts):
        title = named(decision.agent_title, simulated=decision.simulated)
        text = f"{title} starts now (run {decision.run_number})."
        return headline(lozenge("starts", "blue"), text + _fine(readiness))
    if readiness.verdict != "ready":
        tone: Literal["yellow", "red"] = "yellow" if readiness.verdict == "nearly" else "red"
        name = "nearly" if readiness.verdict == "nearly" else "not yet"
        spent = " Nothing was spent." if view.nothing_spent else ""
        return headline(lozenge(name, tone), f"No agent will start: {_lack(view)}.{spent}")
    if isinstance(decision, Defer):
        return headline(lozenge("waits", "yellow"), f"No agent will start yet.{_fine(readiness)}")
    return headline(lozenge("ready", "green"), f"{_idle(view, decision)}{_fine(readiness)}")


def _fine(readiness: Readiness) -> str:
    if readiness.verdict != "ready":
        return ""
    return " The text is fine" + ("." if readiness.score is None else f" ({readiness.score}/100).")


def _lack(view: ReadinessView) -> str:
    readiness = view.readiness
    questions = len(readiness.questions[:MOST_QUESTIONS])
    if questions:
        return count(questions, "answer is missing", "answers are missing")
    if readiness.score is None:
        return "this text cannot be judged"
    if view.hidden:
        return "a person has to look at the text first"
    if view.waiting:
        return "somebody has to agree that I was mistaken"
    return "the text is not ready"


def _idle(view: ReadinessView, decision: NoStart) -> str:
    match decision.why:
        case "mode":
            return "No agent will start: in this project I give advice only."
        case "no_label":
            return f'No agent will start without the label "{view.label}".'
        case "label_used":
            what = "assignment" if view.assigned else "label"
            return f"No agent will start: the {what} has had its run{_number(decision.run)}."
    return "No agent will start yet: the text has just changed."


def _number(run: int | None) -> str:
    return "" if run is None else f" (run {run})"


def _asked(question: Question) -> str:
    """The question, an answer that would do, and what stands there instead."""
    return " ".join(part for part in (question.text, _example(question), _found(question)) if part)


def _example(question: Question) -> str:
    example = short(question.example, 200)
    if not example:
        return ""
    if question.criterion == "outside_source":
        return example[0].upper() + example[1:] + "."
    return f"For example: {example}." if '"' in example else f'For example "{example}".'


def _found(question: Question) -> str:
    found = short(question.found, 120)
    if not found or found in question.text:
        return ""
    match question.criterion:
        case "open_decision":
            return f'"{found}" leaves it open.'
        case "outside_source":
            return f'An agent cannot open "{found}".'
        case "bundle":
            return f'I found several in "{found}".'
    return f'I found only "{found}".'


def _notes(view: ReadinessView) -> list[Block]:
    notes = [view.readiness.note] if view.readiness.note else []
    if view.hidden and "nobody can see" not in view.readiness.note:
        notes.append("Characters that nobody can see were taken out before I read it.")
    if view.waiting:
        notes.append(_to_lift(view))
    if view.unread:
        names = [f'"{short(name, 60)}"' for name in view.unread[:5]]
        more = len(view.unread) - len(names)
        names += [f"{more} more"] if more > 0 else []
        notes.append(f"Not read: {listed(names)}. What matters there has to stand in the text.")
    return [paragraph(note) for note in notes]


def _to_lift(view: ReadinessView) -> str:
    """What was set aside and still counts, and who can change that."""
    titles = [BY_NAME[name].title for name in view.waiting]
    roles = listed([f"in the role {short(name, 60)}" for name in view.lifters[:5]], "or")
    who = roles or "with the dispatch right"
    return (
        f"Set aside by a person: {listed(titles)}. An agent starts without it only when somebody "
        f'{who} agrees: "agent wrong {titles[0].lower()}".'
    )


def _reasons(view: ReadinessView) -> list[Block]:
    """Why not now. That the text is not ready is said above, as questions."""
    reasons = _told_reasons(view)
    if not reasons:
        return []
    lines = steps(reason.told(costs=view.costs) for reason in reasons)
    return [lines] if view.readiness.verdict == "ready" else [paragraph("Besides:"), lines]


def _told_reasons(view: ReadinessView) -> tuple[Reason, ...]:
    if not isinstance(view.decision, Defer):
        return ()
    return tuple(reason for reason in view.decision.reasons if reason.code not in _SAID)


def _next(view: ReadinessView) -> str:
    decision, reasons = view.decision, _told_reasons(view)
    if isinstance(decision, Starts):
        return 'Next: I report in a comment of its own. Stop it with "agent stop".'
    if view.readiness.verdict != "ready":
        instead = "Assign it to one" if view.assigned else f'Remove the label "{view.label}"'
        person = f" Rather a person? {instead}."
        labelled = not (isinstance(decision, NoStart) and decision.why == "no_label")
        return (
            "Next: edit the description; I look again within seconds and update this comment."
            + (person if labelled else "")
        )
    if isinstance(decision, NoStart):
        return _next_idle(view, decision)
    codes = {reason.code for reason in reasons}
    if codes == {"approval"}:
        who = listed([short(name, 60) for name in view.approvers[:5]], "or")
        somebody = f"somebody of {who}" if who else "somebody with the approve right"
        return f'Next: {somebody} comments "agent approve".'
    if reasons and codes <= _BY_ITSELF:
        when = {1: "that changes", 2: "either changes"}.get(len(reasons), "one of them changes")
        return f"I look again when {when}; you need do nothing."
    return "I look again as soon as something changes."


def _next_idle(view: ReadinessView, decision: NoStart) -> str:
    match decision.why:
        case "no_label":
            return (
                f'Next: to ask for an agent, set the label "{view.label}" or comment "agent run".'
            )
        case "label_used":
            return 'Next: "agent retry" starts another run, and so does a new label.'
        case "text_changed":
            return "I look again within seconds."
    return "Next: nothing; a person or an agent can take it as it is."


def _last_line(view: ReadinessView) -> Block:
    score = view.readiness.score
    return footer(
        "" if score is None else f"{score}/100",
        f"{view.readiness.rubric}, {means(view.readiness)}",
        f"looked again as asked {clock(*view.asked)}" if view.asked else "",
        f'Mistaken? Comment "agent {_objecting(view.readiness)}"',
    )


def _objecting(readiness: Readiness) -> str:
    """With a number that stands above, where there are questions."""
    asked = 0 if readiness.verdict == "ready" else len(readiness.questions[:MOST_QUESTIONS])
    return f"wrong {min(asked, 2)}" if asked else "help"
