"""A small map on a question's vector, learned from the ways of asking: from how people speak to how guides speak.

A model knows which texts are alike; it does not know that "what will they grill me on" is about an interview. The ways
of asking that stand beside the guides do. One square matrix A is learned from them so that q + qA, made a unit vector
again, lies nearest to the section that is asked for, among all sections and known gaps: softmax cross-entropy over the
index, no way being compared with itself. Linear adapters on a frozen model are described in Chroma's report "Embedding
Adapters" (Sanjeev and Troynikov, 2023). Guides without ways of asking go without.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FEWEST = 200
"""With fewer ways of asking than these there is too little to learn from."""
TEMPERATURE, RATE, DECAY, EPOCHS = 0.02, 1e-3, 1e-3, 5
AMONG = 1_500
"""How many vectors of other sections, drawn at random, each batch is compared with."""
_BATCH = 128
_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8
"""Adam's constants (Kingma and Ba, 2015)."""


def learn(vectors: np.ndarray, sections: Sequence[int], asked: Sequence[int]) -> np.ndarray | None:
    """The matrix A, float32 of shape (dimensions, dimensions), or None where there is too little to learn from.

    `vectors` are the index's, unit length, shape (units, dimensions); `sections` says for each which section it stands
    for, and `asked` gives the numbers of those that are ways of asking.
    """
    of = np.asarray(sections)
    often = np.bincount(of) if len(of) else of
    ways = np.array([number for number in asked if often[of[number]] > 1])
    if len(ways) < FEWEST:
        return None
    matrix: np.ndarray = np.zeros((vectors.shape[1],) * 2, dtype=np.float32)
    moving: np.ndarray = np.zeros_like(matrix)
    squares: np.ndarray = np.zeros_like(matrix)
    draw, step = np.random.default_rng(0), 0
    for _ in range(EPOCHS):
        order = draw.permutation(ways)
        for start in range(0, len(order), _BATCH):
            batch, step = order[start : start + _BATCH], step + 1
            same = np.flatnonzero(np.isin(of, of[batch]))
            among = np.union1d(same, draw.integers(0, len(of), AMONG))
            slope = _slope(vectors[among], of[among], np.searchsorted(among, batch), matrix)
            moving = _FIRST * moving + (1 - _FIRST) * slope
            squares = _SECOND * squares + (1 - _SECOND) * slope**2
            rate = RATE * (1 - _SECOND**step) ** 0.5 / (1 - _FIRST**step)
            matrix = (matrix - rate * moving / (np.sqrt(squares) + _TINY)).astype(np.float32)
    return matrix


def _slope(bank: np.ndarray, sections: np.ndarray, batch: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """How the mean cross-entropy of a batch of ways, given by their rows in the bank, changes with the matrix."""
    given = bank[batch]
    moved = given + given @ matrix
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    unit = moved / length
    scores = unit @ bank.T / TEMPERATURE
    scores[np.arange(len(batch)), batch] = -np.inf
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    right = np.where(sections == sections[batch][:, None], weights, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    weights -= right / np.maximum(right.sum(axis=1, keepdims=True), _TINY)
    outward = weights @ bank / (TEMPERATURE * len(batch))
    outward -= unit * (unit * outward).sum(axis=1, keepdims=True)
    slope: np.ndarray = given.T @ (outward / length) + 2 * DECAY * matrix
    return slope


def adapted(vectors: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Vectors of what people say as the index is searched with them: unit length, shape (..., dimensions)."""
    if matrix is None:
        return vectors
    moved = vectors + vectors @ matrix
    unit: np.ndarray = moved / np.linalg.norm(moved, axis=-1, keepdims=True)
    return unit
