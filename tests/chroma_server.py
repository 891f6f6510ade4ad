"""A real Chroma server on loopback, as `chroma run` starts it, for tests that share an index among processes."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import PATIENCE


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Chroma:
    """A server that can be killed and started again on its folder and port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE
        while not _answers(self.port):
            assert self.process.poll() is None, "the Chroma server ended at once"
            assert time.monotonic() < end, "the Chroma server did not start"
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def chroma(folder: Path, port: int) -> Iterator[str]:
    """A Chroma server on loopback for as long as the block; its address."""
    server = Chroma(folder, port)
    server.start()
    try:
        yield server.address
    finally:
        server.process.terminate()
        server.process.wait(PATIENCE)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
