"""Matching of the learners of two groups, so that their answers to an item can be compared at equal ability.

Learners who have all items are matched on their summed score. Scores on different items cannot be compared: where
answers are missing, by design or not, learners are matched on their estimated ability, in strata of equal numbers.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import Bools, Floats, Ints
from engine.calibration.fit.scored import CELLS, MISSING, scored
from engine.calibration.result import Calibration
from engine.errors import DesignError, ResponseError
from engine.models import log_probability
from engine.responses import SILENCES, SKIPPED, TIMED_OUT, SkipPolicy, skip_policy

Categories = NDArray[np.int16]

LEVELS: Final = 1024
"""Steps in which an ability is told apart; strata are made of them."""


class Matching(NamedTuple):
    """The stratum of learner n for item i is ``strata[i, levels[n, i]]``; there is one column for all items alike."""

    levels: Ints  # (N, I) or (N, 1)
    strata: Ints  # (I, L)


class Criterion(Protocol):
    """What learners are matched on."""

    @property
    def name(self) -> str:
        """score, ability or given."""

    def matching(self, kept: Bools) -> Matching:
        """Match on the items kept (I,), and for each item not kept, on these and itself."""


def evidence(responses: ArrayLike, skip: SkipPolicy, time_out: SkipPolicy) -> Categories:
    """Categories that responses are evidence of, ``MISSING`` where they are none, (N, I).

    Parameters
    ----------
    responses : (N, I) int
        Categories, or the codes of :mod:`engine.responses`.
    skip, time_out : {"unknown", "incorrect", "ignored"}
        "unknown" and "incorrect" are both category 0 here.

    Raises
    ------
    ResponseError
        When this is no table of whole numbers, or a number is no response.
    """
    given = np.asarray(responses)
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "iu":
        raise ResponseError("DIF needs a table of whole numbers, one row for each learner, one column for each item.")
    if int(given.min()) < -SILENCES or int(given.max()) > np.iinfo(np.int16).max:
        raise ResponseError("A response is not a category nor a code of engine.responses; correct it.")
    categories = np.where(given < 0, MISSING, given).astype(np.int16)
    for code, policy in ((SKIPPED, skip), (TIMED_OUT, time_out)):
        if skip_policy(policy) != "ignored":
            categories[given == code] = 0
    return categories


def two_groups(group: ArrayLike, learners: int, reference: int, focal: int) -> Bools:
    """Learners of the two groups, (N,), or an error that says why they cannot be compared."""
    people = np.asarray(group)
    if people.shape != (learners,) or people.dtype.kind not in "iu":
        raise DesignError(f"Give the group of each of the {learners} learners, a whole number.")
    for number in (reference, focal):
        if reference == focal or not (people == number).any():
            raise DesignError(f"DIF needs two groups that have learners; group {number} cannot be compared.")
    return np.asarray((people == reference) | (people == focal))


@dataclass(frozen=True, eq=False)
class SummedScore:
    """Score on the items kept, plus that on the item itself when it is not kept; nothing is missing.

    The item itself belongs to the score: without it, the test is biased when the groups differ in ability (Holland and
    Thayer 1988).
    """

    categories: Categories  # (N, I)
    name: str = "score"

    def matching(self, kept: Bools) -> Matching:
        """Match on scores: every score is a stratum."""
        scores = np.where(self.categories > 0, self.categories, 0)
        levels = scores[:, kept].sum(axis=1, dtype=np.int32)[:, None]
        if not kept.all():
            levels = levels + np.where(kept, 0, scores)
        strata = np.arange(int(levels.max()) + 1)
        return Matching(levels, np.broadcast_to(strata, (kept.size, strata.size)))


@dataclass(frozen=True, eq=False)
class Given:
    """Criterion that the caller brings, whatever the items."""

    values: Floats  # (N,)
    categories: Categories  # (N, I)
    count: int
    name: str = "given"

    def matching(self, kept: Bools) -> Matching:
        """Match on the values: as they are when there are few, else in strata."""
        found, levels = np.unique(self.values, return_inverse=True)
        if found.size <= self.count:
            return Matching(levels[:, None], np.broadcast_to(np.arange(found.size), (kept.size, found.size)))
        levels = _levels(self.values, self.values)[:, None]
        return Matching(levels, quantile_strata(levels, self.categories, self.count))


@dataclass(frozen=True, eq=False)
class Ability:
    """Posterior mean of ability (EAP) in one population of both groups, from a calibration of the two together.

    Two learners with the same answers have the same ability: the group has no part in it.
    """

    calibration: Calibration
    categories: Categories  # (N, I)
    count: int
    name: str = "ability"

    def matching(self, kept: Bools) -> Matching:
        """Match on abilities: strata of equal numbers of those who have the item."""
        rows = self.calibration.rows
        inside = np.flatnonzero(kept[rows])
        parameters, grid = self.calibration.parameters, self.calibration.check.grid
        known = scored(parameters.take(inside), self.categories[:, rows[inside]], grid)
        outside = np.flatnonzero(~kept[rows])
        tables = np.exp(log_probability(parameters.take(outside), grid.nodes))
        ability = np.empty(self.categories.shape[0])
        own = np.full((self.categories.shape[0], outside.size), np.nan)
        for part in known.parts(grid.count + tables.shape[0] * tables.shape[1]):
            ability[part.rows] = part.posterior @ grid.nodes
            own[part.rows] = _with_own(part.posterior, tables, self.categories[part.rows][:, rows[outside]], grid.nodes)
        levels = _levels(ability, ability)[:, None]
        if outside.size:
            levels = np.repeat(levels, kept.size, axis=1)
            levels[:, rows[outside]] = _levels(np.where(np.isnan(own), ability[:, None], own), ability)
        return Matching(levels, quantile_strata(levels, self.categories, self.count))


def _with_own(posterior: Floats, tables: Floats, categories: Categories, nodes: Floats) -> Floats:
    """Posterior means with one item more, (n, O), each alone; NaN where it has no answer."""
    flat = tables.reshape(-1, nodes.size)
    shape = (posterior.shape[0], *tables.shape[:2])
    mass = (posterior @ flat.T).reshape(shape)
    mean = (posterior @ (flat * nodes).T).reshape(shape) / np.where(mass > 0, mass, np.nan)
    category = np.minimum(np.maximum(categories, 0), tables.shape[1] - 1).astype(np.int64)
    found = np.take_along_axis(mean, category[..., None], axis=2)[..., 0]
    return np.where(categories >= 0, found, np.nan)


def _levels(values: Floats, scale: Floats) -> Ints:
    """Which of the steps of the scale each value is in; equal values of the scale share a step."""
    edges = np.unique(np.quantile(scale, np.arange(1, LEVELS) / LEVELS))
    return np.searchsorted(edges, values, side="left").astype(np.int32)


def quantile_strata(levels: Ints, categories: Categories, count: int) -> Ints:
    """Strata of equal numbers of the learners who answered an item, for each item.

    Parameters
    ----------
    levels : (N, I) or (N, 1) int
    categories : (N, I) int
    count : int
        Strata.

    Returns
    -------
    (I, L) int
        Stratum of each level; a level is never divided.
    """
    items, width = categories.shape[1], int(levels.max()) + 1
    numbers = np.zeros(items * width, dtype=np.int64)
    for rows in _blocks(*categories.shape):
        learner, item = np.nonzero(categories[rows] != MISSING)
        level = levels[rows][learner, item if levels.shape[1] > 1 else 0]
        numbers += np.bincount(item * width + level, minlength=numbers.size)
    each = numbers.reshape(items, width)
    middle = np.cumsum(each, axis=1) - 0.5 * each
    return np.asarray((middle * count / np.maximum(each.sum(axis=1, keepdims=True), 1)).astype(np.int64))


def tables(categories: Categories, focal: Bools, matching: Matching) -> Floats:
    """Answers of each group in each stratum.

    Parameters
    ----------
    categories : (N, I) int
        ``MISSING`` where there is no evidence.
    focal : (N,) bool
    matching : Matching

    Returns
    -------
    (I, S, 2, K) float
        Reference group first.
    """
    items, width = categories.shape[1], max(int(categories.max()), 1) + 1
    count = int(matching.strata.max()) + 1
    sums = np.zeros(items * count * 2 * width, dtype=np.int64)
    for rows in _blocks(*categories.shape):
        part, levels = categories[rows], matching.levels[rows]
        learner, item = np.nonzero(part != MISSING)
        stratum = matching.strata[item, levels[learner, item if levels.shape[1] > 1 else 0]]
        place = ((item * count + stratum) * 2 + focal[rows][learner]) * width + part[learner, item]
        sums += np.bincount(place, minlength=sums.size)
    return sums.reshape(items, count, 2, width).astype(np.float64)


def _blocks(learners: int, items: int) -> list[slice]:
    size = max(1, CELLS // items)
    return [slice(start, min(start + size, learners)) for start in range(0, learners, size)]
