"""What can be calibrated, and where estimation starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import logit

from engine.arrays import Bools, Floats, Ints
from engine.calibration.maximisation import ordered
from engine.calibration.priors import Beta, LogitNormal, Prior, Priors
from engine.calibration.result import ItemStatus
from engine.calibration.sample import Entries
from engine.errors import ParameterError, ResponseError
from engine.parameters import POLYTOMOUS, ItemParameters, Model
from engine.working import asymptotes, existing, to_working

GUESS, SLIP = 0.15, 0.95
"""Where c and d start without a prior."""
STRETCH = 1.16
"""Intercept of a slope of 1 over the logit of the proportion: sqrt(1 + 1 / 1.7^2), abilities being N(0, 1)."""


@dataclass(frozen=True, eq=False)
class Fixed:
    """Items whose parameters are held: those that give the scale.

    Parameters
    ----------
    rows : (F,) int
        Which of the I items.
    parameters : ItemParameters
        Of the F items.
    """

    rows: Ints
    parameters: ItemParameters


class Start(NamedTuple):
    """Entries to calibrate with their models, what is free and where it starts; statuses of all I items."""

    entries: Entries
    models: Ints  # (J,)
    free: Bools  # (J, P)
    tie: Ints  # (J,)
    working: Floats  # (J, P)
    status: Ints  # (I,)


def model_codes(models: Sequence[str] | str, count: int) -> Ints:
    """Codes of the models of so many items, from one name or one for each."""
    names = [models] * count if isinstance(models, str) else list(models)
    if len(names) != count:
        raise ParameterError(f"There are {len(names)} models for {count} items; give one name, or one for each item.")
    return np.array([Model.named(name) for name in names], dtype=np.int64)


def start(
    tallies: Sequence[Ints],
    models: Ints,
    competence: Ints,
    fixed: Fixed | None,
    anchors: Ints | None,
    priors: Priors,
    fewest: int,
) -> Start:
    """Sort out what can be calibrated.

    Parameters
    ----------
    tallies : Q arrays (I, K)
        Answers of each group by item and category.
    models, competence : (I,) int
    fixed : Fixed, optional
    anchors : rows, optional
        Items that all groups have in common; the others get parameters of their own in each group.
    priors : Priors
    fewest : int
        Answers that an item needs.
    """
    together = np.sum(tallies, axis=0)
    count, width = together.shape
    held = np.zeros(count, dtype=bool)
    known = None
    if fixed is not None:
        held[fixed.rows] = True
        models = models.copy()
        models[fixed.rows] = fixed.parameters.model
        known = to_working(fixed.parameters)
    _checked(together, models, fixed)
    shared = held | (np.isin(np.arange(count), anchors) if anchors is not None else np.ones(count, dtype=bool))
    column = np.concatenate([np.flatnonzero(shared), *[np.flatnonzero(~shared) for _ in tallies]])
    group = np.concatenate(
        [np.full(int(shared.sum()), -1), *[np.full(int((~shared).sum()), q) for q in range(len(tallies))]]
    )
    given = np.stack([together[c] if q < 0 else tallies[q][c] for c, q in zip(column, group, strict=True)])
    found = np.where(held[column], ItemStatus.FIXED, statuses(given, fewest))
    status = np.full(count, ItemStatus.CONVERGED)
    np.maximum.at(status, column, found)
    usable = status[column] <= ItemStatus.FIXED
    column, group, given = column[usable], group[usable], given[usable]
    order = np.lexsort((group, column, competence[column]))
    column, group, given = column[order], group[order], given[order]
    categories = 1 + np.max(np.where(given > 0, np.arange(width), 1), axis=1, initial=1)
    if fixed is not None:
        place = {int(row): at for at, row in enumerate(fixed.rows)}
        at = np.array([place.get(int(c), -1) for c in column])
        categories = np.where(at >= 0, fixed.parameters.categories[at], categories)
    codes = models[column]
    free = existing(codes, categories)
    working = _first(codes, categories, given, free, priors)
    tie = _ties(codes, competence[column])
    if fixed is not None and known is not None:
        rows = at >= 0
        working[rows] = _widened(known[at[rows]], working.shape[1])
        free[rows] = False
        tie = _held_slopes(working, free, tie, rows)
    entries = Entries(column, competence[column], categories, group)
    return Start(entries, codes, free, tie, working, status)


def statuses(given: Ints, fewest: int) -> Ints:
    """Status of items before estimation, from their tallies (J, K)."""
    some = given > 0
    highest = np.max(np.where(some, np.arange(given.shape[1]), 0), axis=1)
    hole = (~some & (np.arange(given.shape[1]) < highest[:, None])).any(axis=1)
    status = np.full(given.shape[0], ItemStatus.CONVERGED)
    status[hole] = ItemStatus.EMPTY_CATEGORY
    status[some.sum(axis=1) <= 1] = ItemStatus.CONSTANT
    status[given.sum(axis=1) < fewest] = ItemStatus.TOO_FEW
    return status


def _checked(given: Ints, models: Ints, fixed: Fixed | None) -> None:
    """Refuse responses that an item of its model cannot have."""
    highest = np.max(np.where(given > 0, np.arange(given.shape[1]), 0), axis=1)
    limit = np.where(np.isin(models, POLYTOMOUS), given.shape[1], 1)
    if fixed is not None:
        limit[fixed.rows] = fixed.parameters.categories - 1
    wrong = highest > limit
    if wrong.any():
        item = int(np.argmax(wrong))
        raise ResponseError(
            f"Item number {item + 1} has the response {int(highest[item])}, and its model "
            f"{Model(int(models[item])).label} has the categories 0 to {int(limit[item])}; use GRM or GPCM for items "
            "with more categories, or correct the response."
        )


def _first(models: Ints, categories: Ints, given: Ints, free: Bools, priors: Priors) -> Floats:
    """Slopes of 1 and intercepts that give the proportions observed."""
    count, size = free.shape
    smooth = 0.5 * (np.arange(size - 2) < categories[:, None])
    smooth[:, : given.shape[1]] += given[:, : size - 2]
    share = smooth / smooth.sum(axis=1, keepdims=True)
    working = np.full((count, size), np.nan)
    working[:, 0] = 1.0
    reached = np.cumsum(share[:, ::-1], axis=1)[:, ::-1][:, 1:]
    guesses, _ = asymptotes(models)
    guess = _middle(priors.guessing, GUESS)
    reached = np.where(guesses[:, None], np.maximum((reached - guess) / (1.0 - guess), 0.02), reached)
    with np.errstate(divide="ignore", invalid="ignore"):
        graded = STRETCH * logit(np.clip(reached, 0.002, 0.998))
        stepped = np.log(share[:, 1:] / share[:, :-1])
    working[:, 1:-2] = np.where((models == Model.GPCM)[:, None], stepped, graded)
    working[:, -2] = logit(guess)
    working[:, -1] = logit(_middle(priors.slipping, SLIP))
    working = np.where(free, working, np.nan)
    disordered = ~ordered(models, working)
    if disordered.any():
        steps = np.arange(size - 3)
        working[disordered, 1:-2] -= 0.05 * steps
    return working


def _middle(prior: Prior | None, default: float) -> float:
    """Where an asymptote starts."""
    if isinstance(prior, Beta):
        return float(np.clip(prior.alpha / (prior.alpha + prior.beta), 0.01, 0.99))
    return float(1.0 / (1.0 + np.exp(-prior.mean))) if isinstance(prior, LogitNormal) else default


def _ties(models: Ints, competence: Ints) -> Ints:
    """Labels of the items that share a slope: the 1PL items of each competence."""
    tie = np.full(models.size, -1)
    one = models == Model.ONE_PL
    tie[one] = np.unique(competence[one], return_inverse=True)[1]
    return tie


def _held_slopes(working: Floats, free: Bools, tie: Ints, held: Bools) -> Ints:
    """Give new 1PL items the slope of the held ones they go with: only their difficulty is estimated."""
    result = tie.copy()
    for label in np.unique(tie[held & (tie >= 0)]):
        known = working[held & (tie == label), 0]
        new = ~held & (tie == label)
        working[new, 0] = known[0]
        free[new, 0] = False
        result[tie == label] = -1
    labels = np.unique(result[(result >= 0) & free[:, 0]], return_inverse=True)
    result[(result >= 0) & free[:, 0]] = labels[1]
    return result


def _widened(known: Floats, size: int) -> Floats:
    """Working parameters with room for more steps, or without the steps that none of these items has."""
    wide = np.full((known.shape[0], size), np.nan)
    kept = min(size, known.shape[1]) - 2
    wide[:, :kept] = known[:, :kept]
    wide[:, -2:] = known[:, -2:]
    return wide
