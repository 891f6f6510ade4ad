"""The way to a Chroma server: address, token, certificate and patience; and what its failures mean, in words.

Chroma's client waits for ever and tells failures by many types, so the patience is set here and the meaning of a
failure is read from what caused it.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from advisor.errors import IndexAway, IndexUnusable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

    from advisor.settings import Settings

_REFUSED = (401, 403)


def client(settings: Settings) -> ClientAPI:
    """The connection that these settings name; a process has one for each server.

    Raises:
        IndexAway: the server does not answer, refuses the token, or has a certificate that is not trusted.
    """
    token = settings.chroma_token.get_secret_value() if settings.chroma_token else ""
    authority = str(settings.chroma_ca) if settings.chroma_ca else ""
    try:
        return _connected(settings.chroma_url, token, authority, settings.chroma_timeout)
    except Exception as error:
        raise meaning(error, settings) from error


@lru_cache(maxsize=8)
def _connected(url: str, token: str, authority: str, patience: float) -> ClientAPI:
    import chromadb
    import httpx
    from chromadb.config import Settings as Options

    headers = {"Authorization": f"Bearer {token}", "X-Chroma-Token": token} if token else {}
    options = Options(anonymized_telemetry=False, chroma_server_ssl_verify=authority or None)
    # Chroma's constructor asks without a time limit: a server that accepts and stays silent is found out before.
    trusted = ssl.create_default_context(cafile=authority) if authority else True
    httpx.get(f"{url}/api/v2/auth/identity", headers=headers, timeout=patience, verify=trusted).raise_for_status()
    with warnings.catch_warnings():  # Chroma hands the file's name on in a way that httpx no longer likes
        warnings.simplefilter("ignore", DeprecationWarning)
        made = chromadb.HttpClient(host=url, headers=headers, settings=options)
    made._server._session.timeout = patience  # type: ignore[attr-defined]  # there is no public way
    return made


def meaning(error: Exception, settings: Settings) -> IndexUnusable:
    """A failure of network or server as what it means; never holds the token."""
    from chromadb.errors import AuthorizationError, ChromaAuthError, NotFoundError

    if isinstance(error, IndexUnusable):
        return error
    said = f"ADVISOR_CHROMA_URL={settings.chroma_url}: the Chroma server"
    causes = list(_causes(error))
    statuses = {getattr(getattr(cause, "response", None), "status_code", 0) for cause in causes}
    if statuses & set(_REFUSED) or any(isinstance(c, ChromaAuthError | AuthorizationError) for c in causes):
        if settings.chroma_token:
            return IndexAway(f"{said} refuses the token. Set ADVISOR_CHROMA_TOKEN to a valid one.")
        return IndexAway(f"{said} asks for a token. Set ADVISOR_CHROMA_TOKEN.")
    if untrusted := next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None):
        mend = "Name the file of the authority that signed it in ADVISOR_CHROMA_CA."
        return IndexAway(f"{said} has a certificate that is not trusted ({untrusted.verify_message}). {mend}")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        mend = "Check https in ADVISOR_CHROMA_URL, and that ADVISOR_CHROMA_CA is a file of certificates."
        return IndexAway(f"{said} makes no secure connection. {mend}")
    if isinstance(error, NotFoundError):
        return IndexAway(f"{said} no longer holds this index. Run `python ingest.py`.")
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in causes):
        mend = "Look after it, or raise ADVISOR_CHROMA_TIMEOUT."
        return IndexAway(f"{said} does not answer within {settings.chroma_timeout:g} s. {mend}")
    mend = "Start it, or unset the variable to keep the index in a folder."
    return IndexAway(f"{said} does not answer as it should ({type(causes[-1]).__name__}). {mend}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
