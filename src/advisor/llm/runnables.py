"""The advisor for those who compose LangChain chains: a runnable and a retriever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda, RunnablePassthrough
from langchain_core.runnables.config import set_config_context

from advisor.types import Answer, Hit, Turn


class Answering(Protocol):
    """What of an advisor is needed here."""

    def standalone(self, question: str, turns: Sequence[Turn] = ()) -> str:
        """The question, readable without the conversation."""
        ...

    def search(self, question: str, limit: int = 10) -> tuple[Hit, ...]:
        """The passages nearest to a standalone question."""
        ...

    def stream(self, question: str, turns: Sequence[Turn] = ()) -> Iterator[Answer]:
        """The answer as it grows."""
        ...


class GuideRetriever(BaseRetriever):
    """Passages of the guides as LangChain documents, best first."""

    advisor: Any
    limit: int = 10

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [document(hit) for hit in self.advisor.search(query, self.limit)]


def document(hit: Hit) -> Document:
    """A hit as a document; the metadata say where the passage stands and how near it is."""
    passage = hit.passage
    place = {"source": passage.source, "headings": list(passage.headings), "as_of": passage.as_of, "score": hit.score}
    lines = {"first_line": passage.first_line, "last_line": passage.last_line}
    return Document(page_content=passage.text, id=passage.id, metadata=place | lines)


def as_runnable(advisor: Answering) -> Runnable[Any, Answer]:
    """Question → standalone question → documents → answer, as one chain.

    In goes a question, or a mapping with `question` and `turns` (Turn values or (question, answer) pairs); out comes an
    `Answer`, which grows when the chain is streamed.
    """

    def standalone(given: dict[str, Any]) -> str:
        return advisor.standalone(given["question"], given["turns"])

    def answer(given: dict[str, Any], config: RunnableConfig) -> Iterator[Answer]:
        # The question stands alone by now, so the turns have nothing to add to it.
        answers = advisor.stream(given["standalone"])
        with set_config_context(config) as context:
            while (grown := context.run(next, answers, None)) is not None:
                yield grown

    chain: Runnable[Any, Any] = (
        RunnableLambda(_given)
        | RunnablePassthrough.assign(standalone=RunnableLambda(standalone))
        | RunnablePassthrough.assign(documents=itemgetter("standalone") | GuideRetriever(advisor=advisor))
        | RunnableLambda(answer)
    )
    return chain


def _given(asked: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(asked, str):
        return {"question": asked, "turns": ()}
    turns = tuple(turn if isinstance(turn, Turn) else Turn(*turn) for turn in asked.get("turns", ()))
    return {"question": asked["question"], "turns": turns}
