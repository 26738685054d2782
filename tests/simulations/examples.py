"""Small tests and banks that the simulation tests share."""

import numpy as np

from engine.adaptive import NONE, Design, begin, step
from engine.filters import OnePerTopic, Prefer, Quotas
from engine.grid import Grid
from engine.latent import LatentTree
from engine.parameters import ItemParameters
from engine.picks import TopK
from engine.scores import VarianceReduction
from engine.stopping import MaxLength
from engine.table import Table, build_table
from engine.uniform import uniform
from simulations.behaviours import Question, reply

CUTS = (-1.5, 0.0, 1.5)


def plain_bank(count: int = 60) -> ItemParameters:
    random = np.random.default_rng(7)
    return ItemParameters.of("2PL", random.lognormal(0.2, 0.3, count), random.normal(0.0, 1.2, count))


def tied_bank(count: int = 60) -> ItemParameters:
    """Return Rasch items of which many are alike."""
    return ItemParameters.of("2PL", np.ones(count), np.round(np.random.default_rng(8).normal(0.0, 0.6, count), 1))


def mixed_bank() -> ItemParameters:
    """Return items of every model."""
    return ItemParameters.of(
        ["1PL", "2PL", "3PL", "4PL", "GRM", "GPCM", "GPCM"],
        [1.0, 1.5, 1.2, 1.1, 1.4, 0.9, 1.3],
        [0.3, -0.5, 0.0, 0.8, None, None, None],
        guessing=[0.0, 0.0, 0.25, 0.1, 0.0, 0.0, 0.0],
        slipping=[1.0, 1.0, 1.0, 0.95, 1.0, 1.0, 1.0],
        thresholds=[None, None, None, None, (-1.0, 0.0, 1.2), (0.5, -0.5), (-0.2, 0.4, 0.9)],
    )


def single(parameters: ItemParameters, **changes: object) -> tuple[Design, Table]:
    """Return a short test of one competence."""
    design = Design(**({"grid": Grid(-4.0, 4.0, 25), "stop": MaxLength(6)} | changes))
    return design, build_table(parameters, design, cuts=[CUTS])


def tree(length: int = 10) -> tuple[Design, Table]:
    """Return a test of four competences in two domains."""
    design = Design(
        score=VarianceReduction(),
        filters=(Quotas((1,) * 4, (4,) * 4, length), Prefer(OnePerTopic())),
        pick=TopK(3),
        stop=MaxLength(length),
        grid=Grid(-4.0, 4.0, 25),
        latent=LatentTree((0, 0, 1, 1), (0.8, 0.8), (0.85,) * 4),
    )
    at = np.arange(80)
    return design, build_table(plain_bank(80), design, competence=at // 20, topic=at // 4, cuts=[CUTS] * 4)


def alone(design, table, seed, ability, behaviours):
    """Put one simulee through begin and step the way the API does, and return its items and responses."""
    state, decision = begin(design, table, uniform(seed, 0))
    items, responses = [], []
    while not decision.done:
        row = int(decision.item)
        question = Question(table, np.array([seed]), ability[[table.competence[row]]], np.array([row]), len(items))
        answer = reply(behaviours, question)
        items.append(row)
        responses.append(int(answer.response[0]))
        state, decision = step(
            design, table, state, row, responses[-1], float(answer.seconds[0]), uniform(seed, len(items))
        )
    assert decision.item == NONE
    return items, responses, decision
