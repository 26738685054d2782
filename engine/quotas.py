"""The best set of items within quotas on topics, competences and the whole test."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from engine.arrays import Bools, Ints
from engine.table import Table
from engine.uniform import uniform

_FIRST = 1 << 61
"""Above any weight: what the minima need is taken before anything else."""


class Groups(NamedTuple):
    """What items have in common."""

    topic: Ints  # (I,) 0 .. T - 1
    competence: Ints  # (I,)
    order: Ints  # (I,) items by topic
    starts: Ints  # (T,) where each topic begins in that order
    pairs: Ints  # (2, P) enemies, each pair once

    def enemies(self, taken: Bools) -> tuple[int, ...]:
        """Two enemies among the items taken (I,), or nothing."""
        both = np.flatnonzero(taken[self.pairs[0]] & taken[self.pairs[1]])
        return tuple(int(row) for row in self.pairs[:, both[0]]) if both.size else ()


def groups_of(table: Table) -> Groups:
    """Read the groups of the items off a table."""
    order = np.argsort(table.topic, kind="stable")
    sizes = np.bincount(table.topic)
    pairs = np.stack([np.repeat(table.hostile, table.enemies.shape[1]), table.enemies.reshape(-1)])
    pairs = pairs[:, pairs[0] < pairs[1]]
    return Groups(table.topic, table.competence, order, np.cumsum(sizes) - sizes, pairs)


@lru_cache(maxsize=32)
def _places(count: int) -> tuple[Ints, Ints]:
    """Place of each item in the order that breaks ties, and the item at each place: a fixed permutation by a hash."""
    item = np.argsort(uniform(0, np.arange(count)), kind="stable")
    place = np.empty_like(item)
    place[item] = np.arange(count)
    item.setflags(write=False)
    place.setflags(write=False)
    return place, item


def unit(count: int, longest: int) -> int:
    """Weight of one unit of usefulness: more than the tie-breaks of a whole test of ``longest`` among ``count`` items.

    Examples
    --------
    >>> unit(2000, 56)
    131072
    """
    return int(1 << int(count * longest).bit_length())


def weighted(usefulness: Ints, longest: int) -> Ints:
    """Weights that no two items share: usefulness times a unit, plus a hashed tie-break; both (n, I)."""
    count = usefulness.shape[1]
    return np.asarray(usefulness * unit(count, longest) + _places(count)[0])


def best_within(
    groups: Groups, weight: Ints, may: Bools, topics: Ints | None, least: Ints, most: Ints, room: Ints, longest: int
) -> Bools:
    """Find the sets of items with the largest sums of weights within quotas, as few as can be missing of the minima.

    Topics lie within competences, and these within the test, so the sets that some set within the quotas contains are
    the independent sets of a matroid: taking items by decreasing weight, where a completion exists, finds the best one.
    Here the items of each competence that this takes for its minimum are its best ones, and what room is left goes to
    the best of the others.

    Parameters
    ----------
    groups : Groups
        Of I items in T topics and C competences.
    weight : (n, I) int
        Of :func:`weighted`, above 0.
    may : (n, I) bool
        Items to choose from.
    topics : (n, T) int or None
        Most items of each topic; None: no limit.
    least, most : (n, C) int
        Of each competence.
    room : (n,) int
        Most items.
    longest : int
        As :func:`weighted` took it.

    Returns
    -------
    (n, I) bool
    """
    runs, items = weight.shape
    open_ = np.where(may, weight, -1)
    if topics is None:
        values, group = open_, groups.competence
    else:
        values, group = _best_of_topics(groups, open_, topics)
    order = np.lexsort((-values, np.broadcast_to(group, values.shape)), axis=-1)
    sizes = np.bincount(group, minlength=least.shape[1])
    place = np.arange(group.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    values, owner = np.take_along_axis(values, order, axis=1), np.repeat(np.arange(sizes.size), sizes)
    needed, wanted = place < np.minimum(least, most)[:, owner], place < most[:, owner]
    key = np.where(wanted & (values >= 0), values + np.where(needed, _FIRST, 0), -1)
    best = np.argsort(-key, axis=1, kind="stable")
    taken = (np.arange(group.size) < room[:, None]) & (np.take_along_axis(key, best, axis=1) >= 0)
    run, column = np.nonzero(taken)
    chosen = np.zeros((runs, items), dtype=bool)
    chosen[run, _places(items)[1][values[run, best[run, column]] % unit(items, longest)]] = True
    return chosen


def _best_of_topics(groups: Groups, weight: Ints, topics: Ints) -> tuple[Ints, Ints]:
    """Weights of the best items of each topic, as many as it has room for, (n, M), and their competences (M,)."""
    left = weight.take(groups.order, axis=1)
    sizes = np.diff(groups.starts, append=groups.order.size)
    columns: list[Ints] = []
    for taken in range(max(1, min(int(topics.max()), int(sizes.max())))):
        if taken:
            left = np.where(left == np.repeat(columns[-1], sizes, axis=1), -1, left)
        columns.append(np.maximum.reduceat(left, groups.starts, axis=1))
    limited = [np.where(topics > taken, column, -1) for taken, column in enumerate(columns)]
    competence = groups.competence[groups.order[groups.starts]]
    return np.concatenate(limited, axis=1), np.tile(competence, len(columns))
