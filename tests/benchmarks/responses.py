"""Responses made for benchmarks: always the same for the same size and seed."""

import numpy as np

from engine.arrays import Floats
from engine.responses import NOT_REACHED


def complete(learners: int, items: int, seed: int = 1) -> np.ndarray:
    """Responses of 2PL items, a ~ lognormal(0, 0.3) and b ~ N(0, 1), by N(0, 1) abilities, (N, I) int8."""
    rng = np.random.default_rng(seed)
    slopes, places = _items(rng, items)
    given = np.empty((learners, items), dtype=np.int8)
    for start in range(0, learners, 10_000):
        stop = min(start + 10_000, learners)
        theta = rng.normal(size=(stop - start, 1))
        given[start:stop] = rng.random((stop - start, items)) < 1.0 / (1.0 + np.exp(-slopes * (theta - places)))
    return given


def sparse(learners: int, items: int, answers: int, seed: int = 1) -> np.ndarray:
    """Build the same with so many answers of each learner, to items drawn at random."""
    rng = np.random.default_rng(seed)
    slopes, places = _items(rng, items)
    given = np.full((learners, items), NOT_REACHED, dtype=np.int8)
    for start in range(0, learners, 10_000):
        stop = min(start + 10_000, learners)
        theta = rng.normal(size=(stop - start, 1))
        asked = np.argsort(rng.random((stop - start, items)), axis=1)[:, :answers]
        right = rng.random(asked.shape) < 1.0 / (1.0 + np.exp(-slopes[asked] * (theta - places[asked])))
        given[np.arange(start, stop)[:, None], asked] = right
    return given


def _items(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    return np.exp(rng.normal(0.0, 0.3, count)), rng.normal(size=count)
