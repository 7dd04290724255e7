"""How something is connected to the sandbox: which credential it takes, and who is told what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.sandbox import agents, installs
from app.sandbox.access import TAKES, taken
from app.sandbox.agents import AgentTask
from app.sandbox.automation import BODY, Rule
from app.sandbox.connect import ConnectApp
from app.sandbox.forge import ForgeApp
from app.sandbox.frames import Frames, frame_address
from app.sandbox.records import Issue, User
from app.sandbox.seeding import Seeder
from app.sandbox.signing import INSTALL_KEYS, JWKS
from app.sandbox.state import SandboxState
from app.sandbox.webhooks import EVENTS, Webhook, check_events


@dataclass(frozen=True, slots=True)
class Login:
    """What a client of one kind of connection needs. email is empty where a token is enough;
    app_key: of a Connect app, whose `token` is the shared secret."""

    kind: str
    api_url: str
    account_id: str
    token: str
    email: str = ""
    app_key: str = ""


class Connections:
    """The part of `SandboxJira` that speaks of connections."""

    state: SandboxState
    _seed: Seeder

    @property
    def api_url(self) -> str:
        """Stands for https://api.atlassian.com/ex/jira/<cloudId>: Forge and scoped tokens."""
        return self.state.platform_url

    @property
    def install_keys_url(self) -> str:
        """Stands for https://connect-install-keys.atlassian.com."""
        return self.state.origin + INSTALL_KEYS

    @property
    def forge_keys_url(self) -> str:
        """Stands for https://forge.cdn.prod.atlassian-dev.net/.well-known/jwks.json."""
        return self.state.origin + JWKS

    def require(self, kind: str, who: str | User = "Signalbox") -> Login:
        """Take from now on this kind's credential alone, and hand it out.

        An app, for `connect` and `forge`, has to be installed before.
        """
        if kind not in TAKES:
            raise ValueError(f"unknown kind {kind!r}; known: {', '.join(TAKES)}")
        state = self.state
        before, state.required = state.required, kind
        if not taken(state):
            state.required = before
            raise ValueError(f"{kind!r} is no way into a {state.deployment} Jira")
        if kind == "connect":
            app = state.connect_apps[-1]
            return Login(kind, state.base_url, app.account_id, app.shared_secret, app_key=app.key)
        if kind == "forge":
            forge = state.forge_apps[-1]
            return Login(kind, state.platform_url, forge.account_id, forge.system_token())
        user = state.person(who)
        email = "" if state.deployment == "server" else user.email
        address = state.platform_url if user.scoped else state.base_url
        return Login(kind, address, user.account_id, user.token, email)

    def webhook(
        self, url: str, secret: str, events: Iterable[str] = EVENTS, projects: Iterable[str] = ()
    ) -> Webhook:
        """An admin webhook."""
        return add_webhook(self.state, url, secret, events, projects)

    def add_automation_rule(self, url: str, token: str, template: str = BODY) -> Rule:
        """ "Send web request" when an issue is created, edited or commented."""
        rule = Rule(self.state.outbox.number(), url, token, template)
        self.state.outbox.open(rule)
        return rule

    # Apps

    def install_connect(self, app_url: str) -> ConnectApp:
        """Fetch the app's descriptor, tell the app that it is installed, send its webhooks."""
        return installs.install_connect(self.state, self._seed, app_url)

    def reinstall_connect(self, app: ConnectApp) -> None:
        """With a new secret, as Jira does after an update or a move."""
        installs.reinstall_connect(self.state, app)

    def uninstall_connect(self, app: ConnectApp) -> None:
        installs.uninstall_connect(self.state, app)

    def install_forge(self, remote_url: str, app_id: str, **options: Any) -> ForgeApp:
        """Send the app's events to its remote. options: other attributes of `ForgeApp`."""
        return installs.install_forge(self.state, self._seed, remote_url, app_id, options)

    def uninstall_forge(self, app: ForgeApp) -> None:
        installs.uninstall_forge(self.state, app)

    def run_scheduled(self, app: ForgeApp) -> None:
        """Let the scheduled trigger fire once."""
        installs.run_scheduled(self.state, app)

    def assign_to_agent(
        self, key: str, as_user: str | User | None = None, version: str = "1.0"
    ) -> AgentTask:
        """Assign the issue to the Forge app's agent; version: of A2A, as its manifest says."""
        actor = self._seed.actor(as_user)
        return agents.assign(self.state, self.state.issue(key), actor, version)

    def mention_agent(
        self, key: str, text: str, as_user: str | User | None = None, version: str = "1.0"
    ) -> AgentTask:
        """Comment on the issue and mention the agent in it."""
        actor = self._seed.actor(as_user)
        return agents.mention(self.state, self.state.issue(key), actor, text, version)

    # Frames

    def frame_url(
        self,
        module: str,
        issue: str = "",
        theme: str = "light",
        as_user: str | User | None = None,
        project: str = "",
    ) -> str:
        """A page of the sandbox that shows the app's module in a frame, as Jira does.

        module: `panel`, `project` or `admin`.
        """
        viewer = self._seed.actor(as_user)
        path = frame_address(viewer, module, issue=issue, project=project, theme=theme)
        return self.state.origin + path

    def framed_url(
        self, module: str, issue: str = "", as_user: str | User | None = None, project: str = ""
    ) -> str:
        """The app's own address in that frame, with the token that Jira adds."""
        viewer = self._seed.actor(as_user)
        with self.state.lock:
            return Frames(self.state).opened(module, issue, project, viewer)[0]

    # Connection day

    def seed_old_backlog(
        self, project: str, count: int = 500, label: str = "agent-ready", days: int = 90
    ) -> Sequence[Issue]:
        """Issues that were labelled long ago, by a person, one after another."""
        return self._seed.old_backlog(project, count, label, days)


def add_webhook(
    state: SandboxState,
    url: str,
    secret: str = "",
    events: Iterable[str] = EVENTS,
    projects: Iterable[str] = (),
) -> Webhook:
    chosen = frozenset(events)
    check_events(chosen)
    hook = Webhook(
        state.outbox.number(),
        url,
        secret,
        chosen,
        frozenset(projects),
        identified=state.deployment == "cloud",
    )
    state.outbox.open(hook)
    return hook
