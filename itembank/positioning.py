"""The positioning test: what the API serves and the simulator drives.

It is benevolent. The first questions are easy, every question leaves a fair chance of success where one does, a skip is
followed by something easier, subjects change, and two timed questions do not follow each other. These are preferences:
they give way rather than end the test. Quotas and enemies are not: every competence in scope gets its minimum, and the
length is known from the start, so that the learner sees the end coming.

Levels aimed at are not part of the design. A course or a campaign may aim at level 4, and its results are read against
that level; the items are chosen where the learner is. A learner near the cut of level 4 gets items near it anyway. For
one who is far from it, items at the cut would say little, feel too hard or too easy, and leave the profile imprecise.
Campaigns that aim elsewhere thus share one design, and their results compare.
"""

from collections.abc import Sequence
from typing import Final

from engine.adaptive import Design
from engine.errors import DesignError
from engine.filters import (
    AnotherTopic,
    EasierAfterSkip,
    FairChance,
    NoTwoTimed,
    OnePerTopic,
    Prefer,
    Quotas,
    WithoutEnemies,
)
from engine.grid import Grid
from engine.picks import TopK
from engine.responses import skip_policy
from engine.scores import VarianceReduction
from engine.stopping import MaxLength
from itembank.framework import Framework

LONGEST: Final = 48
"""Items of a positioning over many competences: about forty minutes."""

SPREAD: Final = 2
"""How many items a competence may get beyond its even share, where they tell more."""


MEASURED_SD: Final = 0.65
"""Largest sd of a competence that counts as measured: about the width of a level."""


GRID: Final = Grid(-4.5, 4.5, 32)
"""Wide enough for extreme learners, and multiples of 8 nodes, which processors like.

Against 241 nodes on [-6, 6], means of 1,000 simulees differ by less than 0.007 and one level in 900 changes.
"""


def default_length(competences: int) -> int:
    """Items of a test over so many competences.

    Examples
    --------
    >>> [default_length(count) for count in (1, 2, 5, 16)]
    [16, 20, 32, 48]
    """
    return min(LONGEST, 12 + 4 * competences)


def positioning_design(
    framework: Framework,
    competences: Sequence[str] | None = None,
    length: int | None = None,
    candidates: int | None = None,
    benevolent: bool = True,
    skip: str = "unknown",
) -> Design:
    """Design of a positioning.

    Parameters
    ----------
    framework : Framework
    competences : codes, optional
        All competences when left out.
    length : int, optional
        Items asked; ``default_length`` when left out.
    candidates : int, optional
        The item is drawn among so many best ones, which spreads exposure; more of them where there are more
        competences to choose from, when left out.
    benevolent : bool
        False leaves out what costs precision for the learner's comfort; studies measure the difference.
    skip : {"unknown", "incorrect", "ignored"}
        What a skip says: "I do not know" (no lucky guess possible), a wrong answer, or nothing. Learners must be told
        which.

    Raises
    ------
    BankError, DesignError
        When a competence is unknown or named twice, there are fewer items than competences, or the policy
        for skips is unknown.
    """
    chosen = framework.codes if competences is None else tuple(competences)
    scope = tuple(sorted(framework.index(code) for code in chosen))
    if not scope or len(set(scope)) < len(scope):
        raise DesignError("A positioning needs at least one competence, each named once.")
    items = default_length(len(scope)) if length is None else length
    if items < len(scope):
        raise DesignError(f"A positioning of {items} items cannot cover {len(scope)} competences; make it longer.")
    share = items // len(scope)
    least = share if len(scope) == 1 else max(1, share - 1)
    most = items if len(scope) == 1 else share + SPREAD
    comfort = (Prefer(EasierAfterSkip()), Prefer(FairChance())) if benevolent else ()
    return Design(
        score=VarianceReduction(),
        filters=(
            Quotas(
                minimum=tuple(least if row in scope else 0 for row in range(len(framework.codes))),
                maximum=tuple(most if row in scope else 0 for row in range(len(framework.codes))),
                length=items,
            ),
            WithoutEnemies(),
            Prefer(OnePerTopic()),
            Prefer(AnotherTopic()),
            Prefer(NoTwoTimed()),
            *comfort,
        ),
        pick=TopK(2 + len(scope) // 2 if candidates is None else candidates),
        stop=MaxLength(items),
        skip=skip_policy(skip),
        grid=GRID,
        latent=framework.tree(),
        measured_sd=MEASURED_SD,
        scope=scope if len(scope) < len(framework.codes) else (),
    )
