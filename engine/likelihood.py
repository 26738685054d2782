"""Log-likelihood of response vectors, its derivatives and its information, for many learners at once.

The answers of all learners are one flat list, so that the work is proportional to the answers that exist: adaptive data
are sparse. A skip that says "I do not know" is a wrong answer to the same item without guessing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from engine.arrays import Bools, Floats, Ints
from engine.errors import ResponseError
from engine.models import Curves, curves
from engine.parameters import ItemParameters
from engine.responses import SILENCES, SKIPPED, TIMED_OUT, SkipPolicy, skip_policy


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the answers of each learner, computed when first read; each is (N, X).

    Parameters
    ----------
    curves : Curves
        Of R rows at X abilities, each (R, K, X).
    learner, row, category : (A,) int
        The answers, ordered by learner: who, which row of ``curves``, which category.
    learners : int
        N.
    """

    curves: Curves
    learner: Ints
    row: Ints
    category: Ints
    learners: int

    @cached_property
    def log_likelihood(self) -> Floats:
        """Sum of log P."""
        return self._observed(self.curves.log_p)

    @cached_property
    def first(self) -> Floats:
        """First derivative of the log-likelihood."""
        return self._observed(self.curves.first)

    @cached_property
    def second(self) -> Floats:
        """Second derivative of the log-likelihood."""
        return self._observed(self.curves.second)

    @cached_property
    def information(self) -> Floats:
        """Fisher information I = sum of P s^2, s being d log P / d theta."""
        return self._expected(self.curves.first**2)

    @cached_property
    def information_slope(self) -> Floats:
        """I' = sum of P s (s^2 + 2 h), h being the second derivative of log P."""
        return self._expected(self.curves.first * (self.curves.first**2 + 2.0 * self.curves.second))

    @cached_property
    def warm(self) -> Floats:
        """Warm's J = sum of P' P'' / P = sum of P s (s^2 + h)."""
        return self._expected(self.curves.first * (self.curves.first**2 + self.curves.second))

    def _observed(self, table: Floats) -> Floats:
        rows, categories, width = table.shape
        flat = np.ascontiguousarray(table).reshape(rows * categories, width)
        return self._gather(self.row * categories + self.category, flat)

    def _expected(self, table: Floats) -> Floats:
        return self._gather(self.row, np.sum(np.exp(self.curves.log_p) * table, axis=1))

    def _gather(self, columns: Ints, table: Floats) -> Floats:
        starts = np.searchsorted(self.learner, np.arange(self.learners + 1))
        ones = np.ones(columns.size)
        return np.asarray(csr_array((ones, columns, starts), shape=(self.learners, table.shape[0])) @ table)


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers that are evidence, one entry each, ordered by learner.

    Parameters
    ----------
    items : ItemParameters
        2 I items: those of the test, then the same without guessing.
    learner, item, category : (A,) int
        Who answered, row among ``items``, category.
    learners : int
        N, with those who gave no answer.
    """

    items: ItemParameters
    learner: Ints
    item: Ints
    category: Ints
    learners: int

    @classmethod
    def of(
        cls,
        parameters: ItemParameters,
        responses: ArrayLike,
        skip: SkipPolicy = "unknown",
        time_out: SkipPolicy = "incorrect",
    ) -> "Answers":
        """Answers of N learners to I items.

        Parameters
        ----------
        parameters : ItemParameters
            I items.
        responses : (N, I) int
            Categories, or the codes of :mod:`engine.responses`; ``NOT_REACHED`` is never evidence.
        skip, time_out : {"unknown", "incorrect", "ignored"}
            What ``SKIPPED`` and ``TIMED_OUT`` are evidence of.

        Returns
        -------
        Answers

        Raises
        ------
        ResponseError
            When an item cannot have a response.
        DesignError
            When a policy does not exist.
        """
        given = _checked(parameters, responses)
        policies: Mapping[int, str] = {SKIPPED: skip, TIMED_OUT: time_out}
        unknown = np.zeros(given.shape, dtype=np.bool_)
        wrong = np.zeros(given.shape, dtype=np.bool_)
        for code, policy in policies.items():
            skip_policy(policy)
            unknown |= (given == code) & (policy == "unknown")
            wrong |= (given == code) & (policy == "incorrect")
        learner, item = np.nonzero((given >= 0) | unknown | wrong)
        return cls(
            _with_and_without_guessing(parameters),
            learner,
            item + len(parameters) * unknown[learner, item],
            np.maximum(given[learner, item], 0),
            given.shape[0],
        )

    @property
    def none(self) -> Bools:
        """Who gave no answer that is evidence, (N,)."""
        return np.asarray(np.bincount(self.learner, minlength=self.learners) == 0)

    def only(self, kept: Bools) -> "Answers":
        """Answers of the learners for whom ``kept`` (N,) holds, renumbered."""
        rows = kept[self.learner]
        number = np.cumsum(kept, dtype=np.int64) - 1
        return Answers(
            self.items, number[self.learner[rows]], self.item[rows], self.category[rows], int(np.count_nonzero(kept))
        )

    def on_grid(self, table: Curves) -> Sums:
        """Add up at the same G abilities for every learner; ``table`` is ``curves(self.items, nodes)``."""
        return Sums(table, self.learner, self.item, self.category, self.learners)

    def at(self, ability: Floats) -> Sums:
        """Add up at each learner's own ability (N,); the sums are (N, 1)."""
        here = ability[self.learner]
        faced = self.items.take(self.item)
        moved = replace(faced, difficulty=faced.difficulty - here, thresholds=faced.thresholds - here[:, None])
        return Sums(curves(moved, [0.0]), self.learner, np.arange(here.size), self.category, self.learners)


def _checked(parameters: ItemParameters, responses: ArrayLike) -> Ints:
    given = np.asarray(responses)
    if given.ndim != 2 or given.shape[1] != len(parameters):
        raise ResponseError(
            f"Responses have the shape {given.shape} for {len(parameters)} items; give one column for each item."
        )
    if given.dtype.kind not in "iu":
        raise ResponseError("Responses must be whole numbers: a category, or a code of engine.responses.")
    given = given.astype(np.int64)
    wrong = (given >= parameters.categories) | (given < -SILENCES)
    if wrong.any():
        learner, item = np.argwhere(wrong)[0]
        raise ResponseError(
            f"Learner number {learner + 1} has the response {given[learner, item]} to item number {item + 1}, whose "
            f"categories are 0 to {parameters.categories[item] - 1}; correct the response."
        )
    return given


def _with_and_without_guessing(parameters: ItemParameters) -> ItemParameters:
    """Put the I items as they are before the same without guessing, 2 I in all."""
    twice = parameters.take(np.tile(np.arange(len(parameters)), 2))
    return twice.without_guessing(slice(len(parameters), None))
