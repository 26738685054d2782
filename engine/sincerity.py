"""Does the certification tell of lower abilities than the profile that it validates?"""

from typing import NamedTuple

from engine.adaptive import Design
from engine.arrays import Floats, Ints
from engine.state import Facts
from engine.table import Table


class Sincerity(NamedTuple):
    """How far the answers fall short of the profile."""

    statistic: Floats  # (*batch,) standardised over all competences, negative where fewer points came than foretold
    p: Floats  # (*batch,) of both tests below together
    overall: Floats  # (*batch,) p of the sum over all competences
    by_competence: Floats  # (*batch, C) p of each, adjusted by Holm; NaN where nothing was answered
    worst: Ints  # (*batch,) competence with the smallest p, NONE where nothing was answered


def sincerity(design: Design, table: Table, facts: Facts, evidence: Floats) -> Sincerity:
    raise NotImplementedError
