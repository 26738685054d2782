"""Response models: category probabilities and information as functions of ability.

Every function evaluates all items at all abilities of a vector: ``(I,)`` parameters and ``(G,)`` abilities give
``(I, K, G)`` or ``(I, G)``. All work is done with log probabilities, so that nothing is lost at extreme abilities or
slopes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_expit, logsumexp

from engine.arrays import Bools, Floats
from engine.parameters import ItemParameters, Model


class Curves(NamedTuple):
    """Log category probabilities and their first two derivatives in ability, each ``(I, K, G)``.

    Categories that an item does not have hold log probability -inf and derivatives 0.
    """

    log_p: Floats
    first: Floats
    second: Floats


def log_probability(parameters: ItemParameters, nodes: ArrayLike) -> Floats:
    """Log probability of every category.

    Parameters
    ----------
    parameters : ItemParameters
        I items.
    nodes : (G,) float
        Abilities.

    Returns
    -------
    (I, K, G) float
        K is the largest number of categories; -inf pads the categories that an item does not have.

    Examples
    --------
    >>> rasch = ItemParameters.of("1PL", [1.0], [0.0])
    >>> np.exp(log_probability(rasch, [0.0]))[0, :, 0].tolist()
    [0.5, 0.5]
    """
    return curves(parameters, nodes).log_p


def information(parameters: ItemParameters, nodes: ArrayLike) -> Floats:
    """Fisher information of every item, I(theta) = sum over k of P_k (d log P_k / d theta)^2.

    Parameters
    ----------
    parameters : ItemParameters
        I items.
    nodes : (G,) float
        Abilities.

    Returns
    -------
    (I, G) float

    Examples
    --------
    >>> information(ItemParameters.of("2PL", [2.0], [0.0]), [0.0]).tolist()
    [[1.0]]
    """
    theta = np.asarray(nodes, dtype=np.float64).reshape(-1)
    result = np.empty((len(parameters), theta.size))
    plain = dichotomous(parameters)
    if plain.any():
        a, b, c, d = _columns(parameters.take(plain))
        result[plain] = logistic_information(a, b, c, d, theta)
    if not plain.all():
        log_p, first, _ = curves(parameters.take(~plain), theta)
        result[~plain] = np.sum(np.exp(log_p) * first**2, axis=1)
    return result


def logistic_information(a: Floats, b: Floats, c: Floats, d: Floats, theta: Floats) -> Floats:
    """Fisher information of 1PL to 4PL items, elementwise: P'^2 / (P (1 - P)).

    Parameters
    ----------
    a, b, c, d, theta : float arrays
        Parameters and abilities that broadcast together.

    Returns
    -------
    float array
        Of the broadcast shape; 0 where it underflows.
    """
    z = a * (theta - b)
    tail = np.exp(-np.abs(z))
    large = 1.0 / (1.0 + tail)
    small = tail * large
    above = z > 0
    spread = d - c
    p = c + spread * np.where(above, large, small)
    q = (1.0 - d) + spread * np.where(above, small, large)
    slope = a * spread * large * small
    return np.asarray(slope * (slope / np.maximum(p * q, 1e-300)))


def curves(parameters: ItemParameters, nodes: ArrayLike) -> Curves:
    """Log category probabilities with first and second derivatives.

    Parameters
    ----------
    parameters : ItemParameters
        I items.
    nodes : (G,) float
        Abilities.

    Returns
    -------
    Curves

    Notes
    -----
    GRM (Samejima 1969): P_k = S(x_k) - S(x_{k+1}) with x_k = a (theta - b_k), and d log P_k / d theta = a (1 - S(x_k) -
    S(x_{k+1})). GPCM (Muraki 1992): log P_k is the log-softmax of the sums of a (theta - b_j), and d log P_k / d theta
    = a (k - E[K]).
    """
    theta = np.asarray(nodes, dtype=np.float64).reshape(-1)
    count = max(parameters.thresholds.shape[1] + 1, 2)
    shape = (len(parameters), count, theta.size)
    result = Curves(np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape))
    plain = dichotomous(parameters)
    families = (
        (plain, _logistic),
        (parameters.model == Model.GRM, _graded),
        (parameters.model == Model.GPCM, _partial_credit),
    )
    for rows, family in families:
        if rows.any():
            part = family(parameters.take(rows), theta)
            for whole, piece in zip(result, part, strict=True):
                whole[rows, : piece.shape[1]] = piece
    used = int(parameters.categories.max(initial=2))
    return Curves(*(whole[:, :used] for whole in result))


def dichotomous(parameters: ItemParameters) -> Bools:
    """Which items are 1PL to 4PL, (I,)."""
    return np.asarray(parameters.model <= Model.FOUR_PL)


def _columns(items: ItemParameters) -> tuple[Floats, Floats, Floats, Floats]:
    return (
        items.discrimination[:, None],
        items.difficulty[:, None],
        items.guessing[:, None],
        items.slipping[:, None],
    )


def _logistic(items: ItemParameters, theta: Floats) -> Curves:
    a, b, c, d = _columns(items)
    z = a * (theta - b)
    rise, fall = log_expit(z), log_expit(-z)
    with np.errstate(divide="ignore"):
        log_c, log_slip, log_spread = np.log(c), np.log1p(-d), np.log(d - c)
    log_p = np.stack([np.logaddexp(log_slip, log_spread + fall), np.logaddexp(log_c, log_spread + rise)], axis=1)
    sign = np.array([-1.0, 1.0])[:, None]
    first = sign * np.exp((np.log(a) + log_spread + rise + fall)[:, None] - log_p)
    bend = (a * (np.exp(fall) - np.exp(rise)))[:, None]
    return Curves(log_p, first, first * bend - first**2)


def _graded(items: ItemParameters, theta: Floats) -> Curves:
    a = items.discrimination[:, None, None]
    steps = items.thresholds[:, :, None]
    x = a * (theta - np.where(np.isfinite(steps), steps, np.inf))
    edge = np.full((len(items), 1, theta.size), np.inf)
    upper, lower = np.concatenate([edge, x], axis=1), np.concatenate([x, -edge], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.log(-np.expm1(lower - upper))
    log_p = log_expit(upper) + log_expit(-lower) + np.where(np.isneginf(lower), 0.0, gap)
    exists = np.arange(log_p.shape[1])[None, :, None] < items.categories[:, None, None]
    rise_upper, rise_lower = np.exp(log_expit(upper)), np.exp(log_expit(lower))
    first = a * (1.0 - rise_upper - rise_lower)
    second = -(a**2) * (rise_upper * np.exp(log_expit(-upper)) + rise_lower * np.exp(log_expit(-lower)))
    return _existing(Curves(log_p, first, second), exists)


def _partial_credit(items: ItemParameters, theta: Floats) -> Curves:
    a = items.discrimination[:, None, None]
    climb = np.cumsum(a * (theta - np.nan_to_num(items.thresholds)[:, :, None]), axis=1)
    sums = np.concatenate([np.zeros((len(items), 1, theta.size)), climb], axis=1)
    category = np.arange(sums.shape[1])[None, :, None]
    exists = category < items.categories[:, None, None]
    sums = np.where(exists, sums, -np.inf)
    log_p = sums - logsumexp(sums, axis=1, keepdims=True)
    weight = np.exp(log_p)
    mean = np.sum(weight * category, axis=1, keepdims=True)
    variance = np.sum(weight * (category - mean) ** 2, axis=1, keepdims=True)
    return _existing(Curves(log_p, a * (category - mean), -(a**2) * variance * np.ones_like(log_p)), exists)


def _existing(whole: Curves, exists: Bools) -> Curves:
    return Curves(
        np.where(exists, whole.log_p, -np.inf), np.where(exists, whole.first, 0.0), np.where(exists, whole.second, 0.0)
    )
