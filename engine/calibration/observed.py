"""Observed information: standard errors of what was calibrated.

The covariance of the estimates is the inverse of minus the Hessian of the marginal log posterior where it is highest. By
Louis (1982), that is the information that responses and abilities would give together, less the missing information
(:mod:`engine.calibration.missing`), less the Hessian of the log priors. Loadings of a tree have theirs from differences
of the gradient, which the E-step gives exactly (Fisher's identity; Oakes 1999).

Competences that are independent are estimated apart, and so are their errors. On a tree, the missing information that
two competences share is left out: what one competence tells about another is small beside its own answers, and then
the errors are a little too small. The loadings and what they share with the items are whole.

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
from scipy.sparse import csr_array

from engine.arrays import Bools, Floats, Ints
from engine.calibration import structure
from engine.calibration.bordered import Inverse, inverted
from engine.calibration.complete import gradient, of_groups, of_items, of_people
from engine.calibration.em import Point, Task, prior_of
from engine.calibration.expectation import expect
from engine.calibration.maximisation import Problem, at_bound, table
from engine.calibration.missing import missing, scores
from engine.calibration.population import Population
from engine.calibration.result import Errors
from engine.calibration.sample import Sample
from engine.calibration.working import jacobian
from engine.grid import Grid
from engine.latent import MAX_LOADING
from engine.parameters import POLYTOMOUS

LOADING_STEP: Final = 1e-3
"""Step of the differences in the inverse hyperbolic tangent of a loading."""


class Uncertainty(NamedTuple):
    """Standard errors of all that was estimated, NaN for what was held, at a bound or not told by the responses."""

    errors: Errors
    covariance: Floats  # (J, P, P) of the working parameters of each item
    population: Population  # standard errors of means and sds, (Q, C)
    loadings: Floats  # (D + C,)
    definite: bool  # whether the information is positive definite, as it is at a maximum


class Information(NamedTuple):
    """Observed information: a block for each competence, and the border of the loadings."""

    blocks: list[Floats]  # C arrays (m, m)
    rows: list[Floats]  # C arrays (L, m)
    corner: Floats  # (L, L)


def uncertainty(task: Task, sample: Sample, point: Point, grid: Grid) -> Uncertainty:
    """Standard errors at the maximum of the log posterior.

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
    places = numbered(task.problem, task.free_population)
    inverse = inverted(*information(task, sample, point, grid, places))
    return _uncertainty(task, point, places, inverse)


def information(task: Task, sample: Sample, point: Point, grid: Grid, places: "Places") -> Information:
    """Minus the Hessian of the log posterior in what is free.

    Working parameters as they are, sds as their logs, loadings as their inverse hyperbolic tangents.

    Parameters
    ----------
    task, sample, point, grid
    places : Places
        Numbers of the parameters.

    Returns
    -------
    Information
    """
    problem, nodes = task.problem, grid.nodes
    log_p, prior = table(problem, point.working, nodes), prior_of(task, point, grid)
    expected = expect(sample, log_p, prior)
    of_each = of_items(problem, point.working, expected.counts, nodes)
    of_group = of_groups(point.population, expected.mass, nodes)
    slots = np.flatnonzero(problem.free.any(axis=0) | (np.arange(problem.free.shape[1]) < 2))
    people = of_people(point.population, nodes)
    found = scores(problem, point.working, nodes, people, task.free_population, slots)
    blocks = []
    for c, lost in enumerate(missing(sample, found, log_p, prior)):
        block = -_gathered(lost, places.of_competence(c)[:, slots])
        np.add.at(block, *_pairs(places.items[c], of_each[places.rows[c]]))
        np.add.at(block, *_pairs(places.people[c], of_group[:, c]))
        blocks.append(block)
    return Information(blocks, *_border(task, sample, point, grid, places))


class Places(NamedTuple):
    """Number of each parameter among those of its competence, -1 for what is held."""

    rows: list[Ints]  # items of each competence
    items: list[Ints]  # each (items, P)
    people: list[Ints]  # each (Q, 2): mean and log sd

    def of_competence(self, competence: int) -> Ints:
        """Numbers for the items, then for the groups, (items + Q, P)."""
        items, people = self.items[competence], self.people[competence]
        wide = np.full((people.shape[0], items.shape[1]), -1)
        wide[:, :2] = people
        return np.concatenate([items, wide])

    def size(self, competence: int) -> int:
        """Parameters of a competence."""
        return int(self.of_competence(competence).max(initial=-1)) + 1


def numbered(problem: Problem, grouped: Bools) -> Places:
    """Number the parameters of each competence: those of the items, slopes in common once, then those of the groups.

    Parameters
    ----------
    problem : Problem
    grouped : (Q, C) bool
        Groups whose mean and log sd are free.
    """
    units = problem.units
    rows, items, people = [], [], []
    for c, (low, high) in enumerate(zip(units.bounds[:-1], units.bounds[1:], strict=True)):
        own = np.unique(units.item[low:high])
        free = problem.free[own]
        tie = problem.tie[own]
        key = np.arange(free.size).reshape(free.shape)
        first = {int(label): int(key[np.argmax((tie == label) & free[:, 0]), 0]) for label in np.unique(tie[tie >= 0])}
        tied = tie >= 0
        key[tied, 0] = [first[int(label)] for label in tie[tied]]
        place = np.full(free.shape, -1)
        numbers, place[free] = np.unique(key[free], return_inverse=True)
        last = np.full((grouped.shape[0], 2), -1)
        last[grouped[:, c]] = numbers.size + np.arange(2 * int(grouped[:, c].sum())).reshape(-1, 2)
        rows.append(own)
        items.append(place)
        people.append(last)
    return Places(rows, items, people)


def _border(
    task: Task, sample: Sample, point: Point, grid: Grid, places: Places
) -> tuple[list[Floats], Floats]:
    """Information that items share with the loadings, (L, m) of each competence, and that of the loadings, (L, L).

    Minus the derivatives of the gradient in the loadings, of which those of one label move together.
    """
    label = task.label
    names = np.unique(label[label >= 0])
    rows = [np.zeros((names.size, places.size(c))) for c in range(sample.competences)]
    corner = np.zeros((names.size, names.size))
    for at, name in enumerate(names):
        shift = np.where(label == name, LOADING_STEP, 0.0)
        above, below = (
            _gradients(task, sample, _moved(point, sign * shift), grid, names) for sign in (1.0, -1.0)
        )
        items, loadings = ((low - high) / (2.0 * LOADING_STEP) for low, high in zip(below, above, strict=True))
        corner[at] = loadings
        for row, rows_of, place in zip(rows, places.rows, places.items, strict=True):
            np.add.at(row[at], place[place >= 0], items[rows_of][place >= 0])
    return rows, 0.5 * (corner + corner.T)


def _moved(point: Point, shift: Floats) -> Point:
    return point._replace(loadings=np.tanh(np.arctanh(point.loadings) + shift))


def _gradients(
    task: Task, sample: Sample, point: Point, grid: Grid, names: Ints
) -> tuple[Floats, Floats]:
    """Gradient in the working parameters, (J, P), and in the loadings of each label, on the scale of artanh, (L,)."""
    log_p = table(task.problem, point.working, grid.nodes)
    expected = expect(sample, log_p, prior_of(task, point, grid))
    items, _ = gradient(task.problem, point.working, point.population, expected, grid.nodes)
    _, slope, _ = structure.profile(expected.edges, grid.nodes, point.loadings)
    turned = slope * (1.0 - point.loadings**2)
    return items, np.array([turned[task.label == name].sum() for name in names])


def _uncertainty(task: Task, point: Point, places: Places, inverse: Inverse) -> Uncertainty:
    covariance = np.full((*point.working.shape, point.working.shape[1]), np.nan)
    mean, sd = np.full((2, *point.population.mean.shape), np.nan)
    for c, block in enumerate(inverse.blocks):
        spread = np.pad(block, (0, 1), constant_values=np.nan)  # the last stands for what is held: numbered -1
        item, group = places.items[c], places.people[c]
        covariance[places.rows[c]] = spread[item[:, :, None], item[:, None, :]]
        mean[:, c], sd[:, c] = np.sqrt(np.diag(spread)[group]).T
    names = np.unique(task.label[task.label >= 0])
    loadings = np.full(task.label.size, np.nan)
    for name, variance in zip(names, np.diag(inverse.corner), strict=True):
        tied = task.label == name
        loadings[tied] = np.sqrt(variance) * (1.0 - point.loadings[tied] ** 2)
    spread_of_people = Population(mean, sd * point.population.sd)
    return Uncertainty(_errors(task.problem, point.working, covariance), covariance, spread_of_people, loadings, inverse.definite)


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


def _gathered(cells: Floats, place: Ints) -> Floats:
    """Sum an array (R, S, R, S) over the cells of each parameter."""
    free = np.flatnonzero(place.ravel() >= 0)
    number = place.ravel()[free]
    flat = cells.reshape(place.size, place.size)[np.ix_(free, free)]
    if np.unique(number).size == number.size:
        order = np.argsort(number)
        return np.asarray(flat[np.ix_(order, order)])
    sums = csr_array((np.ones(free.size), (number, np.arange(free.size))))
    return np.asarray(sums @ (sums @ flat).T)


def _pairs(place: Ints, values: Floats) -> tuple[tuple[Ints, Ints], Floats]:
    """Cells of the information of what stands in each row, and what to add there."""
    first, second = np.broadcast_arrays(place[:, :, None], place[:, None, :])
    kept = (first >= 0) & (second >= 0)
    return (first[kept], second[kept]), values[kept]
