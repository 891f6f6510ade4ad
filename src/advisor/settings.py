"""The only reader of the environment. Every setting is listed in the README, in this order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from advisor.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds corpus/ when the package runs from a checkout."""


def _home(name: str) -> Path:
    return CHECKOUT / name if (CHECKOUT / "corpus").is_dir() else Path.cwd() / name


class Settings(BaseSettings):
    """How this advisor is set up. `Settings.read()` is the way in: it turns a wrong value into a readable error."""

    model_config = SettingsConfigDict(env_prefix="ADVISOR_", frozen=True, extra="ignore", env_ignore_empty=True)

    corpus: Path = Field(default_factory=lambda: _home("corpus"), description="Folder of guides")
    index: Path = Field(default_factory=lambda: _home(".advisor"), description="Folder of the index")
    embedding_model: str = Field("all-MiniLM-L6-v2", description="Embedding model, by name or path")
    embedding_url: str = Field("", description="OpenAI-compatible endpoint that embeds instead of this machine")
    embedding_key: SecretStr | None = Field(None, description="Key of that endpoint")
    chroma_url: str = Field("", description="Chroma server to use instead of the folder, http(s)://host:port")
    chroma_token: SecretStr | None = Field(None, description="Token for that server or the proxy before it")
    chroma_ca: Path | None = Field(None, description="File with the certificate authority of that server")
    chroma_timeout: float = Field(20, gt=0, description="Seconds to wait for that server")
    chroma_lease: float = Field(30, gt=0, description="Seconds of silence after which another ingest takes over there")
    llm_model: str = Field("", description="Language model; unset, answers are composed from the guides alone")
    llm_timeout: float = Field(60, gt=0, description="Seconds to wait for the next piece of the model's answer")
    llm_retries: int = Field(2, ge=0, le=10, description="How often a request that failed is sent again")
    llm_temperature: float = Field(0, ge=0, le=2, description="Sampling temperature")
    llm_max_tokens: int = Field(700, ge=16, description="Longest answer of the model, in tokens")
    host: str = Field("127.0.0.1", description="Address the page listens on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(7860, description="Port of the page; 0 takes a free one")
    auth: SecretStr | None = Field(None, description="user:password for the page")
    open: bool = Field(False, description="Listen on other addresses than loopback without a password")
    root_path: str = Field("", description="Sub-path when a reverse proxy serves the page below one")
    feedback: Path | None = Field(
        default_factory=lambda: _home(".advisor") / "feedback.jsonl",
        description="File for thumbs up and down; `off` keeps none",
    )
    queue: int = Field(64, ge=1, le=10_000, description="Questions that may wait; beyond, visitors are asked to retry")
    log_questions: bool = Field(False, description="Write what visitors type into the log")
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY", description="Key of the endpoint")
    openai_base_url: str = Field("", validation_alias="OPENAI_BASE_URL", description="Endpoint; unset, OpenAI's")

    @field_validator("chroma_url", "embedding_url", "openai_base_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("chroma_url", "embedding_url")
    @classmethod
    def _no_secret_in_url(cls, value: str) -> str:
        if "@" in value.partition("://")[2].partition("/")[0]:
            raise ValueError("must not hold a user or password; there is a setting for the token or key")
        return value

    @field_validator("chroma_ca")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @field_validator("auth")
    @classmethod
    def _pair(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            user, colon, password = value.get_secret_value().partition(":")
            if not (user and colon and password):
                raise ValueError("must be user:password")
        return value

    @field_validator("feedback", mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        return None if isinstance(value, str) and value.lower() == "off" else value

    @classmethod
    def read(cls, **given: Any) -> Settings:
        """Settings from the environment; `given` wins over it.

        Raises:
            SettingsError: names each variable with a value that cannot be used, and the value (never a secret).
        """
        try:
            return cls(**given)
        except ValidationError as error:
            lines = []
            for problem in error.errors():
                name = str(problem["loc"][0])
                variable = name if name.startswith("OPENAI") else f"ADVISOR_{name.upper()}"
                secret = any(word in name.lower() for word in ("auth", "key", "token"))
                shown = "" if secret else "=" + re.sub(r"[^/]*@", "…@", str(problem["input"]))
                lines.append(f"{variable}{shown}: {problem['msg'].removeprefix('Value error, ')}")
            raise SettingsError("\n".join(lines)) from None
