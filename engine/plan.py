"""What is left to plan of tests under way, and which constraints must give way for it."""

from enum import IntFlag
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from engine.arrays import Bools, Ints
from engine.programme import best_test
from engine.quotas import Groups, best_within, unit, weighted
from engine.relaxation import Programme
from engine.state import HELD, SEEN

if TYPE_CHECKING:
    from engine.assembly import Blueprint

LONGEST_SECONDS: Final = 10**9
"""Milliseconds; an item expected to take longer takes this long."""


class Softness(IntFlag):
    """Constraints that may give way, softest first."""

    EXPOSURE = 1
    """Items kept back so that they are not overexposed (:mod:`engine.exposure`)."""
    TOPICS = 2
    """Most items of a topic."""
    MAXIMUM = 4
    """Most items of a competence."""
    SEEN = 8
    """Items seen recently."""
    MINIMUM = 16
    """Least items of a competence: as few are missing as can be."""


NOTHING: Final = Softness(0)
_LADDER: Final = (Softness.EXPOSURE, Softness.TOPICS, Softness.MAXIMUM, Softness.SEEN)
_ALL: Final = Softness.EXPOSURE | Softness.TOPICS | Softness.MAXIMUM | Softness.SEEN


class Plan(NamedTuple):
    """What is left to plan of n tests, of I items in T topics and C competences; times in milliseconds."""

    blueprint: "Blueprint"
    groups: Groups
    value: Ints  # (n, I) usefulness, 1 or more
    seconds: Ints  # (n, I)
    open: Bools  # (n, I) may be asked, whatever gives way
    reserve: Ints  # (n, I), or (n, 0) when nothing is held back
    in_topic: Ints  # (n, T) items asked
    in_competence: Ints  # (n, C)
    need: Ints  # (n, C) items that the minima still ask for
    room: Ints  # (n,) items that the test still has room for
    left: Ints  # (n,) time for them

    def of(self, run: int) -> "Plan":
        """Plan of one run, with n = 1."""
        arrays: dict[str, Any] = {name: getattr(self, name)[run : run + 1] for name in self._fields[2:]}
        return self._replace(**arrays)

    def limits(self, softness: Softness) -> tuple[Ints | None, Ints]:
        """Items that each topic (n, T) and each competence (n, C) has room for; None: any number of a topic."""
        topics = None if softness & Softness.TOPICS else np.maximum(self.blueprint.per_topic - self.in_topic, 0)
        room = np.broadcast_to(self.room[:, None], self.in_competence.shape)
        return topics, room if softness & Softness.MAXIMUM else np.maximum(self.blueprint.most - self.in_competence, 0)

    def may(self, softness: Softness) -> Bools:
        """Items that the test has room for if there is time enough, each by itself, (n, I)."""
        free = self.open & (self.room > 0)[:, None]
        for flag, code in ((Softness.EXPOSURE, HELD), (Softness.SEEN, SEEN)):
            if self.reserve.shape[1] and not softness & flag:
                free &= self.reserve != code
        topics, most = self.limits(softness)
        if topics is not None:
            free &= (topics > 0).take(self.groups.topic, axis=1)
        return free & (most > 0).take(self.groups.competence, axis=1)

    def fits(self, softness: Softness) -> Bools:
        """Items that the test has room and time for, each by itself, (n, I)."""
        return self.may(softness) & (self.seconds <= self.left[:, None])

    def weight(self) -> Ints:
        """Add the tie-break to the usefulness, (n, I)."""
        return weighted(self.value, self.blueprint.longest)


def within_quotas(plan: Plan, softness: Softness) -> tuple[Bools, Ints]:
    """Best tests without a thought for enemies and the sum of times.

    Returns
    -------
    chosen : (n, I) bool
    missing : (n,) int
        Items missing of the minima: no test within the quotas misses fewer.
    """
    topics, most = plan.limits(softness)
    longest = plan.blueprint.longest
    chosen = best_within(plan.groups, plan.weight(), plan.fits(softness), topics, plan.need, most, plan.room, longest)
    runs, items = np.nonzero(chosen)
    got = np.zeros(plan.need.shape, dtype=np.int64)
    np.add.at(got, (runs, plan.groups.competence[items]), 1)
    return chosen, np.maximum(plan.need - got, 0).sum(axis=1)


def broken(plan: Plan, chosen: Bools) -> Bools:
    """Whether a test (n, I) holds an enemy pair or takes too long, (n,)."""
    one, other = plan.groups.pairs
    enemies = (chosen[:, one] & chosen[:, other]).any(axis=1)
    return np.asarray(enemies | (np.where(chosen, plan.seconds, 0).sum(axis=1) > plan.left))


def giving_way(plan: Plan) -> tuple[Softness, int]:
    """Find what gives way in one run, the minima apart, and how many items of the minima are missing all the same."""
    if plan.may(NOTHING).any() and _missing(plan, NOTHING) == 0:
        return NOTHING, 0
    least, some = _missing(plan, _ALL), bool(plan.may(_ALL).any())

    def enough(softness: Softness) -> bool:
        return bool(plan.may(softness).any()) == some and _missing(plan, softness) == least

    softness = NOTHING
    for flag in _LADDER:
        if enough(softness):
            break
        softness |= flag
    for flag in reversed(_LADDER):
        if softness & flag and enough(softness & ~flag):
            softness &= ~flag
    return softness, least


def best_of(plan: Plan, softness: Softness, missing: int) -> Bools:
    """Best test of one run, (I,), when ``softness`` gives way and so many items of the minima cannot but be missing."""
    chosen, missed = within_quotas(plan, softness)
    if missed[0] == missing and not broken(plan, chosen)[0]:
        return np.asarray(chosen[0])
    rows = _undominated(plan, softness)
    topics, most = plan.limits(softness)
    place = np.full(plan.open.shape[1], -1)
    place[rows] = np.arange(rows.size)
    enemies = place[plan.groups.pairs]
    numbers, topic = np.unique(plan.groups.topic[rows], return_inverse=True)
    limit = np.full(numbers.size, plan.room[0]) if topics is None else topics[0, numbers]
    programme = Programme(
        plan.weight()[0, rows],
        unit(plan.open.shape[1], plan.blueprint.longest),
        plan.seconds[0, rows],
        topic,
        plan.groups.competence[rows],
        enemies[:, (enemies >= 0).all(axis=0)],
        limit,
        plan.need[0],
        most[0],
        int(plan.room[0]),
        int(plan.left[0]),
        missing,
    )
    best = np.zeros(plan.open.shape[1], dtype=bool)
    best[rows[best_test(programme)]] = True
    return best


def _undominated(plan: Plan, softness: Softness) -> Ints:
    """Items that the best test of one run may hold.

    Where a test has one item of a topic at most, an item is of no use beside one of its topic that is worth more,
    takes no longer and has no enemies.
    """
    rows = np.flatnonzero(plan.fits(softness)[0])
    if softness & Softness.TOPICS or plan.blueprint.per_topic > 1:
        return rows
    weight, topic, seconds = plan.weight()[0, rows], plan.groups.topic[rows], plan.seconds[0, rows]
    order = np.lexsort((-weight, topic))
    hostile = np.zeros(plan.open.shape[1], dtype=bool)
    hostile[plan.groups.pairs] = True
    # Times of later topics are lowered below all those before, so that the least time so far starts afresh.
    lowered = seconds[order] - 2 * LONGEST_SECONDS * topic[order]
    rival = np.where(hostile[rows[order]], lowered + LONGEST_SECONDS, lowered)
    before = np.concatenate([[np.iinfo(np.int64).max], np.minimum.accumulate(rival)[:-1]])
    return np.sort(rows[order[lowered < before]])


def _missing(plan: Plan, softness: Softness) -> int:
    """Fewest items of the minima that a test of one run leaves out.

    Most of the needed items fit into the time when the shortest within the quotas are taken first; of an enemy pair
    among them, the one or else all enemies of the one are left out, for a test holds it or does not.
    """
    need = int(plan.need.sum())
    if need == 0:
        return 0
    topics, most = plan.limits(softness)
    longest = plan.blueprint.longest
    short = weighted(1 + LONGEST_SECONDS - plan.seconds, longest)
    most, none = np.minimum(plan.need, most), np.zeros_like(plan.need)

    def most_needed(fits: Bools) -> int:
        chosen = np.flatnonzero(best_within(plan.groups, short, fits, topics, none, most, plan.room, longest)[0])
        chosen = chosen[np.argsort(-short[0, chosen])]
        chosen = chosen[np.cumsum(plan.seconds[0, chosen]) <= plan.left[0]]
        enemies = plan.groups.enemies(np.isin(np.arange(fits.size), chosen))
        best = 0 if enemies else int(chosen.size)
        for out in _ways_out(plan, enemies):
            if best < chosen.size:
                without = fits.copy()
                without[0, out] = False
                best = max(best, most_needed(without))
        return best

    return need - most_needed(plan.fits(softness))


def _ways_out(plan: Plan, enemies: tuple[int, ...]) -> tuple[list[int], ...]:
    """Say which items some test leaves out: the first of two enemies, or all the enemies that it has."""
    if not enemies:
        return ()
    one, other = plan.groups.pairs
    foes = np.concatenate([other[one == enemies[0]], one[other == enemies[0]]])
    return [enemies[0]], foes.tolist()
