"""How far apart an item's expected scores are in two groups: effect sizes of DIF from item parameters."""

from typing import NamedTuple

import numpy as np

from engine.arrays import Floats, Ints
from engine.working import slopes


class CurveGap(NamedTuple):
    """Effect sizes of items, each (J,), positive where the item is easier for the focal group."""

    signed: Floats  # score points
    unsigned: Floats  # score points
    standardised: Floats  # sds of expected scores


def curve_gap(models: Ints, reference: Floats, focal: Floats, nodes: Floats, weights: Floats) -> CurveGap:
    """Compare the expected scores of learners of the focal group with what they would be in the reference group.

    Parameters
    ----------
    models : (J,) int
    reference, focal : (J, P) float
        Working parameters of the items in each group.
    nodes : (G,) float
    weights : (G,) float
        Ability distribution of the focal group, summing to 1.

    Returns
    -------
    CurveGap

    Notes
    -----
    With T(theta) = sum over k of k P_k(theta): signed = E[T_F - T_R] (SIDS), unsigned = E|T_F - T_R| (UIDS, the
    weighted area between the curves), standardised = signed / sqrt((Var T_F + Var T_R) / 2) (ESSD), over the abilities
    of the focal group (Meade 2010). Curves that cross may have a signed figure of 0 and a large unsigned one.

    References
    ----------
    Meade, A. W. (2010). A taxonomy of effect size measures for the differential functioning of items and scales.
    Journal of Applied Psychology, 95, 728-743.

    Examples
    --------
    >>> easy, hard = np.array([[1.0, 1.0, np.nan, np.nan]]), np.array([[1.0, -1.0, np.nan, np.nan]])
    >>> gap = curve_gap(np.array([2]), easy, hard, np.array([0.0]), np.array([1.0]))
    >>> gap.signed.round(3).tolist(), gap.unsigned.round(3).tolist()
    ([-0.462], [0.462])
    """
    one, other = (_expected(models, working, nodes) for working in (reference, focal))
    gap = other - one
    signed = gap @ weights
    spread = np.sqrt(0.5 * (_variance(one, weights) + _variance(other, weights)))
    with np.errstate(divide="ignore", invalid="ignore"):
        standardised = np.where(spread > 0, signed / spread, np.nan)
    return CurveGap(signed, np.abs(gap) @ weights, standardised)


def _expected(models: Ints, working: Floats, nodes: Floats) -> Floats:
    """Mean score of each item at each ability, (J, G)."""
    p = np.exp(slopes(models, working, nodes).log_p)
    return np.asarray(np.einsum("jkg,k->jg", p, np.arange(p.shape[1], dtype=np.float64)))


def _variance(score: Floats, weights: Floats) -> Floats:
    return np.asarray((score - (score @ weights)[:, None]) ** 2 @ weights)
