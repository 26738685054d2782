"""Files of simulated responses for the tests of the calibration commands."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.arrays import Floats
from engine.models import log_probability
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED
from itembank.responses import ResponseTable, write_responses


def answers(parameters: ItemParameters, ability: Floats, seed: int) -> np.ndarray:
    """Model-true responses (N, I) of learners whose abilities are (N,) or (N, I)."""
    rng = np.random.default_rng(seed)
    theta = ability[:, None] if ability.ndim == 1 else ability
    given = np.empty((theta.shape[0], len(parameters)), dtype=np.int8)
    for item in range(len(parameters)):
        p = np.exp(log_probability(parameters.take([item]), theta[:, item % theta.shape[1]]))[0]
        given[:, item] = (rng.random(theta.shape[0]) > np.cumsum(p, axis=0)[:-1]).sum(axis=0)
    return given


def write(path: Path, ids: Sequence[str], given: np.ndarray, shown: np.ndarray | None = None) -> Path:
    """Write responses as CSV; what is not ``shown`` was not presented."""
    cells = given if shown is None else np.where(shown, given, NOT_REACHED).astype(np.int8)
    write_responses(ResponseTable(tuple(f"l{n}" for n in range(given.shape[0])), tuple(ids), cells), path)
    return path
