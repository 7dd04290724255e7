"""All pages: those in Jira's own places, the deliveries, and the files that they load."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse, Response
from fastapi.security import HTTPBasicCredentials

from app.admin.connect_page import connect_router
from app.admin.frame import frame_router
from app.admin.frame_forge import forge_surfaces_router
from app.admin.frame_markup import HERE, STATIC, environment
from app.admin.operator import basic, let_in
from app.admin.setup import Desk
from app.admin.surfaces import Frame
from app.intake.door import Door
from app.intake.tokens import Trust
from app.store import inbox
from app.store.database import Database

CSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
HEADERS = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"}


def pages_router(frame: Frame, door: Door, trust: Trust, admin_token: str) -> APIRouter:
    """Every page there is."""

    def desk() -> Desk:
        return Desk(frame.db, door.secrets, frame.tracker, door.clock.now())

    router = APIRouter()
    router.include_router(admin_router(frame.db, admin_token))
    router.include_router(connect_router(environment(), desk, door.url, admin_token))
    router.include_router(frame_router(frame, door, admin_token))
    router.include_router(forge_surfaces_router(frame, door, trust))
    return router


def admin_router(db: Database, admin_token: str) -> APIRouter:
    """Pages behind HTTP Basic (user `admin`); without a token in the settings they are closed."""
    templates = environment()
    router = APIRouter()

    def signed_in(given: HTTPBasicCredentials | None = Depends(basic)) -> None:
        let_in(given, admin_token)

    @router.get("/deliveries", dependencies=[Depends(signed_in)], response_class=HTMLResponse)
    def deliveries(site: str | None = None) -> HTMLResponse:
        page = templates.get_template("deliveries.html").render(
            rows=inbox.deliveries(db, site), counts=inbox.counts(db, site), site=site
        )
        return HTMLResponse(page, headers=HEADERS)

    @router.get("/deliveries.json", dependencies=[Depends(signed_in)])
    def deliveries_json(site: str | None = None) -> dict[str, object]:
        rows = [
            {
                name: row[name]
                for name in ("id", "site_id", "event", "outcome", "reason", "received_at")
            }
            for row in inbox.deliveries(db, site)
        ]
        return {"counts": inbox.counts(db, site), "deliveries": rows}

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in STATIC:
            raise HTTPException(404)
        content = (HERE / "static" / name).read_bytes()
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=300"}
        return Response(content, media_type=STATIC[name], headers=headers)

    return router
