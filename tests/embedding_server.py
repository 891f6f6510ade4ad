"""An OpenAI-compatible embeddings endpoint on loopback: the real graph behind real HTTP, and every fault on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from advisor import embed

KEY = "sk-only-for-this-test-4711"
MODEL = "minilm"
LONGEST = 1_500
"""Characters of a text that are taken; a longer one is refused as real endpoints refuse what exceeds their context."""


class Serving(ThreadingHTTPServer):
    """The endpoint with what it was asked; `fault` says how it fails from now on."""

    daemon_threads = True

    def __init__(self, graph: embed.Graph) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.graph = graph
        self.fault = ""
        self.texts: list[str] = []
        self.requests: list[int] = []
        """How many texts each request held."""
        self.headers: list[dict[str, str]] = []
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        """What stands in ADVISOR_EMBEDDING_URL."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, body: dict[str, Any], key: str) -> tuple[int, Any]:
        """Status and content for a request."""
        texts = body["input"]
        if self.fault == "busy once":
            self.fault = ""
            return 429, {"error": {"message": "slow down"}}
        statuses = {"busy": 429, "forbidden": 403, "broken": 500, "odd": 418}
        if self.fault in statuses:
            return statuses[self.fault], {"error": {"message": f"no, {KEY}"}}
        if key != f"Bearer {KEY}":
            return 401, {"error": {"message": f"wrong key {key}"}}
        if body["model"] != MODEL:
            return 404, {"error": {"message": f"no model {body['model']}"}}
        if any(len(text) > LONGEST or not text for text in texts):
            return 400, {"error": {"message": "the input exceeds the context"}}
        vectors = [[3 * float(x) for x in row] for row in self.graph.embed(texts)]  # not of length one
        made = self._spoilt(vectors)
        if isinstance(made, str):
            return 200, made
        data = [{"object": "embedding", "index": n, "embedding": v} for n, v in enumerate(made)]
        return 200, {"object": "list", "model": MODEL, "data": data[::-1], "usage": {}}

    def _spoilt(self, vectors: list[list[float]]) -> list[Any] | str:
        first = vectors[0]
        wrong: dict[str, list[Any] | str] = {
            "one too few": vectors[1:],
            "not a number": [[float("nan"), *first[1:]], *vectors[1:]],
            "zeros": [[0.0] * len(first), *vectors[1:]],
            "ragged": [first[1:], *vectors[1:], first][: len(vectors) + 1],
            "shorter": [vector[:100] for vector in vectors],
            "another model": [vector[::-1] for vector in vectors],
            "words": [["a", "b"], *vectors[1:]],
            "a page": "<html>Welcome to nginx</html>",
            "half": '{"object": "list", "data": [',
        }
        return wrong.get(self.fault, vectors)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Serving

    def do_POST(self) -> None:
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.texts += body["input"]
            self.server.requests.append(len(body["input"]))
            self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, content = self.server.answer(body, self.headers.get("Authorization", ""))
        sent = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(graph: embed.Graph) -> Iterator[Serving]:
    """The endpoint for as long as the block."""
    with Serving(graph) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
