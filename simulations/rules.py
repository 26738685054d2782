"""Rules of a test by the names that the command line knows them by."""

from collections.abc import Mapping
from typing import Final

from engine.errors import DesignError
from engine.picks import Best, Pick, Proportional, TopK
from engine.scores import InformationAtMean, KullbackLeibler, Score, VarianceReduction, WeightedInformation
from engine.stopping import AllOf, AnyOf, AtLeast, MaxLength, PreciseEnough, Stop

SCORES: Final[Mapping[str, Score]] = {
    "information": InformationAtMean(),
    "posterior-information": WeightedInformation("posterior"),
    "likelihood-information": WeightedInformation("likelihood"),
    "variance": VarianceReduction(),
    "kullback-leibler": KullbackLeibler(),
}
PICKS: Final = ("best", "top-k", "proportional")


def score_named(name: str) -> Score:
    """Score of a name."""
    if name not in SCORES:
        raise DesignError(f"There is no score {name!r}; use {', '.join(SCORES)}.")
    return SCORES[name]


def pick_named(name: str, k: int = 5) -> Pick:
    """Pick of a name; ``k`` is for top-k.

    Examples
    --------
    >>> pick_named("top-k", 3)
    TopK(k=3)
    """
    picks: dict[str, Pick] = {"best": Best(), "top-k": TopK(k), "proportional": Proportional()}
    if name not in picks:
        raise DesignError(f"There is no pick {name!r}; use {', '.join(PICKS)}.")
    return picks[name]


def stop_after(length: int, sd: float | None = None, least: int = 0) -> Stop:
    """Stop at ``length`` items, or once the posterior sd is at most ``sd`` and at least ``least`` items were asked.

    Examples
    --------
    >>> stop_after(30)
    MaxLength(items=30)
    """
    if length < 1 or least > length:
        raise DesignError(f"A test of {least} to {length} items makes no sense; give a length of at least 1.")
    if sd is None:
        return MaxLength(length)
    if sd <= 0:
        raise DesignError(f"A standard deviation of {sd} is never reached; give e.g. 0.3.")
    enough: Stop = AllOf((AtLeast(least), PreciseEnough(sd))) if least else PreciseEnough(sd)
    return AnyOf((enough, MaxLength(length)))
