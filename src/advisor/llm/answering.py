"""The answerer through a language model: prompt, stream, drafts. What it writes is trusted by nobody (`citations`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from langchain_core.prompts import ChatPromptTemplate

from advisor.errors import ModelError
from advisor.llm import endpoint, prompts, replies, rewriting
from advisor.llm.faults import Breaker, ContextTooLong, Rejected, explained
from advisor.settings import Settings
from advisor.types import Draft, Evidence, Hit, Turn

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from advisor.vocabulary import Vocabulary

MOST_PASSAGES = 12
_SHORT = 120
"""Tokens for a rewritten question."""


@dataclass(frozen=True, slots=True)
class Standalone:
    """A question that needs no conversation, and what writing it took."""

    text: str
    usage: dict[str, float] = field(default_factory=dict)


class ModelAnswerer:
    """Writes drafts through any OpenAI-compatible endpoint."""

    def __init__(self, settings: Settings, vocabulary: Vocabulary, breaker: Breaker | None = None) -> None:
        self.settings = settings
        self.vocabulary = vocabulary
        self.breaker = breaker or Breaker()
        self._dropped: frozenset[str] = frozenset()
        """Options that this endpoint turned out not to know."""
        self._chains: dict[tuple[str, frozenset[str]], Runnable[Any, Any]] = {}

    def stream(
        self, question: str, hits: Sequence[Hit], turns: Sequence[Turn], lacking: Sequence[str] = ()
    ) -> Iterator[Draft]:
        """Grow a draft from the best passages; the last one is complete, or says in its notice where it broke off.

        `lacking` names what is known to be in no guide: the model is told, and so is the reader.

        Raises:
            ModelError: the model failed before a word of its answer could be shown.
        """
        kept = list(hits[:MOST_PASSAGES])
        while True:
            try:
                yield from self._answered(question, kept, tuple(lacking), len(hits[:MOST_PASSAGES]) - len(kept))
                return
            except ContextTooLong:
                if len(kept) < 2:
                    raise self._failed(ModelError("context", _TOO_SHORT.format(self.settings.llm_model))) from None
                kept = kept[: len(kept) // 2]

    def standalone(self, question: str, turns: Sequence[Turn], offline: str = "") -> Standalone:
        """The question readable without the conversation, by one short call; `offline` when what comes back is not.

        Raises:
            ModelError: the model failed.
        """
        inputs = {"turns": prompts.turns(turns), "question": prompts.question(question)}
        settings = self.settings.model_copy(update={"llm_max_tokens": _SHORT})
        try:
            *_, reply = self._replies(settings, _prompt(prompts.REWRITE, prompts.CONVERSATION), inputs)
        except ContextTooLong:
            return Standalone(offline or question)
        rewritten = rewriting.tidy(reply.text)
        if not rewriting.acceptable(rewritten, question, turns, self.vocabulary, offline):
            rewritten = offline or question
        return Standalone(rewritten, dict(reply.usage))

    def _answered(self, question: str, hits: Sequence[Hit], lacking: tuple[str, ...], dropped: int) -> Iterator[Draft]:
        evidence = tuple(Evidence(hit.passage) for hit in hits)
        inputs = {
            "passages": prompts.passages(hits),
            "question": prompts.question(question),
            "lacking": prompts.lacking(lacking),
        }
        notice = _DROPPED.format(dropped) if dropped else ""
        draft = Draft("", evidence, missing=lacking, notice=notice, by_model=True, growing=True)
        reply = endpoint.Reply()
        try:
            for reply in self._replies(self.settings, _prompt(prompts.RULES, prompts.QUESTION), inputs):
                text = replies.read(reply.text, question, growing=True).text
                if text != draft.text:
                    draft = replace(draft, text=text)
                    yield draft
        except ModelError as error:
            if not draft.text.strip():
                raise
            notice = f"{notice} The model's answer broke off: {error}".strip()
        yield self._complete(question, reply, replace(draft, notice=notice))

    def _complete(self, question: str, reply: endpoint.Reply, draft: Draft) -> Draft:
        """The last draft: a refusal in the product's words, or the whole text with what should be known about it."""
        read = replies.read(reply.text, f"{question} {self._named(question)}")
        notice = draft.notice
        missing = read.missing if read.declined else tuple(dict.fromkeys((*read.missing, *draft.missing)))
        if reply.reason == "length":
            notice = f"{notice} {_CUT.format(self.settings.llm_max_tokens)}".strip()
        text = replies.refused(read.missing) if read.declined else read.text.rstrip()
        if reply.reason != "stop" and not read.declined:
            text = _whole_words(text)
        if not read.declined:
            text = replies.with_missing(text, missing)
        return replace(
            draft,
            text=text,
            declined=read.declined,
            missing=missing,
            notice=notice,
            growing=False,
            usage=dict(reply.usage),
        )

    def _named(self, question: str) -> str:
        """What the question names, in the guides' words: the model may call Britain the UK, or the other way round."""
        slots = self.vocabulary.slots(question)
        return " ".join((*slots.roles, *slots.levels, *slots.regions))

    def _replies(
        self, settings: Settings, prompt: ChatPromptTemplate, inputs: dict[str, str]
    ) -> Iterator[endpoint.Reply]:
        """The growing reply; options that the endpoint does not know are left out and it is asked again."""
        self.breaker.check()
        while True:
            try:
                yield from self._once(settings, prompt, inputs)
                self.breaker.worked()
                return
            except Rejected as rejected:
                option = str(rejected)
                if option in self._dropped:
                    raise self._failed(ModelError("rejected", _OPTION.format(option))) from None
                self._dropped |= {option}
            except ModelError as error:
                raise self._failed(error) from None

    def _once(self, settings: Settings, prompt: ChatPromptTemplate, inputs: dict[str, str]) -> Iterator[endpoint.Reply]:
        reply = endpoint.Reply()
        try:
            runnable = self._chain(settings, prompt)
            for reply in endpoint.stream(runnable, inputs, settings.llm_max_tokens):
                yield reply
        except GeneratorExit:
            raise
        except Exception as error:  # noqa: BLE001 (whatever a vendor raises is said in our words)
            # The cause is left out on purpose: vendor errors carry requests and replies.
            raise _broken(explained(error, settings), reply) from None
        if not reply.text.strip():
            raise ModelError("empty", "The model sent an empty answer.")
        if not reply.reason:
            raise ModelError("broken", _BROKEN)

    def _chain(self, settings: Settings, prompt: ChatPromptTemplate) -> Runnable[Any, Any]:
        """Kept from one question to the next, with its open connections."""
        key = (str(prompt), self._dropped)
        if key not in self._chains:
            self._chains[key] = endpoint.chain(settings, prompt, self._dropped)
        return self._chains[key]

    def _failed(self, error: ModelError) -> ModelError:
        if error.kind != "resting":
            self.breaker.failed(error.kind)
        return error


def _broken(error: Exception, reply: endpoint.Reply) -> Exception:
    """A connection that ends after words have come was not out of reach."""
    lost = isinstance(error, ModelError) and error.kind == "unreachable" and bool(reply.text)
    return ModelError("broken", _BROKEN) if lost else error


def _whole_words(text: str) -> str:
    """A text that was cut off, without the half of a word at its end."""
    head = text.rstrip()
    return f"{head[: max(head.rfind(' '), head.rfind(chr(10)), 0)].rstrip()} …" if head else ""


_BROKEN = "The connection ended in the middle of the answer."
_DROPPED = "The {} lowest passages were left out: they did not fit the model's context."
_TOO_SHORT = "Not even one passage fits the context of {!r}. Use a model with a longer one."
_CUT = "The model's answer was cut at {} tokens (ADVISOR_LLM_MAX_TOKENS)."
_OPTION = "The model endpoint does not accept the option {}."


def _prompt(rules: str, material: str) -> ChatPromptTemplate:
    return ChatPromptTemplate.from_messages([("system", rules), ("human", material)])
