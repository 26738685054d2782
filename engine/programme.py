"""The best test as an integer program, where enemies or the time come into play: solved exactly.

HiGHS solves the relaxation, in which items may be taken in part. Its bound, reduced costs and dual prices say by how
much a set of items falls short of the bound at least: the sum of its losses, an item left out losing its reduced cost
where that is above 0, an item taken its opposite where it is below, an unused place of a topic or a competence its
price. So every test that falls short by at most a given gap leaves out all items of reduced cost below minus the gap
and takes all those above it. The few items between, the core, are combined exactly (:mod:`engine.combinations`). When
the best of these tests falls short by at most the gap, no other test is better; else the gap is widened. Mostly the
best test falls short by a part of one item.

The answer is the optimum, so it depends on neither the path nor the version of the solver.

References
----------
Pisinger, D. (1997). A minimal algorithm for the 0-1 knapsack problem. Operations Research, 45, 758-767 (the core).
Huangfu, Q. and Hall, J. A. J. (2018). Parallelizing the dual revised simplex method. Mathematical Programming
Computation, 10, 119-142 (HiGHS).
"""

from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.combinations import Combinations, Limits, empty_set, joined, members_of, one_or_none, priced
from engine.relaxation import Programme, Relaxation, relaxed

FIRST: Final = 16.0
"""Gap tried first, in units of weight; a unit is a thousandth of the best item."""

WIDER: Final = 4.0
"""How much wider a gap is tried when no test falls short by less; one that falls short by more is a gap itself."""

_ROUNDING: Final = 1e-3
"""More than the rounding errors of the relaxation add up to, in the same unit."""


class _Core(NamedTuple):
    """What is left to decide under a gap."""

    rows: Ints  # items to be combined
    taken: Bools  # (N,) items that every test in question holds
    gap: float


def best_test(programme: Programme) -> Bools:
    """Items of the best test, (N,).

    Parameters
    ----------
    programme : Programme
        That has a test which misses no more of the minima than it says.

    Returns
    -------
    (N,) bool
    """
    relaxation = relaxed(programme)
    gap = FIRST
    while True:
        free = np.abs(relaxation.cost) <= gap + _ROUNDING
        core = _Core(np.flatnonzero(free), ~free & (relaxation.share > 0.5), gap)
        found = _search(programme, relaxation, core)
        short = np.inf if found is None else relaxation.bound - _worth(programme, found)
        if found is not None and short <= gap:
            return found
        if gap == np.inf:
            raise RuntimeError("No test can be assembled, though its minima were found to be within reach.")
        gap = short if free.all() else min(WIDER * gap, short)


def _worth(programme: Programme, test: Bools) -> float:
    return float(programme.weight[test].sum() / programme.unit)


def _search(programme: Programme, relaxation: Relaxation, core: _Core) -> Bools | None:
    """Best test within the gap, None where there is none. Of two enemies in it, one or the other is left out."""
    test = _combine(programme, relaxation, core)
    if test is None:
        return None
    one, other = programme.enemies
    both = np.flatnonzero(test[one] & test[other])
    if both.size == 0:
        return test
    best: Bools | None = None
    for row in (int(one[both[0]]), int(other[both[0]])):
        if not core.taken[row]:
            found = _search(programme, relaxation, core._replace(rows=core.rows[core.rows != row]))
            if found is not None and (best is None or _better(programme, found, best)):
                best = found
    return best


def _better(programme: Programme, one: Bools, other: Bools) -> bool:
    return int(programme.weight[one].sum()) > int(programme.weight[other].sum())


def _combine(programme: Programme, relaxation: Relaxation, core: _Core) -> Bools | None:
    """Best test within the gap without a thought for enemies."""
    taken = np.flatnonzero(core.taken)
    in_topic = np.bincount(programme.topic[taken], minlength=programme.topics.size)
    in_competence = np.bincount(programme.competence[taken], minlength=programme.least.size)
    room, left = programme.room - taken.size, programme.left - int(programme.seconds[taken].sum())
    if room < 0 or left < 0 or (in_topic > programme.topics).any() or (in_competence > programme.most).any():
        return None
    limits = Limits(left, core.gap + _ROUNDING)
    parts = []
    for competence in range(programme.least.size):
        inside = np.flatnonzero(programme.competence[core.rows] == competence)
        topics = programme.topic[core.rows[inside]]
        groups = [] if topics.size else [empty_set(core.rows.size)]
        for topic in np.unique(topics):
            places = inside[topics == topic]
            free = int(programme.topics[topic] - in_topic[topic])
            each = places[None] if free == 1 else places[:, None]
            items = [_of_items(programme, relaxation, core, some) for some in each]
            unused = relaxation.topic[topic] * np.arange(free, -1.0, -1.0)
            groups.append(priced(joined(items, free, limits), unused))
        fixed = int(in_competence[competence])
        free = min(int(programme.most[competence]) - fixed, room)
        loss, needed = _of_number(programme, relaxation, competence, fixed + np.arange(free + 1))
        parts.append(priced(joined(groups, free, limits), loss, needed))
    whole = joined(parts, room, limits)
    enough = np.flatnonzero(whole.needed == programme.least.sum() - programme.missing)
    if enough.size == 0:
        return None
    best = enough[whole.value[enough].argmax()]
    test = core.taken.copy()
    test[core.rows[members_of(whole.members[best], core.rows.size)]] = True
    return test


def _of_items(programme: Programme, relaxation: Relaxation, core: _Core, places: Ints) -> Combinations:
    """Take none or one of some items of the core."""
    rows = core.rows[places]
    seconds, weight = programme.seconds[rows], programme.weight[rows]
    return one_or_none(places, core.rows.size, seconds, weight, relaxation.cost[rows], relaxation.hostile[rows])


def _of_number(programme: Programme, relaxation: Relaxation, competence: int, count: Ints) -> tuple[Floats, Ints]:
    """Say what numbers of items of a competence lose, and how many of them count as needed."""
    least, most = int(programme.least[competence]), int(programme.most[competence])
    price, needed = float(relaxation.competence[competence]), np.minimum(count, least)
    loss = price * (most - count) if price > 0 else -price * (count - (0 if programme.missing else least))
    if not programme.missing:
        return np.where(count < least, np.inf, np.maximum(loss, 0.0)), needed
    counting, cost = float(relaxation.counting[competence]), float(relaxation.needed[competence])
    loss = loss + counting * (count - needed) + max(cost, 0.0) * (least - needed) + max(-cost, 0.0) * needed
    return loss, needed
