"""Pages for people: a board by status, and a ticket to read, edit, label and comment.

Plain forms and server-rendered HTML. The acting user is chosen, not logged in: this is a sandbox.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

from app.sandbox import board_views, comments, issues
from app.sandbox.comment_input import draft
from app.sandbox.issue_input import FieldReader, check_new
from app.sandbox.records import NOBODY, User
from app.sandbox.refusals import Refusal
from app.sandbox.state import SandboxState

HERE = Path(__file__).parent
COOKIE = "acting"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, forms would come with Origin: null
    "Cache-Control": "no-store",
}
Form = dict[str, str]
Act = Callable[[SandboxState, User, Form, str], str]


@cache
def _pages() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def mount(app: FastAPI, state: SandboxState) -> None:
    board = Board(state)
    app.mount("/sandbox/static", StaticFiles(directory=HERE / "static"), name="static")
    for path, show in {
        "/": board.columns,
        "/live": board.columns_live,
        "/browse/{key}": board.ticket,
        "/browse/{key}/live": board.ticket_live,
    }.items():
        app.add_api_route(path, show, methods=["GET"], include_in_schema=False)
    acts: dict[str, Act] = {
        "/create": create,
        "/browse/{key}/edit": edit,
        "/browse/{key}/status": move,
        "/browse/{key}/label": add_label,
        "/browse/{key}/unlabel": remove_label,
        "/browse/{key}/comment": add_comment,
    }
    for path, act in acts.items():
        app.add_api_route(path, board.form(act), methods=["POST"], include_in_schema=False)
    app.add_api_route("/acting", board.acting, methods=["POST"], include_in_schema=False)


class Board:
    """One method a page. `live` pages answer 204 while nothing changed."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def columns(self, request: Request) -> Response:
        return self._show(request, "board.html", board_views.columns)

    async def columns_live(self, request: Request) -> Response:
        return self._show(request, "board_live.html", board_views.columns)

    async def ticket(self, request: Request) -> Response:
        return self._show(request, "ticket.html", board_views.ticket)

    async def ticket_live(self, request: Request) -> Response:
        return self._show(request, "live.html", board_views.ticket)

    def _show(
        self, request: Request, template: str, view: Callable[..., dict[str, Any]]
    ) -> Response:
        state = self._state
        with state.lock:
            version = str(state.version)
            if request.query_params.get("seen") == version:
                return Response(status_code=204, headers={"Cache-Control": "no-store"})
            actor = self._actor(request)
            try:
                return self._page(request, template, view(state, actor, request), version)
            except Refusal as refusal:
                return self._problem(request, refusal)

    def form(self, act: Act) -> Callable[[Request], Any]:
        """Do it as the acting user, then show the page that shows it."""

        async def endpoint(request: Request) -> Response:
            fields = await _form(request)
            with self._state.lock:
                try:
                    key = request.path_params.get("key", "")
                    target = act(self._state, self._actor(request), fields, key)
                except Refusal as refusal:
                    return self._problem(request, refusal)
            return RedirectResponse(target, 303)

        return endpoint

    async def acting(self, request: Request) -> Response:
        """Who acts from now on, in this browser."""
        fields = await _form(request)
        back = fields.get("back", "/")
        inside = back.startswith("/") and not back.startswith(("//", "/\\"))
        answer = RedirectResponse(back if inside else "/", 303)
        if fields.get("who") in self._state.users:
            answer.set_cookie(COOKIE, fields["who"], httponly=True, samesite="lax")
        return answer

    def _actor(self, request: Request) -> User:
        users = self._state.users
        chosen = users.get(request.cookies.get(COOKIE, ""))
        return chosen or next(iter(users.values()), NOBODY)

    def _problem(self, request: Request, refusal: Refusal) -> Response:
        messages = [*refusal.messages, *refusal.errors.values()]
        back = request.url.path.removesuffix(request.url.path.rpartition("/")[2]).rstrip("/") or "/"
        context = {"messages": messages, "back": back if refusal.status != 404 else "/"}
        return self._page(request, "problem.html", context, "0", refusal.status)

    def _page(
        self,
        request: Request,
        template: str,
        context: dict[str, Any],
        version: str,
        status: int = 200,
    ) -> Response:
        actor = self._actor(request)
        every = self._state.projects.values()
        shared = {
            "projects": [p for p in every if actor.may("BROWSE_PROJECTS", p.key)],
            "users": list(self._state.users.values()),
            "actor": actor,
            "here": request.url.path,
            "version": version,
            "chosen": "",
        }
        html = _pages().get_template(template).render(shared | context)
        return HTMLResponse(html, status, {**HEADERS, "X-Version": version})


async def _form(request: Request) -> Form:
    raw = (await request.body()).decode("utf-8", "replace")
    parsed = parse_qs(raw, keep_blank_values=True, max_num_fields=50)
    return {name: values[-1].replace("\r\n", "\n") for name, values in parsed.items()}


# What the forms do; each answers the address of the page to show next.


def create(state: SandboxState, actor: User, form: Form, key: str) -> str:
    project = state.project(form.get("project", ""), actor)
    state.require(actor, "CREATE_ISSUES", project.key, 403, "You may not create tickets here.")
    fields = {
        "summary": form.get("summary", ""),
        "description": form.get("description", ""),
        "issuetype": {"name": form.get("issue_type", "Task")},
    }
    values = FieldReader(state, "2", actor).read({"fields": fields}, None)
    check_new(values, project)
    return f"/browse/{issues.create(state, project, values, actor).key}"


def edit(state: SandboxState, actor: User, form: Form, key: str) -> str:
    """A text that was not touched stays in the form it was written in."""
    issue = state.issue(key, actor)
    state.require(actor, "EDIT_ISSUES", issue.project, 403, "You may not edit this ticket.")
    fields = {"summary": form.get("summary", "")}
    known = issue.description.wiki() if issue.description else ""
    if form.get("description", "").strip() != known.strip():
        fields["description"] = form.get("description", "")
    values = FieldReader(state, "2", actor).read({"fields": fields}, issue)
    issues.edit(state, issue, values, actor)
    return f"/browse/{issue.key}"


def move(state: SandboxState, actor: User, form: Form, key: str) -> str:
    issue = state.issue(key, actor)
    message = "You may not move this ticket."
    state.require(actor, "TRANSITION_ISSUES", issue.project, 403, message)
    try:
        target = issues.transition_to(form.get("status", ""))
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    issues.transition(state, issue, target, {}, actor)
    return f"/browse/{issue.key}"


def add_label(state: SandboxState, actor: User, form: Form, key: str) -> str:
    return _labels(state, actor, key, {"add": form.get("label", "").strip()})


def remove_label(state: SandboxState, actor: User, form: Form, key: str) -> str:
    return _labels(state, actor, key, {"remove": form.get("label", "")})


def _labels(state: SandboxState, actor: User, key: str, verb: dict[str, str]) -> str:
    issue = state.issue(key, actor)
    state.require(actor, "EDIT_ISSUES", issue.project, 403, "You may not edit this ticket.")
    values = FieldReader(state, "2", actor).read({"update": {"labels": [verb]}}, issue)
    issues.edit(state, issue, values, actor)
    return f"/browse/{issue.key}"


def add_comment(state: SandboxState, actor: User, form: Form, key: str) -> str:
    issue = state.issue(key, actor)
    made = comments.add(state, issue, draft({"body": form.get("body", "").strip()}, "2"), actor)
    return f"/browse/{issue.key}#comment-{made.id}"
