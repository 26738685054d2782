"""The sample: responses laid out so that the E-step is a product of matrices.

Every category of an item is a column. A block holds some learners as a matrix of zeros and ones over the columns:
compressed by rows where most cells are empty, so that the work is proportional to the answers, and plain bytes
otherwise.

A skip that says "I do not know" is read as the lowest category here. When the parameters are known, 1 - P* and 1 - P of
a 3PL item are the same evidence of ability. When c is estimated, they are not: what a learner may do must have
probabilities that sum to 1, and a skip that cost no more under a larger c would drive c up without end. Read so, c is
the chance of a right answer of those who do not know, skips included.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, vstack

from engine.arrays import Floats, Ints
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


class Layout(NamedTuple):
    """Columns of J items, which are ordered by competence; the columns of an item follow each other."""

    competence: Ints  # (J,)
    categories: Ints  # (J,)
    first: Ints  # (J + 1,) first column of each item, and the number of columns
    bounds: Ints  # (C + 1,) first item of each competence


class Block(NamedTuple):
    """Learners ``start`` to ``stop`` - 1 and their answers in each of the C competences."""

    start: int
    stop: int
    answers: tuple["csr_array | Cells", ...]  # each (n, columns of the competence)
    complete: tuple[bool, ...]  # whether all of them answered every item of the competence


@dataclass(frozen=True, eq=False)
class Sample:
    """Responses of N learners to I items, ready for calibration.

    Parameters
    ----------
    layout : Layout
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

    layout: Layout
    blocks: tuple[Block, ...]
    learners: int
    group: Ints
    counts: Ints
    silent: int

    @property
    def competences(self) -> int:
        """Return C."""
        return self.layout.bounds.size - 1

    @property
    def columns(self) -> tuple[slice, ...]:
        """Columns of each competence."""
        edges = self.layout.first[self.layout.bounds]
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
        full = tuple(all(block.complete[c] for block in self.blocks) for c in range(self.competences))
        return Sample(
            self.layout, (Block(0, who.size, dense, full),), who.size, self.group[who], self.counts, self.silent
        )


class Entries(NamedTuple):
    """What is calibrated: J columns of the responses, each with parameters of its own, ordered by competence."""

    column: Ints  # (J,) column of the responses
    competence: Ints  # (J,)
    categories: Ints  # (J,)
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
        part = _evidence(given[start : start + BLOCK], skip, time_out)
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
    counts = np.zeros(entries.column.size, dtype=np.int64)
    silent = 0
    layout = _layout(entries, competences)
    ones = np.ones(min(BLOCK, learners) * entries.column.size)
    blocks = []
    for start in range(0, learners, BLOCK):
        stop = min(start + BLOCK, learners)
        part = _part(given[start:stop], entries, group[start:stop], skip, time_out)
        counts += np.count_nonzero(part >= 0, axis=0)
        silent += int(np.count_nonzero((part < 0).all(axis=1)))
        full = tuple(bool((part[:, low:high] >= 0).all()) for low, high in pairwise(layout.bounds.tolist()))
        blocks.append(Block(start, stop, _laid(part, layout, ones), full))
    return Sample(layout, tuple(blocks), learners, group, counts, silent)


def _evidence(part: NDArray[Any], skip: SkipPolicy, time_out: SkipPolicy) -> Bytes:
    """Categories, -1 where there is no evidence."""
    if part.min(initial=0) < -SILENCES:
        raise ResponseError(f"There is no response {int(part.min())}; use a category or a code of engine.responses.")
    category = np.where(part < 0, -1, part).astype(np.int8)
    for code, policy in ((SKIPPED, skip), (TIMED_OUT, time_out)):
        if skip_policy(policy) != "ignored":
            category[part == code] = 0
    return category


def _part(part: NDArray[Any], entries: Entries, group: Ints, skip: SkipPolicy, time_out: SkipPolicy) -> Bytes:
    category = _evidence(part[:, entries.column], skip, time_out)
    restricted = entries.group >= 0
    if restricted.any():
        category[:, restricted] = np.where(
            group[:, None] == entries.group[restricted], category[:, restricted], np.int8(-1)
        )
    return category


def _layout(entries: Entries, competences: int) -> Layout:
    first = np.concatenate([[0], np.cumsum(entries.categories)])
    bounds = np.searchsorted(entries.competence, np.arange(competences + 1))
    return Layout(entries.competence, entries.categories, first, bounds)


def _laid(part: Bytes, layout: Layout, ones: Floats) -> tuple["csr_array | Cells", ...]:
    """Matrix of zeros and ones of one block for each competence."""
    laid: list[csr_array | Cells] = []
    for low, high in pairwise(layout.bounds.tolist()):
        own, first = part[:, low:high], layout.first[low:high] - layout.first[low]
        learner, item = np.nonzero(own >= 0)
        column = first[item] + own[learner, item]
        starts = np.searchsorted(learner, np.arange(part.shape[0] + 1))
        shape = (part.shape[0], int(layout.first[high] - layout.first[low]))
        if column.size > DENSE * own.size:
            cells = np.zeros(shape, dtype=np.uint8)
            cells[learner, column] = 1
            laid.append(cells)
        else:
            index = (column.astype(np.int32), starts.astype(np.int32))
            laid.append(csr_array((ones[: column.size], *index), shape=shape))
    return tuple(laid)
