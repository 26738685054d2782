"""Profiles: the positioning that learners take, what it says of them, and whether they may sit a certification."""

from typing import NamedTuple

import numpy as np

from engine.adaptive import Design, replay
from engine.arrays import Bools, Floats, Ints
from engine.certification import CertificationDesign, Eligibility, eligibility
from engine.levels import level
from engine.profile import knowledge
from engine.state import Facts
from engine.table import Table
from simulations.certification.kinds import Kind
from simulations.learners import Learners
from simulations.measures import informed
from simulations.run import simulate


class Positioned(NamedTuple):
    """What n learners come with."""

    levels: Ints  # (n, C) told by the positioning
    eligibility: Eligibility
    items: Ints  # (n, L) rows that they were asked
    facts: Facts  # (n, L)

    def part(self, rows: Ints) -> "Positioned":
        """Take some of the learners."""
        return Positioned(
            self.levels[rows],
            Eligibility._make(field[rows] for field in self.eligibility),
            self.items[rows],
            Facts._make(field[rows] for field in self.facts),
        )


def positioned(
    rules: CertificationDesign,
    design: Design,
    table: Table,
    kind: Kind,
    learners: Learners,
    allowed: Bools | None = None,
) -> Positioned:
    """Put learners of one kind through the positioning of this school year.

    Parameters
    ----------
    rules : CertificationDesign
    design, table : Design, Table
        Of the positioning.
    kind : Kind
    learners : Learners
        Of n learners, with their own abilities.
    allowed : (I,) bool, optional
        Items that suit them.

    Returns
    -------
    Positioned
    """
    met = Learners(learners.seeds, kind.during_positioning(learners.seeds, learners.abilities))
    result = simulate(design, table, met, kind.positioning, allowed=allowed)
    levels = level(result.levels).level
    known = knowledge(design, result.sd, informed(design, table, result))
    found = eligibility(rules, known, levels, np.ones(levels.shape, dtype=bool))
    return Positioned(levels, found, result.items, Facts(result.items, result.responses, result.seconds))


def evidence_of(design: Design, table: Table, facts: Facts) -> Floats:
    """Log-likelihood of the positioning's answers as the design of the certification reads them, (n, C, G)."""
    return replay(design, table, facts).log_likelihood
