"""Responses as the statistics of fit see them: categories, or missing, with the population each learner is from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import Floats, Ints
from engine.belief import normalise
from engine.errors import ResponseError
from engine.grid import Grid
from engine.likelihood import Answers, Sums
from engine.models import Curves, curves
from engine.parameters import ItemParameters
from engine.responses import SkipPolicy

GRID: Final = Grid(-6.0, 6.0, 61)
"""Nodes on which statistics of fit are integrated unless told otherwise: those of a calibration."""
MISSING: Final = -1
"""What stands where there is no evidence."""
CELLS: Final = 2**21
"""Cells of the largest arrays worked on at once; bounds the memory whatever the number of learners."""


class Part(NamedTuple):
    """Some learners: which, their categories (n, J), and their posteriors over the nodes (n, G), summing to 1."""

    rows: slice
    categories: Ints
    posterior: Floats


@dataclass(frozen=True, eq=False)
class Scored:
    """Responses of N learners from Q populations to J items.

    Parameters
    ----------
    parameters : ItemParameters
        J items.
    categories : (N, J) int
        Category, or ``MISSING``.
    grid : Grid
        G nodes.
    log_weights : (Q, G) float
        Log probabilities of the nodes in each population, normalised.
    group : (N,) int
        Population of each learner.
    """

    parameters: ItemParameters
    categories: NDArray[np.int16]
    grid: Grid
    log_weights: Floats
    group: Ints

    def parts(self, width: int | None = None) -> Iterator[Part]:
        """Learners a few at a time, each with the posterior; ``width`` is the number of cells for one learner."""
        table = curves(self.parameters, self.grid.nodes)
        size = max(1, CELLS // (width if width is not None else self.categories.shape[1] * table.log_p.shape[1]))
        for start in range(0, self.categories.shape[0], size):
            rows = slice(start, min(start + size, self.categories.shape[0]))
            categories = self.categories[rows].astype(np.int64)
            yield Part(rows, categories, self._posterior(categories, table, self.group[rows]))

    def abilities(self) -> tuple[Floats, Floats]:
        """Posterior means and standard deviations, each (N,); those of the population for a learner without answers."""
        count, nodes = self.categories.shape[0], self.grid.nodes
        ability, sd = np.empty(count), np.empty(count)
        for part in self.parts(self.grid.count + self.categories.shape[1]):
            mean = part.posterior @ nodes
            ability[part.rows] = mean
            sd[part.rows] = np.sqrt(np.sum(part.posterior * (nodes - mean[:, None]) ** 2, axis=1))
        return ability, sd

    def _posterior(self, categories: Ints, table: Curves, group: Ints) -> Floats:
        learner, item = np.nonzero(categories != MISSING)
        sums = Sums(table, learner, item, categories[learner, item], categories.shape[0])
        return normalise(sums.log_likelihood + self.log_weights[group])


def scored(
    parameters: ItemParameters,
    responses: ArrayLike,
    grid: Grid,
    log_weights: ArrayLike | None = None,
    group: ArrayLike | None = None,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
) -> Scored:
    """Check responses and populations once, and write skips as the categories they stand for.

    Parameters
    ----------
    parameters : ItemParameters
        J items.
    responses : (N, J) int
        Categories, or the codes of :mod:`engine.responses`.
    grid : Grid
    log_weights : (G,) or (Q, G) float, optional
        Log weights of the nodes, up to a constant; those of N(0, 1) when left out.
    group : (N,) int, optional
        Population of each learner; needed when there are several.
    skip, time_out : {"unknown", "incorrect", "ignored"}
        "unknown" and "incorrect" are both category 0 here, "ignored" is missing: a statistic of fit compares the answer
        with what the item makes likely, and the item knows of no skips.

    Returns
    -------
    Scored

    Raises
    ------
    ResponseError
        When an item cannot have a response, or weights or groups do not suit the responses.
    DesignError
        When a policy does not exist.
    """
    given = np.asarray(responses)
    blocks = np.array_split(given, given.size // CELLS + 1) if given.ndim == 2 else [given]
    categories = np.concatenate([_categories(parameters, block, skip, time_out) for block in blocks])
    weights = np.atleast_2d(np.asarray(grid.log_weights if log_weights is None else log_weights, dtype=np.float64))
    if weights.ndim != 2 or weights.shape[1] != grid.count:
        raise ResponseError(f"Give one weight for each of the {grid.count} nodes, in one row for each population.")
    if not (np.isfinite(weights.max(axis=1)).all() and not np.isnan(weights).any()):
        raise ResponseError("Weights of a population must be logs of numbers that are not all 0; correct them.")
    members = _members(group, categories.shape[0], weights.shape[0])
    with np.errstate(divide="ignore"):
        normalised = np.log(normalise(weights))
    return Scored(parameters, categories, grid, normalised, members)


def _categories(
    parameters: ItemParameters, responses: ArrayLike, skip: SkipPolicy, time_out: SkipPolicy
) -> NDArray[np.int16]:
    answers = Answers.of(parameters, responses, skip, time_out)
    result = np.full((answers.learners, len(parameters)), MISSING, dtype=np.int16)
    result[answers.learner, answers.item % max(len(parameters), 1)] = answers.category
    return result


def _members(group: ArrayLike | None, learners: int, populations: int) -> Ints:
    if group is None and populations > 1:
        raise ResponseError(f"There are {populations} populations; say which one each learner is from (group).")
    members = np.zeros(learners, dtype=np.int64) if group is None else np.asarray(group)
    if members.shape != (learners,) or members.dtype.kind not in "iu":
        raise ResponseError(f"Give the number of one population for each of the {learners} learners.")
    if members.size and not 0 <= members.min() <= members.max() < populations:
        raise ResponseError(f"Populations are numbered 0 to {populations - 1}; correct the groups.")
    return members.astype(np.int64)
