"""The six ways in which a site can be connected, and what each brings along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["token", "automation", "connect", "forge", "server", "poll"]
Door = Literal["webhook", "automation", "connect", "forge", "none"]


@dataclass(frozen=True, slots=True)
class Connection:
    """door: where its deliveries come in. handed: the credential comes with Jira's own install
    call, so that nobody types it in. title: for people."""

    kind: Kind
    title: str
    door: Door
    handed: bool = False


KINDS: dict[str, Connection] = {
    found.kind: found
    for found in (
        Connection("token", "Jira Cloud, API token and admin webhook", "webhook"),
        Connection("automation", "Jira Cloud, API token and an Automation rule", "automation"),
        Connection("connect", "Jira Cloud, Connect app", "connect", handed=True),
        Connection("forge", "Jira Cloud, Forge app", "forge", handed=True),
        Connection("server", "Jira Data Center, personal access token and webhook", "webhook"),
        Connection("poll", "Polling alone: no Jira admin, no inbound port", "none"),
    )
}
