"""Installing apps: what Jira asks of them, tells them and sends them from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from app.sandbox.connect import AppWebhook, ConnectApp, installed_body
from app.sandbox.forge import ForgeApp, Trigger
from app.sandbox.outbox import Happening, client
from app.sandbox.records import PROJECT_RIGHTS, User
from app.sandbox.seeding import Seeder
from app.sandbox.state import SandboxState

READ = {"BROWSE_PROJECTS", "USER_PICKER", "ADMINISTER_PROJECTS"}
"""Reading role members takes the scope READ alone, and an app may do it in every project."""
WRITE = set(PROJECT_RIGHTS) - {"DELETE_ISSUES", "DELETE_ALL_COMMENTS", "EDIT_ALL_COMMENTS"}


class InstallRefused(Exception):
    """The app did not take its own installation or its end; the message says how it answered."""


def install_connect(state: SandboxState, seed: Seeder, app_url: str) -> ConnectApp:
    """https://developer.atlassian.com/cloud/jira/platform/connect-app-descriptor/#lifecycle"""
    with client() as web:
        answer = web.get(f"{app_url.rstrip('/')}/atlassian-connect.json")
    if answer.status_code != 200:
        raise InstallRefused(f"the descriptor: {answer.status_code} {answer.text[:200]}")
    descriptor: Mapping[str, Any] = answer.json()
    user = _account(seed, str(descriptor["name"]), set(descriptor.get("scopes", ())))
    app = ConnectApp(descriptor, state.client_key, user.account_id, state.now)
    state.connect_apps.append(app)
    try:
        reinstall_connect(state, app)
    except InstallRefused:
        state.connect_apps.remove(app)
        raise
    for module in descriptor.get("modules", {}).get("webhooks", ()):
        channel = AppWebhook(state.outbox.number(), app, module["event"], module["url"])
        state.outbox.open(channel)
        app.channels.append(channel.id)
    return app


def reinstall_connect(state: SandboxState, app: ConnectApp) -> None:
    before = app.shared_secret
    app.new_secret()
    try:
        _lifecycle(state, app, "installed", with_secret=True)
    except InstallRefused:
        app.shared_secret = before
        raise


def uninstall_connect(state: SandboxState, app: ConnectApp) -> None:
    """Jira goes on with it whatever the app answers."""
    app.installed = False
    for channel in app.channels:
        state.outbox.shut(channel)
    _lifecycle(state, app, "uninstalled", with_secret=False)


def install_forge(
    state: SandboxState,
    seed: Seeder,
    remote_url: str,
    app_id: str,
    options: Mapping[str, Any],
) -> ForgeApp:
    user = _account(seed, "Forge app", {"READ", "WRITE"})
    app = ForgeApp(
        app_id=app_id,
        remote_url=remote_url,
        cloud_id=state.cloud_id,
        site_url=state.base_url,
        api_url=state.platform_url,
        account_id=user.account_id,
        now=state.now,
        **options,
    )
    state.forge_apps.append(app)
    trigger = Trigger(state.outbox.number(), app)
    state.outbox.open(trigger)
    app.channels.append(trigger.id)
    _call(state, app, "installed", {"eventType": "avi:forge:installed:app"})
    return app


def uninstall_forge(state: SandboxState, app: ForgeApp) -> None:
    """The remote is told; the tokens of the app have ended by then."""
    app.installed = False
    for channel in app.channels:
        state.outbox.shut(channel)
    _call(state, app, "uninstalled", {"eventType": "avi:forge:uninstalled:app"})


def run_scheduled(state: SandboxState, app: ForgeApp) -> None:
    _call(state, app, "scheduled", {})


def _call(state: SandboxState, app: ForgeApp, module: str, content: Mapping[str, Any]) -> None:
    """Sent like an event: in its turn, five seconds for an answer, four further tries."""
    happening = Happening("", "", app.account_id, {})
    state.outbox.send(Trigger(state.outbox.number(), app, module), module, happening, content)


def _lifecycle(state: SandboxState, app: ConnectApp, event: str, with_secret: bool) -> None:
    path = app.descriptor.get("lifecycle", {}).get(event)
    if not path:
        return
    url = app.url(path)
    headers = {"Authorization": f"JWT {app.lifecycle_token(url)}"}
    body = installed_body(app, event, state.base_url, with_secret)
    try:
        with client() as web:
            answer = web.post(url, json=body, headers=headers, timeout=20.0)
    except httpx.HTTPError as fault:
        raise InstallRefused(f"{event}: {type(fault).__name__}") from fault
    if not answer.is_success:
        raise InstallRefused(f"{event}: {answer.status_code} {answer.text[:200]}")


def _account(seed: Seeder, name: str, scopes: set[str]) -> User:
    """The app's own account, with what its scopes allow."""
    rights = set(READ)
    if scopes & {"WRITE", "DELETE", "PROJECT_ADMIN", "ADMIN"}:
        rights |= WRITE
    if scopes & {"DELETE", "PROJECT_ADMIN", "ADMIN"}:
        rights |= set(PROJECT_RIGHTS)
    if "ADMIN" in scopes:
        rights.add("ADMINISTER")
    user = seed.user(f"{name} (app)", account_type="app", rights=sorted(rights))
    user.token = ""  # nobody logs in as an app
    return user
