"""The change of scale under which two sets of curves are closest: nonlinear least squares in log A and B.

The residuals and their derivatives are exact: a linked curve is the new curve at (theta - B) / A, so that its
derivatives in A and B are those in ability.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from engine.arrays import Floats
from engine.errors import DesignError, ParameterError
from engine.grid import Grid
from engine.models import curves
from engine.parameters import ItemParameters

SMALLEST_STEP: Final = 1e-12
"""The search ends with a step of log A and B below this."""
LEFT: Final = 1e-6
"""A link is found when the next Gauss-Newton step would be below this."""
MOST_STEPS: Final = 200
FLAT: Final = 1e-8
"""Curves whose root mean square slope, in probability, is below this where they are compared cannot be matched."""


class Quadrature(NamedTuple):
    """Abilities and their weights, both (G,), the weights summing to 1."""

    nodes: Floats
    weights: Floats

    @classmethod
    def weighted(cls, nodes: ArrayLike, weights: ArrayLike) -> "Quadrature":
        """Quadrature of any abilities with any weights, e.g. an estimated distribution.

        Raises
        ------
        DesignError
            When the lengths differ or the weights are not weights.

        Examples
        --------
        >>> Quadrature.weighted([-1, 0, 1], [1, 2, 1]).weights.tolist()
        [0.25, 0.5, 0.25]
        """
        at, mass = np.asarray(nodes, dtype=np.float64).reshape(-1), np.asarray(weights, dtype=np.float64).reshape(-1)
        if at.size != mass.size or not (np.isfinite(at).all() and np.isfinite(mass).all()):
            raise DesignError("A quadrature needs one finite weight for each finite ability; correct it.")
        if (mass < 0).any() or mass.sum() <= 0:
            raise DesignError("The weights of a quadrature must be 0 or more, and one of them positive; correct them.")
        return cls(at, mass / mass.sum())

    @classmethod
    def of(cls, abilities: "Grid | Quadrature") -> "Quadrature":
        """Quadrature of a grid, whose weights are N(0, 1), or what already is one."""
        if isinstance(abilities, Grid):
            return cls(abilities.nodes, np.exp(abilities.log_weights))
        return abilities


Combine = Callable[[Floats], Floats]
"""What is compared: from category curves (J, K, G) to any number of curves (R, G)."""


def per_category(table: Floats) -> Floats:
    """Every category of every item, (J, K, G) -> (J K, G)."""
    return table.reshape(-1, table.shape[-1])


def expected_score(table: Floats) -> Floats:
    """Sum over items of the expected category, (J, K, G) -> (1, G)."""
    return np.asarray(np.einsum("k,jkg->g", np.arange(table.shape[1], dtype=np.float64), table))[None, :]


class Target(NamedTuple):
    """Curves to be matched: on the old scale, and on the new one unless ``new_abilities`` is None."""

    old: ItemParameters
    new: ItemParameters
    combine: Combine
    old_abilities: Grid | Quadrature
    new_abilities: Grid | Quadrature | None


def match(target: Target, starts: Sequence[tuple[float, float]], slope_free: bool) -> tuple[float, float]:
    """Slope and intercept under which the curves are closest.

    Parameters
    ----------
    target : Target
    starts : sequence of (slope, intercept)
        The search begins at the best of them.
    slope_free : bool
        False holds the slope of the start.

    Returns
    -------
    slope, intercept : float

    Raises
    ------
    ParameterError
        When the search does not converge.
    """
    points = [np.array([np.log(slope), intercept]) for slope, intercept in starts]
    best = min(points, key=lambda point: float(np.sum(_gaps(target, point)[0] ** 2)))
    free = slice(0 if slope_free else 1, 2)

    def at(values: Floats) -> Floats:
        point = best.copy()
        point[free] = values
        return point

    def gaps_at(values: Floats) -> Floats:
        return _gaps(target, at(values))[0]

    def slopes_at(values: Floats) -> Floats:
        return _gaps(target, at(values))[1][:, free]

    _refuse_flat(slopes_at(best[free]))
    found = least_squares(
        gaps_at,
        best[free],
        jac=slopes_at,
        xtol=SMALLEST_STEP,
        ftol=None,
        gtol=None,
        max_nfev=MOST_STEPS,
    )
    point = at(found.x)
    gaps, slopes = _gaps(target, point)
    _refuse_flat(slopes[:, free])
    left = np.linalg.lstsq(slopes[:, free], gaps, rcond=None)[0]
    if not np.max(np.abs(left)) < LEFT:
        raise ParameterError(
            "No change of scale brings the curves of the common items together; check that they are the same items in "
            "the same order, or link by the means."
        )
    return float(np.exp(point[0])), float(point[1])


def _refuse_flat(slopes: Floats) -> None:
    if np.linalg.svd(slopes, compute_uv=False).min() < FLAT:
        raise ParameterError(
            "The curves of the common items are flat where they are compared, so that no change of scale can be found; "
            "use common items of ordinary difficulty, or link by the means."
        )


def _gaps(target: Target, point: Floats) -> tuple[Floats, Floats]:
    """Weighted differences old - linked, (R,), and their derivatives in log A and B, (R, 2)."""
    slope, intercept = float(np.exp(point[0])), float(point[1])
    there = Quadrature.of(target.old_abilities)
    moved = (there.nodes - intercept) / slope
    old, _ = _values(target.old, there.nodes)
    new, rise = _values(target.new, moved)
    parts = [_weighted(target.combine, there.weights, old - new, rise * moved, rise / slope)]
    if target.new_abilities is not None:
        here = Quadrature.of(target.new_abilities)
        old, rise = _values(target.old, slope * here.nodes + intercept)
        new, _ = _values(target.new, here.nodes)
        parts.append(_weighted(target.combine, here.weights, old - new, rise * slope * here.nodes, rise))
    return np.concatenate([gap for gap, _ in parts]), np.concatenate([slopes for _, slopes in parts])


def _values(items: ItemParameters, nodes: Floats) -> tuple[Floats, Floats]:
    """Category probabilities and their derivatives in ability, each (J, K, G)."""
    log_p, first, _ = curves(items, nodes)
    probability = np.exp(log_p)
    return probability, probability * first


def _weighted(
    combine: Combine, weights: Floats, gap: Floats, by_log_slope: Floats, by_intercept: Floats
) -> tuple[Floats, Floats]:
    root = np.sqrt(weights)
    columns = [(combine(table) * root).reshape(-1) for table in (gap, by_log_slope, by_intercept)]
    return columns[0], np.column_stack(columns[1:])
