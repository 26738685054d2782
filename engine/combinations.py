"""Sets of items combined part by part, of which only those are kept that may still become the best."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Bools, Floats, Ints

_BITS = 64
_ZERO = np.zeros(1, dtype=np.int64)


class Combinations(NamedTuple):
    """M sets of items of one part of the test."""

    number: Ints  # (M,) of items
    needed: Ints  # (M,) of items that count for the minima
    seconds: Ints  # (M,)
    value: Ints  # (M,)
    loss: Floats  # (M,) by how much, at least, a test with this set falls short of the bound
    hostile: Bools  # (M,) holds an item that pays a price for its enemies
    members: NDArray[np.uint64]  # (M, W) a bit for each item of the core

    def take(self, rows: NDArray[np.generic]) -> "Combinations":
        """Keep some of the sets."""
        return Combinations(*[field[rows] for field in self])


class Limits(NamedTuple):
    """What a set must keep to, to be of use."""

    seconds: int
    loss: float


def empty_set(core: int) -> Combinations:
    """Give the empty set, of a core of so many items."""
    zero, no = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=bool)
    return Combinations(zero, zero, zero, zero, np.zeros(1), no, np.zeros((1, _words(core)), dtype=np.uint64))


def one_or_none(places: Ints, core: int, seconds: Ints, value: Ints, cost: Floats, hostile: Bools) -> Combinations:
    """Take none or one of some items.

    An item of a reduced cost above 0 loses it when left out, one of a cost below 0 loses as much when taken.

    Parameters
    ----------
    places : (m,) int
        In a core of ``core`` items.
    seconds, value, cost, hostile : (m,)

    Returns
    -------
    Combinations
        m + 1 sets.
    """
    number = np.ones(places.size + 1, dtype=np.int64)
    number[0] = 0
    members = np.zeros((number.size, _words(core)), dtype=np.uint64)
    members[np.arange(1, number.size), places // _BITS] = np.uint64(1) << (places % _BITS).astype(np.uint64)
    seconds, value, cost = (np.concatenate([_ZERO, field]) for field in (seconds, value, cost))
    left_out = np.maximum(cost, 0.0).sum()
    hostile = np.concatenate([_ZERO > 0, hostile])
    return Combinations(number, np.zeros_like(number), seconds, value, left_out - cost, hostile, members)


def members_of(members: NDArray[np.uint64], core: int) -> Ints:
    """Places of the items of a set, from its bits (W,)."""
    bits = np.unpackbits(members.astype("<u8").view(np.uint8), bitorder="little", count=core)
    return np.flatnonzero(bits)


def joined(parts: Sequence[Combinations], most: int, limits: Limits) -> Combinations:
    """Combine a set of each part to sets of at most ``most`` items that are of use."""
    if any(part.number.size == 0 for part in parts):
        return parts[0].take(np.zeros(0, dtype=np.int64))
    whole, *others = sorted(parts, key=lambda part: part.number.size)
    # What the parts still to come lose at least leaves that much less to lose.
    least = [float(part.loss.min()) for part in others]
    for place, part in enumerate(others):
        whole = _useful(_crossed(whole, part), most, limits._replace(loss=limits.loss - sum(least[place + 1 :])))
    return whole if others else _useful(whole, most, limits)


def priced(sets: Combinations, loss: Floats, needed: Ints | None = None) -> Combinations:
    """Add to sets of a group what they lose, and which of their items count, for their number of items.

    Parameters
    ----------
    sets : Combinations
    loss : (most + 1,) float
        By number of items; inf where that many are not allowed: such sets are dropped.
    needed : (most + 1,) int, optional
        Items that count for the minimum of the group.
    """
    more = loss[sets.number]
    priced = sets._replace(
        loss=sets.loss + more, needed=sets.needed if needed is None else sets.needed + needed[sets.number]
    )
    return priced if np.isfinite(more).all() else priced.take(np.isfinite(more))


def _words(core: int) -> int:
    """Words of bits for a core of so many items: one at least, also for a core of none."""
    return max(1, -(-core // _BITS))


def _crossed(one: Combinations, other: Combinations) -> Combinations:
    return Combinations(
        (one.number[:, None] + other.number).reshape(-1),
        (one.needed[:, None] + other.needed).reshape(-1),
        (one.seconds[:, None] + other.seconds).reshape(-1),
        (one.value[:, None] + other.value).reshape(-1),
        (one.loss[:, None] + other.loss).reshape(-1),
        (one.hostile[:, None] | other.hostile).reshape(-1),
        (one.members[:, None] | other.members).reshape(one.number.size * other.number.size, one.members.shape[1]),
    )


def _useful(sets: Combinations, most: int, limits: Limits) -> Combinations:
    """Leave out sets that are too large, too long, that lose too much, or that another one outdoes.

    A set outdoes another of as many items, as many of them needed, when it is worth as much or more and takes no
    longer: it then loses no more either, unless it pays for enemies.
    """
    fits = (sets.number <= most) & (sets.seconds <= limits.seconds) & (sets.loss <= limits.loss)
    if not fits.all():
        sets = sets.take(fits)
    if sets.number.size < 2:
        return sets
    kind = sets.number * (1 + int(sets.needed.max())) + sets.needed
    order = np.lexsort((-sets.value, sets.seconds, kind))
    # Each kind starts afresh: its values are lifted above all those of the kinds before.
    value = sets.value[order] + kind[order] * (1 + int(sets.value.max()))
    before = np.maximum.accumulate(np.where(sets.hostile[order], -1, value))
    kept = np.concatenate([[True], value[1:] > before[:-1]])
    return sets.take(order[kept])
