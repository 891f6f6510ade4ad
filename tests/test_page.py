"""The page, driven in a real browser on the real process."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browsing import ANSWER, MARK, Served, ask, opened, serving, visiting

pytest_plugins = ["tests.browsing"]
pytestmark = pytest.mark.browser
SENIOR_REMOTE = "what does a senior ML engineer earn remotely?"


def test_opens_with_starters_and_says_what_it_works_with(page: Page) -> None:
    """Whoever comes for the first time sees what to ask, which guide answers, and that it is offline."""
    expect(page.get_by_role("heading", name="Ask about your career")).to_be_visible()
    expect(page.get_by_role("list", name="Questions to start with").get_by_role("button").first).to_be_visible()
    expect(page.get_by_text("offline, nothing leaves this machine")).to_contain_text("December 2025")
    expect(page.get_by_role("link", name=re.compile("Choosing between"))).to_be_visible()


def test_answers_with_citation_and_cited_passage_beside_it(page: Page) -> None:
    """A pay question gets its figure, a numbered link, and the cited row beside the chat."""
    ask(page, SENIOR_REMOTE)
    answer = page.get_by_role("article", name="Question 1")
    expect(answer).to_contain_text("$160–220K")
    expect(answer.get_by_role("link", name="Source 1").first).to_be_visible()
    expect(page.get_by_role("heading", name="Cited in this answer")).to_be_visible()
    expect(page.get_by_role(MARK).filter(has_text="$160–220K")).to_be_visible()


def test_table_cell_is_marked_in_the_guide_with_its_headers(page: Page) -> None:
    """A click on the citation of a figure opens the guide at that table, the cell marked, row and header shown."""
    ask(page, SENIOR_REMOTE)
    link = page.get_by_role("article").get_by_role("link", name="Source 1").first
    link.hover()
    expect(page.get_by_role("tooltip")).to_have_text("ML Engineer · Senior: $160–220K")
    link.click()
    table = page.get_by_role("table").filter(has_text="$95–120K").last
    expect(table.get_by_role(MARK)).to_have_text("$160–220K")
    expect(table.get_by_role(MARK)).to_be_in_viewport()
    expect(table.get_by_role("columnheader", name="Senior")).to_have_class(re.compile("cited-header"))
    expect(table.get_by_role("row").filter(has=page.get_by_role(MARK))).to_contain_text("ML Engineer")


def test_citation_by_keyboard_shows_the_quote_then_the_marked_words(page: Page) -> None:
    """Focus shows the quote, Enter opens the guide with exactly those words marked."""
    ask(page, "do i need a phd for ai engineering?")
    link = page.get_by_role("article").get_by_role("link", name="Source 1").first
    link.focus()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("you do not need a PhD")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("Enter")
    marked = page.get_by_role(MARK).first
    expect(marked).to_contain_text("No, you do not need a PhD for AI engineering.")
    expect(marked).to_be_in_viewport()


def test_follow_up_shows_how_it_was_understood(page: Page) -> None:
    """A question that leans on the one before is shown as it was searched."""
    ask(page, SENIOR_REMOTE)
    ask(page, "and AI Engineer?")
    second = page.get_by_role("article", name="Question 2")
    expect(second.get_by_text("Understood as:")).to_be_visible()
    expect(second).to_contain_text("$180–240K")
    expect(page.get_by_role("article", name="Question 1").get_by_text("Understood as:")).to_be_hidden()


def test_a_new_answer_is_in_view(browser: Browser, served: Served) -> None:
    """However long the conversation is, the question just asked is brought into view with its answer."""
    with visiting(browser, 390, 844) as context:
        page = opened(context, served)
        for number in range(1, 5):
            ask(page, SENIOR_REMOTE)
            expect(page.get_by_role("article", name=f"Question {number}").get_by_role("heading")).to_be_in_viewport()


def test_out_of_guide_question_is_declined_without_citations(page: Page) -> None:
    """Nothing is cited where the guide has no answer; the closest sections may be offered."""
    ask(page, "how do I bake sourdough bread?")
    answer = page.get_by_role("article", name="Question 1")
    expect(answer.get_by_role("link", name="Source")).to_have_count(0)
    expect(page.get_by_role("heading", name="Nothing cited")).to_be_visible()


def test_chip_asks(page: Page) -> None:
    """A starter asks its question; so does a follow-up under the answer."""
    starter = page.get_by_role("list", name="Questions to start with").get_by_role("button").first
    question = starter.inner_text()
    starter.click()
    first = page.get_by_role("article", name="Question 1")
    expect(first).to_contain_text(question)
    chip = page.get_by_role("list", name="Ask next").get_by_role("button").first
    following = chip.inner_text()
    chip.click()
    expect(page.get_by_role("article", name="Question 2")).to_contain_text(following)


def test_edit_and_ask_again_replace_the_last_question(page: Page) -> None:
    """The last question can be put differently, or asked once more, without a second entry."""
    ask(page, SENIOR_REMOTE)
    page.get_by_role("button", name="Edit").click()
    box = page.get_by_role("textbox", name="Your question")
    expect(box).to_have_value(SENIOR_REMOTE)
    box.fill("what does a senior AI Engineer earn remotely?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("article", name="Question 1")).to_contain_text("$180–240K")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("article", name="Question 1").get_by_role("button", name="Copy")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)


def test_edit_can_be_given_up(page: Page) -> None:
    """`Keep the old one` leaves the last question and its answer as they were."""
    ask(page, SENIOR_REMOTE)
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Keep the old one").click()
    expect(page.get_by_role("textbox", name="Your question")).to_have_value("")
    ask(page, "do i need a phd for ai engineering?")
    expect(page.get_by_role("article")).to_have_count(2)


def test_copy_takes_the_answer_with_its_sources(page: Page, visitor: BrowserContext, served: Served) -> None:
    """What lands on the clipboard is Markdown with the quoted words and where they stand."""
    visitor.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.address.rstrip("/"))
    ask(page, SENIOR_REMOTE)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1]" in copied
    assert "roles.md, line" in copied


def test_new_empties_the_page(page: Page) -> None:
    """`New` starts a conversation with nothing in it."""
    ask(page, SENIOR_REMOTE)
    page.get_by_role("button", name="New").click()
    expect(page.get_by_role("heading", name="Ask about your career")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)


def test_guides_can_be_searched_and_read(page: Page) -> None:
    """A word typed into the search finds passages; one click opens the guide there, another goes back."""
    page.get_by_role("textbox", name="Search the guides").fill("portfolio")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Found for “portfolio”")).to_be_visible()
    page.get_by_role("link", name=re.compile("Which portfolio project")).first.click()
    expect(page.get_by_role("heading", name="Which portfolio project impresses an employer?")).to_be_in_viewport()
    page.get_by_role("button", name="← Back").click()
    expect(page.get_by_role("heading", name="The guides")).to_be_visible()


def test_compare_ends_in_the_chat(page: Page) -> None:
    """Picked roles give a cited table and a plot in the chat, where one can ask on."""
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("listbox", name="Compared by").or_(page.get_by_label("Compared by")).first.click()
    page.get_by_role("option", name=re.compile("senior", re.IGNORECASE)).first.click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Compare", exact=True).click()
    answer = page.get_by_role("article", name="Question 1")
    expect(answer.get_by_role("table")).to_contain_text("$200–260K")
    expect(answer.get_by_role("figure")).to_contain_text("United States")
    expect(answer.get_by_role("figure")).to_contain_text("December 2025")
    ask(page, "do i need a phd for ai engineering?")
    expect(page.get_by_role("article")).to_have_count(2)


def test_compare_needs_two_roles(page: Page) -> None:
    """With one role only, the page says what is missing."""
    page.get_by_role("tab", name="Compare").click()
    roles = page.get_by_role("group", name="Roles")
    roles.get_by_role("checkbox", name="ML Engineer").uncheck()
    roles.get_by_role("checkbox", name="Data Scientist").uncheck()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="at least two roles")).to_be_visible()


def test_fit_ends_in_the_chat_with_cited_reasons(page: Page) -> None:
    """Replies to the guide's own criteria lead to an answer in the chat that cites them."""
    page.get_by_role("tab", name="Which role fits me?").click()
    result = page.get_by_role("button", name="Show the result")
    for number in (1, 2, 3):
        expect(page.get_by_text(f"Statement {number} of at most 6")).to_be_visible()
        expect(result).to_be_disabled()
        page.get_by_role("button", name="That is me").click()
    result.click()
    answer = page.get_by_role("article", name="Question 1")
    expect(answer).to_contain_text("AI Engineer")
    expect(answer.get_by_role("link", name="Source 1").first).to_be_visible()


def test_fit_stops_early_when_the_order_is_settled(page: Page) -> None:
    """When no further reply can change which role comes first, the result comes without being asked for."""
    page.get_by_role("tab", name="Which role fits me?").click()
    for number, reply in enumerate(("That is me", "Not me", "That is me", "That is me"), 1):
        expect(page.get_by_text(f"Statement {number} of at most 6")).to_be_visible()
        page.get_by_role("button", name=reply).click()
    expect(page.get_by_role("article", name="Question 1")).to_contain_text("3 statements agreed with, 1 not")


def test_on_a_phone_the_guide_lies_over_the_chat_and_closes(browser: Browser, served: Served) -> None:
    """At 390 pixels nothing sticks out; the guide opens over the chat, Escape closes it, focus goes back."""
    with visiting(browser, 390, 844) as context:
        page = opened(context, served)
        ask(page, SENIOR_REMOTE)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        link = page.get_by_role("article").get_by_role("link", name="Source 1").first
        link.click()
        close = page.get_by_role("button", name="Close the guides")
        expect(close).to_be_focused()
        expect(page.get_by_role(MARK).filter(has_text="$160–220K")).to_be_in_viewport()
        page.keyboard.press("Escape")
        expect(close).to_be_hidden()
        expect(link).to_be_focused()


@pytest.mark.parametrize("dark", [False, True])
def test_follows_the_system_in_light_and_dark(browser: Browser, served: Served, dark: bool) -> None:
    """The page is dark where the system is; the button turns it round and the choice stays."""
    with visiting(browser, dark=dark) as context:
        page = opened(context, served)
        assert _is_dark(page) is dark
        page.get_by_role("button", name="Light or dark").click()
        assert _is_dark(page) is not dark
        page.reload()
        expect(page.get_by_text("passages ·")).to_be_visible()
        assert _is_dark(page) is not dark


def _is_dark(page: Page) -> bool:
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", color)[:3])) < 380


def test_reduced_motion_is_respected(page: Page) -> None:
    """Whoever asks the system for less motion gets no animation and no transition."""
    page.emulate_media(reduced_motion="reduce")
    ask(page, SENIOR_REMOTE)
    moving = page.evaluate(
        """() => [...document.querySelectorAll("main *, header *, button")].filter(element => {
            const style = getComputedStyle(element);
            const durations = `${style.transitionDuration}, ${style.animationDuration}`.split(", ");
            return durations.some(duration => parseFloat(duration) > 0.01);
        }).map(element => element.className || element.tagName)"""
    )
    assert moving == []


def test_script_in_question_and_guide_is_inert(page: Page) -> None:
    """HTML of a question is shown as text; HTML, scripts and pictures of a guide do nothing."""
    attack = (
        "<img src=x onerror='window.owned = true'><script>window.owned = true</script> {{7*7}} ${7*7} portfolio project"
    )
    ask(page, attack)
    expect(page.get_by_role("article", name="Question 1").get_by_text(attack)).to_be_visible()
    page.get_by_role("textbox", name="Search the guides").fill("real people use")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("Which portfolio project")).first.click()
    expect(page.get_by_text("a picture", exact=False).last).to_be_visible()
    assert page.evaluate("window.owned") is None
    assert page.get_by_role("article").locator("img, form, script, iframe").count() == 0


def test_two_tabs_do_not_share_a_conversation(page: Page, visitor: BrowserContext, served: Served) -> None:
    """A second tab begins with nothing, and what it asks does not show in the first."""
    ask(page, SENIOR_REMOTE)
    other = opened(visitor, served)
    expect(other.get_by_role("article")).to_have_count(0)
    ask(other, "do i need a phd for ai engineering?")
    expect(page.get_by_role("article")).to_have_count(1)
    page.reload()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("article")).to_contain_text("ML engineer")


def test_very_long_question_is_refused_with_the_limit(page: Page) -> None:
    """2,000 characters are the most; the page says so and keeps what was typed."""
    box = page.get_by_role("textbox", name="Your question")
    box.fill("why " * 600)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="2,000 is the most")).to_be_visible()
    assert len(box.input_value()) == 2400


def test_page_is_up_before_the_guides_are_read(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, corpus: object
) -> None:
    """With no index yet the page opens at once; a question asked while the guides are read waits and is answered."""
    home = tmp_path_factory.mktemp("first")
    with serving(home, corpus, home / "index") as fresh, visiting(browser) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(fresh.address)
        expect(page.get_by_text("You can ask already")).to_be_visible()
        assert page.request.get(f"{fresh.address}healthz").json()["status"] == "loading"
        ask(page, SENIOR_REMOTE)
        expect(page.get_by_role("article", name="Question 1")).to_contain_text("$160–220K", timeout=ANSWER)
        assert page.request.get(f"{fresh.address}healthz").json()["status"] == "ready"
