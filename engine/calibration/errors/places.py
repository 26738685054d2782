"""Where each free parameter stands in the matrices of information."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from engine.arrays import Bools, Floats, Ints
from engine.calibration.maximisation import Problem


class Places(NamedTuple):
    """Number of each parameter in its block, -1 for what is held; a slope or a loading in common has one number.

    A block is a competence, or all the competences of a tree and its loadings, in this order.
    """

    rows: list[Ints]  # C arrays: the items of each competence
    items: list[Ints]  # C arrays (items, P)
    people: list[Ints]  # C arrays (Q, 2): mean and log sd
    loadings: Ints  # (D + C,)
    block: Ints  # (C,) block of each competence
    sizes: Ints  # (blocks,) parameters of each

    def of_competence(self, competence: int) -> Ints:
        """Numbers for the items, then for the groups, (items + Q, P)."""
        items, people = self.items[competence], self.people[competence]
        wide = np.full((people.shape[0], items.shape[1]), -1)
        wide[:, :2] = people
        return np.concatenate([items, wide])


def numbered(problem: Problem, grouped: Bools, label: Ints, linked: bool) -> Places:
    """Give each free parameter its number.

    Parameters
    ----------
    problem : Problem
    grouped : (Q, C) bool
        Groups whose mean and log sd are free.
    label : (D + C,) int
        Ties of the loadings, -1 for what is held.
    linked : bool
        Whether the competences are those of a tree.
    """
    layout = problem.layout
    rows, items, people, sizes = [], [], [], []
    start = 0
    for c, (low, high) in enumerate(pairwise(layout.bounds.tolist())):
        own = np.arange(low, high)
        place = _of_items(problem.free[own], problem.tie[own])
        count = int(place.max(initial=-1)) + 1
        last = np.full((grouped.shape[0], 2), -1)
        last[grouped[:, c]] = count + np.arange(2 * int(grouped[:, c].sum())).reshape(-1, 2)
        count += 2 * int(grouped[:, c].sum())
        rows.append(own)
        items.append(np.where(place >= 0, place + start, -1))
        people.append(np.where(last >= 0, last + start, -1))
        sizes.append(count)
        start += count if linked else 0
    names, loadings = np.unique(label, return_inverse=True)
    loadings = np.where(label >= 0, loadings - int((names < 0).sum()) + start, -1)
    if not linked:
        return Places(rows, items, people, loadings, np.arange(len(rows)), np.array(sizes))
    whole = np.array([start + int((names >= 0).sum())])
    return Places(rows, items, people, loadings, np.zeros(len(rows), dtype=np.int64), whole)


def _of_items(free: Bools, tie: Ints) -> Ints:
    key = np.arange(free.size).reshape(free.shape)
    tied = tie >= 0
    _, first, back = np.unique(tie[tied], return_index=True, return_inverse=True)
    key[tied, 0] = key[tied, 0][first][back]
    place = np.full(free.shape, -1)
    place[free] = np.unique(key[free], return_inverse=True)[1]
    return place


def gather(block: Floats, place: Ints, cells: Floats) -> None:
    """Take an array over cells (R, S, R, S) away from the block, each cell at the number of its parameter (R, S)."""
    free = np.flatnonzero(place.ravel() >= 0)
    if free.size == 0:
        return
    number = place.ravel()[free]
    low, count = int(number.min()), int(number.max() - number.min()) + 1
    sums = csr_array((np.ones(free.size), (number - low, np.arange(free.size))), shape=(count, free.size))
    flat = cells.reshape(place.size, place.size)[np.ix_(free, free)]
    block[low : low + count, low : low + count] -= np.asarray(sums @ np.asarray(sums @ flat).T)


def add(block: Floats, place: Ints, values: Floats) -> None:
    """Add to the block the information of what stands in each row, (R, S, S), at the numbers (R, S)."""
    first, second = np.broadcast_arrays(place[:, :, None], place[:, None, :])
    kept = (first >= 0) & (second >= 0)
    np.add.at(block, (first[kept], second[kept]), values[kept])
