"""Provisional parameters: what an item is worth until learners have answered it. Deterministic expert judgement.

The rule, for the items of one competence and level:

- difficulty: spread over the middle half of the level's band [cut of the level, next cut[, in the order of the ids,
  shifted a little from one competence to the next, so that no two items tie. The last level has no next cut: its band
  is as wide as the one before.
- guessing: the chance of a blind answer, 1 over the number of answers that the form lets one give; an item with a
  chance below ``NEGLIGIBLE`` is a 2PL, the others are 3PL.
- discrimination: by kind. An answer that has to be produced says more than one that can be recognised, and several
  choices right at once say more than one.
- partial credit (GPCM): thresholds ``STEP`` apart around the difficulty; such a model has no guessing.
- time intensity: logarithm of the expected seconds; time discrimination: the same for all.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import factorial, log, perm
from typing import Final

from engine.errors import BankError
from engine.timing import TIME_DISCRIMINATION
from itembank.bank import ItemBank
from itembank.framework import Framework
from itembank.items import Item, Matching, MultipleChoice, Ordering, SingleChoice
from itembank.parameters import Parameters

DISCRIMINATION: Final[Mapping[str, float]] = {
    "single_choice": 1.1,
    "multiple_choice": 1.3,
    "matching": 1.3,
    "ordering": 1.3,
    "number": 1.4,
    "short_text": 1.4,
}
"""Typical of achievement tests (1 to 1.5 on the logistic metric); the differences are a judgement, kept small."""

NEGLIGIBLE: Final = 0.02
STEP: Final = 0.6
MARGIN: Final = 0.25
"""Share of the band left free at either end."""

DECIMALS: Final = 4


def provisional_parameters(framework: Framework, items: Sequence[Item]) -> dict[str, Parameters]:
    """Provisional parameters of items, by id.

    Parameters
    ----------
    framework : Framework
        Gives the cuts.
    items : sequence of Item
        All items of the bank: the place of an item among those of its level decides where in the band it stands.
    """
    groups: dict[tuple[str, int], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.competence, item.level].append(item)
    parameters = {}
    for (competence, level), group in groups.items():
        shift = (framework.index(competence) + 0.5) / len(framework.codes)
        low, high = band(framework, competence, level)
        for rank, item in enumerate(sorted(group, key=lambda item: item.id)):
            place = MARGIN + (1 - 2 * MARGIN) * (rank + shift) / len(group)
            parameters[item.id] = _parameters(item, low + (high - low) * place)
    return parameters


def with_provisional(bank: ItemBank) -> ItemBank:
    """Bank in which every item has parameters: estimates stay, the others are provisional, by the rule."""
    ruled = provisional_parameters(bank.framework, bank.items)
    kept = {id: known for id, known in bank.parameters.items() if id in ruled and not known.provisional}
    return replace(bank, parameters=ruled | kept)


def band(framework: Framework, competence: str, level: int) -> tuple[float, float]:
    """Abilities at which a level begins and ends.

    Examples
    --------
    >>> from itembank.files import shipped_bank
    >>> band(shipped_bank().framework, "1.1", 1)
    (-2.0, -1.4)
    """
    cuts = framework.competence(competence).cuts
    if not 1 <= level <= len(cuts):
        raise BankError(f"There is no level {level} in {framework.code}; use 1 to {len(cuts)}.")
    low = cuts[level - 1]
    return (low, cuts[level]) if level < len(cuts) else (low, 2 * low - cuts[level - 2])


def chance(item: Item) -> float:
    """Probability that a blind answer, well formed, is right; 0 where answers cannot be enumerated."""
    match item:
        case SingleChoice():
            return 1 / len(item.choices)
        case MultipleChoice():
            return 1 / (2.0 ** len(item.choices) - 2)
        case Ordering():
            return 1 / factorial(len(item.choices))
        case Matching():
            left, right = len(item.choices), len(item.options)
            once = len(set(item.key.values())) == left
            return 1 / (perm(right, left) if once else float(right) ** left)
        case _:
            return 0.0


def _parameters(item: Item, difficulty: float) -> Parameters:
    steps = len(item.credit)
    guessing = round(chance(item), DECIMALS)
    lucky = steps == 1 and guessing >= NEGLIGIBLE
    thresholds = tuple(round(difficulty + STEP * (step - (steps - 1) / 2), DECIMALS) for step in range(steps))
    return Parameters(
        model="GPCM" if steps > 1 else "3PL" if lucky else "2PL",
        discrimination=DISCRIMINATION[item.kind],
        difficulty=None if steps > 1 else thresholds[0],
        guessing=guessing if lucky else 0.0,
        thresholds=thresholds if steps > 1 else (),
        time_intensity=round(log(item.time), DECIMALS),
        time_discrimination=TIME_DISCRIMINATION,
        provisional=True,
    )
