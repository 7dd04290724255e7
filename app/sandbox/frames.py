"""Pages that show an app's module in a frame of another origin, as Jira does, and the keys.

A Connect page is given its token in the address, and light or dark by message: the script here
speaks what we need of the protocol of Atlassian's all.js. A page of a Forge app asks the bridge for
its calls: the sandbox adds the invocation token and passes them on.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from markupsafe import escape
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse

from app.sandbox import signing
from app.sandbox.connect import ConnectApp, filled
from app.sandbox.forge import UI_SECONDS, ForgeApp
from app.sandbox.outbox import client
from app.sandbox.records import Issue, User
from app.sandbox.refusals import Refusal
from app.sandbox.state import SandboxState

CONNECT_MODULES = {
    "panel": ("jiraIssueContents", "jiraIssueGlances", "webPanels"),
    "project": ("jiraProjectPages", "jiraProjectAdminTabPanels"),
    "admin": ("adminPages", "configurePage", "generalPages"),
}
"""By our word, Jira's names of modules that are such a place; the first that exists is shown."""
SANDBOX = "allow-scripts allow-forms allow-popups allow-same-origin"
EXTENSION = "sandbox__module"
Json = dict[str, Any]


def mount(app: FastAPI, state: SandboxState) -> None:
    frames = Frames(state)
    app.add_api_route("/sandbox/frame", frames.page, methods=["GET"], include_in_schema=False)
    app.add_api_route("/sandbox/bridge", frames.bridge, methods=["POST"], include_in_schema=False)
    app.add_api_route(
        signing.INSTALL_KEYS + "/{kid:path}", frames.install_key, include_in_schema=False
    )
    app.add_api_route(signing.JWKS, frames.forge_keys, include_in_schema=False)


def frame_address(viewer: User, module: str, **asked: str) -> str:
    """The path of the page here that shows a module. asked: issue, project, theme."""
    if module not in CONNECT_MODULES:
        raise ValueError(f"unknown module {module!r}; known: {', '.join(CONNECT_MODULES)}")
    return "/sandbox/frame?" + urlencode({"module": module, "as": viewer.account_id} | asked)


class Frames:
    """The frame's page, what its script asks for, and the public keys."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def install_key(self, kid: str) -> Response:
        known = {app.kid for app in self._state.connect_apps}
        if kid not in known:
            return PlainTextResponse("Not found", 404)
        return PlainTextResponse(await run_in_threadpool(signing.public_pem, kid))

    async def forge_keys(self) -> Response:
        kids = sorted({app.kid for app in self._state.forge_apps})
        keys = [await run_in_threadpool(signing.public_jwk, kid) for kid in kids]
        return JSONResponse({"keys": keys})

    async def page(self, request: Request) -> Response:
        asked = request.query_params
        with self._state.lock:
            viewer = self._viewer(asked.get("as", ""))
            module, theme = asked.get("module", ""), asked.get("theme", "light")
            issue, project = asked.get("issue", ""), asked.get("project", "")
            address, context = self.opened(module, issue, project, viewer)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        facts = {"module": module, "as": viewer.account_id, "context": context, "theme": theme}
        html = _PAGE.format(
            theme=escape("dark" if theme == "dark" else "light"),
            sandbox=SANDBOX,
            address=escape(address),
            origin=escape(origin),
            name=escape(json.dumps({"extension_id": EXTENSION, "origin": self._state.origin})),
            facts=escape(json.dumps(facts)),
        )
        policy = f"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
frame-src {origin}; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def bridge(self, request: Request) -> Response:
        """One call of the framed page: a context token, or a request to the Forge remote."""
        try:
            asked = dict(await request.json())
        except (TypeError, ValueError):
            raise Refusal(400, "The bridge expects a JSON object.") from None
        viewer = self._viewer(str(asked.get("as", "")))
        context = dict(asked.get("context") or {})
        if asked.get("call") == "getToken":
            app = self._connect()
            return JSONResponse({"token": app.context_token(viewer.account_id, context)})
        return await run_in_threadpool(self._invoke, asked, viewer, context)

    def _invoke(self, asked: Json, viewer: User, context: Json) -> Response:
        app = self._forge()
        module = str(asked.get("module", ""))
        if module not in app.modules:
            raise Refusal(404, f"The app has no module {module!r}.")
        headers = app.headers(module, viewer.account_id, context.get("jira"))
        url = app.remote_url.rstrip("/") + "/" + str(asked.get("path", "")).lstrip("/")
        method, body = str(asked.get("method", "GET")), asked.get("body")
        with client() as web:
            answer = web.request(method, url, json=body, headers=headers, timeout=UI_SECONDS)
        kind = answer.headers.get("content-type", "")
        return JSONResponse({"status": answer.status_code, "type": kind, "body": answer.text})

    def opened(self, module: str, issue: str, project: str, viewer: User) -> tuple[str, Json]:
        """The framed address, and what Jira says of the place."""
        context = self._context(issue, project)
        return self._address(module, context, viewer), context

    def _viewer(self, account_id: str) -> User:
        found = self._state.users.get(account_id)
        if found is None:
            raise Refusal(404, "No such user in this sandbox.")
        return found

    def _context(self, issue_key: str, project_key: str) -> Json:
        """What Jira says of the place in which the frame stands."""
        about: Json = {}
        if issue_key:
            issue: Issue = self._state.issue(issue_key)
            about["issue"] = {
                "id": issue.id,
                "key": issue.key,
                "issuetype": {"id": issue.issue_type},
            }
            project_key = issue.project
        if project_key:
            project = self._state.project(project_key)
            about["project"] = {"id": project.id, "key": project.key}
        return {"jira": about}

    def _address(self, module: str, context: Json, viewer: User) -> str:
        if self._state.connect_apps:
            return _connect_address(self._connect(), self._state, module, context, viewer)
        app = self._forge()
        return app.ui_url or app.url(module)

    def _connect(self) -> ConnectApp:
        if not self._state.connect_apps:
            raise Refusal(404, "No Connect app is installed in this sandbox.")
        return self._state.connect_apps[-1]

    def _forge(self) -> ForgeApp:
        if not self._state.forge_apps:
            raise Refusal(404, "No app is installed in this sandbox.")
        return self._state.forge_apps[-1]


def _connect_address(
    app: ConnectApp, state: SandboxState, module: str, context: Json, viewer: User
) -> str:
    """The module's address with its parameters, signed for this viewer and this place."""
    known = app.descriptor.get("modules", {})
    for name in CONNECT_MODULES.get(module, ()):
        if known.get(name):
            found = known[name][0] if isinstance(known[name], list) else known[name]
            break
    else:
        raise Refusal(404, f"The app's descriptor has no module for {module!r}.")
    facts = {
        f"{kind}.{part}": str(value)
        for kind, about in context["jira"].items()
        for part, value in about.items()
    }
    path = filled(found["url"], facts)
    extra = f"xdm_e={quote(state.origin, safe='')}&lic=none&cv=sandbox"
    url = app.url(path) + ("&" if "?" in path else "?") + extra
    token = app.token("GET", url, viewer.account_id, context=context)
    return f"{url}&jwt={token}"


_PAGE = """<!doctype html>
<html lang="en" data-color-mode="{theme}">
<head><meta charset="utf-8"><title>Sandbox Jira: an app in its frame</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/sandbox/static/icon.svg">
<link rel="stylesheet" href="/sandbox/static/frame.css"></head>
<body data-origin="{origin}" data-facts="{facts}">
<p>Sandbox Jira, not a real site. Below is a page of the app.</p>
<main data-name="{name}" data-sandbox="{sandbox}" data-address="{address}"></main>
<script src="/sandbox/static/frame.js"></script></body></html>
"""
