"""Serves the page: a FastAPI application with a health endpoint and an API, the Gradio page mounted in it."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from advisor import __version__
from advisor.embed import stay_offline
from advisor.errors import SettingsError
from advisor.settings import Settings
from advisor.ui.guard import Guard
from advisor.ui.loading import Heard, Loading
from advisor.ui.logs import Journal, set_up
from advisor.ui.programs import programs

if TYPE_CHECKING:
    from advisor.chat import Advisor

MOST_SESSIONS = 2_000
"""Tabs that are remembered; beyond, the one that was quiet for longest is forgotten."""
KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than clients keep theirs, or they ask into one that is closing."""
GRADIO = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    # Gradio keeps a record of each event, and after each event makes a table of them all, which nobody asked for
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
}
"""What Gradio reads from the environment when it is imported."""
_SAY = partial(print, flush=True)


def application(settings: Settings, open_advisor: Callable[[Heard], Advisor] | None = None) -> FastAPI:
    """Page and API as an ASGI application; the Advisor begins to open at once, in a thread."""
    loading, journal = Loading(open_advisor or partial(_open, settings)), Journal(settings)
    app = FastAPI(title="Career Advisor", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard)

    @app.get("/healthz")
    async def health() -> JSONResponse:  # not in a thread: all of them may be busy
        state = "ready" if loading.well else "failed" if loading.done else "loading"
        return JSONResponse({"status": state, "version": __version__}, 503 if state == "failed" else 200)

    stay_offline(settings.embedding_model)  # before Gradio, which brings the hub's client along
    import advisor.chat  # noqa: F401 (two threads that import the same at once would wait for each other)

    loading.start()
    app.mount("/api", programs(loading, settings, journal))
    _mount(app, loading, settings, journal)
    return app


def _open(settings: Settings, heard: Heard) -> Advisor:
    from advisor import index
    from advisor.chat import Advisor

    if not index.exists(settings):
        bar = index.bar() if sys.stderr.isatty() else None  # what is no screen is a log

        def both(done: int, total: int) -> None:
            if bar is not None:
                bar(done, total)
            heard(done, total)

        index.first(settings, both)
    return Advisor.open(settings)


def _mount(app: FastAPI, loading: Loading, settings: Settings, journal: Journal) -> None:
    os.environ.update(GRADIO)
    import gradio as gr

    from advisor.ui.answering import Answering
    from advisor.ui.keeping import Seal
    from advisor.ui.page import Page, asset, theme

    page = Page(Answering(loading, settings, Seal.beside(settings.index), journal))
    page.blocks.queue(max_size=settings.queue)
    page.blocks.state_session_capacity = MOST_SESSIONS
    gr.mount_gradio_app(
        app,
        page.blocks,
        path="/",
        root_path=settings.root_path or None,
        auth=_pair(settings),
        auth_message="Career Advisor",
        theme=theme(),
        css=asset("page.css"),
        head=asset("head.html"),
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size="1mb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        favicon_path=str(files("advisor.ui") / "favicon.png"),
        mcp_server=_has_mcp(),
    )


def _has_mcp() -> bool:
    """Whether the optional `mcp` package is installed; then the API is also an MCP server."""
    from importlib.util import find_spec

    return find_spec("mcp") is not None


def _pair(settings: Settings) -> tuple[str, str] | None:
    if settings.auth is None:
        return None
    user, _, password = settings.auth.get_secret_value().partition(":")
    return user, password


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def bound(settings: Settings) -> socket.socket:
    """A socket on the address of the settings.

    Raises:
        SettingsError: the address is not this machine's own and there is no password, or it cannot be had.
    """
    if not is_loopback(settings.host) and settings.auth is None and not settings.open:
        raise SettingsError(
            f"ADVISOR_HOST={settings.host}: anyone who reaches this address could use the page. "
            "Set ADVISOR_AUTH=user:password, or ADVISOR_OPEN=1 if that is what you want."
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":  # elsewhere it would let a second page listen on the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise SettingsError(
            f"ADVISOR_HOST={settings.host} ADVISOR_PORT={settings.port}: cannot listen there ({error.strerror}). "
            "Set ADVISOR_PORT to another port, or to 0 for any free one."
        ) from error
    return listener


def serve(settings: Settings, announce: Callable[[str], Any] = _SAY) -> None:
    """Serve the page until interrupted; its address is announced as soon as it can be opened.

    Raises:
        SettingsError: as `bound`.
    """
    listener = bound(settings)
    import uvicorn

    set_up(settings)
    app = application(settings)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    listener.listen()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=2,
        proxy_headers=True,
    )
    announce(f"Career Advisor: http://{shown}:{port}{settings.root_path}/")
    uvicorn.Server(config).run(sockets=[listener])
