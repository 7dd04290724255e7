"""The engine's memory of a site that was removed: its workflows, whatever state they are in."""

from __future__ import annotations

from dbos import DBOSClient

from app.engine.relay import APPLICATION

KINDS = (
    "assess",
    "cancel",
    "command",
    "find",
    "mention",
    "notice",
    "press",
    "result:run",
    "run",
)
"""How the ids of workflows begin; then comes the site."""


def forget(url: str, site_id: str) -> int:
    """Stop and delete the site's workflows: a site of the same name, connected later, counts its
    tickets and runs from one again, and would be taken for this one. How many there were."""
    client = DBOSClient(system_database_url=url, application_name=APPLICATION)
    mine = [f"{kind}:{site_id}:" for kind in KINDS]
    gone = 0
    try:
        while found := client.list_workflows(
            workflow_id_prefix=mine, limit=500, load_input=False, load_output=False
        ):
            ids = [flow.workflow_id for flow in found]
            client.cancel_workflows(ids)
            client.delete_workflows(ids)
            gone += len(ids)
    finally:
        client.destroy()
    return gone
