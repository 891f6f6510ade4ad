"""Serves the page: a FastAPI application with a health endpoint and a content policy, the Gradio page mounted in it."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from advisor import __version__
from advisor.errors import SettingsError
from advisor.settings import Settings
from advisor.ui.loading import Heard, Loading

if TYPE_CHECKING:
    from advisor.chat import Advisor

# Gradio's own scripts need inline and eval; nothing may be fetched, framed, posted or shown from anywhere else.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'self'; "
    "form-action 'self'; object-src 'none'; base-uri 'self'"
)
LARGEST_REQUEST = 4_000_000
"""Bytes of a request that are read at most; a stored conversation of the greatest length fits in."""
_SAY = partial(print, flush=True)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def application(settings: Settings, open_advisor: Callable[[Heard], Advisor] | None = None) -> FastAPI:
    """The whole page as an ASGI application; the Advisor begins to open at once, in a thread."""
    loading = Loading(open_advisor or partial(_open, settings))
    app = FastAPI(title="Career Advisor", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_guarded)

    @app.get("/healthz")
    def health() -> JSONResponse:
        state = "ready" if loading.well else "failed" if loading.done else "loading"
        return JSONResponse({"status": state, "version": __version__}, 503 if state == "failed" else 200)

    import advisor.chat  # noqa: F401 (two threads that import the same at once would wait for each other)

    loading.start()
    _mount(app, loading, settings)
    return app


def _open(settings: Settings, heard: Heard) -> Advisor:
    from advisor import index
    from advisor.chat import Advisor

    if not index.exists(settings):
        bar = index.bar()

        def both(done: int, total: int) -> None:
            bar(done, total)
            heard(done, total)

        index.first(settings, both)
    return Advisor.open(settings)


async def _guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse what this page never needs, and send the content policy with everything."""
    length = request.headers.get("content-length", "0")
    if request.url.path.endswith("/upload"):
        response: Response = JSONResponse({"error": "This page takes no files."}, 404)
    elif length.isdigit() and int(length) > LARGEST_REQUEST:
        response = JSONResponse({"error": f"A request has at most {LARGEST_REQUEST:,} bytes."}, 413)
    else:
        response = await call_next(request)
    response.headers.update(HEADERS)
    return response


def _mount(app: FastAPI, loading: Loading, settings: Settings) -> None:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
    import gradio as gr

    from advisor.ui.answering import Answering
    from advisor.ui.keeping import Seal
    from advisor.ui.page import Page, asset, theme

    page = Page(Answering(loading, settings, Seal.beside(settings.index)))
    page.blocks.queue(max_size=64)
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

    app = application(settings)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    listener.listen()
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, proxy_headers=True)
    announce(f"Career Advisor: http://{shown}:{port}{settings.root_path}/")
    uvicorn.Server(config).run(sockets=[listener])
