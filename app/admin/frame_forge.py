"""The same pages for the Forge app: each call carries Atlassian's own token, so none of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from app.admin.frame import BadWish, Pressed, answer, look, named, shape, wish_of
from app.admin.frame_pages import part, press
from app.admin.frame_tokens import Surface, Viewer
from app.admin.surfaces import Frame
from app.intake.door import Door, refuse, stranger
from app.intake.fit import Invocation, verify_fit
from app.intake.forge_site import site_of
from app.intake.signature import BadSignature
from app.intake.tokens import Trust
from app.ports import Transient
from app.store.sites import Row

MODULES: Mapping[Surface, str] = {
    "panel": "signalbox-panel",
    "project": "signalbox-project",
    "admin": "signalbox-admin",
}
"""Keys of the modules in forge/manifest.yml."""


def forge_surfaces_router(frame: Frame, door: Door, trust: Trust) -> APIRouter:
    """A token of one module opens its own page and no other."""
    router = APIRouter(prefix="/forge/surfaces")

    def verified(surface: Surface, request: Request) -> tuple[Row, Invocation]:
        call = verify_fit(trust, request.headers, {MODULES[surface]}, door.clock.now())
        return site_of(door, call), call

    async def called(
        surface: Surface, request: Request, made: Callable[[Viewer, Pressed | None], dict[str, Any]]
    ) -> JSONResponse:
        try:
            site, call = await run_in_threadpool(verified, surface, request)
            wish = await wish_of(request) if request.method == "POST" else None
        except BadSignature as fault:
            return stranger(request, fault)
        except Transient:
            return refuse(503, "the token could not be checked; try again")
        except BadWish:
            return refuse(400, "There is no such button.")
        return await run_in_threadpool(
            answer, lambda: made(_viewer(frame, surface, site, call), wish)
        )

    @router.get("/{surface}")
    async def show(
        surface: Surface, request: Request, group: str = "", page: int = 1, mark: str = ""
    ) -> JSONResponse:
        return await called(
            surface, request, lambda who, _: shape(part(frame, who, look(group, page), mark))
        )

    @router.post("/{surface}")
    async def pressed(surface: Surface, request: Request) -> JSONResponse:
        def done(who: Viewer, wish: Pressed | None) -> dict[str, Any]:
            assert wish is not None, "a POST has one"
            said = press(frame, who, wish.command, wish.nonce)
            return shape(part(frame, who, look(wish.group, wish.page))) | {"said": said}

        return await called(surface, request, done)

    return router


def _viewer(frame: Frame, surface: Surface, site: Row, call: Invocation) -> Viewer:
    """Who looks at what, all of it from the signed token. Raises Hidden."""
    subject = ""
    if surface == "panel":
        subject = named(surface, _named(call.context, "issue", "id"))
    elif surface == "project":
        subject = named(surface, _named(call.context, "project", "key"))
    return Viewer(site["id"], call.account_id, surface, subject, frame.clock.now())


def _named(context: Mapping[str, Any], thing: str, name: str) -> object:
    """Jira sends an id as text or as a number."""
    extension = context.get("extension")
    found = extension.get(thing) if isinstance(extension, Mapping) else None
    value = found.get(name) if isinstance(found, Mapping) else None
    return str(value) if isinstance(value, str | int) else None
