"""The M-step: Fisher scoring on the expected counts, for all items at once.

For the 1PL, 2PL and GPCM models in slope and intercepts, Fisher scoring is Newton's method. Every step is bounded and
halved for the items whose expected log posterior it would lower. The 1PL items of a competence share one slope, which
is eliminated from their joint system by its Schur complement.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.calibration.priors import Priors, log_prior
from engine.calibration.sample import Layout
from engine.parameters import MAX_DISCRIMINATION, Model
from engine.working import slopes

LOWEST_SLOPE: Final = 0.01
"""An item that discriminates less, or the wrong way round, is at this bound."""
FURTHEST: Final = 12.0
"""Logits of c and d stay within: beyond, the asymptote is 0 or 1 to five digits."""
LONGEST: Final = 1.0
"""Longest step of a working parameter in one scoring step; flatter directions are damped (Levenberg 1944)."""
STEPS: Final = 2
"""Scoring steps of one M-step: more of them gain nothing before the next E-step."""
HALVINGS: Final = 12
RIDGE: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Problem:
    """What is estimated of J items.

    Parameters
    ----------
    models : (J,) int
    free : (J, P) bool
        Parameters that are estimated.
    tie : (J,) int
        Items of one label (0, 1, ...) share their slope; -1 for an item with a slope of its own.
    priors : Priors
    layout : Layout
    """

    models: Ints
    free: Bools
    tie: Ints
    priors: Priors
    layout: Layout


class System(NamedTuple):
    """Expected log posterior of each item (J,), its gradient (J, P) and complete-data information (J, P, P)."""

    value: Floats
    gradient: Floats
    information: Floats


def table(problem: Problem, working: Floats, nodes: Floats) -> Floats:
    """Log probabilities of all columns, (columns, G)."""
    layout = problem.layout
    log_p = slopes(problem.models, working, nodes).log_p
    return np.asarray(log_p[_columns(layout, log_p.shape[1])])


def system(problem: Problem, working: Floats, counts: Floats, nodes: Floats) -> System:
    """Expect the log posterior and its derivatives.

    Parameters
    ----------
    problem : Problem
    working : (J, P) float
    counts : (columns, G) float
        Expected answers of each category of each item at each node.
    nodes : (G,) float
    """
    layout = problem.layout
    log_p, by_parameter = slopes(problem.models, working, nodes)
    exists = _columns(layout, log_p.shape[1])
    full = np.zeros(log_p.shape)
    full[exists] = counts
    by_parameter = by_parameter * problem.free[:, None, :, None]
    value = np.sum(full * np.where(exists[..., None], log_p, 0.0), axis=(1, 2))
    gradient = np.einsum("ukg,ukpg->up", full, by_parameter, optimize=True)
    weight = np.sqrt(np.exp(log_p) * full.sum(axis=1, keepdims=True))
    flat = (by_parameter * weight[:, :, None]).transpose(0, 2, 1, 3).reshape(*by_parameter.shape[::2], -1)
    information = flat @ flat.transpose(0, 2, 1)
    if not problem.priors:
        return System(value, gradient, information)
    level, slope, bend = log_prior(
        problem.priors, problem.models, working, problem.free.astype(np.float64), problem.tie
    )
    return System(value + level, gradient + slope, information - bend)


def maximised(problem: Problem, working: Floats, counts: Floats, nodes: Floats) -> tuple[Floats, Floats]:
    """M-step: working parameters that raise the expected log posterior, and the gradient where it began.

    Returns
    -------
    working : (J, P) float
    gradient : (J, P) float
        Over the square root of the complete-data information: the unit is a standard error if abilities were known. 0
        for what is held, and at a bound where the gradient points outward.
    """
    now = system(problem, working, counts, nodes)
    gradient = _scaled(problem, working, now)
    for _ in range(STEPS):
        step = _step(problem, working, now)
        for _ in range(HALVINGS):
            moved = bounded(problem, working + step)
            after = system(problem, moved, counts, nodes)
            worse = _lowered(problem, now.value, after.value)
            if not worse.any():
                break
            step = np.where(worse[:, None], 0.5 * step, step)
        else:
            moved = np.where(worse[:, None], working, moved)
            after = system(problem, moved, counts, nodes)
        working, now = moved, after
    return working, gradient


def bounded(problem: Problem, working: Floats) -> Floats:
    """Working parameters within their bounds; what an item does not have stays NaN."""
    inside = working.copy()
    inside[:, 0] = np.clip(inside[:, 0], LOWEST_SLOPE, MAX_DISCRIMINATION)
    inside[:, -2:] = np.clip(inside[:, -2:], -FURTHEST, FURTHEST)
    return np.where(problem.free, inside, working)


def at_bound(working: Floats) -> Bools:
    """Which working parameters are at a bound, (J, P)."""
    found = np.zeros(working.shape, dtype=bool)
    found[:, 0] = (working[:, 0] <= LOWEST_SLOPE) | (working[:, 0] >= MAX_DISCRIMINATION)
    with np.errstate(invalid="ignore"):
        found[:, -2:] = np.abs(working[:, -2:]) >= FURTHEST
    return found


def ordered(models: Ints, working: Floats) -> Bools:
    """Tell which items make sense, (J,): the intercepts of a GRM item decrease, and c < d."""
    with np.errstate(invalid="ignore"):
        rising = (np.diff(working[:, 1:-2], axis=1) >= 0).any(axis=1)
        crossed = working[:, -2] >= working[:, -1]
    return np.asarray(~((models == Model.GRM) & rising) & ~crossed)


def _columns(layout: Layout, width: int) -> Bools:
    """Which cells of (J, K) are columns."""
    return np.asarray(np.arange(width)[None, :] < layout.categories[:, None])


def _scaled(problem: Problem, working: Floats, now: System) -> Floats:
    gradient, information = now.gradient.copy(), np.einsum("jpp->jp", now.information).copy()
    for part in (gradient, information):
        part[:, 0] = _summed(problem.tie, part[:, 0])
    low = (working <= np.where(np.arange(working.shape[1]) == 0, LOWEST_SLOPE, -FURTHEST)) & (gradient < 0)
    high = (working >= np.where(np.arange(working.shape[1]) == 0, MAX_DISCRIMINATION, FURTHEST)) & (gradient > 0)
    stuck = at_bound(working) & (low | high)
    counted = problem.free & ~stuck
    return np.where(counted, gradient / np.sqrt(np.maximum(information, RIDGE)), 0.0)


def _step(problem: Problem, working: Floats, now: System) -> Floats:
    """Scoring step of each item, (J, P); what is held or pressed against a bound does not move."""
    size = working.shape[1]
    pull = now.gradient.copy()
    pull[:, 0] = _summed(problem.tie, pull[:, 0])
    held = ~problem.free | (at_bound(working) & _outward(working, pull))
    information = np.where(held[:, :, None] | held[:, None, :], 0.0, now.information)
    diagonal = np.einsum("jpp->jp", information)
    damping = np.maximum(np.abs(now.gradient) / LONGEST - diagonal, 0.0) + np.maximum(RIDGE, 1e-10 * diagonal)
    information = information + np.where(held, 1.0, damping)[:, :, None] * np.eye(size)
    gradient = np.where(held, 0.0, now.gradient)
    tied = (problem.tie >= 0) & ~held[:, 0]
    step = np.zeros(working.shape)
    own = ~tied
    step[own] = _solved(information[own], gradient[own][..., None])[..., 0]
    if tied.any():
        step[tied] = _tied_step(information[tied], gradient[tied], problem.tie[tied])
    longest = np.abs(step).max(axis=1)
    for label in np.unique(problem.tie[tied]):
        together = problem.tie == label
        longest[together] = longest[together].max()
    return np.asarray(step * np.minimum(1.0, LONGEST / np.maximum(longest, RIDGE))[:, None])


def _summed(tie: Ints, part: Floats) -> Floats:
    """Sum over the items that share a slope, given to each of them; the others keep their own."""
    sums = np.bincount(tie + 1, weights=part)
    return np.where(tie >= 0, sums[tie + 1], part)


def _tied_step(information: Floats, gradient: Floats, tie: Ints) -> Floats:
    rest, cross = information[:, 1:, 1:], information[:, 1:, 0]
    solved = _solved(rest, np.stack([gradient[:, 1:], cross], axis=-1))
    of_gradient, of_cross = solved[..., 0], solved[..., 1]
    right = np.bincount(tie, weights=gradient[:, 0] - np.sum(cross * of_gradient, axis=1))
    left = np.bincount(tie, weights=information[:, 0, 0] - np.sum(cross * of_cross, axis=1))
    slope = np.clip(right / np.maximum(left, RIDGE), -0.5, 0.5)[tie]
    return np.column_stack([slope, of_gradient - of_cross * slope[:, None]])


def _solved(information: Floats, right: Floats) -> Floats:
    """Solve each system; where priors or 3PL curves leave it indefinite, by the absolute values of its eigenvalues."""
    try:
        np.linalg.cholesky(information)
        return np.asarray(np.linalg.solve(information, right))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(information)
        floor = 1e-8 * np.abs(values).max(axis=1, keepdims=True)
        inverse = 1.0 / np.maximum(np.abs(values), np.maximum(floor, RIDGE))
        return np.asarray(vectors @ (inverse[..., None] * (vectors.transpose(0, 2, 1) @ right)))


def _outward(working: Floats, gradient: Floats) -> Bools:
    middle = np.where(np.arange(working.shape[1]) == 0, 1.0, 0.0)
    return np.asarray(np.sign(gradient) == np.sign(np.nan_to_num(working) - middle))


def _lowered(problem: Problem, before: Floats, after: Floats) -> Bools:
    """For which items a step went down or nowhere; items that share a slope step together and are judged together."""
    both = [_summed(problem.tie, value) for value in (before, after)]
    return np.asarray(~(both[1] >= both[0] - 1e-12 * np.abs(both[0])))
