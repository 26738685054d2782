"""Rules of a test by the names that the command line knows them by."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.adaptive import Design
from engine.designs import from_dict
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


def read_design(path: Path) -> Design:
    """Design of one competence from a JSON file, as :func:`engine.designs.to_dict` makes it.

    Raises
    ------
    DesignError
        When the file is no such design.
    """
    try:
        design = from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise DesignError(f"{path} is not a design in JSON ({error}); print one with engine.designs.to_dict.") from None
    if design.latent.competences != 1:
        raise DesignError(f"{path} is a test of {design.latent.competences} competences; give a design of one.")
    return design
