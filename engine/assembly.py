"""Shadow tests: before each question, the best full test that holds what was asked and keeps to the blueprint.

The question is then the most useful one of that test which was not asked yet. So every question leaves a test that can
be completed: no quota is found out of reach at the end, and no question costs the time that others need.

When no full test keeps to the blueprint, constraints give way, softest first (:class:`Softness`), and the decision says
which. Whatever is asked, allowed, an enemy, too long for the time left or beyond the length never gives way.

References
----------
van der Linden, W. J. and Reese, L. M. (1998). A model for optimal constrained adaptive testing. Applied Psychological
Measurement, 22, 259-270.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np

from engine.arrays import Bools, Ints
from engine.errors import DesignError
from engine.filters import WithoutEnemies, asked_in_competence
from engine.plan import LONGEST_SECONDS, NOTHING, Plan, Softness, best_of, broken, giving_way, within_quotas
from engine.quotas import groups_of
from engine.situation import Situation
from engine.state import State
from engine.table import Table
from engine.timing import expected_seconds

__all__ = ["Blueprint", "Extent", "Shadow", "Softness", "assemble", "full_length", "run_scope"]

STEPS: Final = 1000
"""Scores are compared in thousandths of the best: whole numbers make the optimum the same on every machine."""

MILLI: Final = 1000
"""Times are whole milliseconds, for the same reason."""


@dataclass(frozen=True)
class Blueprint:
    """What every full test holds.

    Parameters
    ----------
    least, most : int
        Items of each competence in the run's scope.
    each, longest : int
        A full test has ``each`` items for every competence in scope, at most ``longest``.
    per_topic : int
        Most items of a topic.
    seconds : float
        Time into which the answers given and the expected time on the items to come must fit.

    Examples
    --------
    >>> Blueprint(least=3, most=2)
    Traceback (most recent call last):
    ...
    engine.errors.DesignError: A blueprint needs 0 <= least <= most, and each, longest, per_topic and seconds above 0.
    """

    least: int = 2
    most: int = 6
    each: int = 6
    longest: int = 56
    per_topic: int = 1
    seconds: float = 6840.0

    def __post_init__(self) -> None:
        """Refuse what no test can be made of."""
        if not (0 <= self.least <= self.most and min(self.each, self.longest, self.per_topic, self.seconds) > 0):
            raise DesignError("A blueprint needs 0 <= least <= most, and each, longest, per_topic and seconds above 0.")


class Shadow(NamedTuple):
    """What is left to ask of the best full test."""

    items: Bools  # (*batch, I) its items not asked yet
    relaxed: Ints  # (*batch,) flags of Softness: what gave way for these items
    late: Bools  # (*batch,) nothing is left to ask because nothing fits into the time


class Extent(Protocol):
    """What says how long a test is: a blueprint, or a stopping rule."""

    @property
    def each(self) -> int:
        """Items for each competence in the run's scope."""

    @property
    def longest(self) -> int:
        """Most items."""


def run_scope(state: State, table: Table) -> Bools:
    """Competences that a run is about, (*batch, C): those of which items may be, or have been, asked."""
    order = np.argsort(table.competence, kind="stable")
    may = (state.allowed | state.asked).take(order, axis=-1)
    present, starts = np.unique(table.competence[order], return_index=True)
    scope = np.zeros((*may.shape[:-1], table.cuts.shape[0]), dtype=bool)
    scope[..., present] = np.logical_or.reduceat(may, starts, axis=-1)
    return scope


def full_length(extent: Extent, state: State, table: Table) -> Ints:
    """Items of a full test, (*batch,): ``each`` for every competence of the run's scope, at most ``longest``."""
    return np.asarray(np.minimum(extent.longest, extent.each * run_scope(state, table).sum(axis=-1)))


def assemble(blueprint: Blueprint, situation: Situation, open_: Bools) -> Shadow:
    """Find the best full tests.

    The best test has the largest sum of weights: an item's weight is its score in thousandths of the best open one,
    plus 1, plus a hashed tie-break too small for a whole test of them to count. Without enemies and time, the sets that
    can be completed to a test within the quotas are the independent sets of a matroid (quotas on topics within
    competences within the test are laminar), so that taking items by decreasing weight while a completion exists, as
    :func:`engine.quotas.best_within` does, gives the best of them all. If that test breaks no enemy pair and fits into
    the time, then it is the best of the fewer tests that do, too. Else the integer program is solved,
    :func:`engine.programme.best_test`.

    Constraints give way softest first, cumulatively, until the minima can be met and an item is left to ask; then those
    which need not have are put back, hardest first. Want of time lets an item be shorter, not the test be longer: when
    all that is left to ask is too long, nothing gives way for it and the run is ``late``.

    Parameters
    ----------
    blueprint : Blueprint
    situation : Situation
    open_ : (*batch, I) bool
        Items that may be asked now, held back or not.

    Returns
    -------
    Shadow
    """
    plan = _plan(blueprint, situation, open_)
    chosen, missing = within_quotas(plan, NOTHING)
    open_to = plan.may(NOTHING).any(axis=1)
    good = open_to & (missing == 0) & ~broken(plan, chosen)
    relaxed, late = np.zeros(good.size, dtype=np.int64), np.asarray(open_to & ~chosen.any(axis=1))
    for run in np.flatnonzero(~good & plan.open.any(axis=1)):
        one = plan.of(int(run))
        softness, missed = giving_way(one)
        chosen[run] = best_of(one, softness, missed)
        some = chosen[run].any()
        relaxed[run] = int(softness) | (int(Softness.MINIMUM) if missed else 0) if some else 0
        late[run] = not some and one.may(softness).any()
    batch = situation.state.length.shape
    return Shadow(chosen.reshape(open_.shape), relaxed.reshape(batch), late.reshape(batch))


def _plan(blueprint: Blueprint, situation: Situation, open_: Bools) -> Plan:
    """Lay out what the states leave to plan."""
    table, state = situation.table, situation.state
    groups, (runs, asked) = groups_of(table), situation.asked
    scores = np.where(open_, situation.scores, 0.0).reshape(-1, table.competence.size)
    best = scores.max(axis=1, keepdims=True)
    share = np.clip(scores / np.where(best > 0, best, 1.0), 0.0, 1.0)
    expected = MILLI * expected_seconds(table.time_intensity, table.time_discrimination, state.speed)
    left = MILLI * (blueprint.seconds - state.elapsed.reshape(-1))
    in_topic = np.zeros((left.size, groups.starts.size), dtype=np.int64)
    np.add.at(in_topic, (runs, table.topic[asked]), 1)
    in_competence = asked_in_competence(situation).reshape(left.size, -1)
    scope = run_scope(state, table).reshape(left.size, -1)
    length = np.minimum(blueprint.longest, blueprint.each * scope.sum(axis=1))
    return Plan(
        blueprint,
        groups,
        1 + np.rint(STEPS * share).astype(np.int64),
        np.rint(np.minimum(expected, LONGEST_SECONDS)).astype(np.int64).reshape(share.shape),
        (open_ & WithoutEnemies()(situation)).reshape(share.shape),
        state.reserve.reshape(left.size, state.reserve.shape[-1]),
        in_topic,
        in_competence,
        np.where(scope, np.maximum(blueprint.least - in_competence, 0), 0),
        np.maximum(length - state.length.reshape(-1), 0),
        np.rint(np.maximum(left, 0.0)).astype(np.int64),
    )
