"""Observed information: standard errors of what was calibrated.

The covariance of the estimates is the inverse of minus the Hessian of the marginal log posterior at its maximum. By
Louis (1982), that is the information that responses and abilities would give together, less the missing information
(:mod:`engine.calibration.errors.missing`, :mod:`engine.calibration.errors.between`), less the Hessian of the log
priors. Loadings of a tree have theirs from differences of the gradient, which the E-step gives exactly (Fisher's
identity; Oakes 1999).

References
----------
Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. Journal of the Royal
Statistical Society B, 44, 226-233.
Oakes, D. (1999). Direct calculation of the information matrix via the EM algorithm. Journal of the Royal Statistical
Society B, 61, 479-482.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Floats
from engine.calibration import structure
from engine.calibration.em import Point, Task, prior_of
from engine.calibration.errors.answers import scores
from engine.calibration.errors.between import between
from engine.calibration.errors.complete import gradient, of_groups, of_items, of_people
from engine.calibration.errors.inverse import inverted
from engine.calibration.errors.missing import missing
from engine.calibration.errors.places import Places, add, gather, numbered
from engine.calibration.expectation import expect
from engine.calibration.maximisation import Problem, at_bound, table
from engine.calibration.population import Population
from engine.calibration.result import Errors
from engine.calibration.sample import Sample
from engine.grid import Grid
from engine.latent import MAX_LOADING, LatentTree
from engine.parameters import POLYTOMOUS
from engine.working import jacobian

LOADING_STEP: Final = 1e-3
"""Step of the differences in the inverse hyperbolic tangent of a loading."""


class Uncertainty(NamedTuple):
    """Standard errors of all that was estimated, NaN for what was held, at a bound or not told by the responses."""

    errors: Errors
    covariance: Floats  # (J, P, P) of the working parameters of each item
    population: Population  # standard errors of means and sds, (Q, C)
    loadings: Floats  # (D + C,)
    definite: bool  # whether the information is positive definite, as it is at a maximum


def uncertainty(task: Task, sample: Sample, point: Point, grid: Grid) -> Uncertainty:
    """Find the standard errors at the maximum of the log posterior.

    Parameters
    ----------
    task : Task
    sample : Sample
    point : Point
        The maximum.
    grid : Grid
        That of the last E-step.

    Returns
    -------
    Uncertainty

    Notes
    -----
    Parameters at a bound count as known. Where the information is not positive definite, which happens off the maximum
    or when parameters cannot be told apart, those that take part in a direction without information have no error
    (NaN), and ``definite`` is False; the errors of the others hold.
    """
    inside = (point.loadings > structure.SMALLEST) & (point.loadings < MAX_LOADING - 2.0 * structure.STEP)
    task = replace(
        task,
        problem=replace(task.problem, free=task.problem.free & ~at_bound(point.working)),
        label=np.where(inside, task.label, -1) if task.label.size else task.label,
    )
    places = placed(task)
    inverses = [inverted(block) for block in information(task, sample, point, grid, places)]
    definite = all(own for _, own in inverses)
    spread = [np.pad(inverse, (0, 1), constant_values=np.nan) for inverse, _ in inverses]
    return _uncertainty(task, point, places, spread, definite)


def placed(task: Task) -> Places:
    """Numbers of the parameters of a task."""
    return numbered(task.problem, task.free_population, task.label, isinstance(task.latent, LatentTree))


def information(task: Task, sample: Sample, point: Point, grid: Grid, places: Places) -> list[Floats]:
    """Minus the Hessian of the log posterior in what is free.

    Working parameters as they are, sds as their logs, loadings as their inverse hyperbolic tangents.

    Parameters
    ----------
    task, sample, point, grid
    places : Places
        Numbers of the parameters.

    Returns
    -------
    list of (M, M) float
        A block for each competence, or one for a whole tree.
    """
    problem, nodes = task.problem, grid.nodes
    log_p, prior = table(problem, point.working, nodes), prior_of(task, point, grid)
    expected = expect(sample, log_p, prior)
    of_each = of_items(problem, point.working, expected.counts, nodes)
    of_group = of_groups(point.population, expected.mass, nodes)
    slots = np.flatnonzero(problem.free.any(axis=0) | (np.arange(problem.free.shape[1]) < 2))
    people = of_people(point.population, nodes)
    found = scores(problem, point.working, nodes, people, task.free_population, slots)
    blocks = [np.zeros((size, size)) for size in places.sizes]
    for c, lost in enumerate(missing(sample, found, log_p, prior)):
        block = blocks[places.block[c]]
        gather(block, places.of_competence(c)[:, slots], lost)
        add(block, places.items[c], of_each[places.rows[c]])
        add(block, places.people[c], of_group[:, c])
    if prior.links is not None:
        own = [places.of_competence(c)[:, slots] for c in range(sample.competences)]
        blocks[0] -= between(sample, found, own, int(places.sizes[0]), log_p, prior.links, nodes)
        _add_loadings(blocks[0], task, sample, point, grid, places)
    return blocks


def _add_loadings(block: Floats, task: Task, sample: Sample, point: Point, grid: Grid, places: Places) -> None:
    """Fill the rows of the loadings: minus the derivatives of the gradient, those of one label moving together."""
    numbers = np.unique(places.loadings[places.loadings >= 0])
    for number in numbers:
        shift = np.where(places.loadings == number, LOADING_STEP, 0.0)
        above, below = (_gradient(task, sample, _moved(point, sign * shift), grid, places) for sign in (1.0, -1.0))
        block[number] = (below - above) / (2.0 * LOADING_STEP)
        block[: numbers[0], number] = block[number, : numbers[0]]
    corner = np.ix_(numbers, numbers)
    block[corner] = 0.5 * (block[corner] + block[corner].T)


def _moved(point: Point, shift: Floats) -> Point:
    return point._replace(loadings=np.tanh(np.arctanh(point.loadings) + shift))


def _gradient(task: Task, sample: Sample, point: Point, grid: Grid, places: Places) -> Floats:
    """Gradient of the log-likelihood of a tree in all parameters, (M,)."""
    expected = expect(sample, table(task.problem, point.working, grid.nodes), prior_of(task, point, grid))
    items, _ = gradient(task.problem, point.working, point.population, expected, grid.nodes)
    _, slope, _ = structure.profile(expected.edges, grid.nodes, point.loadings)
    found = np.zeros(int(places.sizes[0]) + 1)  # the last is for what is held: numbered -1
    np.add.at(found, places.loadings, slope * (1.0 - point.loadings**2))
    for rows, place in zip(places.rows, places.items, strict=True):
        np.add.at(found, place, items[rows])
    return found[:-1]


def _uncertainty(task: Task, point: Point, places: Places, spread: list[Floats], definite: bool) -> Uncertainty:
    """Put the covariances in their places; the last row and column of each are NaN: what is held is numbered -1."""
    covariance = np.full((*point.working.shape, point.working.shape[1]), np.nan)
    mean, log_sd = np.full((2, *point.population.mean.shape), np.nan)
    for c, (item, group) in enumerate(zip(places.items, places.people, strict=True)):
        own = spread[places.block[c]]
        covariance[places.rows[c]] = own[item[:, :, None], item[:, None, :]]
        mean[:, c], log_sd[:, c] = np.sqrt(np.diag(own)[group]).T
    loadings = np.sqrt(np.diag(spread[0])[places.loadings]) * (1.0 - point.loadings[: places.loadings.size] ** 2)
    errors = _errors(task.problem, point.working, covariance)
    return Uncertainty(errors, covariance, Population(mean, log_sd * point.population.sd), loadings, definite)


def _errors(problem: Problem, working: Floats, covariance: Floats) -> Errors:
    """Errors of the parameters as they are reported, by the delta method; what is held is known."""
    turn = jacobian(problem.models, working)
    polytomous = np.isin(problem.models, POLYTOMOUS)
    steps = np.isfinite(working[:, 1:-2])
    share = np.where(steps, 1.0 / np.maximum(steps.sum(axis=1, keepdims=True), 1), 0.0)
    turn = np.concatenate([turn, np.einsum("jt,jtp->jp", share, turn[:, 1:-2])[:, None]], axis=1)
    free = problem.free[:, None, :]
    told = np.isfinite(np.einsum("jpp->jp", covariance))[:, None, :]
    uses = turn != 0
    fit = (uses & free).any(axis=2) & (~uses | ~free | told).all(axis=2)
    variance = np.einsum("jrp,jpq,jrq->jr", turn, np.nan_to_num(covariance), turn)
    error = np.where(fit, np.sqrt(np.maximum(variance, 0.0)), np.nan)
    thresholds = np.where(polytomous[:, None], error[:, 1:-3], np.nan)
    if not polytomous.any():
        thresholds = np.empty((working.shape[0], 0))
    return Errors(error[:, 0], error[:, -1], error[:, -3], error[:, -2], thresholds)
