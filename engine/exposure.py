"""Who may be asked what: items drawn for each candidate, so that no item is asked too often, whoever comes.

A test that always took the most useful items would ask a few of them of everybody. Here a candidate is eligible for a
part of every topic, drawn before the test. As an item can be asked only where it is eligible, no population of
candidates whatever can bring its exposure above the share.

References
----------
van der Linden, W. J. and Veldkamp, B. P. (2004). Constraining item exposure in computerized adaptive testing with
shadow tests. Journal of Educational and Behavioral Statistics, 29, 273-291. Their eligibility probabilities adapt to
the population; these do not, and are drawn in each topic rather than item by item, so that every topic is in reach.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Ints
from engine.errors import DesignError
from engine.uniform import derive, uniform

_ORDER: Final = 0x0EDE
_ROUNDING: Final = 0x60D5
"""Keys of the two draws, so that they are independent of each other and of the draws of the decisions."""


def held_back(seed: ArrayLike, topic: Ints, share: float) -> Bools:
    """Items kept back for a candidate.

    The items of a topic are put in the order of a hash of (seed, row), and the first ``share`` times their number are
    eligible, rounded up or down by a uniform number of (seed, topic) that has this mean: every item is eligible with
    probability exactly ``share``.

    Parameters
    ----------
    seed : (*batch,) int
        Of the runs.
    topic : (I,) int
        Topic of each item, 0, 1, ...
    share : float
        In ]0, 1]; exposure stays at most this.

    Returns
    -------
    (*batch, I) bool

    Raises
    ------
    DesignError
        When the share is not one.

    Examples
    --------
    >>> topic = np.repeat([0, 1], [8, 4])
    >>> [int((~held_back(7, topic, 0.25))[topic == t].sum()) for t in (0, 1)]
    [2, 1]
    """
    if not 0.0 < share <= 1.0:
        raise DesignError(f"An exposure of {share} is no share; give a number above 0 and at most 1, e.g. 0.25.")
    seeds = np.asarray(seed)[..., None]
    sizes = np.bincount(topic)
    draw = uniform(derive(seeds, _ORDER), np.arange(topic.size))
    order = np.lexsort((draw, np.broadcast_to(topic, draw.shape)), axis=-1)
    place = np.arange(topic.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rank = np.empty(draw.shape, dtype=np.int64)
    np.put_along_axis(rank, order, np.broadcast_to(place, draw.shape), axis=-1)
    # Rounded, so that a tenth of thirty is three and not a little more.
    eligible = np.floor(np.round(share * sizes, 9) + uniform(derive(seeds, _ROUNDING), np.arange(sizes.size)))
    return np.asarray(rank >= eligible[..., topic])
