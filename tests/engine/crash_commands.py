"""Commands that write into Jira: nothing is written or made twice, wherever a worker dies."""

from __future__ import annotations

from app.store import objections, splits
from tests.engine.crash import Crew
from tests.engine.stage import SITE, Stage

WRITES = (
    "PUT /rest/api/N/issue/N",
    "POST /rest/api/N/issue",
    "POST /rest/api/N/issueLink",
    "POST /rest/api/N/issue/N/comment",
)
BUNDLE = """Make it better, maybe in the background? See Slack thread. While at it, also:

* quote fields that hold a comma
* delete the old writer after item 1
"""


def told_by_commands(on: Stage, crew: Crew) -> None:
    """A question is set aside, the ticket is split, and the proposed text is written into it."""
    key = on.label_good_ticket(BUNDLE)
    on.deliver(key)
    crew.start()
    crew.until(crew.at_rest)
    issue_id = on.jira.issue(key).id
    stood = objections.as_shown(on.db, SITE, issue_id)
    assert stood is not None
    set_aside = stood["findings"][0][0]
    written = {}
    for command in ("agent wrong 1", "agent split", "agent apply"):
        written[command] = on.jira.comment(key, command, "Author").id
        on.deliver_comment(key, written[command])
        crew.until(crew.at_rest)

    made = objections.held(on.db, SITE, issue_id, "")
    assert [objection.criterion for objection in made] == [set_aside]
    children = on.jira.state.below(on.jira.issue(key))
    assert [child.summary for child in children] == [
        "Quote fields that hold a comma",
        "Delete the old writer after item 1",
    ]
    assert splits.made(on.db, SITE, issue_id) == tuple(child.key for child in children)
    (link,) = on.jira.state.links.values()
    assert (link.source, link.target) == (children[0].id, children[1].id)
    changes = [change for entry in on.jira.issue(key).history for change in entry.changes]
    assert [change.field for change in changes].count("description") == 1
    written_text = on.jira.issue(key).description
    assert written_text is not None
    assert "[…]" in written_text.plain()
    reply = f"reply:{written['agent apply']}"
    assert set(on.comments(key)) == {"readiness", reply}
    assert "See Slack thread. While at it, also:" in on.comments(key)[reply]
    assert {outcome for outcome, _ in on.outcomes()} <= {"handled", "ignored"}
    assert on.runs() == []
