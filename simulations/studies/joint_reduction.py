"""Own or joint reduction of variance: should a question be judged by all that it tells through the tree.

The served score is the expected reduction of the variance of the item's own competence. Here the whole belief is
propagated again for each item and each answer, and the reduction is summed over all competences: exact, and
thousands of times slower.
"""

from dataclasses import dataclass, replace

import numpy as np

from engine.adaptive import Design
from engine.arrays import Floats
from engine.belief import read, update
from engine.filters import Quotas
from engine.latent import propagate
from engine.scores import Score, VarianceReduction
from engine.situation import Situation
from engine.stopping import MaxLength
from simulations.learners import draw
from simulations.studies.banks import StudyBank, made_up, shipped
from simulations.studies.comparison import Row, precision, show, trial

LENGTH = 48


@dataclass(frozen=True)
class JointReduction:
    """Expected reduction of the posterior variance summed over all competences, for dichotomous items."""

    shortlisted = False

    def __call__(self, situation: Situation) -> Floats:
        """Score all items, (*batch, I)."""
        table, log_likelihood = situation.table, situation.state.log_likelihood
        known = log_likelihood.reshape(-1, *log_likelihood.shape[-2:])
        right = situation.by_item(situation.predictive.probability[0]).reshape(known.shape[0], -1)
        expected = np.zeros(right.shape)
        for item, competence in enumerate(table.competence):
            for category, chance in ((0, 1.0 - right[:, item]), (1, right[:, item])):
                after = known.copy()
                after[:, competence] = update(known[:, competence], table.log_evidence[item, category])
                _, _, sd = read(propagate(table.links, after), table.powers)
                expected[:, item] += chance * (sd**2).sum(axis=0)
        before = (situation.sd.reshape(known.shape[0], -1) ** 2).sum(axis=1)
        return np.asarray(before[:, None] - expected).reshape(situation.state.asked.shape)


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    rows = [row for bank in (made_up(), shipped()) for row in compare(bank, learners, seed, jobs)]
    show(f"Own or joint reduction of variance, {learners} simulees, {LENGTH} items", rows)
    return rows


def compare(bank: StudyBank, learners: int, seed: int, jobs: int = 1, length: int = LENGTH) -> list[Row]:
    """Rows of one bank: each score in the same test of the same simulees."""
    simulees = draw(bank.tree, learners, seed)
    competences = len(bank.framework.codes)
    share = length // competences
    design = Design(
        filters=(Quotas((max(1, share - 1),) * competences, (share + 1,) * competences, length),),
        stop=MaxLength(length),
        latent=bank.tree,
    )
    scores: tuple[tuple[str, Score], ...] = (("own", VarianceReduction()), ("joint", JointReduction()))
    rows = []
    for name, score in scores:
        _, measures = trial(replace(design, score=score), bank.table(design), simulees, jobs=jobs)
        rows.append(Row(bank.name, name, precision(measures)))
    return rows
