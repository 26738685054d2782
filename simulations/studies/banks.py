"""Banks that the studies share."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from engine.adaptive import Design
from engine.latent import LatentTree
from engine.parameters import ItemParameters
from engine.table import Table, build_table
from engine.uniform import derive, uniform
from itembank.files import shipped_bank
from itembank.framework import Framework
from itembank.snapshot import Snapshot


class StudyBank(NamedTuple):
    """Items over the competences of a framework."""

    name: str
    framework: Framework
    table: Callable[[Design], Table]

    @property
    def tree(self) -> LatentTree:
        """Latent tree of the framework."""
        return self.framework.tree()


def shipped() -> StudyBank:
    """Bank that ships, with the provisional parameters it is served with."""
    snapshot = Snapshot.of(shipped_bank())
    return StudyBank(f"shipped bank, {len(snapshot)} items", snapshot.framework, snapshot.table)


def made_up(items: int = 40, topics: int = 10, seed: int = 1) -> StudyBank:
    """2PL items, a ~ lognormal(0.2, 0.3) and b ~ N(0, 1.2), as many in each competence of the CRCN.

    Parameters
    ----------
    items, topics : int
        For each competence.
    seed : int
    """
    framework = shipped_bank().framework
    competences = len(framework.codes)
    count = items * competences
    at = np.arange(count)
    slopes, places = (ndtri(uniform(derive(seed, stream), at) + 2.0**-54) for stream in (1, 2))
    parameters = ItemParameters.of("2PL", np.exp(0.2 + 0.3 * slopes), 1.2 * places)
    competence = at // items

    def table(design: Design) -> Table:
        topic = competence * topics + at % topics
        return build_table(parameters, design, competence=competence, topic=topic, cuts=framework.cuts)

    return StudyBank(f"made-up 2PL bank, {count} items", framework, table)
