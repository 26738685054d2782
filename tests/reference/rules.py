"""Examples of every rule that a design may be made of, for a bank of ``items`` items in ``competences`` competences."""

from collections.abc import Mapping

from engine.adaptive import Design
from engine.assembly import Blueprint
from engine.filters import (
    Allowed,
    AnotherTopic,
    EasierAfterSkip,
    FairChance,
    FitsTheTime,
    NoTwoTimed,
    OnePerTopic,
    Prefer,
    Quotas,
    Unasked,
    WithoutEnemies,
)
from engine.grid import Grid
from engine.latent import Independent, LatentTree
from engine.picks import Best, Proportional, SympsonHetter, TopK
from engine.scores import InformationAtMean, KullbackLeibler, VarianceReduction, WeightedInformation
from engine.stopping import AllOf, AnyOf, AtLeast, LengthByScope, LevelIsClear, MaxLength, OutOfTime, PreciseEnough


def examples(items: int, competences: int) -> Mapping[str, tuple[object, ...]]:
    """Rules by the name they are stored under."""
    exposure = tuple(0.1 + 0.9 * ((7 * row) % items) / items for row in range(items))
    quotas = Quotas((1,) * competences, (6,) * competences, 6 * competences)
    each: tuple[object, ...] = (
        InformationAtMean(),
        WeightedInformation("likelihood"),
        WeightedInformation("posterior"),
        VarianceReduction(),
        VarianceReduction(tuple(1.0 + 0.5 * c for c in range(competences))),
        KullbackLeibler("likelihood"),
        KullbackLeibler("posterior"),
        Prefer(OnePerTopic()),
        Prefer(EasierAfterSkip(0.1)),
        Unasked(),
        Allowed(),
        OnePerTopic(),
        AnotherTopic(),
        WithoutEnemies(),
        quotas,
        FitsTheTime(600.0),
        NoTwoTimed(),
        FairChance(0.4, 0.6, 3),
        EasierAfterSkip(),
        Best(),
        TopK(5),
        TopK(1),
        Proportional(),
        Proportional(0.0),
        Proportional(3.5),
        SympsonHetter(exposure),
        MaxLength(8),
        AtLeast(4),
        PreciseEnough(0.7),
        LevelIsClear(0.3),
        OutOfTime(400.0),
        LengthByScope(3, 8),
        AnyOf((MaxLength(10), PreciseEnough(0.6))),
        AllOf((AtLeast(3), AnyOf((LevelIsClear(0.4), MaxLength(12))))),
        Grid(),
        Grid(-5.0, 3.5, 11),
        Independent(competences),
        LatentTree(tuple(range(competences)), (0.5,) * competences, (0.9,) * competences),
        Blueprint(),
        Blueprint(1, 3, 3, 8, 2, 900.0),
        Design(),
        Design(
            score=VarianceReduction(),
            filters=(quotas, Prefer(FairChance())),
            pick=TopK(2),
            stop=AnyOf((MaxLength(9), OutOfTime(500.0))),
            skip="incorrect",
            time_out="ignored",
            grid=Grid(-3.0, 3.0, 21),
            latent=Independent(competences),
            scope=(0,),
            speed_sd=0.25,
        ),
        Design(stop=LengthByScope(3, 8), latent=Independent(competences), assembly=Blueprint(1, 3, 3, 8, 2, 900.0)),
    )
    by_name: dict[str, tuple[object, ...]] = {}
    for rule in each:
        name = type(rule).__name__
        by_name[name] = (*by_name.get(name, ()), rule)
    return by_name
