"""Who holds which role in a project, as a person or through a group."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.jira_fault import Call
from app.adapters.jira_pages import part
from app.adapters.jira_reading import Json
from app.adapters.jira_session import JiraSession
from app.ports import Refused


class People:
    """Accounts are named by accountId on Cloud, by key on Data Center."""

    def __init__(self, api: JiraSession, *, cloud: bool) -> None:
        self._api = api
        self._cloud = cloud

    def user(self, account_id: str, **params: str) -> Json:
        params["accountId" if self._cloud else "key"] = account_id
        need, what = "Browse users and groups", f"the account {account_id}"
        found: Json = self._api.repeat(Call("GET", "/user", what, need, params))
        return found

    def may(self, account_id: str, right: str, issue_key: str) -> bool:
        """Whether Jira gives the account this right in the ticket."""
        params = {"permissions": right, "issueKey": issue_key}
        if self._cloud:
            params["accountId"] = account_id
        else:  # found by a part of the name, so the answer may hold others
            params["username"] = str(self.user(account_id).get("name"))
        need, what = "Administer Projects", f"the rights of {account_id}"
        found = self._api.repeat(Call("GET", "/user/permission/search", what, need, params))
        return any(account_id in (user.get("accountId"), user.get("key")) for user in found)

    def roles(self, project_key: str, account_id: str) -> frozenset[str]:
        """Reading roles takes the right to administer the project."""
        path, what = f"/project/{part(project_key)}/role", f"the role list of {project_key}"
        links: Json = self._api.repeat(Call("GET", path, what, "Administer Projects"))
        direct, by_group = set[str](), dict[str, set[str]]()
        names = {account_id}
        if not self._cloud:
            names.add(str(self.user(account_id).get("name")))
        for name, address in links.items():
            one = f"{path}/{part(str(address).rstrip('/').rpartition('/')[2])}"
            role = self._api.repeat(Call("GET", one, what, "Administer Projects"))
            people, groups = _actors(role.get("actors") or ())
            if names & people:
                direct.add(name)
            elif groups:
                by_group[name] = groups
        if not by_group:
            return frozenset(direct)
        try:
            mine = self._groups(account_id)
        except Refused:
            if direct:
                return frozenset(direct)
            raise
        return frozenset(direct | {name for name, groups in by_group.items() if groups & mine})

    def _groups(self, account_id: str) -> set[str]:
        """Names and ids of the account's groups."""
        if not self._cloud:
            items = self.user(account_id, expand="groups").get("groups", {}).get("items") or ()
            return {str(group["name"]) for group in items}
        need, what = "Browse users and groups", f"the group list of {account_id}"
        params = {"accountId": account_id}
        found = self._api.repeat(Call("GET", "/user/groups", what, need, params))
        return {
            str(group[name]) for group in found for name in ("name", "groupId") if name in group
        }


def _actors(actors: Sequence[Json]) -> tuple[set[str], set[str]]:
    """The people and the groups in a role, by every name that Jira gives them."""
    people, groups = set[str](), set[str]()
    for actor in actors:
        is_group = actor.get("type") == "atlassian-group-role-actor"
        about: Json = actor.get("actorGroup" if is_group else "actorUser") or {}
        names = (about.get(name) for name in ("accountId", "key", "name", "groupId"))
        wanted = groups if is_group else people
        wanted.update(str(name) for name in (*names, actor.get("name")) if name)
    return people, groups
