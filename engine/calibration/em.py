"""Calibration by marginal maximum likelihood: accelerated EM on a grid that is checked.

References
----------
Bock, R. D. and Aitkin, M. (1981). Marginal maximum likelihood estimation of item parameters: application of an EM
algorithm. Psychometrika, 46, 443-459.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.calibration import maximisation, population, priors, structure
from engine.calibration.acceleration import Memory, extrapolated
from engine.calibration.entries import Start
from engine.calibration.expectation import Expected, Prior, expect
from engine.calibration.maximisation import Problem, bounded, ordered, system
from engine.calibration.population import Population
from engine.calibration.sample import Sample
from engine.grid import Grid
from engine.latent import MAX_LOADING, Latent, LatentTree

WIDEST_SPACING: Final = 0.9
"""Largest spacing of the nodes, in smallest posterior sds: a normal density is then integrated to 1e-10."""
STILL, PATIENCE = 1e-12, 15
"""A log posterior that moves by less, relative to itself, for so many iterations will not move any more."""
STEEPEST: Final = 3.0
"""Largest product of the spacing of the nodes and a slope: between two nodes, the curve rises by at most 0.65."""
EDGE: Final = 1e-3
"""Largest posterior probability of a learner on an outermost node, else the grid is widened."""
MOST_REFINEMENTS: Final = 5
MOST_NODES: Final = 961
MOST_TREE_NODES: Final = 241
"""Nodes beyond which a grid is not refined: a step-like item would ask for ever more."""
GAIN: Final = 1e-3
"""Converged only when the last step raised the log-likelihood by less."""


@dataclass(frozen=True)
class Options:
    """How to estimate.

    Parameters
    ----------
    grid : Grid
        To begin with.
    refine : bool
        Halve the spacing and widen the range until the check holds; without it, the check is only reported.
    most_iterations : int
        E-steps over all learners, at most.
    gradient : float
        Converged when no penalised gradient is larger, in standard errors of a parameter if abilities were known.
    fewest : int
        Answers that an item needs.
    errors : bool
        Whether to compute standard errors.
    subset : int
        Learners from which a first, rough estimate is made when there are four times as many or more.
    """

    grid: Grid = Grid(-6.0, 6.0, 61)
    refine: bool = True
    most_iterations: int = 500
    gradient: float = 1e-4
    fewest: int = 20
    errors: bool = True
    subset: int = 2048


class Point(NamedTuple):
    """Everything that is estimated."""

    working: Floats  # (J, P)
    population: Population  # (Q, C)
    loadings: Floats  # (D + C,), empty without a tree


@dataclass(frozen=True, eq=False)
class Task:
    """What does not change while a point is sought.

    Parameters
    ----------
    problem : Problem
    free_population : (Q, C) bool
    latent : Latent
    label : (D + C,) int
        Ties of the loadings, -1 for what is held; empty where no loading is estimated.
    """

    problem: Problem
    free_population: Bools
    latent: Latent
    label: Ints


class Step(NamedTuple):
    """One EM step: the E-step at a point, the image of the point, and the largest scaled gradients there."""

    expected: Expected
    value: float  # log posterior at the point
    image: Point
    gradient: Floats  # (J, P)
    others: float


class Found(NamedTuple):
    """Where the iterations ended."""

    point: Point
    step: Step
    iterations: int
    converged: bool
    settled: bool  # whether the log posterior had stopped rising


def prior_of(task: Task, point: Point, grid: Grid) -> Prior:
    """Abilities before the answers, at a point."""
    weights = population.log_weights(point.population, grid.nodes)
    if isinstance(task.latent, LatentTree):
        return Prior(grid.nodes, weights, structure.with_loadings(task.latent, point.loadings).links(grid))
    return Prior(grid.nodes, weights)


def step(task: Task, sample: Sample, point: Point, grid: Grid) -> Step:
    """E-step and M-step."""
    expected = expect(sample, maximisation.table(task.problem, point.working, grid.nodes), prior_of(task, point, grid))
    working, gradient = maximisation.maximised(task.problem, point.working, expected.counts, grid.nodes)
    people, of_people = population.maximised(point.population, expected.mass, grid.nodes, task.free_population)
    loadings, of_loadings = point.loadings, np.zeros(1)
    if (task.label >= 0).any():
        loadings, of_loadings = structure.maximised(point.loadings, expected.edges, grid.nodes, task.label)
    others = float(max(np.abs(of_people).max(), np.abs(of_loadings).max()))
    value = expected.log_likelihood + log_prior(task, point)
    return Step(expected, value, Point(working, people, loadings), gradient, others)


def log_prior(task: Task, point: Point) -> float:
    """Sum of the log prior densities at a point."""
    problem = task.problem
    if not problem.priors:
        return 0.0
    kept = problem.free.astype(np.float64)
    level, _, _ = priors.log_prior(problem.priors, problem.models, point.working, kept, problem.tie)
    return float(level.sum())


def climb(task: Task, sample: Sample, point: Point, grid: Grid, most: int, bound: float, gain: float = GAIN) -> Found:
    """Iterate to the maximum of the log posterior.

    Parameters
    ----------
    task, sample, point, grid
    most : int
        E-steps at most.
    bound : float
        Converged when no scaled gradient is larger.
    gain : float
        And when the log posterior rose by less.

    Returns
    -------
    Found
        The point of the highest log posterior with the E-step there.

    Notes
    -----
    A point that acceleration proposes is kept when the log posterior there is not lower than at the last one; else the
    plain EM image is taken instead, where it cannot be lower, and the memory is emptied. When the log posterior no
    longer moves while a gradient stays, as with an item so steep that the nodes do not resolve it, it ends unconverged.
    """
    memory, before, image, last, still = Memory(), -np.inf, point, None, 0
    for iteration in range(1, most):
        now = step(task, sample, point, grid)
        if last is not None and not now.value >= before - 1e-9 * abs(before) - 1e-6:
            point, memory, last = image, Memory(), None
            continue
        largest = max(float(np.abs(now.gradient).max(initial=0.0)), now.others)
        if largest <= bound and now.value - before <= gain:
            return Found(point, now, iteration, True, True)
        still = still + 1 if now.value - before <= STILL * abs(before) else 0
        if still == PATIENCE:
            return Found(point, now, iteration, False, True)
        memory = memory.remembering(_packed(task, point), _packed(task, now.image))
        before, image, last = now.value, now.image, now
        point = _allowed(task, _unpacked(task, extrapolated(memory, _scale(task, now, grid)), now.image), now.image)
    final = step(task, sample, image, grid)
    return Found(image, final, most, False, final.value - before <= gain)


def estimated(task: Task, sample: Sample, begin: Start, first: Population, options: Options) -> tuple[Found, Grid, int]:
    """Estimate from rough to exact: some learners, then all, then on finer grids until the check holds.

    Returns
    -------
    found : Found
    grid : Grid
    refinements : int
    """
    loadings = np.empty(0)
    if isinstance(task.latent, LatentTree):
        loadings = structure.evened(structure.loadings(task.latent), task.label)
    point, grid = Point(begin.working, first, loadings), options.grid
    if sample.learners >= 4 * options.subset:
        point = climb(task, sample.some(options.subset), point, grid, 30, 0.1, gain=1.0).point
    found = climb(task, sample, point, grid, options.most_iterations, options.gradient)
    refinements = 0
    while options.refine and refinements < MOST_REFINEMENTS:
        finer = refined(grid, found.step.expected, float(found.point.working[:, 0].max()))
        if finer == grid or finer.count > (MOST_NODES if loadings.size == 0 else MOST_TREE_NODES):
            break
        left = max(options.most_iterations - found.iterations, 10)
        again = climb(task, sample, found.point, finer, left, options.gradient)
        found, grid = again._replace(iterations=again.iterations + found.iterations), finer
        refinements += 1
    return found, grid, refinements


def refined(grid: Grid, expected: Expected, steepest: float) -> Grid:
    """Grid that is fine and wide enough for the posteriors and the curves found, the same when it is so already."""
    lower, upper, count = grid.lower, grid.upper, grid.count
    if expected.edge > EDGE:
        lower, upper, count = lower - 2.0, upper + 2.0, count + round(4.0 / grid.spacing)
    if grid.spacing > WIDEST_SPACING * expected.smallest_sd or grid.spacing * steepest > STEEPEST:
        count = 2 * count - 1
    return Grid(lower, upper, count)


def _scale(task: Task, now: Step, grid: Grid) -> Floats:
    """Weights of the coordinates: square roots of their complete-data information."""
    found = system(task.problem, now.image.working, now.expected.counts, grid.nodes)
    diagonal = np.sqrt(np.maximum(np.einsum("jpp->jp", found.information), 1e-6))[task.problem.free]
    learners = np.sqrt(np.maximum(now.expected.mass.sum(axis=-1), 1.0))[task.free_population]
    edges = np.sqrt(now.expected.edges.sum(axis=(1, 2)))[_free_loadings(task)]
    return np.concatenate([diagonal, learners, learners, edges])


def _free_loadings(task: Task) -> Bools:
    return np.asarray(task.label >= 0)


def _packed(task: Task, point: Point) -> Floats:
    """Lay out what is free as one vector in which everything is unbounded."""
    free = task.free_population
    parts = [point.working[task.problem.free], point.population.mean[free], np.log(point.population.sd[free])]
    return np.concatenate([*parts, np.arctanh(point.loadings[_free_loadings(task)])])


def _unpacked(task: Task, vector: Floats, like: Point) -> Point:
    ends = np.cumsum([task.problem.free.sum(), task.free_population.sum(), task.free_population.sum()])
    items, mean, sd, edges = np.split(vector, ends)
    working, means, sds = like.working.copy(), like.population.mean.copy(), like.population.sd.copy()
    working[task.problem.free] = items
    means[task.free_population], sds[task.free_population] = mean, np.exp(np.clip(sd, -5.0, 5.0))
    loadings = like.loadings.copy()
    loadings[_free_loadings(task)] = np.tanh(np.maximum(edges, np.arctanh(structure.SMALLEST)))
    return Point(working, Population(means, sds), np.minimum(loadings, MAX_LOADING - structure.STEP))


def _allowed(task: Task, point: Point, image: Point) -> Point:
    """Point within the bounds; items that make no sense there take their EM image."""
    working = bounded(task.problem, point.working)
    sane = ordered(task.problem.models, working) & (np.abs(np.nan_to_num(working)) < 100.0).all(axis=1)
    tie = task.problem.tie
    sane &= (tie < 0) | ~np.isin(tie, tie[~sane])
    return point._replace(working=np.where(sane[:, None], working, image.working))
