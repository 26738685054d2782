"""What a rule may look at when it scores, filters or stops."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.arrays import Floats, Ints
from engine.belief import read
from engine.latent import propagate
from engine.ranking import quantised
from engine.state import State
from engine.table import Table

if TYPE_CHECKING:
    from engine.scores import Score


class Predictive(NamedTuple):
    """Responses that the posterior expects, laid out by competence, with Q = K - 1 categories above 0."""

    probability: Floats  # (Q, C, n, M)
    moment: Floats  # (Q, C, n, M) E[ability; category]
    mean: Floats  # (C, n) E[ability]


@dataclass(frozen=True, eq=False)
class Situation:
    """Where a run stands; what several rules need is computed once, when the first of them asks."""

    table: Table
    state: State
    score: "Score"
    scope: tuple[int, ...]
    """Competences that the test is about."""

    @cached_property
    def _density(self) -> Floats:
        """Posteriors up to a factor, (C, n, G)."""
        *_, count, nodes = self.state.log_likelihood.shape
        return propagate(self.table.links, self.state.log_likelihood.reshape(-1, count, nodes))

    @cached_property
    def _reading(self) -> tuple[Floats, Floats, Floats]:
        """Masses of the densities, means and standard deviations, each (C, n)."""
        return read(self._density, self.table.powers)

    @cached_property
    def _laid(self) -> Floats:
        """Posteriors by competence, (C, n, G)."""
        return self._density / self._reading[0][..., None]

    @property
    def posterior(self) -> Floats:
        """Posterior of every competence, (*batch, C, G)."""
        return self._by_run(self._laid.transpose(1, 0, 2))

    @property
    def mean(self) -> Floats:
        """Posterior means, (*batch, C)."""
        return self._by_run(self._reading[1].T)

    @property
    def sd(self) -> Floats:
        """Posterior standard deviations, (*batch, C)."""
        return self._by_run(self._reading[2].T)

    @cached_property
    def asked(self) -> tuple[Ints, Ints]:
        """Runs and items of everything asked so far, two arrays of equal length."""
        runs, items = np.nonzero(self.state.asked.reshape(-1, self.state.asked.shape[-1]))
        return runs, items

    @cached_property
    def scores(self) -> Floats:
        """Quantised scores of all items, (*batch, I)."""
        return quantised(self.score(self))

    @cached_property
    def chance(self) -> Floats:
        """Expected share of full credit on each item, (*batch, I); for a dichotomous item, the chance of success."""
        probability = self.predictive.probability
        if probability.shape[0] == 1:
            return self.by_item(probability[0])
        steps = np.arange(1, probability.shape[0] + 1)
        return self.by_item(np.tensordot(steps, probability, axes=1)) / (self.table.categories_of - 1)

    @cached_property
    def predictive(self) -> Predictive:
        """Probabilities and moments of every category of every item."""
        both = np.matmul(self._laid, self.table.predictive)
        steps = both.shape[0] // 2
        return Predictive(both[:steps], both[steps:], self._reading[1])

    def by_item(self, laid: Floats) -> Floats:
        """From the layout by competence, (C, n, M), to one column for each item, (*batch, I)."""
        competences, learners, places = laid.shape
        flat = laid.transpose(1, 0, 2).reshape(learners, competences * places)
        if self.table.slot is not None:
            flat = flat.take(self.table.slot, axis=1)
        return self._by_run(flat)

    def _by_run(self, flat: Floats) -> Floats:
        """From one learner a row to the shape of the batch."""
        return flat.reshape(*self.state.length.shape, *flat.shape[1:])
