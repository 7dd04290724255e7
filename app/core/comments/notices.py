"""What people who run Signalbox are told, on the operations ticket of a project."""

from __future__ import annotations

from datetime import datetime, tzinfo

from app.core import storm
from app.core.comments.phrases import clock, footer, headline, lozenge, person
from app.core.text import Block, paragraph


def storm_notice(account_id: str, label: str, since: datetime, zone: tzinfo) -> tuple[Block, ...]:
    """Somebody labelled more tickets at once than anybody can have looked at."""
    minutes = storm.WINDOW.seconds // 60
    return (
        headline(
            lozenge("many labels", "yellow"),
            person(account_id),
            f' set the label "{label}" on more than {storm.MOST} tickets within {minutes} minutes '
            f"({clock(since, zone)}).",
        ),
        paragraph(
            f"The first {storm.MOST} were told of as usual. The others got no comment, and nothing "
            "starts by their labels; the project page lists them."
        ),
        paragraph(
            'To let one of them out, somebody who may dispatch comments "agent run" in it, or sets '
            "its label anew later."
        ),
        footer(),
    )


def removed_notice(at: datetime) -> tuple[Block, ...]:
    """Takes the place of what we said in a ticket, where Signalbox is no more."""
    return (paragraph(f"Signalbox was removed from this Jira on {at.day} {at:%b %Y}."),)
