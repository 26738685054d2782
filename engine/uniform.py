"""Counter-based uniform numbers: the draw of a decision is a hash of (seed, position), so nothing is stored.

The same learner gets the same draw alone, in a batch, in another process or in a replay.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import Floats, Ints

_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def uniform(seed: ArrayLike, position: ArrayLike) -> Floats:
    """Uniform number in [0, 1) for each (seed, position).

    Parameters
    ----------
    seed, position : (*batch,) int
        Any 64-bit integers, broadcast together. Position t belongs to the decision taken after t answers.

    Returns
    -------
    (*batch,) float

    Notes
    -----
    SplitMix64 (Steele, Lea and Flood 2014) applied to the seed, then to its sum with a multiple of the position.

    Examples
    --------
    >>> bool(uniform(7, 3) == uniform([7, 8], 3)[0])
    True
    """
    return np.asarray((_hash(seed, position) >> np.uint64(11)) * 2.0**-53)


def derive(seed: ArrayLike, key: ArrayLike) -> Ints:
    """Independent seed for each (seed, key), e.g. one for each simulee of a study; non-negative 63-bit integers."""
    return np.asarray((_hash(seed, key) >> np.uint64(1)).astype(np.int64))


def _hash(seed: ArrayLike, position: ArrayLike) -> NDArray[np.uint64]:
    start, offset = _words(seed), _words(position)
    mixed = _mix(_mix(np.atleast_1d(start)) + (np.atleast_1d(offset) + np.uint64(1)) * _GAMMA)
    return mixed if start.ndim or offset.ndim else mixed.reshape(())


def _words(values: ArrayLike) -> NDArray[np.uint64]:
    array = np.asarray(values)
    return array if array.dtype == np.uint64 else array.astype(np.int64).view(np.uint64)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = z ^ (z >> np.uint64(30))
    z *= _FIRST
    z ^= z >> np.uint64(27)
    z *= _SECOND
    z ^= z >> np.uint64(31)
    return z
