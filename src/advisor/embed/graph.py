"""The exported graph of a model on ONNX Runtime: the reference's vectors without its imports."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.embed.reference import Reference

if TYPE_CHECKING:
    from advisor.settings import Settings

GRAPH, TOKENIZER, ABOUT = "model.onnx", "tokenizer.json", "about.json"
CLOSE_ENOUGH = 0.9999
"""Least cosine between the graph's vector and the reference's for the graph to be used."""
_BATCH = 16
_MOST_OPTIMISED = 1_000_000_000
"""Bytes of a graph that is optimised once, when it is exported; one file of this format cannot hold two gigabytes."""
_LONGEST = 512
"""Tokens of a text that count when a model does not say how many it takes."""


class Graph:
    """The exported graph on ONNX Runtime: the reference's vectors without its imports.

    One run takes one thread, so that a busy machine delays no question for long; runs may go side by side.
    """

    lanes = os.cpu_count() or 1
    """How many runs side by side an ingest gains by."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        self.name: str = about["name"]
        self.dimensions: int = about["dimensions"]
        self.inputs: list[str] = about["inputs"]
        self.tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self.tokenizer.enable_truncation(max_length=about["longest"])
        self.tokenizer.enable_padding(pad_id=about["pad_id"], pad_token=about["pad_token"])
        self.session = _session(folder / GRAPH, optimised=about.get("optimised", False))

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


def _session(path: Path, optimised: bool = False, to: Path | None = None) -> Any:
    """A graph ready to run; one that was optimised before is taken as it is, and `to` keeps what this makes of it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_DISABLE_ALL if optimised else level.ORT_ENABLE_EXTENDED
    if to:
        options.optimized_model_filepath = str(to)
    return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])


def folder(settings: Settings, model: str) -> Path:
    """Where a model's graph lies; on this machine also when the index is on a server."""
    return settings.index / "graphs" / "".join(c if c.isalnum() or c in "-._@" else "-" for c in model)


def export(reference: Reference, folder: Path, probes: Sequence[str]) -> bool:
    """Write a model's graph and tokenizer into a folder, and say whether its vectors equal the reference's.

    A model whose modules cannot be traced, or whose graph disagrees on the probes, leaves no graph behind; it is used
    through sentence-transformers then. The folder appears only when all is written.
    """
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")  # two processes may be at it
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
    small = sum(path.stat().st_size for path in folder.iterdir()) < _MOST_OPTIMISED
    if small:  # fusing its nodes takes longer than reading it
        _session(folder / GRAPH, to=folder / "optimised.onnx")
        (folder / "optimised.onnx").replace(folder / GRAPH)
    fast.save(str(folder / TOKENIZER))
    about = {
        "name": reference.name,
        "dimensions": reference.dimensions,
        "inputs": names,
        "longest": int(model.max_seq_length or _LONGEST),
        "pad_id": int(tokenizer.pad_token_id or 0),
        "pad_token": str(tokenizer.pad_token),
        "optimised": small,
    }
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def has_graph(folder: Path) -> bool:
    """Whether a usable graph lies in a folder."""
    return all((folder / name).is_file() for name in (GRAPH, TOKENIZER, ABOUT))
