"""The sample: responses laid out so that the E-step is a product of matrices.

A *unit* is an item as the likelihood reads it: the item itself, or the item without guessing, which is how a skip that
says "I do not know" is read (one more unit, with the same parameters). Every category of a unit is a column. A block
holds some learners as a matrix of zeros and ones over the columns: compressed by rows where most cells are empty, so
that the work is proportional to the answers, and plain bytes otherwise.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, vstack

from engine.arrays import Bools, Floats, Ints
from engine.errors import ResponseError
from engine.responses import SILENCES, SKIPPED, TIMED_OUT, SkipPolicy, skip_policy

Bytes = NDArray[np.int8]
Cells = NDArray[np.uint8]

BLOCK: Final = 1024
"""Learners that go through the E-step together: their posteriors fit the processor's caches."""

DENSE: Final = 0.3
"""Share of answers from which plain matrices are faster: dense products do seven times the work in the same time."""

HIGHEST: Final = 127
"""Highest category: categories are kept as bytes."""


class Units(NamedTuple):
    """U units, ordered by competence, then by item; the columns of a unit follow each other."""

    item: Ints  # (U,)
    lucky: Bools  # (U,) False for an item without guessing
    competence: Ints  # (U,)
    categories: Ints  # (U,)
    first: Ints  # (U + 1,) first column of each unit, and the number of columns
    bounds: Ints  # (C + 1,) first unit of each competence


class Block(NamedTuple):
    """Learners ``start`` to ``stop`` - 1 and their answers in each of the C competences."""

    start: int
    stop: int
    answers: tuple["csr_array | Cells", ...]  # each (n, columns of the competence)


@dataclass(frozen=True, eq=False)
class Sample:
    """Responses of N learners to I items, ready for calibration.

    Parameters
    ----------
    units : Units
    blocks : tuple of Block
    learners : int
        N.
    group : (N,) int
        Group of each learner.
    counts : (I,) int
        Answers that are evidence.
    silent : int
        Learners without any.
    """

    units: Units
    blocks: tuple[Block, ...]
    learners: int
    group: Ints
    counts: Ints
    silent: int

    @property
    def competences(self) -> int:
        """Return C."""
        return self.units.bounds.size - 1

    @property
    def columns(self) -> tuple[slice, ...]:
        """Columns of each competence."""
        edges = self.units.first[self.units.bounds]
        return tuple(slice(int(a), int(b)) for a, b in pairwise(edges))

    def some(self, count: int) -> "Sample":
        """Return every so many learners, about ``count`` in all; counts stay those of the whole."""
        every = max(1, self.learners // count)
        rows = [np.arange(-block.start % every, block.stop - block.start, every) for block in self.blocks]
        who = np.concatenate([block.start + some for block, some in zip(self.blocks, rows, strict=True)])
        laid = tuple(
            vstack([csr_array(block.answers[c][some]) for block, some in zip(self.blocks, rows, strict=True)], "csr")
            for c in range(self.competences)
        )
        dense = tuple(
            cells.toarray().astype(np.uint8) if isinstance(whole, np.ndarray) else cells
            for cells, whole in zip(laid, self.blocks[0].answers, strict=True)
        )
        return Sample(self.units, (Block(0, who.size, dense),), who.size, self.group[who], self.counts, self.silent)


class Entries(NamedTuple):
    """What is calibrated: J columns of the responses, each with parameters of its own, ordered by competence."""

    column: Ints  # (J,) column of the responses
    competence: Ints  # (J,)
    categories: Ints  # (J,)
    guesses: Bools  # (J,) whether the model has a guessing
    group: Ints  # (J,) the only group whose answers count, -1 for all groups


def tally(responses: ArrayLike, skip: SkipPolicy, time_out: SkipPolicy) -> Ints:
    """Count how often each category was given to each item; skips and time-outs that are evidence count as category 0.

    Parameters
    ----------
    responses : (N, I) int
    skip, time_out : {"unknown", "incorrect", "ignored"}

    Returns
    -------
    (I, K) int

    Raises
    ------
    ResponseError
        When a response is no category and no code.
    """
    given = np.asarray(responses)
    highest = max(int(given.max(initial=0)), 1)
    if highest > HIGHEST:
        item = int(np.argmax(given.max(axis=0)))
        raise ResponseError(
            f"Item number {item + 1} has the response {highest}; categories go from 0 to {HIGHEST}, and what is "
            "missing has a code of engine.responses."
        )
    counts = np.zeros((given.shape[1], highest + 1), dtype=np.int64)
    for start in range(0, given.shape[0], BLOCK):
        part, _ = _evidence(given[start : start + BLOCK], skip, time_out)
        for category in range(highest + 1):
            counts[:, category] += np.count_nonzero(part == category, axis=0)
    return counts


def prepare(
    responses: ArrayLike,
    entries: Entries,
    group: Ints,
    competences: int = 1,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
) -> Sample:
    """Lay responses out for calibration.

    Parameters
    ----------
    responses : (N, I) int
        Categories, or the codes of :mod:`engine.responses`; ``NOT_REACHED`` stands for what was not presented.
    entries : Entries
        J of them.
    group : (N,) int
    competences : int
        C.
    skip, time_out : {"unknown", "incorrect", "ignored"}

    Returns
    -------
    Sample
        Its items are the J entries.
    """
    given = np.asarray(responses)
    learners = given.shape[0]
    twins = np.zeros(entries.column.size, dtype=bool)
    counts = np.zeros(entries.column.size, dtype=np.int64)
    silent = 0
    for start in range(0, learners, BLOCK):
        part, unknown = _part(given[start : start + BLOCK], entries, group[start : start + BLOCK], skip, time_out)
        twins |= (unknown & (part >= 0)).any(axis=0) & entries.guesses
        counts += np.count_nonzero(part >= 0, axis=0)
        silent += int(np.count_nonzero((part < 0).all(axis=1)))
    units = _units(entries, twins, competences)
    ones = np.ones(min(BLOCK, learners) * entries.column.size)
    blocks = []
    for start in range(0, learners, BLOCK):
        stop = min(start + BLOCK, learners)
        part, unknown = _part(given[start:stop], entries, group[start:stop], skip, time_out)
        blocks.append(Block(start, stop, _laid(part, unknown, units, twins, entries, ones)))
    return Sample(units, tuple(blocks), learners, group, counts, silent)


def _evidence(part: NDArray[Any], skip: SkipPolicy, time_out: SkipPolicy) -> tuple[Bytes, Bools]:
    """Categories, -1 where there is no evidence, and which category 0 says "I do not know"."""
    if part.min(initial=0) < -SILENCES:
        raise ResponseError(f"There is no response {int(part.min())}; use a category or a code of engine.responses.")
    category = np.where(part < 0, -1, part).astype(np.int8)
    unknown = np.zeros_like(part, dtype=np.bool_)
    for code, policy in ((SKIPPED, skip), (TIMED_OUT, time_out)):
        if skip_policy(policy) != "ignored":
            here = part == code
            category[here] = 0
            if policy == "unknown":
                unknown |= here
    return category, unknown


def _part(
    part: NDArray[Any], entries: Entries, group: Ints, skip: SkipPolicy, time_out: SkipPolicy
) -> tuple[Bytes, Bools]:
    category, unknown = _evidence(part[:, entries.column], skip, time_out)
    restricted = entries.group >= 0
    if restricted.any():
        category[:, restricted] = np.where(
            group[:, None] == entries.group[restricted], category[:, restricted], np.int8(-1)
        )
    return category, unknown


def _units(entries: Entries, twins: Bools, competences: int) -> Units:
    item = np.concatenate([np.arange(twins.size), np.flatnonzero(twins)])
    lucky = np.arange(item.size) < twins.size
    order = np.lexsort((~lucky, item, entries.competence[item]))
    item, lucky = item[order], lucky[order]
    competence, categories = entries.competence[item], entries.categories[item]
    first = np.concatenate([[0], np.cumsum(categories)])
    bounds = np.searchsorted(competence, np.arange(competences + 1))
    return Units(item, lucky, competence, categories, first, bounds)


def _laid(
    part: Bytes, unknown: Bools, units: Units, twins: Bools, entries: Entries, ones: Floats
) -> tuple["csr_array | Cells", ...]:
    """Matrix of zeros and ones of one block for each competence."""
    place = np.zeros((2, twins.size), dtype=np.int64)
    place[units.lucky.astype(int), units.item] = units.first[:-1]
    laid: list[csr_array | Cells] = []
    edges = units.first[units.bounds]
    for competence, (low, high) in enumerate(pairwise(edges)):
        items = np.flatnonzero(entries.competence == competence)
        own = part[:, items]
        learner, at = np.nonzero(own >= 0)
        item = items[at]
        lucky = ~(unknown[learner, item] & twins[item])
        column = place[lucky.astype(int), item] + own[learner, at] - low
        starts = np.searchsorted(learner, np.arange(part.shape[0] + 1))
        shape = (part.shape[0], int(high - low))
        if column.size > DENSE * own.size:
            cells = np.zeros(shape, dtype=np.uint8)
            cells[learner, column] = 1
            laid.append(cells)
        else:
            index = (column.astype(np.int32), starts.astype(np.int32))
            laid.append(csr_array((ones[: column.size], *index), shape=shape))
    return tuple(laid)
