"""The site over HTTP: who calls, projects and roles, users, permissions, and how it is marked."""

from __future__ import annotations

import httpx
import pytest

from app.sandbox.server import SandboxJira
from tests.sandbox.conftest import Api


class TestAuthentication:
    @pytest.mark.parametrize(
        "auth",
        [
            None,
            ("author@sandbox.example", "wrong"),
            ("nobody@sandbox.example", "token-of-author"),
            ("author@sandbox.example", ""),
        ],
    )
    def test_refuses_strangers(self, jira: SandboxJira, auth: tuple[str, str] | None) -> None:
        answer = httpx.get(f"{jira.base_url}/rest/api/3/myself", auth=auth)
        assert answer.status_code == 401
        assert answer.json()["errorMessages"]

    @pytest.mark.parametrize("header", ["Basic !!!", "Basic /////w==", "Digest x", "Basic", ""])
    def test_refuses_broken_headers(self, jira: SandboxJira, header: str) -> None:
        url = f"{jira.base_url}/rest/api/3/myself"
        assert httpx.get(url, headers={"authorization": header}).status_code == 401

    def test_refuses_an_inactive_account(self, jira: SandboxJira, author: Api) -> None:
        jira.user("Author").active = False
        assert author.refused("GET", "myself")[0] == 401

    def test_a_revoked_token_is_worth_nothing(self, jira: SandboxJira, author: Api) -> None:
        author.ok("GET", "myself")
        jira.user("Author").token = "another"
        assert author.refused("GET", "myself")[0] == 401


class TestMarks:
    def test_says_that_it_is_a_sandbox(self, author: Api, jira: SandboxJira) -> None:
        about = author.ok("GET", "serverInfo")
        assert about["serverTitle"] == "Sandbox Jira (not a real site)"
        assert about["deploymentType"] == "Cloud"
        assert about["baseUrl"] == jira.base_url

    @pytest.mark.parametrize(
        "path", ["/rest/api/3/myself", "/", "/browse/BILL-1", "/sandbox/state", "/nowhere"]
    )
    def test_every_answer_has_the_header(self, jira: SandboxJira, path: str) -> None:
        assert httpx.get(jira.base_url + path).headers["x-sandbox"] == "true"

    def test_an_unknown_path(self, author: Api) -> None:
        status, text = author.refused("GET", "worklog/updated")
        assert status == 404
        assert "in this sandbox" in text


class TestPeople:
    def test_myself_shows_the_mail_address(self, author: Api) -> None:
        me = author.ok("GET", "myself")
        assert (me["displayName"], me["accountType"]) == ("Author", "atlassian")
        assert me["emailAddress"] == "author@sandbox.example"

    def test_others_do_not(self, author: Api, jira: SandboxJira) -> None:
        customer = jira.user("Portal customer").account_id
        shown = author.ok("GET", "user", params={"accountId": customer})
        assert shown["accountType"] == "customer"
        assert "emailAddress" not in shown

    def test_unknown_or_unnamed(self, author: Api) -> None:
        assert author.refused("GET", "user", params={"accountId": "x"})[0] == 404
        assert author.refused("GET", "user")[0] == 404

    def test_search(self, author: Api, jira: SandboxJira) -> None:
        found = author.ok("GET", "user/search", params={"query": "RE"})
        assert [user["displayName"] for user in found] == ["Reviewer"]
        app = jira.user("Signalbox").account_id
        (by_id,) = author.ok("GET", "user/search", params={"accountId": app})
        assert by_id["accountType"] == "app"
        assert len(author.ok("GET", "user/search", params={"query": "", "maxResults": 2})) == 2
        assert author.refused("GET", "user/search")[0] == 400


class TestProjects:
    def test_lists_what_may_be_seen(self, author: Api, jira: SandboxJira) -> None:
        keys = [project["key"] for project in author.ok("GET", "project")]
        assert keys == ["BILL", "HELP"]
        jira.user("Author").project_rights["HELP"] = frozenset()
        assert [project["key"] for project in author.ok("GET", "project")] == ["BILL"]
        assert author.ok("GET", "project/search")["total"] == 1

    def test_search(self, author: Api) -> None:
        page = author.ok("GET", "project/search", params={"query": "desk"})
        assert [project["key"] for project in page["values"]] == ["HELP"]
        assert page["isLast"] is True
        kinds = author.ok("GET", "project/search", params={"typeKey": "service_desk"})
        assert kinds["values"][0]["projectTypeKey"] == "service_desk"
        named = author.ok("GET", "project/search?keys=BILL&keys=HELP&maxResults=1")
        assert (len(named["values"]), named["total"], named["isLast"]) == (1, 2, False)

    def test_one_by_key_or_id(self, author: Api) -> None:
        shown = author.ok("GET", "project/bill")
        assert shown == author.ok("GET", f"project/{shown['id']}")
        assert "Bug" in [kind["name"] for kind in shown["issueTypes"]]
        assert author.refused("GET", "project/NONE")[0] == 404

    def test_roles_are_for_administrators(self, author: Api) -> None:
        for path in ("project/BILL/role", "project/BILL/role/10003"):
            status, text = author.refused("GET", path)
            assert (status, "administrative permission" in text) == (404, True)

    def test_a_group_in_a_role(self, admin: Api, jira: SandboxJira) -> None:
        jira.grant_group("builders", "BILL", "Viewers")
        jira.user("Author").groups = frozenset({"builders", "all"})
        (actor,) = admin.ok("GET", "project/BILL/role/10004")["actors"]
        assert (actor["type"], actor["name"]) == ("atlassian-group-role-actor", "builders")
        about = {"accountId": jira.user("Author").account_id}
        found = admin.ok("GET", "user/groups", params=about)
        assert [group["name"] for group in found] == ["all", "builders"]
        project = jira.state.project("BILL")
        assert "Viewers" in jira.state.roles_of(jira.user("Author"), project)
        assert admin.refused("GET", "user/groups", params={"accountId": "x"})[0] == 404

    def test_a_team_managed_project(self, author: Api, jira: SandboxJira) -> None:
        jira.add_project("TEAM", team_managed=True)
        shown = {name: author.ok("GET", f"project/{name}") for name in ("TEAM", "BILL")}
        assert (shown["TEAM"]["simplified"], shown["TEAM"]["style"]) == (True, "next-gen")
        assert (shown["BILL"]["simplified"], shown["BILL"]["style"]) == (False, "classic")

    def test_roles_and_their_members(self, admin: Api, jira: SandboxJira) -> None:
        roles = admin.ok("GET", "project/BILL/role")
        assert set(roles) == {"Administrators", "Developers", "Viewers"}
        members = admin.ok("GET", roles["Developers"])["actors"]
        accounts = [member["actorUser"]["accountId"] for member in members]
        assert accounts == [jira.user(name).account_id for name in ("Author", "Reviewer")]
        jira.grant_role("Signalbox", "BILL", "Viewers")
        assert len(admin.ok("GET", roles["Viewers"])["actors"]) == 1
        assert admin.refused("GET", "project/BILL/role/1")[0] == 404
        assert admin.refused("GET", "project/NONE/role")[0] == 404


class TestConfiguration:
    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("field", "Labels"),
            ("status", "In Review"),
            ("issuetype", "Bug"),
            ("priority", "Highest"),
        ],
    )
    def test_lists(self, author: Api, path: str, name: str) -> None:
        assert name in [entry["name"] for entry in author.ok("GET", path)]

    def test_link_types(self, author: Api) -> None:
        kinds = author.ok("GET", "issueLinkType")["issueLinkTypes"]
        assert {"Blocks", "Relates"} <= {kind["name"] for kind in kinds}


class TestPermissions:
    def _mine(self, api: Api, **query: str) -> dict[str, bool]:
        shown = api.ok("GET", "mypermissions", params=query)["permissions"]
        return {name: entry["havePermission"] for name, entry in shown.items()}

    def test_of_the_caller(self, service: Api, admin: Api) -> None:
        names = "BROWSE_PROJECTS,EDIT_ALL_COMMENTS,ADMINISTER"
        assert self._mine(service, permissions=names, projectKey="BILL") == {
            "BROWSE_PROJECTS": True,
            "EDIT_ALL_COMMENTS": False,
            "ADMINISTER": False,
        }
        assert all(self._mine(admin, permissions=names).values())

    def test_by_issue_and_by_project(self, author: Api, jira: SandboxJira) -> None:
        jira.user("Author").project_rights["HELP"] = frozenset({"BROWSE_PROJECTS"})
        bill, helpdesk = jira.state.projects["BILL"], jira.state.projects["HELP"]
        right = {"permissions": "ADD_COMMENTS"}
        assert self._mine(author, **right, issueKey="BILL-1") == {"ADD_COMMENTS": True}
        assert self._mine(author, **right, issueKey="HELP-1") == {"ADD_COMMENTS": False}
        assert self._mine(author, **right, projectId=bill.id) == {"ADD_COMMENTS": True}
        assert self._mine(author, **right, projectId=helpdesk.id) == {"ADD_COMMENTS": False}

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({}, 400),
            ({"permissions": "FLY"}, 400),
            ({"permissions": "ADD_COMMENTS", "projectKey": "NONE"}, 404),
            ({"permissions": "ADD_COMMENTS", "issueKey": "BILL-99"}, 404),
        ],
    )
    def test_refuses(self, author: Api, query: dict[str, str], status: int) -> None:
        assert author.refused("GET", "mypermissions", params=query)[0] == status

    def test_check_for_somebody_else(self, author: Api, admin: Api, jira: SandboxJira) -> None:
        project = int(jira.state.projects["BILL"].id)
        issue = int(jira.issue("BILL-1").id)
        body = {
            "accountId": jira.user("Portal customer").account_id,
            "globalPermissions": ["ADMINISTER"],
            "projectPermissions": [
                {
                    "projects": [project, 1],
                    "issues": [issue],
                    "permissions": ["ADD_COMMENTS", "EDIT_ISSUES"],
                }
            ],
        }
        shown = admin.ok("POST", "permissions/check", json=body)
        assert shown["globalPermissions"] == []
        assert shown["projectPermissions"] == [
            {"permission": "ADD_COMMENTS", "projects": [project], "issues": [issue]},
            {"permission": "EDIT_ISSUES", "projects": [], "issues": []},
        ]
        assert author.refused("POST", "permissions/check", json=body)[0] == 403
        unknown = {"globalPermissions": ["FLY"]}
        assert author.refused("POST", "permissions/check", json=unknown)[0] == 400
