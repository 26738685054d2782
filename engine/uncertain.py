"""Expected response functions: item curves averaged over what a calibration leaves unknown of their parameters.

An item whose working parameters have the estimate xi and the covariance S answers like the mixture

    P(k | theta) = E[P(k | theta, x)],  x ~ N(xi, S).

Its curves are flatter than those of the estimate, so that beliefs built on them are wider and an item hardly known is
less informative. The mean slope stays the estimate: a prior in the calibration draws chance back, not this average.

The expectation is a sum over points with positive weights: a Gauss-Hermite product on the principal axes of S, and
beyond four of them a spherical rule of degree 3 on the smaller ones. A point that is no item, because its slope is
negative or its categories are out of order, is moved to one: see :func:`_admissible`.

References
----------
Lewis (2001), Expected response functions, in Essays on item response theory; Mislevy, Wingersky and Sheehan (1994),
Dealing with uncertainty about item parameters: expected response functions, ETS RR-94-28; Tsutakawa and Johnson (1990),
The effect of uncertainty of item parameter estimation on ability estimates, Psychometrika 55.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Floats, Ints
from engine.errors import ParameterError
from engine.models import Curves, curves
from engine.parameters import MAX_DISCRIMINATION, ItemParameters, Model
from engine.working import from_working, to_working

POINTS: Final = ((), (7,), (5, 5), (5, 4, 3), (5, 4, 3, 3))
"""Gauss-Hermite points on the axes, the longest first, of an item with 0 to 4 uncertain parameters."""
LEADING: Final = (3, 3, 3, 3)
"""The same for the product of an item with more of them."""
FLATTEST: Final = 0.01
"""Smallest slope, as a share of the estimate: a slope drawn below it counts as an item that says nothing."""
APART: Final = 1e-9
"""Least distance between the intercepts of a GRM item at a point."""
LARGEST_LOGIT: Final = 15.0
"""Largest logit of a guessing, and minus the smallest one of a slipping."""
CHUNK: Final = 2**17
"""Cells of the largest arrays worked on at once; bounds the memory whatever the number of items."""


class Points(NamedTuple):
    """Items at Q points each: those at ``rows`` (R,), as R Q items with the points of an item side by side."""

    rows: Ints
    items: ItemParameters
    weights: Floats  # (Q,) positive, they sum to 1


def expected_curves(
    parameters: ItemParameters, covariance: ArrayLike, nodes: ArrayLike, *, guessing: bool = True
) -> Curves:
    """Log of the expected category probabilities, with the first two derivatives of that log in ability.

    log P_k = log E[p_k], (log P_k)' = E[p_k s_k] / P_k and (log P_k)'' = E[p_k (s_k^2 + h_k)] / P_k - ((log P_k)')^2,
    where p_k, s_k and h_k are the probability and the derivatives of its log at a point.

    Parameters
    ----------
    parameters : ItemParameters
        I items: the estimates.
    covariance : (I, P, P) float
        Covariances of their working parameters (:mod:`engine.working`): slope, T intercepts, logit c, logit
        d. Rows and columns of NaN are of parameters that are known or that the item does not have.
    nodes : (G,) float
        Abilities.
    guessing : bool
        Whether a lucky guess is possible; without it, for a skip that says "I do not know".

    Returns
    -------
    Curves
        Those of :func:`engine.models.curves`, to the last bit, for items without uncertainty.

    Raises
    ------
    ParameterError
        When the covariances do not fit the items, or are none.

    Examples
    --------
    >>> item = ItemParameters.of("2PL", [1.5], [0.0])
    >>> unsure = np.full((1, 4, 4), np.nan)
    >>> unsure[0, :2, :2] = [[0.25, 0.0], [0.0, 0.04]]
    >>> np.exp(expected_curves(item, unsure, [2.0]).log_p)[0, 1].round(3).tolist()
    [0.93]
    >>> np.exp(curves(item, [2.0]).log_p)[0, 1].round(3).tolist()
    [0.953]
    """
    theta = np.asarray(nodes, dtype=np.float64).reshape(-1)
    known = checked_covariance(parameters, covariance)
    shape = (len(parameters), int(parameters.categories.max(initial=2)), theta.size)
    result = Curves(np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape))
    for rows, items, weights in _points(parameters, known, shape[1] * shape[2]):
        each = curves(items if guessing else items.without_guessing(), theta)
        part = each if weights.size == 1 else _averaged(each, weights)
        for whole, piece in zip(result, part, strict=True):
            whole[rows, : piece.shape[1]] = piece
    return result


def information_of(whole: Curves) -> Floats:
    """Fisher information of curves, sum over k of P_k (d log P_k / d theta)^2, (I, G).

    Of expected curves it is the information that an answer gives when its item is known no better than the covariance
    says, and at most the mean information of the item over that uncertainty.
    """
    return np.asarray(np.sum(np.exp(whole.log_p) * whole.first**2, axis=1))


def checked_covariance(parameters: ItemParameters, covariance: ArrayLike) -> Floats:
    """Covariances with zeros where nothing is uncertain.

    Parameters
    ----------
    parameters : ItemParameters
        I items.
    covariance : (I, P, P) float
        As for :func:`expected_curves`.

    Returns
    -------
    (I, P, P) float

    Raises
    ------
    ParameterError
        When the shape is another, or a matrix is no covariance, or belongs to a parameter that its item does not have.
    """
    given = np.array(covariance, dtype=np.float64)
    has = ~np.isnan(to_working(parameters))
    width = has.shape[1]
    if given.shape != (len(parameters), width, width):
        raise ParameterError(
            f"The covariances have the shape {given.shape}; give one matrix of {width} x {width} for each of the "
            f"{len(parameters)} items."
        )
    variance = np.diagonal(given, axis1=1, axis2=2)
    free = ~np.isnan(variance)
    values = np.where(free[:, :, None] & free[:, None, :], given, 0.0)
    scale = np.sqrt(np.abs(np.where(free, variance, 0.0)))
    with np.errstate(invalid="ignore"):
        even = np.abs(values - values.transpose(0, 2, 1)) <= 1e-8 * scale[:, :, None] * scale[:, None, :]
    _refuse(~even.reshape(-1, width * width).all(axis=1), "a covariance that is not finite and symmetrical")
    _refuse((free & ~has & (variance != 0)).any(axis=1), "a variance of a parameter that it does not have")
    lowest = np.linalg.eigvalsh(values)[:, 0]
    _refuse(lowest < -1e-8 * np.square(scale).sum(axis=1), "a covariance with a negative variance")
    return values


def _points(parameters: ItemParameters, covariance: Floats, cells: int) -> Iterator[Points]:
    """Go through all items, those with equally many uncertain parameters together, in parts that fit into memory.

    ``cells`` is the size of one item's curves at one point. Items without uncertainty have a single point.
    """
    free = np.diagonal(covariance, axis1=1, axis2=2) > 0
    counts = free.sum(axis=1)
    working = to_working(parameters)
    for count in np.unique(counts).tolist():
        standard, weights = _standard_points(count)
        alike = np.flatnonzero(counts == count)
        size = max(1, CHUNK // (weights.size * cells))
        for start in range(0, alike.size, size):
            rows = alike[start : start + size]
            items = parameters.take(rows)
            if count:
                which = np.argsort(~free[rows], axis=1, kind="stable")[:, :count]
                matrix = covariance[rows[:, None, None], which[:, :, None], which[:, None, :]]
                shift = np.matmul(standard, _factor(matrix).transpose(0, 2, 1))
                moved = np.repeat(working[rows, None], weights.size, axis=1)
                place = np.broadcast_to(which[:, None], shift.shape)
                np.put_along_axis(moved, place, np.take_along_axis(moved, place, axis=2) + shift, axis=2)
                models = np.repeat(items.model, weights.size)
                items = from_working(models, _admissible(models, moved, working[rows, None, 0]))
            yield Points(rows, items, weights)


def _factor(matrix: Floats) -> Floats:
    """Principal axes of covariances (R, N, N) times their standard deviations, the longest first."""
    variances, axes = np.linalg.eigh(matrix)
    return np.asarray((axes * np.sqrt(np.maximum(variances, 0.0))[:, None, :])[:, :, ::-1])


def _standard_points(count: int) -> tuple[Floats, Floats]:
    """Points (Q, N) and weights (Q,) that integrate over N standard normal variables; the first axes most precisely."""
    sizes = POINTS[count] if count < len(POINTS) else LEADING
    lines = [np.polynomial.hermite_e.hermegauss(size) for size in sizes]
    points = np.array(list(product(*(line for line, _ in lines))))
    weights = np.array(list(product(*(mass for _, mass in lines)))).prod(axis=1)
    rest = count - len(sizes)
    if rest:
        square = max(3, rest)
        star = np.sqrt(square) * np.concatenate([np.zeros((1, rest)), np.eye(rest), -np.eye(rest)])
        shares = np.array([1.0 - rest / square] + [0.5 / square] * (2 * rest))
        star, shares = star[shares > 0], shares[shares > 0]
        points = np.column_stack([np.repeat(points, shares.size, axis=0), np.tile(star, (weights.size, 1))])
        weights = np.outer(weights, shares).reshape(-1)
    return points, weights / weights.sum()


def _admissible(models: Ints, moved: Floats, slope: Floats) -> Floats:
    """Turn points (R, Q, P) into the nearest that are items, as (R Q, P); ``slope`` (R, 1) are the estimates.

    Slopes below a hundredth of the estimate are put there. Intercepts of a GRM item are put in order, which leaves the
    expected credit, the sum of the boundary curves, as it is. A guessing above the slipping changes place with it.
    """
    moved[..., 0] = np.clip(moved[..., 0], FLATTEST * slope, MAX_DISCRIMINATION)
    flat = moved.reshape(models.size, -1)
    graded = models == Model.GRM
    steps = flat[graded, 1:-2]
    flat[graded, 1:-2] = -np.sort(-steps, axis=1) - APART * np.arange(steps.shape[1])
    lower, upper = np.fmin(flat[:, -2], flat[:, -1]), np.fmax(flat[:, -2], flat[:, -1])
    both = models == Model.FOUR_PL
    flat[:, -2] = np.minimum(np.where(both, lower, flat[:, -2]), LARGEST_LOGIT)
    flat[both, -1] = np.maximum(upper[both], np.maximum(flat[both, -2], -LARGEST_LOGIT) + 1e-6)
    return flat


def _averaged(each: Curves, weights: Floats) -> Curves:
    """Curves of mixtures, (R, K, G), from those of R Q items with the points of an item side by side."""
    log_p, first, second = (field.reshape(-1, weights.size, *field.shape[1:]) for field in each)
    top = np.maximum(log_p.max(axis=1, keepdims=True), np.finfo(np.float64).min)
    share = np.exp(log_p - top) * weights[:, None, None]
    total = share.sum(axis=1)
    with np.errstate(divide="ignore"):
        mean = np.log(total) + top[:, 0]
    share /= np.where(total > 0, total, 1.0)[:, None]
    slope = np.sum(share * first, axis=1)
    return Curves(mean, slope, np.sum(share * (first**2 + second), axis=1) - slope**2)


def _refuse(wrong: Bools, words: str) -> None:
    if wrong.any():
        raise ParameterError(f"Item number {int(np.argmax(wrong)) + 1} has {words}; correct it or calibrate again.")
