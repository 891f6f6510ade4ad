"""Makes the README's screenshots: `python -m tests.screenshots [folder]` drives a browser on the page and its corpus.

Needs Debian's chromium (or ADVISOR_TEST_CHROMIUM); the index is that of the settings, built when there is none.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from advisor.settings import Settings
from tests.browsing import CHROMIUM, FLAGS, ROOT, ask, opened, serving, visiting

LARGEST = 300_000
"""Bytes a screenshot may have."""
DESKTOP, PHONE = (1280, 900), (390, 844)


def cell(page: Page) -> None:
    """A pay question, its follow-up, and the cited cell in the guide."""
    ask(page, "what does a senior ML engineer earn remotely?")
    ask(page, "and AI Engineer?")
    page.get_by_role("article").last.get_by_role("link", name="Source 1").first.click()
    page.get_by_role("button", name="← Back").wait_for(state="attached")


def salaries(page: Page) -> None:
    """A comparison with its plot."""
    ask(page, "compare the salaries of AI Engineer, ML Engineer and Data Scientist")


def welcome(page: Page) -> None:
    """The page as one finds it."""


SHOTS = {
    "desktop-light": (DESKTOP, False, cell),
    "desktop-dark": (DESKTOP, True, salaries),
    "phone-light": (PHONE, False, salaries),
    "phone-dark": (PHONE, True, welcome),
    "phone-guide": (PHONE, False, cell),
}


def main(folder: Path = ROOT / "docs") -> None:
    """Write the screenshots into `folder`."""
    settings = Settings.read()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), settings.corpus, settings.index) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, ((width, height), dark, prepare) in SHOTS.items():
            with visiting(browser, width, height, dark) as context:
                page = opened(context, served)
                prepare(page)
                page.mouse.move(0, 0)
                path = folder / f"{name}.png"
                page.screenshot(path=path, animations="disabled", caret="hide")
            size = path.stat().st_size
            print(f"{path}  {size:,} bytes")
            assert size < LARGEST, f"{path} has {size:,} bytes; {LARGEST:,} is the most"
        browser.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
