"""The errors this package raises on purpose; each says what happened, with what value, and what to do next.

AdvisorError
├── SettingsError        a setting has a value that cannot be used
├── CorpusError          a guide cannot be read (names file and line)
│   └── VocabularyError  the vocabulary file is malformed (names file and line)
├── IndexUnusable        the index is absent, foreign, damaged, or made by another embedder
│   ├── IndexAway        the Chroma server that holds the index cannot be asked
│   └── IndexBusy        another process is writing the same index
├── EmbedderError        the embedding model cannot be loaded
│   └── EmbedderAway     the endpoint that embeds cannot be asked, or sends something else than vectors
└── ModelError           the language model failed (kind says how)
"""


class AdvisorError(Exception):
    """Anything that this package says went wrong."""


class SettingsError(AdvisorError):
    """A setting has a value that cannot be used."""


class CorpusError(AdvisorError):
    """A guide cannot be read; `problems` holds one line each, with file and line."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class VocabularyError(CorpusError):
    """The vocabulary file is malformed."""


class IndexUnusable(AdvisorError):
    """The index is absent, foreign, damaged, or made by another embedder."""


class IndexAway(IndexUnusable):
    """The Chroma server that holds the index cannot be asked."""


class IndexBusy(IndexUnusable):
    """Another process is writing the same index."""


class EmbedderError(AdvisorError):
    """The embedding model cannot be loaded."""


class EmbedderAway(EmbedderError):
    """The endpoint that embeds cannot be asked, or sends something else than vectors."""


class ModelError(AdvisorError):
    """The language model failed; `kind` is a short stable name of how (timeout, refused, authentication ...)."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)
