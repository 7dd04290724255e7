"""`agent split`: the proposed sub-tasks are made in Jira, each once, with the links between them.
They carry no label: whether an agent works on one is for people to say."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.comments.phrases import listed
from app.core.split import Part, parts_of
from app.ports import Child, NewTicket, Refused
from app.reporting.asked import Asked, Done, judged, look, said, shown_text
from app.store import splits

PROPERTY = "signalbox.split"


def split(asked: Asked) -> Done:
    """Safe to repeat: what is there already is found by its property."""
    ticket = asked.ticket
    there = {child.mark.get("n"): child for child in _children(asked)}
    if shown_text(asked) is None:
        text = "The text has changed since, or was not judged yet. Please look again, then split."
        return said("split: not of this text", text)
    if any(child.mark.get("text") != ticket.spec_hash() for child in there.values()):
        keys = listed([child.key for child in there.values()])
        text = f"Another text of this ticket was split already: into {keys}. Link or delete those."
        return said("split: done before", text)
    parts = parts_of(judged(asked), ticket)
    if not parts:
        text = "I see no list of separate changes: write each as an item of one list."
        return said("split: nothing to split", text)
    try:
        made = [there.get(part.number) or _make(asked, part) for part in parts]
        _link(asked, parts, made)
    except Refused as fault:
        _keep(asked, _children(asked))
        look(asked)
        return said("split: refused by Jira", f"Jira refuses it, so it is not whole: {fault}")
    _keep(asked, made)
    look(asked)
    return Done(f"split: {len(made)} tickets")


def _children(asked: Asked) -> Sequence[Child]:
    found = asked.desk.tracker.children(asked.ticket.id, PROPERTY)
    mine = (child for child in found if child.mark.get("parent") == asked.ticket.id)
    return sorted(mine, key=lambda child: int(child.mark.get("n") or 0))


def _make(asked: Asked, part: Part) -> Child:
    mark = {"parent": asked.ticket.id, "n": part.number, "text": asked.ticket.spec_hash()}
    new = NewTicket(part.summary, part.description, mark)
    return asked.desk.tracker.create_child(asked.ticket.id, PROPERTY, new)


def _link(asked: Asked, parts: Sequence[Part], made: Sequence[Child]) -> None:
    for part, child in zip(parts, made, strict=True):
        for before in part.after:
            blocker = made[before - 1]
            if blocker.id not in child.blockers:
                asked.desk.tracker.block(blocker.id, child.id)


def _keep(asked: Asked, made: Sequence[Child]) -> None:
    values = {
        "site_id": asked.desk.site["id"],
        "issue_id": asked.ticket.id,
        "spec_hash": asked.ticket.spec_hash(),
        "keys": [child.key for child in made],
        "by": asked.by,
        "made_at": asked.now,
    }
    if made:
        splits.record(asked.desk.db, values)
