"""Shadow tests: the best full test that holds what was asked and keeps to the blueprint."""

from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple, Protocol

import numpy as np

from engine.arrays import Bools, Ints
from engine.situation import Situation
from engine.state import State
from engine.table import Table


class Softness(IntFlag):
    """Constraints that may give way, softest first."""

    EXPOSURE = 1
    TOPICS = 2
    MAXIMUM = 4
    SEEN = 8
    MINIMUM = 16


@dataclass(frozen=True)
class Blueprint:
    """What every full test holds."""

    least: int = 2
    most: int = 6
    each: int = 6
    longest: int = 56
    per_topic: int = 1
    seconds: float = 6840.0


class Shadow(NamedTuple):
    """What is left to ask of the best full test."""

    items: Bools  # (*batch, I) its items not asked yet
    relaxed: Ints  # (*batch,) flags of Softness
    late: Bools  # (*batch,) nothing is left to ask because nothing fits into the time


class Extent(Protocol):
    """What says how long a test is: a blueprint, or a stopping rule."""

    @property
    def each(self) -> int:
        """Items for each competence in the run's scope."""

    @property
    def longest(self) -> int:
        """Most items."""


def full_length(extent: Extent, state: State, table: Table) -> Ints:
    """Items of a full test, (*batch,): ``each`` for every competence of the run's scope, at most ``longest``."""
    may = state.allowed | state.asked
    scope = np.zeros((*may.shape[:-1], table.cuts.shape[0]), dtype=bool)
    for competence in range(scope.shape[-1]):
        scope[..., competence] = may[..., table.competence == competence].any(axis=-1)
    return np.asarray(np.minimum(extent.longest, extent.each * scope.sum(axis=-1)))


def assemble(blueprint: Blueprint, situation: Situation, open_: Bools) -> Shadow:
    """Find the best full tests."""
    none = np.zeros(situation.state.length.shape, dtype=np.int64)
    return Shadow(open_, none, none > 0)
