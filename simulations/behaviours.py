"""How simulees answer. A behaviour takes a question and the answer so far, and gives the answer after it.

A behaviour is a frozen dataclass with ``__call__(question, answer) -> answer``; a tuple of them is applied in order,
:class:`ModelTrue` first. :func:`behaving` puts them in the order that makes sense.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import expit, logit

from engine.arrays import Bools, Floats, Ints
from engine.errors import DesignError
from engine.parameters import ItemParameters
from engine.responses import SKIPPED
from engine.table import Table
from simulations.chances import chances, knowing
from simulations.learners import Stream, normal, number


class Trait(IntEnum):
    """What makes one simulee different from another, besides ability: positions in the stream of traits."""

    SKIPPING = 0
    GUESSING = 1
    SPEED = 2
    BELONGING = 3


class Question(NamedTuple):
    """One item put to each of n simulees, all at the same position of their runs."""

    table: Table
    seed: Ints  # (n,) of the simulees
    ability: Floats  # (n,) in the competence of the item
    item: Ints  # (n,) rows
    position: int


class Answer(NamedTuple):
    """What the simulees do."""

    response: Ints  # (n,) categories or codes of engine.responses
    seconds: Floats  # (n,) NaN where time is not simulated


class Behaviour(Protocol):
    """What every behaviour offers."""

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Change the answer."""


@dataclass(frozen=True)
class ModelTrue:
    """Answers as the response model says, whatever the answer so far."""

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Draw the category: as many steps are taken as there are P(at least k) above one uniform number."""
        u = number(question.seed, Stream.RESPONSES, question.position)
        steps = chances(question.table.parameters, question.item, question.ability)
        return answer._replace(response=(u < steps).sum(axis=0, dtype=np.int64))


@dataclass(frozen=True)
class Skipping:
    """Skips some of what one does not know.

    A simulee knows the answer with the chance of success without guessing, so skips become rarer as ability grows. One
    who does not know skips with a personal probability, expit(logit(share) + spread z), z being standard normal.

    Parameters
    ----------
    share : float
        Of the answers not known that a typical simulee skips, in ]0, 1].
    spread : float
        Of that habit between simulees, in logits.
    """

    share: float = 0.5
    spread: float = 1.0

    def __post_init__(self) -> None:
        """Refuse shares that are not."""
        _check_share(self.share, "skips")

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Skip; the number that decides about knowing is the one that decides about the model-true response."""
        u = number(question.seed, Stream.RESPONSES, question.position)
        knows = u < knowing(question.table.parameters, question.item, question.ability)
        skips = ~knows & _inclined(question, self.share, self.spread)
        return answer._replace(response=np.where(skips, SKIPPED, answer.response))


@dataclass(frozen=True)
class SkippingAtRandom:
    """Skips now and then whatever the item; parameters as in :class:`Skipping`, of all answers."""

    share: float = 0.2
    spread: float = 1.0

    def __post_init__(self) -> None:
        """Refuse shares that are not."""
        _check_share(self.share, "skips")

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Skip."""
        return answer._replace(
            response=np.where(_inclined(question, self.share, self.spread), SKIPPED, answer.response)
        )


@dataclass(frozen=True)
class Careless:
    """Slips: an answer that would have earned credit earns none with this probability."""

    probability: float = 0.05

    def __post_init__(self) -> None:
        """Refuse probabilities that are not."""
        _check_share(self.probability, "slips")

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Slip."""
        slips = number(question.seed, Stream.SLIPS, question.position) < self.probability
        return answer._replace(response=np.where(slips & (answer.response > 0), 0, answer.response))


@dataclass(frozen=True)
class Guessing:
    """A share of the simulees answer everything at random.

    Parameters
    ----------
    share : float
        Of the simulees.
    chance : float
        That a random answer earns full credit; else it earns none.
    """

    share: float = 0.1
    chance: float = 0.25

    def __post_init__(self) -> None:
        """Refuse shares that are not."""
        _check_share(self.share, "simulees who guess")
        _check_share(self.chance, "lucky guesses")

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Answer at random."""
        guesses = number(question.seed, Stream.TRAITS, Trait.GUESSING) < self.share
        lucky = number(question.seed, Stream.GUESSES, question.position) < self.chance
        best = question.table.categories_of[question.item] - 1
        return answer._replace(response=np.where(guesses, np.where(lucky, best, 0), answer.response))


@dataclass(frozen=True)
class Hurrying:
    """Answers a part of the questions in haste, at random.

    Parameters
    ----------
    part : float
        Of the questions.
    chance : float
        That a random answer earns full credit; else it earns none.
    """

    part: float = 0.5
    chance: float = 0.25

    def __post_init__(self) -> None:
        """Refuse shares that are not."""
        _check_share(self.part, "answers in haste")
        _check_share(self.chance, "lucky guesses")

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Hurry; one number decides about haste and luck."""
        u = number(question.seed, Stream.GUESSES, question.position)
        best = question.table.categories_of[question.item] - 1
        random = np.where(u < self.part * self.chance, best, 0)
        return answer._replace(response=np.where(u < self.part, random, answer.response))


@dataclass(frozen=True)
class Among:
    """Only a share of the simulees behave so; the others keep the answer so far.

    Parameters
    ----------
    share : float
        Of the simulees.
    behaviours : tuple of Behaviour
        Applied in order.
    """

    share: float
    behaviours: tuple[Behaviour, ...]

    def __post_init__(self) -> None:
        """Refuse shares that are not."""
        _check_share(self.share, "simulees who behave so")

    def members(self, seeds: Ints) -> Bools:
        """Which of the simulees behave so, (n,)."""
        return np.asarray(number(seeds, Stream.TRAITS, Trait.BELONGING) < self.share)

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Change the answers of those who behave so."""
        changed = _applied(self.behaviours, question, answer)
        members = self.members(question.seed)
        return Answer(
            np.where(members, changed.response, answer.response), np.where(members, changed.seconds, answer.seconds)
        )


@dataclass(frozen=True)
class OnItems:
    """Answers items whose true parameters are others than those that the test takes for true.

    Parameters
    ----------
    parameters : ItemParameters
        True parameters of the I items of the table.
    behaviours : tuple of Behaviour
        Applied in order, as if the table had these parameters.
    """

    parameters: ItemParameters
    behaviours: tuple[Behaviour, ...] = (ModelTrue(),)

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Answer the true items."""
        true = question._replace(table=question.table._replace(parameters=self.parameters))
        return _applied(self.behaviours, true, answer)


@dataclass(frozen=True)
class Timed:
    """Takes a log-normal time over each item, at a personal speed (van der Linden 2006).

    Parameters
    ----------
    speed_sd : float
        Standard deviation of speed between simulees, in log seconds.
    skip_share : float
        Time spent before a skip, as a share of the time that an answer would take.
    """

    speed_sd: float = 0.4
    skip_share: float = 0.5

    def __call__(self, question: Question, answer: Answer) -> Answer:
        """Take time."""
        table, item = question.table, question.item
        speed = self.speed_sd * normal(question.seed, Stream.TRAITS, Trait.SPEED)
        noise = normal(question.seed, Stream.TIMES, question.position) / table.time_discrimination[item]
        seconds = np.exp(table.time_intensity[item] - speed + noise)
        return answer._replace(seconds=np.where(answer.response == SKIPPED, self.skip_share, 1.0) * seconds)


def behaving(
    skipping: float = 0.0, guessing: float = 0.0, careless: float = 0.0, timed: bool = False
) -> tuple[Behaviour, ...]:
    """Behaviours in the order that makes sense, those with a share of 0 left out.

    Examples
    --------
    >>> behaving(careless=0.1)
    (ModelTrue(), Careless(probability=0.1))
    """
    chosen: list[Behaviour] = [ModelTrue()]
    if skipping:
        chosen.append(Skipping(skipping))
    if careless:
        chosen.append(Careless(careless))
    if guessing:
        chosen.append(Guessing(guessing))
    if timed:
        chosen.append(Timed())
    return tuple(chosen)


def reply(behaviours: tuple[Behaviour, ...], question: Question) -> Answer:
    """Answer of the simulees to a question."""
    nothing = Answer(np.zeros(question.item.shape, dtype=np.int64), np.full(question.item.shape, np.nan))
    return _applied(behaviours, question, nothing)


def _applied(behaviours: tuple[Behaviour, ...], question: Question, answer: Answer) -> Answer:
    for behaviour in behaviours:
        answer = behaviour(question, answer)
    return answer


def _inclined(question: Question, share: float, spread: float) -> Bools:
    """Whether the simulees would skip now if they did not know, (n,)."""
    habit = expit(logit(share) + spread * normal(question.seed, Stream.TRAITS, Trait.SKIPPING))
    return np.asarray(number(question.seed, Stream.SKIPS, question.position) < habit)


def _check_share(value: float, words: str) -> None:
    if not 0.0 < value <= 1.0:
        raise DesignError(f"The share of {words} must lie in ]0, 1], not be {value}; leave the behaviour out for none.")
