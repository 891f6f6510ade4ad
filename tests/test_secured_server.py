"""A Chroma server behind TLS and a token: the right ones work, the wrong ones are named, and no token is ever shown."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from advisor import Advisor, Settings, index
from advisor.errors import IndexAway, IndexUnusable, SettingsError
from tests.chroma_server import chroma, free_port
from tests.conftest import Setup, run
from tests.doorkeeper import Door, doorkeeper, pem

pytestmark = pytest.mark.slow
REMOTE = "what does a senior ML engineer earn remotely?"
TOKEN = "only-for-this-test-4711"
WRONG = "an-older-token-0815"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no machine trusts by itself."""
    return trustme.CA()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Door]:
    """A real Chroma server behind TLS and a token."""
    port = free_port()
    with chroma(tmp_path_factory.mktemp("chroma"), port), doorkeeper(port, TOKEN, authority) as kept:
        yield kept


@pytest.fixture
def settings(setup: Setup, door: Door, authority: trustme.CA, tmp_path: Path) -> Settings:
    """Settings that name the server, the token and the authority."""
    return setup(chroma_url=door.address, chroma_token=TOKEN, chroma_ca=pem(authority, tmp_path))


def test_the_right_token_and_authority_work(settings: Settings, door: Door) -> None:
    """Ingest and question go through; the token travels in both headers that Chroma's clients know."""
    index.ingest(settings)
    assert "160–220K" in Advisor.open(settings).ask(REMOTE).text
    assert door.tokens == {TOKEN}
    done = run(
        settings,
        "-m",
        "advisor",
        "doctor",
        ADVISOR_CHROMA_URL=settings.chroma_url,
        ADVISOR_CHROMA_TOKEN=TOKEN,
        ADVISOR_CHROMA_CA=str(settings.chroma_ca),
        ADVISOR_PORT="0",
    )
    assert done.returncode == 0, done.stdout
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["wrong", "none"])
def test_a_wrong_token_is_named_and_not_shown(settings: Settings, name: str) -> None:
    """The error names the setting, and neither it nor what it came from holds the token."""
    given = {"ADVISOR_CHROMA_TOKEN": WRONG} if name == "wrong" else {}
    where = {"ADVISOR_CHROMA_URL": settings.chroma_url, "ADVISOR_CHROMA_CA": str(settings.chroma_ca)}
    done = run(settings, "-m", "advisor", "hello", **where, **given)
    assert done.returncode == 2
    mend = "refuses the token. Set ADVISOR_CHROMA_TOKEN to a valid one." if given else "asks for a token."
    assert done.stderr.startswith(f"ADVISOR_CHROMA_URL={settings.chroma_url}: the Chroma server {mend}")
    assert WRONG not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_that_is_withdrawn_later_is_told(settings: Settings, door: Door) -> None:
    """An open advisor whose token is no longer taken says so, and goes on when it is."""
    index.ingest(settings)
    opened = Advisor.open(settings)
    door.token = "another"
    try:
        with pytest.raises(IndexUnusable, match=r"refuses the token\. Set ADVISOR_CHROMA_TOKEN"):
            opened.ask(REMOTE)
    finally:
        door.token = TOKEN
    assert "160–220K" in opened.ask(REMOTE).text


def test_an_untrusted_certificate_is_told(settings: Settings) -> None:
    """Without the authority nothing is sent, and the error says where to name it."""
    with pytest.raises(IndexUnusable) as raised:
        Advisor.open(settings.model_copy(update={"chroma_ca": None}))
    assert "certificate that is not trusted (" in str(raised.value)
    assert "ADVISOR_CHROMA_CA" in str(raised.value)


def test_a_certificate_for_another_name_is_told(settings: Settings, door: Door, authority: trustme.CA) -> None:
    """A good signature does not help when the certificate is somebody else's."""
    with (
        doorkeeper(door.port, TOKEN, authority, name="chroma.example") as other,
        pytest.raises(IndexUnusable, match=r"certificate that is not trusted .*127.0.0.1"),
    ):
        index.Index.open(settings.model_copy(update={"chroma_url": other.address}))
    assert other.tokens == set()


def test_plain_words_to_a_tls_port_and_back(settings: Settings, door: Door, tmp_path: Path) -> None:
    """HTTP where TLS is spoken, TLS where HTTP is, a file that holds no certificate: each is a sentence."""
    plain = settings.model_copy(update={"chroma_url": door.address.replace("https", "http")})
    with pytest.raises(IndexAway, match="does not answer as it should"):
        index.Index.open(plain)
    tls = settings.model_copy(update={"chroma_url": f"https://127.0.0.1:{door.port}"})
    with pytest.raises(IndexAway, match="makes no secure connection"):
        index.Index.open(tls)
    (tmp_path / "no.pem").write_text("no certificate")
    with pytest.raises(IndexUnusable, match="ADVISOR_CHROMA_CA is a file of certificates"):
        index.Index.open(settings.model_copy(update={"chroma_ca": tmp_path / "no.pem"}))


def test_settings_keep_secrets_out_of_addresses(tmp_path: Path) -> None:
    """A password in the address is refused without being shown, and so is a certificate file that is not there."""
    with pytest.raises(SettingsError, match=r"ADVISOR_CHROMA_URL.*must not hold a user or password") as raised:
        Settings.read(chroma_url=f"https://me:{TOKEN}@127.0.0.1:8000")
    assert TOKEN not in str(raised.value)
    with pytest.raises(SettingsError, match=r"ADVISOR_CHROMA_CA=.*there is no such file"):
        Settings.read(chroma_ca=tmp_path / "nowhere.pem")
    assert TOKEN not in repr(Settings.read(chroma_token=TOKEN))


def test_a_server_that_accepts_and_stays_silent_is_told_in_time(settings: Settings) -> None:
    """A port that takes connections and never answers does not hold a question for ever."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        patient = settings.model_copy(update={"chroma_url": address, "chroma_ca": None, "chroma_timeout": 0.5})
        raised: list[BaseException] = []

        def ask() -> None:
            try:
                index.Index.open(patient)
            except IndexAway as error:
                raised.append(error)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(30)
    assert len(raised) == 1
    assert "does not answer within 0.5 s" in str(raised[0])


def test_a_server_that_falls_silent_later_is_told_in_time(settings: Settings, door: Door) -> None:
    """The patience also holds for a connection that was good before."""
    index.ingest(settings)
    opened = Advisor.open(settings.model_copy(update={"chroma_timeout": 0.5}))
    assert "160–220K" in opened.ask(REMOTE).text
    door.held = True
    try:
        with pytest.raises(IndexAway, match=r"does not answer within 0\.5 s"):
            opened.ask("do i need a phd for ai engineering?")
    finally:
        door.held = False
    assert "160–220K" in opened.ask(REMOTE).text
