"""`python -m evals.first_words`: how long after a model's endpoint has sent its first piece the reader sees it.

A scripted endpoint notes when it sends; three readers of the same stream note when they have words: openai's own
client, `Advisor.stream`, and the page in a real browser, served by the real process. Needs chromium.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from evals.endpoint import Script, serving
from evals.report import fill, rows_of
from evals.samples import HERE

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from advisor import Advisor

REPLY = "It depends on the role and on what you enjoy, says the guide. " * 3
READERS = ("openai's own client", "`Advisor.stream`", "the page, in a browser")
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
_START = 120
_WATCH = """() => {
  window.firstWords = 0;
  const look = () => {
    const words = document.querySelector('article.growing .answer');
    if (!window.firstWords && words && words.textContent.trim() && !words.querySelector('.waiting'))
      window.firstWords = performance.timeOrigin + performance.now();
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def by_client(url: str, model: str) -> float:
    """When openai's own client has the first words, on the wall clock."""
    import openai

    with openai.OpenAI(base_url=url, api_key="none") as client:
        asked: Any = [{"role": "user", "content": "hello"}]
        pieces = client.chat.completions.create(model=model, messages=asked, stream=True)
        next(piece for piece in pieces if piece.choices and piece.choices[0].delta.content)
        came = time.time()
        pieces.close()
    return came


def by_advisor(spoken: Advisor, question: str) -> float:
    """When `Advisor.stream` has words that the guard lets through."""
    answers: Any = spoken.stream(question)
    with closing(answers):
        next(answer for answer in answers if answer.text.strip())
        return time.time()


def by_page(context: BrowserContext, address: str, question: str) -> float:
    """When the words stand in a page just opened, by the browser's clock, which is this machine's."""
    with closing(context.new_page()) as page:
        page.goto(address)
        page.get_by_text("passages ·").wait_for(timeout=_START * 1000)
        page.evaluate(_WATCH)
        box = page.get_by_role("textbox", name="Your question")
        box.fill(question)
        box.press("Enter")
        page.wait_for_function("() => window.firstWords > 0", timeout=_START * 1000, polling=50)
        return float(page.evaluate("() => window.firstWords")) / 1000


@contextmanager
def opened(environment: dict[str, str], chromium: str) -> Iterator[Callable[[str], float]]:
    """The page in a process of its own and a browser; asks a question there and says when its first words came."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "app.py", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=HERE.parent, env=os.environ | environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = next((line for line in process.stdout if "http://" in line), "")
        address = re.search(r"http://\S+", said)
        if address is None:
            raise RuntimeError(f"The page did not start: {said}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            yield partial(by_page, browser.new_context(), address[0])
            browser.close()
    finally:
        process.kill()
        process.wait(10)


def measured(advisor: Advisor, questions: Sequence[str], chromium: str) -> dict[str, list[float]]:
    """Seconds from the endpoint's first piece to each reader's first words, question by question in turn."""
    from advisor.chat import Advisor

    script = Script(pause=0.1)
    model = script.says(REPLY)
    waits: dict[str, list[float]] = {reader: [] for reader in READERS}
    with ExitStack() as stack:
        url = stack.enter_context(serving(script))
        named = {"llm_model": model, "openai_base_url": url, "openai_api_key": None}
        spoken = Advisor(advisor.settings.model_copy(update=named), advisor.knowledge)
        environment = {"ADVISOR_LLM_MODEL": model, "OPENAI_BASE_URL": url, "ADVISOR_FEEDBACK": "off"}
        page = stack.enter_context(opened(environment, chromium))
        ways = (lambda _: by_client(url, model), lambda q: by_advisor(spoken, q), page)
        for number, question in enumerate((questions[0], *questions)):
            for reader, way in zip(READERS, ways, strict=True):
                came = way(question)
                sent = script.began[-1] + time.time() - time.monotonic()
                waits[reader] += [came - sent] if number else []  # the first round opens connections
    return waits


def table(waits: dict[str, list[float]]) -> str:
    """The result as Markdown."""
    body = [
        [reader, f"{len(times)}", *(f"{1000 * figure:.1f} ms" for figure in (median(times), max(times)))]
        for reader, times in waits.items()
    ]
    where = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}"
    return (
        f"{rows_of(('the first words reach', 'answers', 'after, p50', 'at most'), body)}\n\n"
        f"{where}. Made by `python -m evals.first_words`."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; with --readme, write it into evals/README.md too."""
    from advisor.chat import Advisor
    from advisor.settings import Settings

    parser = argparse.ArgumentParser(prog="python -m evals.first_words", description=__doc__)
    parser.add_argument("--readme", action="store_true", help="write the table into evals/README.md")
    parser.add_argument("--rounds", type=int, default=12, help="answers that are timed")
    options = parser.parse_args(arguments)
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("ADVISOR_TEST_CHROMIUM") or next(filter(None, map(shutil.which, names)), "")
    if not chromium:
        print("No chromium here: install it, or set ADVISOR_TEST_CHROMIUM to the path of one.", file=sys.stderr)
        return 2
    advisor = Advisor.open(Settings.read(llm_model="", feedback="off"))
    asked = [question for question in advisor.starters if not advisor.ask(question).declined]
    made = table(measured(advisor, (asked * options.rounds)[: options.rounds], chromium))
    print(made)
    if options.readme:
        fill(HERE / "README.md", made, "first-words")
    return 0


if __name__ == "__main__":
    sys.exit(main())
