"""REST: comments of an issue, comments by id, comment properties.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/
"""

from __future__ import annotations

from app.sandbox import comments
from app.sandbox.call import Call, Reply, Route, page
from app.sandbox.comment_input import draft
from app.sandbox.properties import delete_property, get_property, list_properties, put_property
from app.sandbox.records import Comment
from app.sandbox.refusals import Refusal


def create(call: Call, key: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    made = comments.add(call.state, issue, draft(call.document(), call.face.version), call.actor)
    return Reply(201, call.face.comment(made, call.names("expand")))


def list_all(call: Call, key: str) -> Reply:
    issue = call.state.issue(key, call.actor)
    found = call.state.comments_of(issue, call.actor)
    found = comments.ordered(found, call.query.get("orderBy") or "created")
    shown = [call.face.comment(comment, call.names("expand")) for comment in found]
    return Reply(200, page(call, "comments", shown, most=5000, default=100))


def read(call: Call, key: str, comment_id: str) -> Reply:
    return Reply(200, call.face.comment(_comment(call, key, comment_id), call.names("expand")))


def edit(call: Call, key: str, comment_id: str) -> Reply:
    comment = _comment(call, key, comment_id)
    new = draft(call.document(), call.face.version)
    comments.edit(call.state, comment, new, call.actor, call.flag("notifyUsers"))
    return Reply(200, call.face.comment(comment, call.names("expand")))


def delete(call: Call, key: str, comment_id: str) -> Reply:
    comments.delete(call.state, _comment(call, key, comment_id), call.actor)
    return Reply(204)


def list_by_id(call: Call) -> Reply:
    """Comments of any issues; what the caller may not see is left out without a word."""
    ids = call.document().get("ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 1000:
        raise Refusal(400, "Between 1 and 1000 comment ids must be provided.")
    state = call.state
    known = [state.comments[str(wanted)] for wanted in ids if str(wanted) in state.comments]
    shown = [
        call.face.comment(comment, call.names("expand"))
        for comment in known
        if state.readable(comment, call.actor)
    ]
    out = {
        "self": call.face.url("comment/list"),
        "maxResults": 1048576,
        "startAt": 0,
        "total": len(shown),
        "isLast": True,
        "values": shown,
    }
    return Reply(200, out)


def property_keys(call: Call, comment_id: str) -> Reply:
    comment = call.state.comment(comment_id, call.actor)
    address = call.face.url(f"comment/{comment.id}/properties")
    return list_properties(comment.properties, address)


def read_property(call: Call, comment_id: str, name: str) -> Reply:
    return get_property(call.state.comment(comment_id, call.actor).properties, name)


def write_property(call: Call, comment_id: str, name: str) -> Reply:
    comment = _own(call, comment_id)
    reply = put_property(comment.properties, name, call)
    comments.show_or_hide(call.state, comment)
    return reply


def remove_property(call: Call, comment_id: str, name: str) -> Reply:
    comment = _own(call, comment_id)
    reply = delete_property(comment.properties, name)
    comments.show_or_hide(call.state, comment)
    return reply


def _comment(call: Call, key: str, comment_id: str) -> Comment:
    return call.state.comment(comment_id, call.actor, call.state.issue(key, call.actor))


def _own(call: Call, comment_id: str) -> Comment:
    """Writing a property needs the right to edit the comment."""
    comment = call.state.comment(comment_id, call.actor)
    if not comments.editable(call.state, comment, call.actor):
        raise Refusal(403, "You do not have the permission to edit this comment.")
    return comment


ROUTES: list[Route] = [
    ("POST", "/issue/{key}/comment", create),
    ("GET", "/issue/{key}/comment", list_all),
    ("GET", "/issue/{key}/comment/{comment_id}", read),
    ("PUT", "/issue/{key}/comment/{comment_id}", edit),
    ("DELETE", "/issue/{key}/comment/{comment_id}", delete),
    ("POST", "/comment/list", list_by_id),
    ("GET", "/comment/{comment_id}/properties", property_keys),
    ("GET", "/comment/{comment_id}/properties/{name}", read_property),
    ("PUT", "/comment/{comment_id}/properties/{name}", write_property),
    ("DELETE", "/comment/{comment_id}/properties/{name}", remove_property),
]
