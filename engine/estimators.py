"""Ability estimates from whole response vectors: EAP, MAP, ML and WLE, each with its standard error."""

from enum import IntEnum
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Floats, Ints
from engine.belief import normalise
from engine.errors import DesignError, ResponseError
from engine.grid import Grid
from engine.likelihood import Answers
from engine.models import Curves, curves
from engine.parameters import ItemParameters
from engine.penalties import Flat, Jeffreys, Normal, Penalty, Prior, Uniform, Warm
from engine.responses import SkipPolicy

Method = Literal["eap", "map", "ml", "wle"]

STANDARD_NORMAL: Final = Normal()
CHUNK: Final = 2**19
"""Cells of the largest arrays worked on at once; bounds the memory whatever the number of learners."""
NODES_PER_SLOPE: Final = 4.0
"""Nodes of the search for peaks per 1 / discrimination of the steepest item: a peak is not much narrower than that."""
TOLERANCE: Final = 1e-11
"""A peak is found when the last step is smaller than this."""
DIFFERENCE: Final = 1e-4
"""Step of the central difference that gives the curvature of Jeffreys' prior."""


class Status(IntEnum):
    """What became of one estimate."""

    CONVERGED = 0
    AT_BOUND = 1
    NO_ANSWER = 2


class Estimates(NamedTuple):
    """Estimates of a batch of learners, each (*batch,); ``status`` holds codes of :class:`Status`."""

    ability: Floats
    se: Floats
    status: Ints


def estimate(
    parameters: ItemParameters,
    responses: ArrayLike,
    method: Method = "eap",
    prior: Prior = STANDARD_NORMAL,
    lower: float = -6.0,
    upper: float = 6.0,
    nodes: int = 61,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
) -> Estimates:
    """Estimate one ability from each response vector.

    Parameters
    ----------
    parameters : ItemParameters
        I items.
    responses : (*batch, I) int
        Categories, or the codes of :mod:`engine.responses`; ``NOT_REACHED`` stands for an item that was not presented.
    method : {"eap", "map", "ml", "wle"}
        Posterior mean, posterior mode, maximum likelihood, weighted likelihood (Warm 1989).
    prior : Normal, Uniform or Jeffreys
        Used by "eap" and "map".
    lower, upper : float
        No estimate lies outside.
    nodes : int
        Points of the grid: of integration for "eap" (trapezoid rule), of the search for the highest peak otherwise,
        which takes more of them where items are steep.
    skip, time_out : {"unknown", "incorrect", "ignored"}
        What a skip and a time-out are evidence of.

    Returns
    -------
    Estimates
        Ability, standard error, status.

    Raises
    ------
    ResponseError
        When an item cannot have a response.
    DesignError
        When the method, the range or a policy does not exist.

    Notes
    -----
    A likelihood of 3PL or 4PL items can have several peaks; the highest one that the grid sees is refined to the last
    digits. A likelihood that still rises at an end of the range (all answers right, or all wrong) gives that end, with
    the standard error of the information there, and the status ``AT_BOUND``. A learner without any answer gets the
    prior's mean and standard deviation when the prior is used and is normal, NaN otherwise, and ``NO_ANSWER``.

    Standard errors: posterior standard deviation for "eap"; 1 / sqrt(I) for "ml" and "wle"; 1 / sqrt(I - (log prior)'')
    for "map"; I is the Fisher information of the items answered. Where Jeffreys' prior would leave nothing of it, its
    curvature is left out.

    Examples
    --------
    >>> rasch = ItemParameters.of("1PL", [1.0, 1.0, 1.0], [-1.0, 0.0, 1.0])
    >>> estimate(rasch, [1, 1, 0]).ability.round(3).tolist()
    0.315
    >>> estimate(rasch, [[1, 1, 0], [1, 1, 1]], "ml").status.tolist()
    [0, 1]
    """
    if method not in get_args(Method):
        raise DesignError(f"There is no estimator {method!r}; use one of {', '.join(get_args(Method))}.")
    given = np.asarray(responses)
    if given.ndim == 0 or given.shape[-1] != len(parameters):
        raise ResponseError(
            f"Responses have the shape {given.shape} for {len(parameters)} items; end it with one column for each item."
        )
    grid = _grid(parameters, method, prior, Grid(lower, upper, nodes))
    batch = given.shape[:-1]
    flat = given.reshape(int(np.prod(batch)), len(parameters))
    width = max(1, CHUNK // (int(parameters.categories.max(initial=2)) * len(parameters) + grid.count))
    table: Curves | None = None
    parts = []
    for start in range(0, max(flat.shape[0], 1), width):
        answers = Answers.of(parameters, flat[start : start + width], skip, time_out)
        table = curves(answers.items, grid.nodes) if table is None else table
        found = _mean(answers, table, grid, prior) if method == "eap" else _peak(answers, table, grid, method, prior)
        parts.append(_without_answers(answers, found, prior if method in ("eap", "map") else None))
    return Estimates(*(np.concatenate(field).reshape(batch) for field in zip(*parts, strict=True)))


def _grid(parameters: ItemParameters, method: Method, prior: Prior, asked: Grid) -> Grid:
    """Grid of integration as asked for, or one of search on which the steepest item cannot hide a peak."""
    lower, upper = asked.lower, asked.upper
    if isinstance(prior, Uniform) and method in ("eap", "map"):
        lower, upper = max(lower, prior.lower), min(upper, prior.upper)
    steepest = float(parameters.discrimination.max(initial=0.0))
    finer = 0 if method == "eap" else int(np.ceil((upper - lower) * steepest * NODES_PER_SLOPE)) + 1
    return Grid(lower, upper, max(asked.count, finer))


def _without_answers(answers: Answers, found: Estimates, prior: Prior | None) -> Estimates:
    none = answers.none
    nothing = none & (not isinstance(prior, Normal))
    return Estimates(
        np.where(nothing, np.nan, found.ability),
        np.where(nothing, np.nan, found.se),
        np.where(none, Status.NO_ANSWER, found.status),
    )


def _mean(answers: Answers, table: Curves, grid: Grid, prior: Prior) -> Estimates:
    sums = answers.on_grid(table)
    log_posterior = sums.log_likelihood + prior.value(grid.nodes, sums)
    log_posterior[:, [0, -1]] += np.log(0.5)
    weight = normalise(log_posterior)
    mean = np.sum(weight * grid.nodes, axis=1)
    variance = np.sum(weight * (grid.nodes - mean[:, None]) ** 2, axis=1)
    return Estimates(mean, np.sqrt(variance), np.full(mean.shape, Status.CONVERGED))


def _peak(answers: Answers, table: Curves, grid: Grid, method: Method, prior: Prior) -> Estimates:
    penalty: Penalty = {"map": prior, "ml": Flat(), "wle": Warm()}[method]
    ability, low, high, drift = _scan(answers, table, grid, penalty)
    inside = low < high
    ability[inside] = _refine(answers.only(inside), penalty, ability[inside], low[inside], high[inside], drift[inside])
    precision = answers.at(ability).information[:, 0] + _curvature(answers, penalty, ability)
    with np.errstate(divide="ignore"):
        se = 1.0 / np.sqrt(precision)
    return Estimates(ability, se, np.where(inside, Status.CONVERGED, Status.AT_BOUND))


def _scan(answers: Answers, table: Curves, grid: Grid, penalty: Penalty) -> tuple[Floats, Floats, Floats, Floats]:
    """First guess, the bracket it lies in (empty at a bound), and the slope of the penalty's own slope there, (N,)."""
    nodes, spacing = grid.nodes, grid.spacing
    sums = answers.on_grid(table)
    push = np.broadcast_to(penalty.slope(nodes, sums), sums.first.shape)
    slope = sums.first + push
    value = sums.log_likelihood + penalty.value(nodes, sums)
    left, right = slope[:, :-1], slope[:, 1:]
    turns = (left > 0) & (right <= 0)
    stride = spacing * np.divide(left, left - right, out=np.zeros_like(left), where=turns)
    heights = np.column_stack(
        [
            np.where(slope[:, 0] <= 0, value[:, 0], -np.inf),
            np.where(slope[:, -1] >= 0, value[:, -1], -np.inf),
            np.where(turns, value[:, :-1] + 0.5 * left * stride, -np.inf),
        ]
    )
    best = np.argmax(heights, axis=1)
    inside, learner = best >= 2, np.arange(best.size)
    cell = np.maximum(best - 2, 0)
    bound = np.where(best == 0, grid.lower, grid.upper)
    low = np.where(inside, nodes[cell], bound)
    high = np.where(inside, nodes[cell + 1], bound)
    guess = np.where(inside, nodes[cell] + stride[learner, cell], bound)
    return guess, low, high, (push[learner, cell + 1] - push[learner, cell]) / spacing


def _refine(answers: Answers, penalty: Penalty, ability: Floats, low: Floats, high: Floats, drift: Floats) -> Floats:
    """Newton's method kept inside a bracket, with a bisection wherever a step leaves it or does not halve the last.

    It always ends: steps of Newton halve, and bisections halve the bracket.
    """
    found = ability.copy()
    last = high - low
    active = np.ones(found.shape, dtype=np.bool_)
    while active.any():
        here, below, above = found[active], low[active], high[active]
        sums = answers.only(active).at(here)
        slope = (sums.first + penalty.slope(here[:, None], sums))[:, 0]
        below, above = np.where(slope > 0, here, below), np.where(slope > 0, above, here)
        bend = sums.second[:, 0] + drift[active]
        step = np.divide(-slope, bend, out=np.full_like(slope, np.inf), where=bend < 0)
        newton = here + step
        good = (newton >= below) & (newton <= above) & (np.abs(step) <= 0.5 * last[active])
        there = np.where(good, newton, 0.5 * (below + above))
        found[active], low[active], high[active], last[active] = there, below, above, np.abs(there - here)
        active[active] = last[active] > TOLERANCE
    return found


def _curvature(answers: Answers, penalty: Penalty, ability: Floats) -> Floats:
    """Minus the second derivative of the log prior, (N,); 0 where Jeffreys' would leave nothing of the information."""
    if isinstance(penalty, Normal):
        return np.full(ability.shape, penalty.sd**-2.0)
    if not isinstance(penalty, Jeffreys):
        return np.zeros_like(ability)
    slopes = [penalty.slope(at[:, None], answers.at(at)) for at in (ability - DIFFERENCE, ability + DIFFERENCE)]
    curvature = ((slopes[0] - slopes[1]) / (2.0 * DIFFERENCE))[:, 0]
    return np.where(answers.at(ability).information[:, 0] + curvature > 0, curvature, 0.0)
