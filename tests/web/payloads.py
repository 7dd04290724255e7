"""What each recorded payload has to mean to intake: (outcome, kind). An empty outcome is work."""

WORK_TICKET = ("", "ticket")
WORK_COMMENT = ("", "comment")
IGNORED = ("ignored", "none")
UNSUPPORTED = ("unsupported", "none")

JENKINS = "jenkins-jira-trigger/"
MATTERMOST = "mattermost-plugin-jira/webhook-"
EXPECTED = {
    JENKINS + "issue_created.json": WORK_TICKET,
    JENKINS + "issue_updated_fields_updated.json": WORK_TICKET,
    JENKINS + "issue_updated_status_updated.json": WORK_TICKET,
    JENKINS + "issue_updated_with_comment.json": WORK_COMMENT,
    JENKINS + "updateDescription.json": WORK_TICKET,
    MATTERMOST + "cloud-comment-created-mention-user.json": WORK_COMMENT,
    MATTERMOST + "cloud-comment-created.json": WORK_COMMENT,
    MATTERMOST + "cloud-comment-updated.json": WORK_COMMENT,
    MATTERMOST + "issue-assigned-empty-changelog.json": WORK_TICKET,
    MATTERMOST + "issue-created-no-description-nor-relevant-fields.json": WORK_TICKET,
    MATTERMOST + "issue-created-no-description.json": WORK_TICKET,
    MATTERMOST + "issue-created.json": WORK_TICKET,
    MATTERMOST + "issue-deleted.json": WORK_TICKET,
    MATTERMOST + "issue-updated-assigned-nobody.json": IGNORED,
    MATTERMOST + "issue-updated-assigned-on-server.json": IGNORED,
    MATTERMOST + "issue-updated-fix-version.json": IGNORED,
    MATTERMOST + "issue-updated-issue-type.json": WORK_TICKET,
    MATTERMOST + "issue-updated-labels.json": WORK_TICKET,
    MATTERMOST + "issue-updated-lowered-priority.json": IGNORED,
    MATTERMOST + "issue-updated-multiple-custom-fields.json": IGNORED,
    MATTERMOST + "issue-updated-multiple-values.json": IGNORED,
    MATTERMOST + "issue-updated-rank.json": IGNORED,
    MATTERMOST + "issue-updated-renamed.json": WORK_TICKET,
    MATTERMOST + "issue-updated-reopened-one-changelog.json": WORK_TICKET,
    MATTERMOST + "issue-updated-reopened.json": WORK_TICKET,
    MATTERMOST + "issue-updated-resolved.json": WORK_TICKET,
    MATTERMOST + "server-comment-created.json": WORK_COMMENT,
    MATTERMOST + "server-comment-deleted.json": UNSUPPORTED,
    MATTERMOST + "server-issue-updated-closed.json": WORK_TICKET,
    # neither `comment` nor `changelog`: what changed cannot be told, so the ticket is read
    MATTERMOST + "server-issue-updated-comment-deleted.json": WORK_TICKET,
    MATTERMOST + "server-issue-updated-comment-edited.json": WORK_COMMENT,
    MATTERMOST + "server-issue-updated-commented-2.json": WORK_COMMENT,
    MATTERMOST + "server-issue-updated-commented-3.json": WORK_COMMENT,
    MATTERMOST + "server-issue-updated-commented-mention-user.json": WORK_COMMENT,
    MATTERMOST + "server-issue-updated-in-progress.json": WORK_TICKET,
    MATTERMOST + "server-issue-updated-reopened.json": WORK_TICKET,
    MATTERMOST + "server-issue-updated-resolved.json": WORK_TICKET,
    MATTERMOST + "server-old-issue-updated-no-event-type-assigned.json": IGNORED,
    MATTERMOST + "server-old-issue-updated-no-event-type-comment-edited.json": WORK_COMMENT,
    MATTERMOST + "server-old-issue-updated-no-event-type-commented.json": WORK_COMMENT,
}
