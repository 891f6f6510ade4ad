"""A reverse proxy as people put before a Chroma server: TLS with a certificate of its own authority, and a token."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

import trustme

_FORBIDDEN = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\nContent-Length: 14\r\nConnection: close\r\n\r\n"
    b"Who goes there"
)


@dataclass
class Door:
    """Passes requests on to a port of this machine when they bring the token."""

    port: int
    token: str
    address: str = ""
    tokens: set[str] = field(default_factory=set)
    """What was presented, by either of the two headers that Chroma's clients use."""

    held: bool = False
    """Whether requests wait at the door, unanswered."""

    async def open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: request after request, each checked, its answer passed back whole."""
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.port)
            back = asyncio.create_task(copy(inner_reader, writer))
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = _fields(head)
                bearer = fields.get("authorization", "").removeprefix("Bearer ")
                self.tokens |= {bearer, fields.get("x-chroma-token", "")}
                if bearer != self.token:
                    writer.write(_FORBIDDEN)
                    await writer.drain()
                    break
                while self.held:
                    await asyncio.sleep(0.05)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                inner_writer.write(head + body)
                await inner_writer.drain()
            back.cancel()
            inner_writer.close()
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        writer.close()


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if value}


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def listening(handle: Handler, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port of this machine whose connections are handled in a thread for as long as the block."""
    ready: Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def serve() -> None:
        server, stop = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context), asyncio.Event()
        ready.put((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), stop))
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    port, loop, stop = ready.get(timeout=10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends, on either side."""
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextmanager
def doorkeeper(port: int, token: str, authority: trustme.CA, name: str = "127.0.0.1") -> Iterator[Door]:
    """A door before a port for as long as the block; its certificate is for `name`, signed by the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    door = Door(port, token)
    with listening(door.open, context) as mine:
        door.address = f"https://127.0.0.1:{mine}"
        yield door


def pem(authority: trustme.CA, folder: Path) -> Path:
    """The authority's certificate as a file."""
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path
