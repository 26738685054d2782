"""What tests of fit share: answers made from a seed, the cases of mirt on LSAT7, and slow enumerations."""

import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from engine.arrays import Floats, Ints
from engine.grid import Grid
from engine.models import log_probability
from engine.parameters import ItemParameters, Model
from tests.reference import slow
from tests.reference.data import real_data
from tests.reference.golden import golden

GRID = Grid(-6.0, 6.0, 61)
MIRT = golden("mirt_lsat7_fit.json")


class Case(NamedTuple):
    """One model of mirt: its items, its population, what it found, and how near we must come."""

    bank: ItemParameters
    log_weights: Floats
    found: dict[str, Any]
    tolerance: float


def mirt_case(name: str) -> Case:
    found = next(case for case in MIRT["cases"] if case["model"] == name)
    three = name.startswith("3PL")
    model = "3PL" if three else "2PL" if name == "2PL" else "1PL"
    bank = ItemParameters.of(model, found["a"], found["b"], found["g"] if three else None)
    rasch = name == "Rasch"
    variance = MIRT["rasch_variance"] if rasch else 1.0
    tolerance = MIRT["tolerance"]["statistic Rasch" if rasch else "statistic"]
    return Case(bank, -0.5 * GRID.nodes**2 / variance, found, tolerance)


def real_responses(name: str) -> Ints:
    """Responses of a real data set, -1 where nothing was answered."""
    given = np.genfromtxt(real_data(name), delimiter=",", skip_header=1)
    return np.where(np.isnan(given), -1, given).astype(np.int64)


def simulated(bank: ItemParameters, ability: Floats, seed: int) -> Ints:
    """Answers (N, J) of learners of these abilities."""
    p = np.exp(log_probability(bank, ability))
    draw = np.random.default_rng(seed).uniform(size=(len(bank), 1, ability.size))
    return np.asarray((draw > np.cumsum(p, axis=1)).sum(axis=1).T)


def graded(seed: int, count: int, model: str = "GRM") -> ItemParameters:
    """Items of four categories."""
    rng = np.random.default_rng(seed)
    steps = [tuple(x + np.array([-0.8, 0.1, 0.9])) for x in rng.normal(0.0, 0.7, count)]
    return ItemParameters.of(model, rng.lognormal(0.2, 0.3, count), None, thresholds=steps)


def plain(bank: ItemParameters) -> list[slow.Item]:
    """The same items for the slow reference."""
    return [
        slow.Item(
            float(bank.discrimination[j]), float(bank.difficulty[j]), float(bank.guessing[j]), float(bank.slipping[j]),
            tuple(bank.thresholds[j, : bank.categories[j] - 1].tolist()) if bank.model[j] >= Model.GRM else (),
            bank.model[j] == Model.GRM,
        )
        for j in range(len(bank))
    ]  # fmt: skip


def patterns(bank: ItemParameters, log_weights: Floats = GRID.log_weights) -> dict[tuple[int, ...], float]:
    """Probability of every pattern of answers, one by one."""
    items = plain(bank)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    chances = [[slow.probabilities(item, float(node)) for item in items] for node in GRID.nodes]
    every = itertools.product(*(range(k) for k in bank.categories.tolist()))
    return {
        pattern: math.fsum(
            w * math.prod(at[j][k] for j, k in enumerate(pattern)) for w, at in zip(weights, chances, strict=True)
        )
        for pattern in every
    }
