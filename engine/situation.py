"""What a rule may look at when it scores, filters or stops."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.belief import moments
from engine.latent import posterior
from engine.ranking import quantised
from engine.table import Table

if TYPE_CHECKING:
    from engine.scores import Score


class State(NamedTuple):
    """Everything the next decision depends on, nothing else."""

    log_likelihood: Floats  # (*batch, C, G) of the answers given, and of earlier evidence
    asked: Bools  # (*batch, I)
    allowed: Bools  # (*batch, I) scope, locale, accommodations: fixed at the beginning
    length: Ints  # (*batch,) answers given, skips included
    elapsed: Floats  # (*batch,) seconds
    last: Ints  # (*batch,) item answered last, NONE at the beginning
    last_response: Ints  # (*batch,) its response
    speed: Floats  # (*batch, 2) precision, and precision times mean, of the learner's speed


class Predictive(NamedTuple):
    """Responses that the posterior expects, laid out by competence, with Q = K - 1 categories above 0."""

    probability: Floats  # (Q, C, n, M)
    moment: Floats  # (Q, C, n, M) E[ability; category]


@dataclass(frozen=True, eq=False)
class Situation:
    """Where a run stands; what several rules need is computed once, when the first of them asks."""

    table: Table
    state: State
    score: "Score"
    scope: tuple[int, ...]
    """Competences that the test is about."""

    @cached_property
    def posterior(self) -> Floats:
        """Posterior of every competence, (*batch, C, G)."""
        return posterior(self.table.links, self.state.log_likelihood)

    @cached_property
    def _moments(self) -> tuple[Floats, Floats]:
        return moments(self.posterior, self.table.nodes)

    @property
    def mean(self) -> Floats:
        """Posterior means, (*batch, C)."""
        return self._moments[0]

    @property
    def sd(self) -> Floats:
        """Posterior standard deviations, (*batch, C)."""
        return self._moments[1]

    @cached_property
    def scores(self) -> Floats:
        """Quantised scores of all items, (*batch, I)."""
        return quantised(self.score(self))

    @cached_property
    def chance(self) -> Floats:
        """Expected share of full credit on each item, (*batch, I); for a dichotomous item, the chance of success."""
        steps = self.predictive.probability.shape[0]
        weight = np.arange(1, steps + 1) / max(steps, 1)
        if steps == 1:
            return self.by_item(self.predictive.probability[0])
        full = self.table.parameters.categories - 1
        return self.by_item(np.tensordot(weight, self.predictive.probability, axes=1)) * (steps / full)

    @cached_property
    def predictive(self) -> Predictive:
        """Probabilities and moments of every category of every item."""
        *_, competences, nodes = self.posterior.shape
        flat = self.posterior.reshape(-1, competences, nodes).transpose(1, 0, 2)
        both = np.matmul(flat, self.table.predictive)
        steps = self.table.categories - 1
        laid = both.reshape(competences, flat.shape[1], 2 * steps, -1).transpose(2, 0, 1, 3)
        return Predictive(laid[:steps], laid[steps:])

    def by_item(self, laid: Floats) -> Floats:
        """From the layout by competence, (C, n, M), to one column for each item, (*batch, I)."""
        competences, learners, places = laid.shape
        flat = laid.transpose(1, 0, 2).reshape(learners, competences * places)
        return flat.take(self.table.slot, axis=1).reshape(*self.state.length.shape, -1)
