"""The composition root: the one file that knows all others and puts a process together."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.concurrency import run_in_threadpool

from app import __version__
from app.adapters.clock import SystemClock
from app.adapters.vault import Vault
from app.admin.frame_tokens import Sessions
from app.admin.pages import pages_router
from app.admin.surfaces import Frame
from app.config import MissingSetting, Settings
from app.core.run import CallUsage, RunRef
from app.intake.automation import automation_router
from app.intake.connect import connect_router
from app.intake.door import Door
from app.intake.forge import forge_router
from app.intake.tokens import Trust
from app.intake.webhooks import webhook_router
from app.ports import Cage, CodeHost, CodingAgent, ModelGate, Notifier, Secrets, SpecJudge, Tracker
from app.store import calls, migrate, run_money, sites
from app.store.database import Database
from app.store.sites import Row

if TYPE_CHECKING:
    import uvicorn

DESCRIPTOR = Path(__file__).parent.parent / "atlassian-connect.json"
LISTENING: Mapping[str, Any] = {
    "http": "h11",  # httptools takes headers of any length
    "h11_max_incomplete_event_size": 32 * 1024,
    "ws": "none",
    "limit_concurrency": 500,
    "timeout_keep_alive": 10,
    "log_level": "warning",
    "server_header": False,
}
"""How uvicorn listens: with limits, as anybody can reach the door."""
START_SECONDS = 10.0
log = structlog.get_logger()


class SchemaBehind(Exception):
    """The database is older or newer than this code. The message says what to run."""


def upgrade(settings: Settings) -> None:
    """Bring our tables and the engine's to what this version needs; a repeat is harmless."""
    from app.engine.worker import migrate as migrate_engine

    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrate.upgrade(settings.database())
    migrate_engine(settings.database())


def open_database(settings: Settings) -> Database:
    """The migrated database. On SQLite it is brought up to date here; Postgres wants it said."""
    url = settings.database()
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if migrate.current(url) != migrate.head():
        if not url.startswith("sqlite"):
            raise SchemaBehind("The database has another version: run `signalbox db upgrade` once.")
        upgrade(settings)
    return Database(url)


def web_app(settings: Settings, db: Database, trust: Trust | None = None) -> FastAPI:
    """The web part: intake, pages, health. It imports no workflow and runs none.

    trust: whom the doors of apps believe; Atlassian, unless a sandbox stands for it.
    """
    vault = Vault(settings.secret_key)
    url = settings.url or f"http://{settings.host}:{settings.port}"
    door = Door(db, vault, SystemClock(), settings.body_limit, url.rstrip("/"))
    app = FastAPI(title="Signalbox", version=__version__, docs_url=None, redoc_url=None)
    trust = trust or atlassian(settings)
    app.include_router(webhook_router(door))
    app.include_router(automation_router(door))
    app.include_router(connect_router(door, trust))
    app.include_router(forge_router(door, trust))
    if trust.forge_app:  # its library takes a while to load, and nobody else needs it
        from app.intake.a2a import a2a_router

        app.include_router(a2a_router(door, trust))
    tracker, sessions = tracker_factory(settings, vault), Sessions(settings.secret_key)
    frame = Frame(db, door.clock, tracker, agents(settings), sessions)
    app.include_router(pages_router(frame, door, trust, settings.admin_token))

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        """Asks the database, as a process that has lost it looks alive otherwise."""
        try:
            await run_in_threadpool(sites.list_sites, db)
        except Exception as fault:  # noqa: BLE001 - down is down
            return JSONResponse({"status": "down", "fault": type(fault).__name__}, 503)
        return JSONResponse({"status": "ok", "version": __version__})

    @app.get("/atlassian-connect.json")
    def descriptor() -> JSONResponse:
        here = {"baseUrl": door.url, "links": {"self": f"{door.url}/atlassian-connect.json"}}
        return JSONResponse(json.loads(DESCRIPTOR.read_text()) | here)

    @app.get("/")
    def index() -> PlainTextResponse:
        pages = "/connect, /deliveries"
        return PlainTextResponse(f"Signalbox {__version__}. Pages for admins: {pages}\n")

    return app


def atlassian(settings: Settings) -> Trust:
    """Atlassian's own keys, and our Forge app."""
    from app.adapters.atlassian_keys import AtlassianKeys

    keys = AtlassianKeys(proxy=settings.proxy, ca_bundle=settings.ca_bundle)
    return Trust(keys, settings.forge_app_id)


def tracker_factory(
    settings: Settings, secrets: Secrets
) -> Callable[[Row | Mapping[str, Any]], Tracker]:
    """A tracker by site row."""
    from app.adapters.jira_session import Way
    from app.adapters.jira_sites import Trackers

    app_key = json.loads(DESCRIPTOR.read_text())["key"]
    way = Way(proxy=settings.proxy, ca_bundle=settings.ca_bundle, pages=settings.url)
    trackers = Trackers(secrets.unseal, app_key, way)
    return lambda site: trackers(dict(site))


def agents(settings: Settings) -> Mapping[str, CodingAgent]:
    """The agents that can start here. Claude Code only with a key; the rehearsal agent always."""
    from app.sandbox.rehearsal import RehearsalAgent

    found: dict[str, CodingAgent] = {"rehearsal": RehearsalAgent()}
    if settings.anthropic_api_key:
        from app.adapters.claude_code import ClaudeCode

        found["claude"] = ClaudeCode(settings.claude_model, settings.claude_cli or None)
    return found


def judge(settings: Settings) -> SpecJudge | None:
    """The LLM that may read tickets; none without a key."""
    if not settings.anthropic_api_key:
        return None
    from app.adapters.claude_judge import ClaudeJudge

    where = settings.anthropic_base_url
    return ClaudeJudge(settings.judge_model, settings.anthropic_api_key, where)


def notifier(settings: Settings) -> Notifier | None:
    """Where alerts go besides Jira; nowhere without an address."""
    if not settings.alert_webhook:
        return None
    from app.adapters.webhook import Webhook

    return Webhook(settings.alert_webhook, proxy=settings.proxy, ca_bundle=settings.ca_bundle)


def gate_opener(
    settings: Settings, db: Database
) -> Callable[[RunRef, int, int], AbstractAsyncContextManager[ModelGate]]:
    """Opens an attempt's gate to the model and writes each call into the store."""
    clock = SystemClock()

    def open_gate(ref: RunRef, number: int, budget: int) -> AbstractAsyncContextManager[ModelGate]:
        from app.adapters.prices import price
        from app.metering.gate import Gate

        def started(call_id: str, bound: int) -> None:
            calls.started(db, ref, number, call_id, bound, clock.now())

        def finished(call_id: str, usage: CallUsage) -> None:
            calls.finished(db, ref, number, call_id, usage, clock.now())

        return Gate(
            upstream=settings.anthropic_base_url,
            api_key=settings.anthropic_api_key,
            budget=budget,
            price=price,
            record_started=started,
            record_finished=finished,
            set_aside=lambda: run_money.aside(db, ref, number).held,
        )

    return open_gate


def code_host(settings: Settings) -> CodeHost:
    """Where repositories live, seen through our mirrors of them."""
    from app.adapters.local_git import LocalGit
    from app.execution.workspace import refresh_mirror

    mirrors = settings.data.resolve() / "mirrors"
    return LocalGit(lambda repository: refresh_mirror(mirrors, repository))


def cage() -> Cage:
    """The cage that agents work in."""
    from app.adapters.bwrap import Bubblewrap

    return Bubblewrap()


def build_worker(settings: Settings, db: Database) -> Any:
    """The worker of this process with the real adapters."""
    from app.adapters.no_cage import NoCage
    from app.engine.parts import Parts
    from app.engine.sweeps import Rhythm
    from app.engine.worker import Worker

    parts = Parts(
        db=db,
        clock=SystemClock(),
        tracker=tracker_factory(settings, Vault(settings.secret_key)),
        code_host=code_host(settings),
        agents=agents(settings),
        cage=cage(),
        no_cage=NoCage(),
        open_gate=gate_opener(settings, db),
        data=settings.data.resolve(),
        judge=judge(settings),
        notifier=notifier(settings),
    )
    rhythm = Rhythm(settings.look_again_seconds, settings.poll_seconds)
    return Worker(parts, settings.parallel_runs, rhythm)


def serve(settings: Settings, *, web_only: bool) -> None:
    """Web part, and on SQLite the worker with it, until told to stop."""
    import uvicorn

    if web_only and settings.database().startswith("sqlite"):
        raise MissingSetting(
            "SIGNALBOX_DATABASE_URL is not set: --web-only needs Postgres, where the worker is a "
            "process of its own."
        )
    if not web_only and not settings.database().startswith("sqlite"):
        raise MissingSetting(
            "SIGNALBOX_DATABASE_URL names Postgres: start `signalbox serve --web-only` and "
            "`signalbox worker` beside each other."
        )
    db = open_database(settings)
    app = web_app(settings, db)
    if not web_only:
        app.router.lifespan_context = _with_worker(settings, db)
    uvicorn.run(app, host=settings.host, port=settings.port, **LISTENING)


def _with_worker(
    settings: Settings, db: Database
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        worker = build_worker(settings, db)
        await run_in_threadpool(worker.start)
        log.info("signalbox is up", port=settings.port, data=str(settings.data))
        yield
        await run_in_threadpool(worker.stop)

    return lifespan


@contextmanager
def running_web(app: FastAPI, port: int) -> Iterator[str]:
    """The web part in a thread of this process, port 0 = any; its address, once it listens."""
    import uvicorn

    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", **LISTENING))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(5)


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise RuntimeError("the web part did not start")
        time.sleep(0.005)


def work(settings: Settings) -> None:
    """The worker alone, until SIGTERM or SIGINT."""
    worker = build_worker(settings, open_database(settings))
    stop = threading.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    worker.start()
    log.info("the worker is up")
    stop.wait()
    worker.stop()
