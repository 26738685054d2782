"""Answers and their scores; the score of a learner is the sum of those of the answers."""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from engine.arrays import Bools, Floats, Ints
from engine.calibration.maximisation import Problem
from engine.calibration.sample import Cells
from engine.parameters import Model
from engine.working import slopes

CANONICAL: Final = (Model.ONE_PL, Model.TWO_PL, Model.GPCM)
"""Models whose slope and intercepts are natural parameters: answers weigh the ability, and nothing else."""


class Scores(NamedTuple):
    """Scores in one competence: derivatives of the log-likelihood of abilities and answers.

    Every answer is a column. A row is what has parameters: each item, then each group whose mean and log sd are free;
    to belong to a group is one more answer.
    """

    by_column: Floats  # (S, columns + Q + 1, G) scores of each slot of parameters; zeros in the last column
    row: Ints  # (columns + Q + 1,) row of each column
    category: Ints  # (columns,)
    rows: int  # R = J + Q
    grouped: Bools  # (Q,) groups whose population is free
    canonical: bool
    place: slice  # columns of the competence among those of the sample


def scores(
    problem: Problem, working: Floats, nodes: Floats, people: Floats, grouped: Bools, slots: Ints
) -> list[Scores]:
    """Scores of each competence.

    Parameters
    ----------
    problem : Problem
    working : (J, P) float
    nodes : (G,) float
    people : (Q, C, 2, G) float
        Derivatives of the log probabilities of the nodes in the mean and in log sd of each group.
    grouped : (Q, C) bool
        Which of them are estimated.
    slots : (S,) int
        Columns of working parameters that matter, the slope and the first intercept before others.

    Returns
    -------
    list of C Scores
    """
    layout = problem.layout
    by_parameter = slopes(problem.models, working, nodes).by_parameter[:, :, slots]
    exists = np.arange(by_parameter.shape[1])[None, :] < layout.categories[:, None]
    found = []
    for c, (low, high) in enumerate(pairwise(layout.bounds.tolist())):
        row, category = np.nonzero(exists[low:high])
        count = high - low
        groups = grouped.shape[0]
        table = np.zeros((slots.size, row.size + groups + 1, nodes.size))
        table[:, : row.size] = by_parameter[low:high][row, category].transpose(1, 0, 2)
        table[:2, row.size : -1] = people[:, c].transpose(1, 0, 2)
        owner = np.concatenate([row, count + np.arange(groups), [0]])
        canonical = bool(np.isin(problem.models[low:high], CANONICAL).all())
        place = slice(int(layout.first[low]), int(layout.first[high]))
        found.append(Scores(table, owner, category, count + groups, grouped[:, c], canonical, place))
    return found


class Answers(NamedTuple):
    """Answers of n learners in one competence, ordered by learner; their group is one of them where it is free."""

    learner: Ints  # (A,)
    column: Ints  # (A,)
    counts: Ints  # (n,) answers of each learner

    def of(self, chosen: Ints) -> "Answers":
        """Answers of some learners, numbered anew in the order given."""
        starts = np.cumsum(self.counts) - self.counts
        count = self.counts[chosen]
        at = np.repeat(starts[chosen] - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
        return Answers(np.repeat(np.arange(chosen.size), count), self.column[at], count)

    def padded(self, empty: int) -> Ints:
        """Columns side by side, (n, most answers), the rest filled with ``empty``."""
        laid = np.full((self.counts.size, int(self.counts.max(initial=0))), empty)
        starts = np.cumsum(self.counts) - self.counts
        laid[self.learner, np.arange(self.learner.size) - np.repeat(starts, self.counts)] = self.column
        return laid


def answers_of(cells: "csr_array | Cells", part: Scores, group: Ints) -> Answers:
    """List the answers of the learners of a block in one competence.

    Parameters
    ----------
    cells : (n, columns)
        Zeros and ones.
    part : Scores
    group : (n,) int
    """
    learner, column = cells.nonzero()
    ordered = np.argsort(learner, kind="stable") if (np.diff(learner) < 0).any() else slice(None)
    learner, column = learner[ordered].astype(np.int64), column[ordered].astype(np.int64)
    count = np.bincount(learner, minlength=group.size)
    if not part.grouped.any():
        return Answers(learner, column, count)
    people = np.flatnonzero(part.grouped[group])
    last = np.cumsum(count)[people]
    learner = np.insert(learner, last, people)
    column = np.insert(column, last, part.category.size + group[people])
    return Answers(learner, column, count + part.grouped[group])
