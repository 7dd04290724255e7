"""`agent apply`: the proposed text becomes the description, once, and only over the text that the
person has seen. The old one stays in Jira's history and in our answer."""

from __future__ import annotations

from app.core.comments import replies
from app.core.proposal import proposed
from app.core.text import Block, Document
from app.ports import Changed
from app.reporting.asked import Asked, Done, judged, look, runs_of, said, shown_text
from app.store import judgements

PROPERTY = "signalbox.text"
LONGEST = 30_000
"""Jira takes 32,767 characters; some are marks that only it sees."""


def apply(asked: Asked) -> Done:
    desk, ticket = asked.desk, asked.ticket
    if (desk.tracker.get_property(ticket.id, PROPERTY) or {}).get("by") == asked.id:
        look(asked)
        return Done("apply")  # written before, and cut off then
    if shown_text(asked) is None:
        text = "The text has changed since, or was not judged yet. Please look again, then apply."
        return _not_done(asked, "not of this text", text)
    blocks = _proposal(asked)
    if fault := _fault(asked, blocks):
        return _not_done(asked, *fault)
    # First of all the old text is kept: what comes after may be cut off anywhere.
    old = replies.applied_reply(asked.by, ticket.description)
    desk.tracker.put_comment(ticket.id, _key(asked), old)
    try:
        desk.tracker.set_description(ticket.id, blocks, ticket.spec_hash(), PROPERTY, asked.id)
    except Changed:
        text = "Somebody has changed the text in this moment, so I left it as it is."
        return _not_done(asked, "changed meanwhile", text)
    look(asked)
    return Done("apply")


def _key(asked: Asked) -> str:
    return f"reply:{asked.id}"


def _proposal(asked: Asked) -> tuple[Block, ...]:
    desk, ticket, words = asked.desk, asked.ticket, ""
    if asked.project is not None and asked.project["judge"]:
        known = judgements.judged(desk.db, desk.site["id"], ticket.project_key, ticket.spec_hash())
        words = known.judgement.proposal if known and known.judgement else ""
    return proposed(ticket.description, judged(asked), words)


def _fault(asked: Asked, blocks: tuple[Block, ...]) -> tuple[str, str] | None:
    """Why nothing is written: for the delivery, and for people."""
    if not blocks:
        return "nothing is missing", "I have nothing to propose: no answer is missing."
    if any(row["ended_at"] is None for row in runs_of(asked)):
        return "a run is on", 'A run is on, on the text as it is; "agent stop" ends it.'
    if unread := asked.ticket.description.unread:
        text = f"The description holds what I cannot read and would lose: {', '.join(unread[:5])}."
        return "parts were not read", f"{text} Please copy the proposal by hand."
    if len(Document(blocks).plain()) > LONGEST:
        return "too long", "The proposal is longer than a description in Jira may be."
    return None


def _not_done(asked: Asked, reason: str, text: str) -> Done:
    done = said(f"apply: {reason}", text)
    if asked.desk.tracker.find_comment(asked.ticket.id, _key(asked)) is not None:
        asked.desk.tracker.put_comment(asked.ticket.id, _key(asked), done.reply)
    return done
