"""The page's parts and their wiring, in Gradio. The conversation lives in `gr.State`, where no client can send it."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from typing import Any

import gradio as gr

from advisor.ui import doors, fitting, sources
from advisor.ui.acts import Acts
from advisor.ui.answering import Answering, View
from advisor.ui.fitting import Form, Reply
from advisor.ui.keeping import Conversation
from advisor.ui.transcript import welcome

Updates = dict[Any, Any]
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Events of the page itself: not part of the API, and without Gradio's own veil over what they change."""
QUICK: dict[str, Any] = {**QUIET, "concurrency_limit": 16, "trigger_mode": "multiple"}
AT_ONCE, AT_ONCE_MODEL = 8, 32
"""Questions of the page that are answered at the same time; a model's answers mostly wait for the model."""
_SAID: tuple[Reply, Reply] = ("agree", "disagree")

HEADER = """
<h1 class="wordmark"><span class="mark" aria-hidden="true"></span>Career Advisor</h1>
<nav aria-label="Page">
<button type="button" class="tool" data-action="fresh">New</button>
<button type="button" class="tool" data-action="conversations">Conversations</button>
<button type="button" class="tool only-narrow" data-action="open-panel">Guides</button>
<button type="button" class="tool" data-action="theme" aria-label="Light or dark"><span class="sun"></span></button>
</nav>
<dialog id="conversations" aria-labelledby="conversations-title">
<div class="dialog-head"><h2 id="conversations-title">Conversations</h2>
<button type="button" class="tool close" data-action="close-conversations" aria-label="Close">✕</button></div>
<p class="quiet">Kept in this browser, nowhere else.</p>
<ul id="conversation-list"></ul>
<p><button type="button" class="chip" data-action="import">Import a file</button>
<label class="unseen">Conversation file
<input type="file" id="import-file" accept="application/json,.json" tabindex="-1"></label></p>
</dialog>
"""
PANEL_HEAD = """
<button type="button" class="tool only-narrow" id="panel-close" data-action="close-panel"
aria-label="Close the guides">✕</button>
"""


def asset(name: str) -> str:
    """The text of a file that lies beside this module."""
    return (files("advisor.ui") / name).read_text(encoding="utf-8")


def theme() -> gr.themes.Base:
    """Gradio's plainest theme in the reader's own fonts; `page.css` does the rest, save where a password is asked."""
    fonts = ("system-ui", "sans-serif")
    plain = gr.themes.Base(font=fonts, font_mono=("ui-monospace", "monospace"), radius_size="md", neutral_hue="stone")
    return plain.set(
        body_background_fill="#fbfaf7",
        body_background_fill_dark="#161918",
        background_fill_primary="#fbfaf7",
        background_fill_primary_dark="#161918",
        block_background_fill="#fbfaf7",
        block_background_fill_dark="#161918",
        button_primary_background_fill="#1d5c53",
        button_primary_background_fill_hover="#1d5c53",
        button_primary_background_fill_dark="#86cabd",
        button_primary_background_fill_hover_dark="#86cabd",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#10201d",
    )


class Page:
    """Builds the page once; every visitor's events run through the same `Answering`."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._acts = Acts(answering)
        with gr.Blocks(title="Career Advisor", analytics_enabled=False, fill_width=True) as self.blocks:
            self._lay_out()
            self._wire()
            doors.open_api(answering)

    def _lay_out(self) -> None:
        self.conversation, self.editing, self.form = gr.State(Conversation()), gr.State(False), gr.State(Form())
        self.slot = gr.Textbox(visible=False)
        self.bridge = gr.HTML("", html_template="", js_on_load=asset("page.js"), elem_id="bridge")
        gr.HTML(HEADER, js_on_load=None, elem_id="header", apply_default_css=False)
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="main"), gr.Tabs() as self.tabs:
                with gr.Tab("Chat", id="Chat"):
                    self._lay_out_chat()
                with gr.Tab("Compare", id="Compare"):
                    self._lay_out_compare()
                with gr.Tab("Which role fits me?", id="Fit"):
                    self._lay_out_fit()
            with gr.Column(elem_id="panel"):
                gr.HTML(PANEL_HEAD, js_on_load=None, elem_id="panel-head", apply_default_css=False)
                self.query = gr.Textbox(
                    label="Search the guides",
                    placeholder="Search the guides",
                    max_lines=1,
                    elem_id="query",
                    container=False,
                )
                self.panel = gr.HTML(sources.shelf(()), js_on_load=None, apply_default_css=False)

    def _lay_out_chat(self) -> None:
        self.transcript = gr.HTML(
            welcome((), waiting="Reading the guides"), js_on_load=None, elem_id="transcript", apply_default_css=False
        )
        with gr.Column(elem_id="composer"):
            with gr.Row(elem_id="composer-row"):
                self.question = gr.Textbox(
                    label="Your question",
                    placeholder="Ask about roles, pay, skills …",
                    lines=1,
                    max_lines=8,
                    container=False,
                    elem_id="question",
                    autofocus=True,
                    scale=8,
                )
                self.keep_old = gr.Button("Keep the old one", visible=False, elem_id="keep-old", size="sm")
                self.send = gr.Button("Ask", variant="primary", elem_id="ask", size="sm")
                self.stop = gr.Button("Stop", visible=False, elem_id="stop", size="sm")
            self.status = gr.HTML(
                '<p class="status" role="status" data-unheard>Reading the guides…</p>',
                js_on_load=None,
                apply_default_css=False,
            )

    def _lay_out_compare(self) -> None:
        gr.HTML(
            '<h2 class="tool-title">Compare roles</h2>'
            '<p class="quiet">The answer goes into the chat, where you can ask on.</p>',
            js_on_load=None,
            apply_default_css=False,
        )
        self.roles = gr.CheckboxGroup([], label="Roles", elem_classes="picks")
        self.dimensions = gr.Dropdown(
            [],
            label="Compared by (leave empty for the most usual)",
            multiselect=True,
            elem_classes="picks",
            filterable=True,
        )
        self.compare = gr.Button("Compare", variant="primary", elem_classes="go")

    def _lay_out_fit(self) -> None:
        gr.HTML(
            '<h2 class="tool-title">Which role fits me?</h2>'
            '<p class="quiet">Statements from the guides, one at a time. '
            "The result goes into the chat, with its reasons.</p>",
            js_on_load=None,
            apply_default_css=False,
        )
        self.card = gr.HTML(
            '<p class="quiet">Reading the guides…</p>', js_on_load=None, elem_id="fit-card", apply_default_css=False
        )
        with gr.Row(elem_classes="replies"):
            self.agree = gr.Button("That is me")
            self.disagree = gr.Button("Not me")
            self.skip = gr.Button("Skip")
        with gr.Row(elem_classes="replies"):
            self.result = gr.Button("Show the result", variant="primary", interactive=False)
            self.restart = gr.Button("Start over", size="sm")

    def _wire(self) -> None:
        written = [self.transcript, self.panel, self.question, self.send, self.stop, self.keep_old, self.bridge]
        self._chat: list[Any] = [self.conversation, self.editing, *written]
        self._fitted: list[Any] = [self.form, self.card, self.result]
        tools: list[Any] = [self.status, self.roles, self.dimensions, *self._fitted]
        here = "() => window.advisorCurrent()"
        self.blocks.load(self._arrive, [self.slot], [*self._chat, *tools], js=here, **QUIET, concurrency_limit=None)
        self.blocks.unload(self._leave)
        self._wire_chat()
        self._wire_tools()

    def _wire_chat(self) -> None:
        asking = [self.question.submit, self.send.click, self.bridge.submit]
        typed = [self.question, self.conversation, self.editing]
        at_once = AT_ONCE_MODEL if self._answering.settings.llm_model else AT_ONCE
        gr.on(asking, self._ask, typed, self._chat, **QUIET, concurrency_limit=at_once, trigger_mode="once")
        self.stop.click(self._stop, None, None, **QUICK, queue=False)
        self.bridge.select(self._act, [self.conversation], self._chat, **QUICK)
        self.keep_old.click(lambda: self._updates(View(editing=False, typed="")), None, self._chat, **QUICK)
        self.query.submit(self._search, [self.query, self.conversation], self._chat, **QUICK)

    def _wire_tools(self) -> None:
        picked = [self.roles, self.dimensions, self.conversation]
        self.compare.click(self._compare, picked, self._chat, **QUIET, concurrency_limit=8)
        replies: dict[Any, Reply] = {self.agree: "agree", self.disagree: "disagree", self.skip: "skip"}
        filled, both = [self.form, self.conversation], [*self._chat, *self._fitted]
        for button, reply in replies.items():
            button.click(self._reply(reply), filled, both, **QUIET, concurrency_limit=8)
        self.result.click(self._fit, filled, both, **QUIET, concurrency_limit=8)
        self.restart.click(lambda: self._form(Form()), None, self._fitted, **QUICK)

    def _updates(self, view: View) -> Updates:
        """A view as Gradio wants it: only what changes."""
        changes: Updates = {
            part: value
            for part, value in (
                (self.conversation, view.conversation),
                (self.transcript, view.transcript),
                (self.panel, view.panel),
                (self.question, view.typed),
                (self.editing, view.editing),
            )
            if value is not None
        }
        if view.busy is not None:
            changes |= {self.send: gr.update(visible=not view.busy), self.stop: gr.update(visible=view.busy)}
        if view.editing is not None:
            changes |= {self.keep_old: gr.update(visible=view.editing)}
        if view.message is not None:
            changes[self.bridge] = _message(view.message)
        return changes or {self.bridge: gr.skip()}

    async def _arrive(self, current: str, request: gr.Request) -> AsyncIterator[Updates]:
        answering, loading = self._answering, self._answering.loading
        fresh, session = Conversation(), str(request.session_hash)
        self._slim(session)
        while not loading.done:
            waiting = {self.status: f'<p class="status">{loading.progress}</p>'}
            quiet = answering.stopping.asked(session)
            yield waiting if quiet else {**waiting, self.transcript: welcome((), waiting=loading.progress)}
            await loading.ended(seconds=1)
        if not loading.well:
            yield {self.transcript: answering.shown(fresh), self.status: '<p class="status">Not ready.</p>'}
            return
        if not answering.stopping.asked(session):
            yield self._updates(self._acts.arrived(current))
        yield self._tools()

    def _tools(self) -> Updates:
        advisor = self._answering.loading.wait()
        return {
            self.status: sources.status(advisor.status),
            self.roles: gr.update(choices=list(advisor.roles), value=list(advisor.roles[:3])),
            self.dimensions: gr.update(choices=list(advisor.dimensions)),
            **self._form(Form()),
        }

    def _ask(
        self, typed: str, conversation: Conversation, editing: bool, request: gr.Request, event: gr.EventData
    ) -> Iterator[Updates]:
        sent = event._data if isinstance(event._data, dict) else {}
        again = sent.get("again") is True and bool(conversation.exchanges)
        asked = str(sent.get("question") or typed or "")
        if again:
            asked = conversation.exchanges[-1].asked
        for view in self._answering.ask(
            conversation,
            asked,
            str(request.session_hash),
            again or (editing and not sent),
            doors.request_id(request),
        ):
            yield self._updates(view)

    def _act(self, conversation: Conversation, request: gr.Request, event: gr.EventData) -> Updates:
        fields = event._data if isinstance(event._data, dict) else {}
        return self._updates(self._acts.act(conversation, str(request.session_hash), fields))

    def _stop(self, request: gr.Request) -> None:
        self._answering.stopping.stop(str(request.session_hash))

    def _leave(self, request: gr.Request) -> None:
        self._answering.stopping.forget(str(request.session_hash))
        self._slim(str(request.session_hash), closed=True)

    def _slim(self, session: str, closed: bool = False) -> None:
        """Drop what Gradio keeps of a tab for links that this page does not offer: most of a tab's memory.

        Of a tab that was closed only the conversation stays, for the case that it was merely cut off.
        """
        held = self.blocks.state_holder.session_data.get(session)
        if held is not None:
            held.config_values.clear()
            if closed:
                held.blocks_config.blocks = dict(self.blocks.default_config.blocks)

    def _search(self, query: str, conversation: Conversation) -> Updates:
        return self._updates(self._acts.search(conversation, query))

    def _compare(self, roles: list[str], dimensions: list[str], conversation: Conversation) -> Updates:
        return self._updates(self._answering.compare(conversation, roles, dimensions))

    def _reply(self, reply: Reply) -> Any:
        def replied(form: Form, conversation: Conversation) -> Updates:
            longer, criteria = form.replied(reply), self._answering.loading.wait().criteria
            return self._fit(longer, conversation) if fitting.settled(longer, criteria) else self._form(longer)

        return replied

    def _fit(self, form: Form, conversation: Conversation) -> Updates:
        advisor = self._answering.loading.wait()
        agreed, disagreed = (fitting.picked(form, advisor.criteria, reply) for reply in _SAID)
        asked = f"Which role fits me? ({len(agreed)} statements agreed with, {len(disagreed)} not)"
        brought = self._answering.brought(conversation, asked, advisor.fit(agreed, disagreed))
        return {**self._updates(brought), **self._form(Form())}

    def _form(self, form: Form) -> Updates:
        shown = fitting.card(form, self._answering.loading.wait().criteria)
        return {self.form: form, self.card: shown, self.result: gr.update(interactive=form.ready)}


def _message(content: Any) -> str:
    """JSON for the page's script; a nonce makes two equal messages differ."""
    return json.dumps({**content, "nonce": secrets.token_hex(4)}).replace("<", "\\u003c")
