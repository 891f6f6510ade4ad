"""Opens the Advisor in a thread, so that the page is up before the guides are read and the first question waits."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import TYPE_CHECKING

from advisor.errors import AdvisorError, EmbedderAway, IndexAway, ModelError

if TYPE_CHECKING:
    from advisor.chat import Advisor


UNAVAILABLE = "Search is unavailable at the moment."
AGAIN = 2.0
"""Seconds after which a server that was away is tried again."""
log = logging.getLogger(__name__)
Heard = Callable[[int, int], None]
"""Is told how many of how many pieces of the guides have been read."""


class Loading:
    """An Advisor that is being opened. `start` it once; `wait` and `arrived` hand it over or raise what went wrong."""

    def __init__(self, open_advisor: Callable[[Heard], Advisor]) -> None:
        self._open = open_advisor
        self._read = (0, 0)
        self._away = False
        self._future: Future[Advisor] = Future()

    def start(self) -> Loading:
        """Begin in a thread of its own and come back at once."""
        threading.Thread(target=self._run, name="open-advisor", daemon=True).start()
        return self

    def _run(self) -> None:
        self._future.set_running_or_notify_cancel()
        try:
            self._future.set_result(self._persist())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits, never swallowed
            self._future.set_exception(error)

    def _persist(self) -> Advisor:
        """Open it; while the server of the index is away, try again until it is back."""
        while True:
            try:
                return self._open(self._hear)
            except IndexAway as error:
                if not self._away:
                    log.warning("%s The page waits for it.", error)
                self._away = True
                time.sleep(AGAIN)

    def _hear(self, done: int, total: int) -> None:
        self._read = done, total

    @property
    def progress(self) -> str:
        """How far reading the guides has come, in words."""
        done, total = self._read
        if self._away:
            return UNAVAILABLE.removesuffix(".")
        return f"Reading the guides for the first time: {100 * done // total} %" if total else "Reading the guides"

    @property
    def done(self) -> bool:
        """Whether opening has ended, well or badly."""
        return self._future.done()

    @property
    def well(self) -> bool:
        """Whether there is an Advisor."""
        return self.done and self._future.exception() is None

    @property
    def problem(self) -> str:
        """Why there will be no Advisor, for the reader; empty while there may be one."""
        error = self._future.exception() if self.done else None
        return explain(error) if error else ""

    def settled(self, seconds: float) -> bool:
        """Wait that long at most; whether opening has ended."""
        wait_for([self._future], timeout=seconds)
        return self.done

    def wait(self) -> Advisor:
        """The Advisor, as soon as there is one.

        Raises:
            Exception: whatever opening it raised.
        """
        return self._future.result()

    async def ended(self, seconds: float) -> None:
        """Come back when opening has ended or the time is over, without holding a thread."""
        await asyncio.wait([asyncio.wrap_future(self._future)], timeout=seconds)


def explain(error: BaseException, request: str = "") -> str:
    """What went wrong and what to do, in words for the reader of the page; `request` is the id the log knows it by."""
    return f"{_explained(error)} (Request {request}.)" if request else _explained(error)


def _explained(error: BaseException) -> str:
    if isinstance(error, ModelError):
        return f"The language model did not answer ({error.kind}): {error}"
    if isinstance(error, IndexAway | EmbedderAway):
        return f"{UNAVAILABLE} Please ask again in a minute."  # which server, and what is wrong, stands in the log
    if isinstance(error, AdvisorError):
        return str(error)
    return (
        f"Something went wrong that should not have ({type(error).__name__}: {error}). "
        "The window that runs the advisor shows where; asking again may help."
    )
