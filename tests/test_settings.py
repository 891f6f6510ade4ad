"""Settings: read in one place, wrong values named, secrets never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from advisor import Settings
from advisor.errors import SettingsError

SECRET = "sk-this-must-not-be-seen"


def test_defaults_need_no_environment() -> None:
    """Without any variable the guides of the checkout are answered from, offline, on loopback."""
    settings = Settings.read()
    assert settings.corpus.is_dir()
    assert settings.index.name == ".advisor"
    assert (settings.llm_model, settings.host, settings.port) == ("", "127.0.0.1", 7860)
    assert settings.auth is None
    assert settings.openai_api_key is None


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable arrives; the usual names of the endpoint's key and address are used."""
    monkeypatch.setenv("ADVISOR_CORPUS", "/guides")
    monkeypatch.setenv("ADVISOR_PORT", "0")
    monkeypatch.setenv("ADVISOR_AUTH", "me:pass:word")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1/")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    settings = Settings.read()
    assert (settings.corpus, settings.port) == (Path("/guides"), 0)
    assert settings.openai_base_url == "http://127.0.0.1:1/v1"
    assert settings.auth == SecretStr("me:pass:word")
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == SECRET


def test_given_values_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program passes goes before what its environment says."""
    monkeypatch.setenv("ADVISOR_PORT", "1")
    assert Settings.read(port=2).port == 2


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ADVISOR_PORT=` means the default, as people expect of a shell."""
    monkeypatch.setenv("ADVISOR_PORT", "")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert Settings.read().port == 7860


def test_a_key_alone_sends_nothing_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that merely lies in the environment does not turn a model on."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert Settings.read().llm_model == ""


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ADVISOR_PORT", "http", "ADVISOR_PORT=http: "),
        ("ADVISOR_PORT", "70000", "ADVISOR_PORT=70000: "),
        ("ADVISOR_PORT", "-1", "ADVISOR_PORT=-1: "),
        (
            "ADVISOR_CHROMA_URL",
            "localhost:8000",
            "ADVISOR_CHROMA_URL=localhost:8000: must start with http:// or https://",
        ),
        ("OPENAI_BASE_URL", "api", "OPENAI_BASE_URL=api: must start with"),
        ("ADVISOR_LLM_TIMEOUT", "0", "ADVISOR_LLM_TIMEOUT=0: "),
        ("ADVISOR_LLM_TIMEOUT", "soon", "ADVISOR_LLM_TIMEOUT=soon: "),
        ("ADVISOR_LLM_RETRIES", "99", "ADVISOR_LLM_RETRIES=99: "),
        ("ADVISOR_OPEN", "perhaps", "ADVISOR_OPEN=perhaps: "),
    ],
)
def test_a_wrong_value_names_variable_and_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    """Whoever mistyped it sees which variable, and what stands in it."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as raised:
        Settings.read()
    assert str(raised.value).startswith(said)


def test_every_wrong_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two mistakes are two lines."""
    monkeypatch.setenv("ADVISOR_PORT", "x")
    monkeypatch.setenv("ADVISOR_LLM_RETRIES", "y")
    with pytest.raises(SettingsError) as raised:
        Settings.read()
    assert len(str(raised.value).splitlines()) == 2


@pytest.mark.parametrize("value", [SECRET, f":{SECRET}", f"{SECRET}:"])
def test_a_wrong_password_is_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The error for a malformed pair names the variable and keeps its value to itself."""
    monkeypatch.setenv("ADVISOR_AUTH", value)
    with pytest.raises(SettingsError) as raised:
        Settings.read()
    assert str(raised.value) == "ADVISOR_AUTH: must be user:password"


def test_an_address_with_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user name and password inside a mistyped address stay out of the error."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"me:{SECRET}@host/v1")
    with pytest.raises(SettingsError) as raised:
        Settings.read()
    assert SECRET not in str(raised.value)


def test_secrets_are_not_shown_when_settings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing the settings, or turning them into text, hides key and password."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("ADVISOR_AUTH", f"me:{SECRET}")
    settings = Settings.read()
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


def test_feedback_can_be_kept_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """`off` keeps no thumbs; unset, they lie beside the index."""
    assert Settings.read().feedback is not None
    monkeypatch.setenv("ADVISOR_FEEDBACK", "OFF")
    assert Settings.read().feedback is None
