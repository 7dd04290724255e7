"""`agent wrong`: a finding is set aside for its ticket, in the name of who says so."""

from __future__ import annotations

from app.core.commands import Command
from app.core.comments.phrases import listed
from app.core.criteria import BY_NAME
from app.core.objections import mark
from app.core.readiness import Readiness
from app.core.rights import holds
from app.reporting.asked import Asked, Done, judged, look, said
from app.store import objections, sites


def set_aside(asked: Asked, command: Command) -> Done:
    """What was asked about goes; whether that lifts a must-have depends on the person's rights."""
    readiness = judged(asked)
    named = {finding.criterion: finding for finding in readiness.findings}
    stood = _as_shown(asked)
    if command.argument.isdigit():
        number = int(command.argument)
        if number > len(stood):
            return _no_number(number, [name for name, _ in stood])
        criterion, meant = stood[number - 1]
    else:
        criterion = command.argument
        finding = named.get(criterion)
        asks = {name for name, _ in stood} | {q.criterion for q in readiness.questions}
        if finding is None or not (criterion in asks or finding.status == "unmet" or finding.aside):
            return _not_asked(criterion, readiness)
        meant = mark(finding, readiness.text)
    if criterion not in named or mark(named[criterion], readiness.text) != meant:
        text = "The text has changed since, and I no longer ask that. Please look again."
        return said("wrong: not of this text", text)
    _keep(asked, criterion, meant, command.said, readiness.rubric)
    look(asked)
    return Done(f"wrong: {criterion}")


def _as_shown(asked: Asked) -> list[tuple[str, str]]:
    """The questions by number, as they stood when the person wrote."""
    row = objections.as_shown(asked.desk.db, asked.desk.site["id"], asked.ticket.id, asked.edited)
    return [(name, meant) for name, meant in row["findings"]] if row is not None else []


def _keep(asked: Asked, criterion: str, meant: str, reason: str, rubric: str) -> None:
    desk, ticket = asked.desk, asked.ticket
    grants = sites.grants(desk.db, desk.site["id"], ticket.project_key)
    roles = desk.tracker.roles(ticket.project_key, asked.by)
    objection = {
        "site_id": desk.site["id"],
        "issue_id": ticket.id,
        "criterion": criterion,
        "spec_hash": ticket.spec_hash(),
        "mark": meant,
        "rubric": rubric,
        "by": asked.by,
        "role_holder": holds("dispatch", grants, asked.by, roles),
        "reason": reason,
        "made_at": asked.now,
    }
    objections.make(desk.db, objection)


def _no_number(number: int, stood: list[str]) -> Done:
    if not stood:
        return said("wrong: nothing was asked", "I ask nothing there that could be set aside.")
    there = [f"{at} ({BY_NAME[name].title.lower()})" for at, name in enumerate(stood, 1)]
    text = f"There is no question {number}. There {'is' if len(there) == 1 else 'are'}: "
    return said("wrong: no such question", f"{text}{listed(there)}.")


def _not_asked(criterion: str, readiness: Readiness) -> Done:
    title = BY_NAME[criterion].title
    asks = [BY_NAME[question.criterion].title.lower() for question in readiness.questions]
    there = f" I ask about: {listed(asks)}." if asks else " I ask nothing there now."
    return said("wrong: not asked", f"I have nothing against it in “{title}”.{there}")
