"""Kinds of learners: how they come to their profile, and how they take the test that is to confirm it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, isfinite
from typing import Final

import numpy as np

from engine.arrays import Floats, Ints
from engine.errors import DesignError
from engine.uniform import derive, uniform
from simulations.behaviours import Answer, Behaviour, Guessing, ModelTrue, Question, Skipping, Timed

_KIND: Final = 2**41 + 1
_LIFTED: Final = 2**41 + 2
"""Streams of random numbers, beside those of simulations.learners."""


@dataclass(frozen=True)
class Paced:
    """Takes a multiple of the time so far.

    Parameters
    ----------
    factor : float
        Above 1 is slower.
    """

    factor: float

    def __post_init__(self) -> None:
        """Refuse what is no pace."""
        if not (isfinite(self.factor) and self.factor > 0):
            raise DesignError(f"A pace must be a positive number, not {self.factor}; 1 is the usual one.")

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Change the time only."""
        return answer._replace(seconds=answer.seconds * self.factor)


ATTENTIVE: Final[tuple[Behaviour, ...]] = (ModelTrue(), Timed())
"""Answers by the model, at a personal speed."""


@dataclass(frozen=True)
class Kind:
    """A kind of learner.

    Parameters
    ----------
    name : str
    share : float
        Of the learners, relative to those of the other kinds.
    lift : float
        Standard deviations by which help raises the abilities during the positioning, and not afterwards.
    lifted : int
        Competences that are helped, drawn for each learner; 0 for all of them.
    positioning, certification : tuple of Behaviour
        How they answer in each.
    leaves : bool
        Whether they leave the certification before its end, anywhere between a tenth and nine tenths of it.
    sincere : bool
        Whether their profile is their own, and they try to confirm it: an alarm about one of them is a false one.
    """

    name: str
    share: float
    lift: float = 0.0
    lifted: int = 0
    positioning: tuple[Behaviour, ...] = ATTENTIVE
    certification: tuple[Behaviour, ...] = ATTENTIVE
    leaves: bool = False
    sincere: bool = True

    @property
    def helped(self) -> bool:
        """Whether the profile is not their own: an alarm about one of them is a detection."""
        return self.lift > 0

    def during_positioning(self, seeds: Ints, abilities: Floats) -> Floats:
        """Abilities that the positioning meets, (n, C).

        Parameters
        ----------
        seeds : (n,) int
        abilities : (n, C) float
            The learners' own.
        """
        if not self.lifted:
            return abilities + self.lift
        drawn = uniform(derive(seeds[:, None], _LIFTED), np.arange(abilities.shape[1]))
        rank = np.argsort(np.argsort(drawn, axis=1), axis=1)
        return abilities + self.lift * (rank < self.lifted)


SKIPS: Final[tuple[Behaviour, ...]] = (ModelTrue(), Skipping(0.5), Timed())
SLOWLY: Final[tuple[Behaviour, ...]] = (*ATTENTIVE, Paced(exp(1.2)))
AT_RANDOM: Final[tuple[Behaviour, ...]] = (ModelTrue(), Guessing(1.0), Timed(), Paced(exp(-2.5)))

KINDS: Final = (
    Kind("honest", 0.70),
    Kind("helped", 0.05, lift=1.0, sincere=False),
    Kind("helped_in_some", 0.05, lift=1.0, lifted=3, sincere=False),
    Kind("slow", 0.05, positioning=SLOWLY, certification=SLOWLY),
    Kind("skipping", 0.07, positioning=SKIPS, certification=SKIPS),
    Kind("leaving_early", 0.04, leaves=True),
    Kind("guessing", 0.04, certification=AT_RANDOM, sincere=False),
)
"""A mix that a centre might meet. Those who guess do so in a few seconds, all through the certification."""


def mixed(shares: Mapping[str, float]) -> tuple[Kind, ...]:
    """Mix of the kinds of :data:`KINDS` in these shares; those not named are left out.

    Raises
    ------
    DesignError
        When there is no such kind, or nobody in the mix.

    Examples
    --------
    >>> [(kind.name, kind.share) for kind in mixed({"slow": 1, "honest": 3})]
    [('honest', 3), ('slow', 1)]
    """
    unknown = set(shares) - {kind.name for kind in KINDS}
    if unknown:
        names = ", ".join(kind.name for kind in KINDS)
        raise DesignError(f"There is no kind of learner {min(unknown)!r}; the kinds are {names}.")
    kinds = tuple(replace(kind, share=shares[kind.name]) for kind in KINDS if kind.name in shares)
    check_kinds(kinds)
    return kinds


def shared(texts: Iterable[str]) -> tuple[Kind, ...]:
    """Mix of texts such as ``honest=0.9``.

    Raises
    ------
    DesignError
        When a text is no kind and its share.
    """
    shares: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            shares[name.strip()] = float(value)
        except ValueError:
            raise DesignError(f"{text!r} is not a kind of learner and its share; write e.g. honest=0.9.") from None
    return mixed(shares)


def check_kinds(kinds: Sequence[Kind]) -> None:
    """Refuse a mix of nobody, and shares that are none."""
    if not kinds or not all(isfinite(kind.share) and kind.share > 0 for kind in kinds):
        raise DesignError("A mix of learners needs shares above 0, e.g. honest=0.9 and helped=0.1.")


def kind_of(kinds: Sequence[Kind], seeds: Ints) -> Ints:
    """Place of the kind of each learner, (n,): learner i is of the same kind whatever the number of learners."""
    ends = np.cumsum([kind.share for kind in kinds])
    drawn = uniform(derive(seeds, _KIND), 0) * ends[-1]
    return np.asarray(np.minimum(np.searchsorted(ends, drawn, side="right"), len(kinds) - 1))
