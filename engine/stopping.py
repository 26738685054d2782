"""Enough? A stopping rule gives a reason to stop, or ``Reason.GO_ON``.

A rule is a frozen dataclass with ``__call__(situation) -> (*batch,)`` codes of :class:`Reason`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

from engine.arrays import Bools, Ints
from engine.assembly import full_length
from engine.errors import DesignError
from engine.levels import level_probabilities
from engine.situation import Situation


class Reason(IntEnum):
    """Why a run goes on or ends."""

    GO_ON = 0
    MAX_LENGTH = 1
    LONG_ENOUGH = 2
    PRECISE_ENOUGH = 3
    LEVEL_CLEAR = 4
    NOTHING_LEFT = 5
    OUT_OF_TIME = 6


class Stop(Protocol):
    """What every stopping rule offers."""

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""


@dataclass(frozen=True)
class MaxLength:
    """At most ``items`` answers, skips included."""

    items: int

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""
        return _where(situation.state.length >= self.items, Reason.MAX_LENGTH)


@dataclass(frozen=True)
class AtLeast:
    """Guard for ``AllOf``: at least ``items`` answers."""

    items: int

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""
        return _where(situation.state.length >= self.items, Reason.LONG_ENOUGH)


@dataclass(frozen=True)
class PreciseEnough:
    """Posterior standard deviation of every competence in scope at most ``sd``."""

    sd: float

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""
        widest = situation.sd[..., list(situation.scope)].max(axis=-1)
        return _where(np.round(widest, 9) <= self.sd, Reason.PRECISE_ENOUGH)


@dataclass(frozen=True)
class LevelIsClear:
    """For every competence in scope, some level has at least this probability."""

    probability: float = 0.9

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""
        table, scope = situation.table, list(situation.scope)
        if table.cuts.shape[1] == 0:
            raise DesignError("LevelIsClear needs the cuts of the levels; give them when the table is built.")
        levels = level_probabilities(situation.posterior[..., scope, :], table.nodes, table.cuts[scope])
        return _where(np.round(levels.max(axis=-1).min(axis=-1), 9) >= self.probability, Reason.LEVEL_CLEAR)


@dataclass(frozen=True)
class OutOfTime:
    """At least ``seconds`` of answering time used up."""

    seconds: float

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""
        return _where(np.round(situation.state.elapsed, 6) >= self.seconds, Reason.OUT_OF_TIME)


@dataclass(frozen=True)
class LengthByScope:
    """As many answers as a full test holds: ``each`` for every competence of the run's scope, at most ``longest``.

    The run's scope are the competences of the items that may be asked in it, :func:`engine.assembly.full_length`.
    """

    each: int = 6
    longest: int = 56

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""
        full = full_length(self, situation.state, situation.table)
        return _where(situation.state.length >= full, Reason.MAX_LENGTH)


@dataclass(frozen=True)
class AnyOf:
    """Stops as soon as one of the rules does, with the reason of the first."""

    rules: tuple[Stop, ...]

    def __post_init__(self) -> None:
        """Refuse an empty list, which would never stop."""
        if not self.rules:
            raise DesignError("AnyOf needs at least one rule, or the test would never stop.")

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""
        reason = self.rules[0](situation)
        for rule in self.rules[1:]:
            if reason.all():
                break
            reason = np.where(reason > 0, reason, rule(situation))
        return reason


@dataclass(frozen=True)
class AllOf:
    """Stops when all the rules do, with the reason of the last."""

    rules: tuple[Stop, ...]

    def __post_init__(self) -> None:
        """Refuse an empty list."""
        if not self.rules:
            raise DesignError("AllOf needs at least one rule.")

    def __call__(self, situation: Situation) -> Ints:
        """Give a reason for each run, (*batch,)."""
        reason = self.rules[0](situation)
        for rule in self.rules[1:]:
            if not reason.any():
                break
            reason = np.where(reason > 0, rule(situation), reason)
        return reason


def longest(stop: Stop) -> int | None:
    """Most answers that a rule lets through, whatever the learner does; None when nothing in it says so.

    Examples
    --------
    >>> longest(AnyOf((PreciseEnough(0.3), MaxLength(40)))), longest(PreciseEnough(0.3))
    (40, None)
    """
    match stop:
        case MaxLength() | AtLeast():
            return stop.items
        case LengthByScope():
            return stop.longest
        case AnyOf():
            return min((items for rule in stop.rules if (items := longest(rule)) is not None), default=None)
        case AllOf():
            known = [items for rule in stop.rules if (items := longest(rule)) is not None]
            return max(known) if len(known) == len(stop.rules) else None
        case _:
            return None


def _where(stop: Bools, reason: Reason) -> Ints:
    return np.where(stop, int(reason), int(Reason.GO_ON))
