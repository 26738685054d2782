"""The state of a run, and what an answer does to it."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine import belief
from engine.arrays import Bools, Floats, Ints
from engine.errors import ResponseError
from engine.responses import NONE, SILENCES
from engine.table import Table
from engine.timing import update

HELD: Final = 1
"""Code in the reserve: kept back from this learner so that the item is not overexposed."""

SEEN: Final = 2
"""Code in the reserve: the learner saw the item not long ago."""


class State(NamedTuple):
    """Everything the next decision depends on, nothing else."""

    log_likelihood: Floats  # (*batch, C, G) of earlier evidence and the answers given, at most 0 and 0 somewhere
    asked: Bools  # (*batch, I)
    allowed: Bools  # (*batch, I) scope, locale, accommodations: fixed at the beginning
    length: Ints  # (*batch,) answers given, skips included
    elapsed: Floats  # (*batch,) seconds
    last: Ints  # (*batch,) item answered last, NONE at the beginning
    last_response: Ints  # (*batch,) its response
    speed: Floats  # (*batch, 2) precision, and precision times mean, of the learner's speed
    reserve: Ints  # (*batch, I) 0 or a code of items asked only where the blueprint gives way; (*batch, 0): none are


class Facts(NamedTuple):
    """What happened in a run, in order; NONE pads shorter runs of a batch."""

    item: Ints  # (*batch, L)
    response: Ints  # (*batch, L)
    seconds: Floats  # (*batch, L)


def absorb(table: Table, state: State, item: ArrayLike, response: ArrayLike, seconds: ArrayLike) -> State:
    """Update the state with one answer each: Bayes' rule is an addition on the grid.

    Parameters and errors are those of :func:`engine.adaptive.step`.
    """
    rows, codes = np.asarray(item, dtype=np.int64), np.asarray(response, dtype=np.int64)
    spent = np.asarray(seconds, dtype=np.float64)
    categories = table.categories
    if ((rows < 0) | (rows >= table.competence.size)).any():
        raise ResponseError("An answer names an item that the bank does not have; send the row of the item asked.")
    if ((codes < -SILENCES) | (codes >= table.categories_of[rows])).any():
        raise ResponseError("A response is not a category of its item; send 0 up to its last category, or a skip code.")
    count, nodes = table.information.shape
    place = rows * (categories + SILENCES) + np.where(codes < 0, codes + categories + SILENCES, codes)
    evidence = table.log_evidence.reshape(-1, nodes).take(place.reshape(-1), axis=0)
    runs = np.arange(evidence.shape[0])
    known = state.log_likelihood.reshape(runs.size, *state.log_likelihood.shape[-2:])
    if known.shape[1] == 1:
        known = belief.update(known, evidence[:, None])
    else:
        known, measured = known.copy(), table.competence[rows].reshape(-1)
        known[runs, measured] = belief.update(known[runs, measured], evidence)
    asked = state.asked.reshape(-1, count).copy()
    asked[runs, rows.reshape(-1)] = True
    return State(
        known.reshape(state.log_likelihood.shape),
        asked.reshape(state.asked.shape),
        state.allowed,
        state.length + 1,
        state.elapsed + np.where(spent > 0, spent, 0.0),
        rows,
        codes,
        update(state.speed, table.time_intensity[rows], table.time_discrimination[rows], spent),
        state.reserve,
    )


def withdraw(table: Table, state: State, item: ArrayLike) -> State:
    """Take the whole topic of an item out of a run, e.g. after a report that the item is faulty.

    Nothing else changes: the item was not asked, does not count and teaches nothing. Call
    :func:`engine.adaptive.decide` for the question in its place.

    Parameters
    ----------
    table : Table
    state : State
    item : (*batch,) int
        Rows; NONE where nothing is withdrawn.

    Returns
    -------
    State
    """
    rows = np.asarray(item, dtype=np.int64)[..., None]
    return state._replace(allowed=state.allowed & ((rows == NONE) | (table.topic != table.topic[rows])))


def where(chosen: Bools, then: State, otherwise: State) -> State:
    """State of ``then`` for the runs chosen (*batch,), of ``otherwise`` for the others."""
    return State(
        *(
            np.where(chosen.reshape(*chosen.shape, *[1] * (new.ndim - chosen.ndim)), new, old)
            for new, old in zip(then, otherwise, strict=True)
        )
    )
