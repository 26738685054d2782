"""From a posterior on the grid to levels: the mass of every node is spread evenly over its cell.

A cell reaches halfway to the neighbouring nodes, so the probability of lying above a cut is continuous in the cut: a
cut that moves a little changes a level's probability a little, wherever the nodes are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Floats, Ints

LEVEL_SHARE = 0.5
"""A level is reached when the ability lies above its cut with at least this probability."""
DECIMALS = 9
"""Probabilities are rounded to this before they are compared: see docs/adr on quantised scores."""


class Level(NamedTuple):
    """Levels (*batch,) as ints from 0 to L, and the probability of being at that very level, (*batch,)."""

    level: Ints
    probability: Floats


class Interval(NamedTuple):
    """Ends of a central credible interval, each (*batch,)."""

    lower: Floats
    upper: Floats


def probability_above(posterior: ArrayLike, nodes: ArrayLike, cuts: ArrayLike) -> Floats:
    """Probability that the ability lies at or above each cut.

    Parameters
    ----------
    posterior : (*batch, G) float
        Probabilities of the nodes.
    nodes : (G,) float
        Increasing abilities.
    cuts : (..., L) float
        Abilities; the leading axes broadcast with the batch, e.g. (C, L) with (*batch, C, G).

    Returns
    -------
    (*batch, L) float

    Examples
    --------
    >>> probability_above([0.2, 0.6, 0.2], [-1.0, 0.0, 1.0], [-0.5, 0.0, 3.0]).round(2).tolist()
    [0.8, 0.5, 0.0]
    """
    mass, limits, edges = np.asarray(posterior, dtype=np.float64), np.asarray(cuts, dtype=np.float64), _edges(nodes)
    cell = np.clip(np.searchsorted(edges, limits, side="right") - 1, 0, mass.shape[-1] - 1)
    share = np.clip((edges[cell + 1] - limits) / (edges[cell + 1] - edges[cell]), 0.0, 1.0)
    beyond = np.zeros((*mass.shape[:-1], mass.shape[-1] + 1))
    beyond[..., :-1] = np.cumsum(mass[..., ::-1], axis=-1)[..., ::-1]
    batch = np.broadcast_shapes(mass.shape[:-1], limits.shape[:-1])
    cell = np.broadcast_to(cell, (*batch, limits.shape[-1]))
    beyond = np.broadcast_to(beyond, (*batch, beyond.shape[-1]))
    mass = np.broadcast_to(mass, (*batch, mass.shape[-1]))
    return np.take_along_axis(beyond, cell + 1, axis=-1) + share * np.take_along_axis(mass, cell, axis=-1)


def level_probabilities(posterior: ArrayLike, nodes: ArrayLike, cuts: ArrayLike) -> Floats:
    """Probability of each level, 0 to L.

    Parameters
    ----------
    posterior : (*batch, G) float
        Probabilities of the nodes, which sum to 1.
    nodes : (G,) float
        Increasing abilities.
    cuts : (..., L) float
        Strictly increasing along the last axis; level l begins at the l-th of them.

    Returns
    -------
    (*batch, L + 1) float

    Examples
    --------
    >>> level_probabilities([0.2, 0.6, 0.2], [-1.0, 0.0, 1.0], [-0.5, 0.5]).round(2).tolist()
    [0.2, 0.6, 0.2]
    """
    above = probability_above(posterior, nodes, cuts)
    end = np.zeros((*above.shape[:-1], 1))
    from_level = np.concatenate([end + 1.0, above], axis=-1)
    return np.asarray(np.maximum(from_level - np.concatenate([above, end], axis=-1), 0.0))


def level(probabilities: ArrayLike) -> Level:
    """Highest level that is reached with a probability of at least one half, and the probability of that level.

    Parameters
    ----------
    probabilities : (*batch, L + 1) float
        Of :func:`level_probabilities`.

    Returns
    -------
    Level

    Examples
    --------
    >>> reached = level([0.3, 0.3, 0.4])
    >>> int(reached.level), float(reached.probability)
    (1, 0.3)
    """
    each = np.asarray(probabilities, dtype=np.float64)
    at_least = np.round(np.cumsum(each[..., :0:-1], axis=-1), DECIMALS)
    highest = np.asarray(np.count_nonzero(at_least >= LEVEL_SHARE, axis=-1), dtype=np.int64)
    return Level(highest, np.take_along_axis(each, highest[..., None], axis=-1)[..., 0])


def quantile(posterior: ArrayLike, nodes: ArrayLike, shares: ArrayLike) -> Floats:
    """Abilities below which given shares of the posterior lie: the inverse of :func:`probability_above`.

    Parameters
    ----------
    posterior : (*batch, G) float
        Probabilities of the nodes.
    nodes : (G,) float
        Increasing abilities.
    shares : (Q,) float
        Between 0 and 1.

    Returns
    -------
    (*batch, Q) float

    Examples
    --------
    >>> quantile([0.2, 0.6, 0.2], [-1.0, 0.0, 1.0], [0.2, 0.5]).round(2).tolist()
    [-0.5, 0.0]
    """
    mass, wanted, edges = np.asarray(posterior, dtype=np.float64), np.asarray(shares, dtype=np.float64), _edges(nodes)
    below = np.zeros((*mass.shape[:-1], mass.shape[-1] + 1))
    np.cumsum(mass, axis=-1, out=below[..., 1:])
    target = below[..., -1:] * wanted
    cell = np.count_nonzero(below[..., None, 1:] < target[..., None], axis=-1)
    cell = np.minimum(cell, mass.shape[-1] - 1)
    inside = np.take_along_axis(mass, cell, axis=-1)
    missing = target - np.take_along_axis(below, cell, axis=-1)
    share = np.divide(missing, inside, out=np.zeros_like(missing), where=inside > 0)
    return np.asarray(edges[cell] + np.clip(share, 0.0, 1.0) * (edges[cell + 1] - edges[cell]))


def interval(posterior: ArrayLike, nodes: ArrayLike, coverage: float = 0.95) -> Interval:
    """Central interval that holds the ability with the probability ``coverage``.

    Parameters
    ----------
    posterior : (*batch, G) float
        Probabilities of the nodes.
    nodes : (G,) float
        Increasing abilities.
    coverage : float
        Between 0 and 1.

    Returns
    -------
    Interval

    Examples
    --------
    >>> ends = interval([0.2, 0.6, 0.2], [-1.0, 0.0, 1.0], 0.6)
    >>> round(float(ends.lower), 2), round(float(ends.upper), 2)
    (-0.5, 0.5)
    """
    tail = 0.5 * (1.0 - coverage)
    ends = quantile(posterior, nodes, [tail, 1.0 - tail])
    return Interval(ends[..., 0], ends[..., 1])


def _edges(nodes: ArrayLike) -> Floats:
    """Place the ends of the cells, (G + 1,); the outer cells are symmetrical about their nodes."""
    at = np.asarray(nodes, dtype=np.float64)
    middle = 0.5 * (at[1:] + at[:-1])
    return np.concatenate([2.0 * at[:1] - middle[:1], middle, 2.0 * at[-1:] - middle[-1:]])
