"""Fits of two groups with some items in common and the others apart, each begun from another such fit."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.calibration.em import Found, Options, Point, Task, climb, estimated
from engine.calibration.entries import Start, start
from engine.calibration.maximisation import Problem
from engine.calibration.population import Population, log_weights
from engine.calibration.priors import Priors
from engine.calibration.sample import Sample, prepare, tally
from engine.errors import ResponseError
from engine.grid import Grid
from engine.latent import Independent
from engine.responses import SkipPolicy

FREE_POPULATION: Final = np.array([[False], [True]])
"""The reference group is N(0, 1); the mean and sd of the focal group are estimated in every fit."""


@dataclass(frozen=True, eq=False)
class TwoGroups:
    """Responses of the two groups, and how they are read.

    Parameters
    ----------
    responses : (N, I) int
    focal : (N,) bool
    models : (I,) int
    priors : Priors
    fewest : int
        Answers that an item with its own parameters needs.
    skip, time_out : {"unknown", "incorrect", "ignored"}
    """

    responses: Ints
    focal: Bools
    models: Ints
    priors: Priors
    fewest: int
    skip: SkipPolicy
    time_out: SkipPolicy

    def tallies(self) -> tuple[Ints, Ints]:
        """How often each group gave each category, each (I, K)."""
        one, other = (tally(self.responses[who], self.skip, self.time_out) for who in (~self.focal, self.focal))
        width = max(one.shape[1], other.shape[1])
        return _widened(one, width), _widened(other, width)


class Fit(NamedTuple):
    """Where a fit began and ended."""

    begin: Start
    sample: Sample
    found: Found
    grid: Grid

    @property
    def log_likelihood(self) -> float:
        """Marginal log-likelihood."""
        return self.found.step.expected.log_likelihood

    @property
    def free(self) -> int:
        """Number of item parameters; the slope that 1PL items share counts once."""
        tie = self.begin.tie[self.begin.tie >= 0]
        return int(self.begin.free.sum()) - tie.size + np.unique(tie).size

    @property
    def focal_weights(self) -> Floats:
        """Ability distribution of the focal group over the nodes, (G,)."""
        return np.asarray(np.exp(log_weights(self.found.point.population, self.grid.nodes)[1, 0]))

    def working(self, row: int, group: int) -> Floats:
        """Working parameters of an item in a group, (P,)."""
        entries = self.begin.entries
        here = (entries.column == row) & ((entries.group == group) | (entries.group < 0))
        return np.asarray(self.found.point.working[int(np.argmax(here))])


def first_fit(data: TwoGroups, tallies: tuple[Ints, Ints], common: Bools, options: Options) -> Fit:
    """Fit from scratch; the items marked (I,) are common to the groups.

    Raises
    ------
    ResponseError
        When no item can be calibrated.
    """
    begin = _begun(data, tallies, common)
    if begin.entries.column.size == 0:
        raise ResponseError("No item can be calibrated, so that DIF cannot be tested; bring more responses.")
    task, sample = _assembled(data, begin)
    first = Population(np.zeros((2, 1)), np.ones((2, 1)))
    found, grid, _ = estimated(task, sample, begin, first, options)
    return Fit(begin, sample, found, grid)


def next_fit(data: TwoGroups, tallies: tuple[Ints, Ints], common: Bools, options: Options, base: Fit) -> Fit:
    """Fit with other items in common, from the parameters and on the grid of another fit."""
    begin = _begun(data, tallies, common)
    task, sample = _assembled(data, begin)
    point = Point(_carried(begin, base), base.found.point.population, np.empty(0))
    found = climb(task, sample, point, base.grid, options.most_iterations, options.gradient)
    return Fit(begin, sample, found, base.grid)


def _begun(data: TwoGroups, tallies: tuple[Ints, Ints], common: Bools) -> Start:
    competence = np.zeros_like(data.models)
    return start(tallies, data.models, competence, None, np.flatnonzero(common), data.priors, data.fewest)


def _assembled(data: TwoGroups, begin: Start) -> tuple[Task, Sample]:
    group = data.focal.astype(np.int64)
    sample = prepare(data.responses, begin.entries, group, 1, data.skip, data.time_out)
    problem = Problem(begin.models, begin.free, begin.tie, data.priors, sample.layout)
    return Task(problem, FREE_POPULATION, Independent(), np.empty(0, dtype=np.int64)), sample


def _carried(begin: Start, base: Fit) -> Floats:
    """Parameters of another fit; an item that becomes common begins at the mean of its two sets, by their answers."""
    working = begin.working.copy()
    known, counts = base.begin.entries, base.sample.counts
    for at, (column, group) in enumerate(zip(begin.entries.column, begin.entries.group, strict=True)):
        same = known.column == column
        if group >= 0:
            same = same & ((known.group == group) | (known.group < 0))
        weight = counts[same] / counts[same].sum()
        working[at] = weight @ base.found.point.working[same]
    return working


def _widened(counts: Ints, width: int) -> Ints:
    return np.pad(counts, ((0, 0), (0, width - counts.shape[1])))
