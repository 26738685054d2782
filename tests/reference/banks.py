"""Item banks made from a seed, and everything that a table wants to know about their items."""

from typing import Any

import numpy as np

from engine.adaptive import Design, begin
from engine.arrays import Floats
from engine.latent import Independent, Latent, LatentTree
from engine.parameters import ItemParameters
from engine.scores import Score
from engine.situation import Situation
from engine.state import State, absorb
from engine.table import Table, build_table

TREE = LatentTree((0, 0, 1), (0.85, 0.7), (0.9, 0.6, 0.8))
ALONE = Independent(1)


def logistic(seed: int, count: int, model: str = "2PL") -> ItemParameters:
    """Items of one of the models 1PL to 4PL."""
    rng = np.random.default_rng(seed)
    a = np.ones(count) if model == "1PL" else rng.lognormal(0.2, 0.4, count)
    c = rng.uniform(0.0, 0.35, count) if model in ("3PL", "4PL") else None
    d = rng.uniform(0.75, 1.0, count) if model == "4PL" else None
    return ItemParameters.of(model, a, rng.normal(0.0, 1.3, count), c, d)


def tied(seed: int, count: int) -> ItemParameters:
    """Rasch items with difficulties rounded to 0.1, each of them twice: a bank full of equal scores."""
    rng = np.random.default_rng(seed)
    difficulty = np.round(rng.normal(0.0, 1.0, (count + 1) // 2), 1)
    return ItemParameters.of("1PL", np.ones(count), np.tile(difficulty, 2)[:count])


def mixed(seed: int, count: int) -> ItemParameters:
    """Items of all six models, a few of them twice."""
    rng = np.random.default_rng(seed)
    models = [("1PL", "2PL", "3PL", "4PL", "GRM", "GPCM")[row % 6] for row in range(count)]
    steps = [
        tuple(rng.uniform(-2.0, 0.5) + np.cumsum(rng.uniform(0.2, 1.2, rng.integers(1, 4)))) if "M" in model else None
        for model in models
    ]
    bank = ItemParameters.of(
        models,
        rng.lognormal(0.1, 0.3, count),
        [None if step else float(rng.normal()) for step in steps],
        [0.2 if model in ("3PL", "4PL") else 0.0 for model in models],
        [0.95 if model == "4PL" else 1.0 for model in models],
        steps,
    )
    return bank.take(np.concatenate([np.arange(count - count // 4), np.arange(count // 4)]))


def surroundings(seed: int, count: int, latent: Latent) -> dict[str, Any]:
    """Competences, topics, enemies, times and cuts of ``count`` items, as :func:`build_table` takes them."""
    rng = np.random.default_rng(seed)
    competence = rng.integers(0, latent.competences, count)
    return {
        "competence": competence,
        "topic": 4 * competence + rng.integers(0, 4, count),
        "enemies": [tuple(rng.choice(count, 2, replace=False)) for _ in range(count // 5)] if count > 1 else [],
        "timed": rng.uniform(size=count) < 0.3,
        "time_intensity": rng.normal(4.0, 0.5, count),
        "time_discrimination": rng.uniform(1.5, 2.5, count),
        "cuts": np.tile(np.linspace(-2.0, 2.0, 8), (latent.competences, 1)),
    }


def table_for(design: Design, parameters: ItemParameters, seed: int = 0) -> Table:
    return build_table(parameters, design, **surroundings(seed, len(parameters), design.latent))


def states(
    design: Design, table: Table, seed: int, batch: tuple[int, ...], most_asked: float = 0.6, spread: float = 2.0
) -> State:
    """Runs in progress: any belief, any set of items asked, any time gone by."""
    rng = np.random.default_rng(seed)
    state, _ = begin(design, table, np.zeros(batch), batch)
    centre = rng.normal(0.0, spread, (*batch, design.latent.competences, 1))
    width = rng.uniform(0.2, 2.0, centre.shape)
    belief = -0.5 * ((table.nodes - centre) / width) ** 2
    items = table.competence.size
    asked = rng.uniform(size=(*batch, items)) < rng.uniform(0.0, most_asked, (*batch, 1))
    last = np.where(rng.uniform(size=batch) < 0.8, rng.integers(0, items, batch), -1)
    return State(
        belief - belief.max(axis=-1, keepdims=True),
        asked,
        state.allowed & (rng.uniform(size=(*batch, items)) < rng.uniform(0.3, 1.0, (*batch, 1))),
        asked.sum(axis=-1),
        rng.uniform(0.0, 900.0, batch),
        last,
        np.where(last < 0, -1, rng.integers(-3, 2, batch)),
        np.stack([rng.uniform(5.0, 30.0, batch), rng.normal(0.0, 5.0, batch)], axis=-1),
        state.reserve,
    )


def situation(design: Design, table: Table, state: State, score: Score | None = None) -> Situation:
    return Situation(table, state, score or design.score, design.competences_in_scope)


def one_of(state: State, index: tuple[int, ...]) -> State:
    """The state of a single run of a batch."""
    return State(*(np.asarray(field)[index] for field in state))


def variances_after(design: Design, table: Table, state: State) -> Floats:
    """Posterior variance of the only competence after a wrong and a right answer to each item, (I, 2), for one run."""
    items = np.arange(table.competence.size)
    each = State(*(np.broadcast_to(part, (items.size, *np.shape(part))) for part in state))
    after = (absorb(table, each, items, np.full(items.size, k), np.full(items.size, np.nan)) for k in (0, 1))
    return np.stack([situation(design, table, answered).sd[:, 0] ** 2 for answered in after], axis=1)
