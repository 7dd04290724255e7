"""Odd JSON in the shape of what Jira's agent connector sends."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = (
    *("message", "parts", "data", "text", "id", "issue", "comment", "messageId", "role", "kind"),
    *("invocationType", "issueId", "commentId", "key", "taskId", "configuration", "metadata"),
)
VALUES = ("ISSUE_ASSIGNMENT", "ISSUE_COMMENT_MENTION", "10001", "BILL-1", "data", "user")
SCRAPS = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("a\0é", max_size=5)
    | st.sampled_from(VALUES),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=10,
)
