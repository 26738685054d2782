"""The best full test found by looking at every set of items: slow, and obviously what the blueprint says."""

from typing import NamedTuple

import numpy as np

from engine.adaptive import Design
from engine.arrays import Bools, Ints
from engine.assembly import Softness
from engine.quotas import weighted
from engine.state import State
from engine.table import Table
from engine.timing import expected_seconds
from tests.reference import banks

LADDER = (Softness.EXPOSURE, Softness.TOPICS, Softness.MAXIMUM, Softness.SEEN)


class Best(NamedTuple):
    items: Bools  # (I,)
    relaxed: int
    late: bool
    sums: Ints  # weights of all the tests among which it is the best, heaviest first


class Subsets:
    """Every set of the open items of one run, and what it holds."""

    def __init__(self, design: Design, table: Table, state: State, open_: Bools) -> None:
        blueprint = design.assembly
        assert blueprint is not None
        self.blueprint, self.table, self.state = blueprint, table, state
        self.rows = np.flatnonzero(open_)
        sets = np.arange(2**self.rows.size)[:, None] >> np.arange(self.rows.size) & 1
        scores = np.where(open_, banks.situation(design, table, state).scores, 0.0)
        useful = 1 + np.rint(1000 * scores / max(scores.max(), 1e-300)).astype(int)
        self.weight = weighted(useful[None], blueprint.longest)[0]
        self.seconds = np.rint(
            1000 * expected_seconds(table.time_intensity, table.time_discrimination, state.speed)
        ).astype(int)
        left = round(1000 * (blueprint.seconds - float(state.elapsed)))
        scope = np.unique(table.competence[state.allowed | state.asked])
        length = min(blueprint.longest, blueprint.each * scope.size)
        self.room = max(length - int(state.length), 0)
        together = sets.astype(bool)
        whole = np.zeros((len(sets), open_.size), dtype=bool)
        whole[:, self.rows] = together
        self.whole = whole
        hard = whole.sum(axis=1) <= self.room
        for one, others in zip(table.hostile, table.enemies, strict=True):
            for other in others:
                hard &= ~((whole | state.asked)[:, one] & whole[:, other])
        self.hard = hard
        self.in_time = (whole * self.seconds).sum(axis=1) <= max(left, 0)
        asked = np.bincount(table.competence[state.asked], minlength=table.cuts.shape[0])
        self.got = np.stack([whole[:, table.competence == c].sum(axis=1) for c in range(asked.size)], axis=1)
        need = np.where(np.isin(np.arange(asked.size), scope), np.maximum(blueprint.least - asked, 0), 0)
        self.missing = np.maximum(need - self.got, 0).sum(axis=1)
        self.few = (self.got <= np.maximum(blueprint.most - asked, 0)).all(axis=1)
        topics = np.arange(table.topic.max() + 1)
        before = np.array([(table.topic[state.asked] == t).sum() for t in topics])
        per_topic = np.stack([whole[:, table.topic == t].sum(axis=1) for t in topics], axis=1)
        self.apart = (per_topic <= np.maximum(blueprint.per_topic - before, 0)).all(axis=1)

    def keeping(self, softness: Softness) -> Bools:
        """Sets that keep to what does not give way, time apart."""
        keep = self.hard.copy()
        if self.state.reserve.size:
            if not softness & Softness.EXPOSURE:
                keep &= ~self.whole[:, self.state.reserve == 1].any(axis=1)
            if not softness & Softness.SEEN:
                keep &= ~self.whole[:, self.state.reserve == 2].any(axis=1)
        if not softness & Softness.TOPICS:
            keep &= self.apart
        return keep if softness & Softness.MAXIMUM else keep & self.few

    def fewest_missing(self, softness: Softness) -> int:
        return int(self.missing[self.keeping(softness) & self.in_time].min())

    def something(self, softness: Softness) -> bool:
        return bool((self.keeping(softness) & (self.whole.sum(axis=1) == 1)).any())


def best_full_test(design: Design, table: Table, state: State, open_: Bools) -> Best:
    """The best of all, for one run."""
    sets = Subsets(design, table, state, open_)
    everything = LADDER[0] | LADDER[1] | LADDER[2] | LADDER[3]
    least, some = sets.fewest_missing(everything), sets.something(everything)

    def enough(softness: Softness) -> bool:
        return sets.fewest_missing(softness) == least and sets.something(softness) == some

    given = Softness(0)
    for flag in LADDER:
        if enough(given):
            break
        given |= flag
    for flag in LADDER[::-1]:
        if given & flag and enough(given & ~flag):
            given &= ~flag
    good = np.flatnonzero(sets.keeping(given) & sets.in_time & (sets.missing == least))
    sums = (sets.whole[good] * sets.weight).sum(axis=1)
    best = sets.whole[good[sums.argmax()]]
    late = not best.any() and sets.something(given)
    flags = int(given) | (16 if least else 0) if best.any() else 0
    return Best(best, flags, late, np.sort(sums)[::-1])
