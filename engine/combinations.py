"""Sets of items combined step by step, of which only those are kept that may still become the best."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Floats, Ints

_BITS = 64


class Combinations(NamedTuple):
    """M sets of items of one part of the test."""

    number: Ints  # (M,) of items
    seconds: Ints  # (M,)
    value: Ints  # (M,)
    loss: Floats  # (M,) by how much, at least, a test with this set falls short of the bound
    members: NDArray[np.uint64]  # (M, W) a bit for each item of the core

    def take(self, rows: NDArray[np.generic]) -> "Combinations":
        """Keep some of the sets."""
        return Combinations(*(field[rows] for field in self))


class Limits(NamedTuple):
    """What a set must keep to, to be of use."""

    seconds: int
    loss: float


def nothing(core: int) -> Combinations:
    """Give the empty set, of a core of so many items."""
    zero = np.zeros(1, dtype=np.int64)
    return Combinations(zero, zero, zero, np.zeros(1), np.zeros((1, -(-core // _BITS)), dtype=np.uint64))


def one_item(place: int, core: int, seconds: int, value: int, left_out: float, taken: float) -> Combinations:
    """Leave out or take an item of the core, and say what either loses."""
    members = np.zeros((2, -(-core // _BITS)), dtype=np.uint64)
    members[1, place // _BITS] = np.uint64(1) << np.uint64(place % _BITS)
    return Combinations(
        np.array([0, 1]), np.array([0, seconds]), np.array([0, value]), np.array([left_out, taken]), members
    )


def members_of(members: NDArray[np.uint64], core: int) -> Ints:
    """Places of the items of a set, from its bits (W,)."""
    bits = np.unpackbits(members.astype("<u8").view(np.uint8), bitorder="little", count=core)
    return np.flatnonzero(bits)


def joined(parts: Sequence[Combinations], most: int, limits: Limits) -> Combinations:
    """Combine a set of each part to sets of at most ``most`` items that are of use."""
    whole = _useful(parts[0], most, limits)
    for part in parts[1:]:
        whole = _useful(_crossed(whole, part), most, limits)
    return whole


def priced(sets: Combinations, loss: Floats, bonus: Ints, limits: Limits) -> Combinations:
    """Add to sets of a group what they lose and are worth for their number of items.

    Parameters
    ----------
    sets : Combinations
    loss : (most + 1,) float
        By number of items; inf where that many are not allowed.
    bonus : (most + 1,) int
    limits : Limits
    """
    number = sets.number
    return _useful(
        sets._replace(loss=sets.loss + loss[number], value=sets.value + bonus[number]), loss.size - 1, limits, np.inf
    )


def _crossed(one: Combinations, other: Combinations) -> Combinations:
    return Combinations(
        (one.number[:, None] + other.number).reshape(-1),
        (one.seconds[:, None] + other.seconds).reshape(-1),
        (one.value[:, None] + other.value).reshape(-1),
        (one.loss[:, None] + other.loss).reshape(-1),
        (one.members[:, None] | other.members).reshape(-1, one.members.shape[1]),
    )


def _useful(sets: Combinations, most: int, limits: Limits, forbidden: float | None = None) -> Combinations:
    """Leave out sets that are too large, too long, that lose too much, or that another of the same size outdoes.

    One set outdoes another when it is worth as much or more and takes no longer.
    """
    fits = (sets.number <= most) & (sets.seconds <= limits.seconds) & (sets.loss <= limits.loss)
    if forbidden is not None:
        fits &= sets.loss < forbidden
    if not fits.all():
        sets = sets.take(fits)
    order = np.lexsort((-sets.value, sets.seconds, sets.number))
    # Sets of more items stand later and start afresh: their values are lifted above all those before.
    value = sets.value[order] + sets.number[order] * (1 + int(sets.value.max(initial=0)))
    before = np.concatenate([[-1], np.maximum.accumulate(value)[:-1]]) if value.size else value
    return sets.take(order[value > before])
