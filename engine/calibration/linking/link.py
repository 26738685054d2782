"""Linking: the parameters of a new calibration on the scale of an old one, through the items common to both.

A calibration fixes its own origin and unit of ability. Two of them are related by theta_old = A theta_new + B, so that
a_old = a_new / A and b_old = A b_new + B (thresholds like difficulties; guessing and slipping do not change).

References
----------
Kolen, M. J., & Brennan, R. L. (2014). Test Equating, Scaling, and Linking (3rd ed.), chapter 6. Springer.
Kim, S., & Lee, W.-C. (2006). An extension of four IRT linking methods for mixed-format tests. Journal of Educational
Measurement, 43, 53-76.
"""

from typing import Final, Literal, get_args

import numpy as np

from engine.arrays import Floats
from engine.calibration.linking.curves import Quadrature, Target, expected_score, match, per_category
from engine.calibration.linking.scale import Link as Link
from engine.errors import DesignError, ParameterError
from engine.grid import Grid
from engine.models import log_probability
from engine.parameters import ItemParameters, Model

Method = Literal["mean-mean", "mean-sigma", "haebara", "stocking-lord"]

NORMAL: Final = Grid(-6.0, 6.0, 121)


def mean_mean(old: ItemParameters, new: ItemParameters) -> Link:
    """Link by the means: A = mean(a_new) / mean(a_old), B = mean(b_old) - A mean(b_new).

    Parameters
    ----------
    old, new : ItemParameters
        The common items, in the same order; b runs over all difficulties and thresholds.

    Returns
    -------
    Link

    Raises
    ------
    ParameterError
        When the items are not the same in both.

    References
    ----------
    Loyd, B. H., & Hoover, H. D. (1980). Vertical equating using the Rasch model. Journal of Educational Measurement,
    17, 179-193.

    Examples
    --------
    >>> old = ItemParameters.of("2PL", [1.0, 2.0], [0.0, 1.0])
    >>> mean_mean(old, Link(0.5, -1.0).apply(old))
    Link(slope=2.0, intercept=2.0)
    """
    _same_items(old, new)
    slope = float(new.discrimination.mean() / old.discrimination.mean())
    return Link(slope, float(_locations(old).mean() - slope * _locations(new).mean()))


def mean_sigma(old: ItemParameters, new: ItemParameters) -> Link:
    """Link by the means and the spreads: A = sd(b_old) / sd(b_new), B = mean(b_old) - A mean(b_new).

    Parameters
    ----------
    old, new : ItemParameters
        The common items, in the same order; b runs over all difficulties and thresholds.

    Returns
    -------
    Link
        When every item is a 1PL, that of :func:`mean_mean`: no other slope leaves them the old discrimination.

    Raises
    ------
    ParameterError
        When the items are not the same in both, or do not differ in difficulty.

    References
    ----------
    Marco, G. L. (1977). Item characteristic curve solutions to three intractable testing problems. Journal of
    Educational Measurement, 14, 139-160.
    """
    _same_items(old, new)
    if _one_slope(old):
        return mean_mean(old, new)
    before, after = _locations(old), _locations(new)
    if np.ptp(before) == 0 or np.ptp(after) == 0:
        raise ParameterError("The common items do not differ in difficulty; use more of them, or the means method.")
    slope = float(before.std() / after.std())
    return Link(slope, float(before.mean() - slope * after.mean()))


def haebara(
    old: ItemParameters,
    new: ItemParameters,
    *,
    symmetric: bool = True,
    old_abilities: Grid | Quadrature = NORMAL,
    new_abilities: Grid | Quadrature = NORMAL,
) -> Link:
    """Link that brings the curves of each common item closest.

    Minimises sum over g of w_g sum over items and categories of (P_old(theta_g) - P_linked(theta_g))^2.

    Parameters
    ----------
    old, new : ItemParameters
        The common items, in the same order.
    symmetric : bool
        Add the same sum on the new scale, where the old items are linked back, as Haebara and Kolen and Brennan do;
        without, only the old scale counts (the default of R's plink).
    old_abilities, new_abilities : Grid or Quadrature
        Where the curves are compared, on each scale. A :class:`Grid` has N(0, 1) weights: the learners of a calibration
        that fixed its own scale.

    Returns
    -------
    Link
        When every item is a 1PL the slope is that of :func:`mean_mean`.

    Raises
    ------
    ParameterError
        When the items are not the same in both, or no closest curves are found.

    References
    ----------
    Haebara, T. (1980). Equating logistic ability scales by a weighted least squares method. Japanese Psychological
    Research, 22, 144-149.
    """
    return _by_curves(Target(old, new, per_category, old_abilities, new_abilities if symmetric else None))


def stocking_lord(
    old: ItemParameters,
    new: ItemParameters,
    *,
    symmetric: bool = True,
    old_abilities: Grid | Quadrature = NORMAL,
    new_abilities: Grid | Quadrature = NORMAL,
) -> Link:
    """Link that brings the expected scores on the common items closest.

    Minimises sum over g of w_g (T_old(theta_g) - T_linked(theta_g))^2, T being the sum over items of E[category].

    Parameters
    ----------
    old, new, symmetric, old_abilities, new_abilities
        As for :func:`haebara`. Stocking and Lord's own criterion is the one that is not symmetric.

    Returns
    -------
    Link
        When every item is a 1PL the slope is that of :func:`mean_mean`.

    Raises
    ------
    ParameterError
        When the items are not the same in both, or no closest curves are found.

    References
    ----------
    Stocking, M. L., & Lord, F. M. (1983). Developing a common metric in item response theory. Applied Psychological
    Measurement, 7, 201-210.
    """
    return _by_curves(Target(old, new, expected_score, old_abilities, new_abilities if symmetric else None))


def link(old: ItemParameters, new: ItemParameters, method: Method = "stocking-lord") -> Link:
    """Link by the method of that name, with its defaults.

    Raises
    ------
    DesignError
        When no method has that name.
    ParameterError
        As the method does.
    """
    methods = {"mean-mean": mean_mean, "mean-sigma": mean_sigma, "haebara": haebara, "stocking-lord": stocking_lord}
    if method not in methods:
        raise DesignError(f"There is no linking method {method!r}; use {', '.join(get_args(Method))}.")
    return methods[method](old, new)


def drift(old: ItemParameters, new: ItemParameters, by: Link, abilities: Grid | Quadrature = NORMAL) -> Floats:
    """How far each common item has drifted: the weighted distance between its old and its linked curves.

    sqrt(sum over g of w_g sum over k of (P_old,k - P_linked,k)^2 / 2), which for two categories is the root mean
    square difference of P(1).

    Parameters
    ----------
    old, new : ItemParameters
        The J common items, in the same order.
    by : Link
        From the new scale to the old one.
    abilities : Grid or Quadrature
        On the old scale.

    Returns
    -------
    (J,) float
        Difference of probability, 0 to 1: 0.05 is worth a look, 0.1 is another item.
    """
    _same_items(old, new)
    points = Quadrature.of(abilities)
    gap = np.exp(log_probability(old, points.nodes)) - np.exp(log_probability(by.apply(new), points.nodes))
    return np.asarray(np.sqrt(0.5 * np.sum(gap**2, axis=1) @ points.weights))


def _by_curves(target: Target) -> Link:
    """Search from the better of the links by means and by means and spreads: one odd item may spoil either."""
    old, new = target.old, target.new
    starts = [mean_mean(old, new)]
    if not _one_slope(old) and np.ptp(_locations(old)) > 0 and np.ptp(_locations(new)) > 0:
        starts.append(mean_sigma(old, new))
    return Link(*match(target, [(start.slope, start.intercept) for start in starts], slope_free=not _one_slope(old)))


def _one_slope(items: ItemParameters) -> bool:
    return bool((items.model == Model.ONE_PL).all())


def _locations(items: ItemParameters) -> Floats:
    """All difficulties of the dichotomous items and all thresholds of the others, in the order of the items."""
    steps = np.column_stack([items.difficulty, items.thresholds])
    steps[np.isfinite(items.thresholds).any(axis=1), 0] = np.nan
    return np.asarray(steps[np.isfinite(steps)])


def _same_items(old: ItemParameters, new: ItemParameters) -> None:
    if len(old) != len(new) or len(old) == 0:
        raise ParameterError(
            f"There are {len(old)} common items in the old calibration and {len(new)} in the new; "
            "give the same ones, at least one."
        )
    differ = (old.model != new.model) | (old.categories != new.categories)
    if differ.any():
        raise ParameterError(
            f"Common item number {int(np.argmax(differ)) + 1} has another model or number of categories in the new "
            "calibration; leave it out, or calibrate it alike."
        )
