"""Answering through any OpenAI-compatible endpoint; LangChain over `openai`, which nothing else imports.

answering   `ModelAnswerer`: drafts from a model, and standalone questions
prompts     what is sent
endpoint    one request, bounded in time and length
replies     what a reply means, and what of it is never shown
rewriting   whether a rewritten question may be searched
faults      failures in words, and the breaker
runnables   `as_runnable`, `GuideRetriever` for LangChain users
"""

from advisor.llm.answering import ModelAnswerer
from advisor.llm.faults import Breaker
from advisor.llm.runnables import GuideRetriever, as_runnable

__all__ = ["Breaker", "GuideRetriever", "ModelAnswerer", "as_runnable"]
