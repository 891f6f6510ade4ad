"""Vectors from an OpenAI-compatible endpoint (TEI, vLLM, Ollama …): used only with ADVISOR_EMBEDDING_URL.

What is sent: at ingest the text of the guides, later each question; the key, where one is set; nothing else, and
nothing to anybody else. What comes back is checked before it is believed.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.embed.naming import PACKAGED, identity, weights
from advisor.errors import EmbedderAway

if TYPE_CHECKING:
    from openai import OpenAI

    from advisor.settings import Settings

_PATIENCE = 30.0
"""Seconds for one request of at most `batch` texts."""
_RETRIES = {"guides": 4, "questions": 1}
"""An ingest can wait for an endpoint that is busy or starting; somebody who asks cannot."""
_SHORT = 1_000
"""Characters that every embedding model takes; a text that is refused as it is is cut to them."""


_PROBE = "Whoever reads this twice should come to the same result."
_PART, _ALIKE, _COMPARE = 32, 0.95, 60.0
"""Numbers of a vector that are compared, their least cosine, and seconds until they are compared again."""


def alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two probes come from the same weights; other hardware or precision changes them by far less."""
    if len(one) != len(other):
        return False
    first, second = np.asarray(one), np.asarray(other)
    return float(first @ second) >= _ALIKE * float(np.linalg.norm(first) * np.linalg.norm(second))


class Endpoint:
    """A model behind an OpenAI-compatible endpoint; `dimensions` is 0 until it has answered, unless given."""

    batch = 32
    """Texts in one request; TEI takes no more unless told to."""
    lanes = 4
    """Requests at once while the guides are embedded; endpoints make one run of the model of them."""

    def __init__(self, settings: Settings, dimensions: int = 0, expected: tuple[float, ...] = ()) -> None:
        self.settings = settings
        self.name = identity(settings)
        self.dimensions = dimensions
        self._asked_for = bool(dimensions)
        self._expected = expected
        self._compared = 0.0
        self._where = f"ADVISOR_EMBEDDING_URL={settings.embedding_url}"

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of shape (len(texts), dimensions), float32.

        Raises:
            EmbedderAway: the endpoint does not answer, refuses, or answers with something that are no such vectors.
        """
        if self._expected and time.monotonic() > self._compared + _COMPARE:
            self._compare()
        parts = [self._vectors(texts[start : start + self.batch]) for start in range(0, len(texts), self.batch)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), dtype=np.float32)

    def made_of_probe(self) -> tuple[float, ...]:
        """The first numbers of what the endpoint makes of a known text."""
        return tuple(round(float(number), 5) for number in self._vectors([_PROBE])[0][:_PART])

    def _compare(self) -> None:
        """Make sure that the model is still the one that made the index."""
        if not alike(self.made_of_probe(), self._expected):
            raise EmbedderAway(
                f"{self._where}: another model than the one that made the index now answers to the name "
                f"{self.settings.embedding_model}. Run `python ingest.py --again`."
            )
        self._compared = time.monotonic()

    @cached_property
    def tokenizer(self) -> Any:
        """The packaged model's tokenizer: which words are common is a matter of English, not of the endpoint."""
        from pathlib import Path

        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(Path(weights(next(iter(PACKAGED)))) / "tokenizer.json"))

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        for name in ("openai", "httpx2", "httpcore2"):  # their debug logs would hold what was asked
            logging.getLogger(name).setLevel(max(logging.getLogger(name).level, logging.WARNING))
        key = self.settings.embedding_key
        return OpenAI(
            api_key=key.get_secret_value() if key else "none",
            base_url=self.settings.embedding_url,
            organization="",  # else taken from the environment, and sent to whoever the endpoint is
            project="",
            timeout=_PATIENCE,
            max_retries=_RETRIES["questions" if self._asked_for else "guides"],
        )

    def _vectors(self, texts: Sequence[str]) -> np.ndarray:
        """One request; where it is refused each text is asked for alone, and cut where it is long."""
        import openai

        try:
            reply = self._client.embeddings.create(
                model=self.settings.embedding_model, input=[text or " " for text in texts], encoding_format="float"
            )
            return self._checked([item.embedding for item in sorted(reply.data, key=lambda item: item.index)], texts)
        except openai.APIStatusError as error:
            if error.status_code in (400, 413, 422) and (len(texts) > 1 or len(texts[0]) > _SHORT):
                return np.concatenate([self._vectors([text[:_SHORT] if len(texts) == 1 else text]) for text in texts])
            raise EmbedderAway(self._refused(error.status_code)) from error
        except openai.APIConnectionError as error:
            raise EmbedderAway(self._unreached(error)) from error
        except (openai.OpenAIError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise EmbedderAway(f"{self._where}: what came back holds no vectors. {_MEND}") from error

    def _checked(self, vectors: list[list[float]], texts: Sequence[str]) -> np.ndarray:
        """The vectors at length one, when they are what was asked for."""
        if len(vectors) != len(texts):
            raise EmbedderAway(f"{self._where}: {len(vectors)} vectors came back for {len(texts)} texts. {_MEND}")
        matrix = np.asarray(vectors, dtype=np.float32)
        if matrix.ndim != 2 or not matrix.size:
            raise EmbedderAway(f"{self._where}: vectors of different or no length came back. {_MEND}")
        if self.dimensions and matrix.shape[1] != self.dimensions:
            raise EmbedderAway(
                f"{self._where}: vectors have {matrix.shape[1]} numbers, those of the index {self.dimensions}. The "
                f"endpoint serves another {self.settings.embedding_model} now: run `python ingest.py --again`."
            )
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EmbedderAway(f"{self._where}: a vector holds something that is no number, or only zeros. {_MEND}")
        self.dimensions = matrix.shape[1]
        return np.asarray(matrix / lengths, dtype=np.float32)

    def _refused(self, status: int) -> str:
        model = self.settings.embedding_model
        said = {
            401: "the key is refused (401). Set ADVISOR_EMBEDDING_KEY to a valid one.",
            403: "the key may not do this (403). Check what ADVISOR_EMBEDDING_KEY is allowed.",
            404: f"the model {model!r} is not known there (404). Check ADVISOR_EMBEDDING_MODEL, and that the address "
            "ends as the endpoint's own manual says, mostly in /v1.",
            429: "the endpoint is busy or out of quota (429). Try again later.",
        }
        other = f"the endpoint has a fault of its own ({status}). Try again later."
        rejected = f"the request is not accepted ({status}). Check that {model!r} is an embedding model."
        return f"{self._where}: {said.get(status) or (other if status >= 500 else rejected)}"

    def _unreached(self, error: BaseException) -> str:
        causes = list(_causes(error))
        if any(isinstance(cause, ssl.SSLError) or "CERTIFICATE" in str(cause) for cause in causes):
            return f"{self._where}: its certificate is not trusted. Name its authority's file in SSL_CERT_FILE."
        if any("timed out" in str(cause).lower() for cause in causes):
            return f"{self._where}: no answer within {_PATIENCE:g} s. Try again later."
        return f"{self._where}: the embedding endpoint cannot be reached. Start it, or correct the address."


_MEND = "Check that the address is that of an OpenAI-compatible embeddings endpoint."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
