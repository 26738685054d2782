"""Missing information: what the responses do not tell because abilities are not observed.

The information of the responses is that of the responses and abilities together, less the covariance of their score
given the responses, summed over the learners (Orchard and Woodbury 1972; Louis 1982). Answers that the same learner
gave in the same competence share one ability; only their scores go together.

Three ways to the same sums:

* Learners who answered the same items of canonical models (1PL, 2PL, GPCM), together. Their scores are
  ``y phi(ability) + f(ability)``, phi being ability for a slope and 1, that does not vary, for an intercept: the sum of
  the covariances is three products of matrices.
* Learners who answered most items: one product of matrices over the learners and the nodes that matter to them.
* Learners who answered few: small products, added up in the cells of their items.

References
----------
Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. Journal of the Royal
Statistical Society B, 44, 226-233.
Orchard, T. and Woodbury, M. A. (1972). A missing information principle: theory and applications. Proceedings of the
sixth Berkeley symposium on mathematical statistics and probability, 1, 697-715.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Floats, Ints
from engine.calibration.errors.answers import Answers, Scores, answers_of
from engine.calibration.expectation import Prior, posteriors
from engine.calibration.sample import Sample

SMALLEST: Final = 1e-12
"""Posterior probability from which a node matters to a learner."""
CELLS: Final = 2**20
"""Numbers in one array of scores, at most: what is held stays within the processor's caches or not far beyond."""
BIN: Final = 1.15
"""Ratio of the numbers of answers of learners who go together, padded to the largest."""


def missing(
    sample: Sample,
    found: Sequence[Scores],
    log_p: Floats,
    prior: Prior,
    together: int = 24,
    share: float = 0.5,
    most_kinds: int = 64,
) -> list[Floats]:
    """Sum over the learners of the posterior covariances of their scores.

    Parameters
    ----------
    sample : Sample
    found : sequence of C Scores
    log_p : (columns, G) float
    prior : Prior
    together : int
        Learners with the same items of canonical models, from which they are taken together.
    share : float
        Share of the items, from which a learner has answered most.
    most_kinds : int
        Sets of items whose sums are held at a time.

    Returns
    -------
    list of C arrays (R, S, R, S)
        Within each competence; between two that hang together, see :mod:`engine.calibration.errors.between`.
    """
    totals = [np.zeros((part.rows, part.by_column.shape[0]) * 2) for part in found]
    held: list[dict[bytes, Alike]] = [{} for _ in found]
    for block in sample.blocks:
        group = sample.group[block.start : block.stop]
        laid = zip(found, totals, held, block.answers, posteriors(block, sample, log_p, prior), strict=True)
        for part, total, kinds, cells, density in laid:
            answers = answers_of(cells, part, group)
            left, same = _classes(answers, part, together)
            for kind, chosen in same:
                own = _alike(answers.of(chosen), density[chosen], part, prior.nodes)
                kinds[kind] = kinds[kind].added(own) if kind in kinds else own
            if len(kinds) > most_kinds:
                _add_alike(kinds, part, total)
            most = answers.counts[left] >= share * part.rows
            _add_many(answers.of(left[most]), density[left[most]], part, total)
            _add_few(answers.of(left[~most]), density[left[~most]], part, total)
    for part, total, kinds in zip(found, totals, held, strict=True):
        _add_alike(kinds, part, total)
    return totals


def _classes(answers: Answers, part: Scores, together: int) -> tuple[Ints, list[tuple[bytes, Ints]]]:
    """Learners who answered the same items of canonical models, where they are many, under a key; first, the others."""
    if not part.canonical:
        return np.arange(answers.counts.size), []
    given = np.zeros((answers.counts.size, part.rows), dtype=bool)
    given[answers.learner, part.row[answers.column]] = True
    kinds, place, sizes = np.unique(np.packbits(given, axis=1), axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(place.ravel(), kind="stable")
    ends = np.cumsum(sizes)
    large = np.flatnonzero(sizes >= together)
    same = [(kinds[kind].tobytes(), order[ends[kind] - sizes[kind] : ends[kind]]) for kind in large]
    return np.sort(order[np.repeat(sizes < together, sizes)]), same


class Alike(NamedTuple):
    """Sums over learners who answered the same r items; with scores y phi + f, f being those of category 0."""

    column: Ints  # (r,) of category 0
    slopes: Floats  # (r, r) y y' var(ability)
    cross: Floats  # (r, G) y density * deviation of ability
    middle: Floats  # (G, G) diag(density) - density density'

    def added(self, other: "Alike") -> "Alike":
        """Sum with other learners."""
        return Alike(self.column, *(a + b for a, b in zip(self[1:], other[1:], strict=True)))


def _alike(answers: Answers, density: Floats, part: Scores, nodes: Floats) -> Alike:
    columns = answers.padded(0)
    item = columns < part.category.size
    category = np.where(item, part.category[np.where(item, columns, 0)], 0)
    given = category.astype(np.float64)
    deviations = density * (nodes - (density @ nodes)[:, None])
    spread = given * (deviations @ nodes)[:, None]
    middle = np.diag(density.sum(axis=0)) - density.T @ density
    return Alike((columns - category)[0], spread.T @ given, given.T @ deviations, middle)


def _add_alike(kinds: dict[bytes, Alike], part: Scores, total: Floats) -> None:
    """Add the covariances of all kinds, and forget them: y y' var between slopes, y cov f, and f middle f'."""
    width = np.arange(part.by_column.shape[0])
    for column, slopes_of, cross_of, middle in kinds.values():
        if column.size:
            other = part.by_column[:, column].transpose(1, 0, 2)
            flat = other.reshape(column.size * width.size, -1)
            covariance = (flat @ middle @ flat.T).reshape((column.size, width.size) * 2)
            cross = np.tensordot(cross_of, other, (1, 2))
            covariance[:, 0] += cross
            covariance[:, :, :, 0] += cross.transpose(1, 2, 0)
            covariance[:, 0, :, 0] += slopes_of
            rows = part.row[column]
            total[np.ix_(rows, width, rows, width)] += covariance
    kinds.clear()


def _add_many(answers: Answers, density: Floats, part: Scores, total: Floats) -> None:
    """Add the covariances of learners who answered most rows."""
    width, rows = part.by_column.shape[0], part.rows
    empty = part.row.size - 1
    for batch, window in _batches(answers, density, rows):
        chosen = answers.of(batch)
        columns = np.full((batch.size, rows), empty)
        columns[chosen.learner, part.row[chosen.column]] = chosen.column
        laid = [
            part_scores.transpose(1, 0, 2) for part_scores in _centred(part, columns, density[batch, window], window)
        ]
        flat = np.concatenate(laid).reshape(width * rows, -1)
        total += (flat @ flat.T).reshape(width, rows, width, rows).transpose(1, 0, 3, 2)


def _add_few(answers: Answers, density: Floats, part: Scores, total: Floats) -> None:
    """Add the covariances of learners who answered few rows."""
    width, rows = part.by_column.shape[0], part.rows
    empty = part.row.size - 1
    flat = total.reshape(-1)
    for batch, window in _batches(answers, density, None):
        columns = answers.of(batch).padded(empty)
        row = part.row[columns]
        pair = ((row[:, :, None] * width * rows + row[:, None, :]) * width).ravel()
        laid = _centred(part, columns, density[batch, window], window)
        for p in range(width):
            for q in range(p, width):
                products = np.matmul(laid[p], laid[q].transpose(0, 2, 1))
                np.add.at(flat, pair + (p * rows * width + q), products.ravel())
                if q > p:
                    np.add.at(flat, pair + (q * rows * width + p), products.transpose(0, 2, 1).ravel())


def _batches(answers: Answers, density: Floats, rows: int | None) -> Iterator[tuple[Ints, slice]]:
    """Learners with about as many answers and about the same ability, and the nodes that matter to them."""
    count = answers.counts
    if count.size == 0:
        return
    matters = density > SMALLEST
    first, last = matters.argmax(axis=1), density.shape[1] - matters[:, ::-1].argmax(axis=1)
    size = np.zeros(count.size, dtype=np.int64)
    if rows is None:
        size = np.ceil(np.log(np.maximum(count, 1)) / np.log(BIN)).astype(np.int64)
    order = np.lexsort((first + last, size))
    order = order[count[order] > 0]
    for group in np.split(order, np.flatnonzero(np.diff(size[order])) + 1):
        if group.size == 0:
            continue
        most = rows or int(count[group].max())
        per_learner = most * max(int(np.median(last[group] - first[group])), most)
        step = max(1, CELLS // per_learner)
        for start in range(0, group.size, step):
            batch = group[start : start + step]
            yield batch, slice(int(first[batch].min()), int(last[batch].max()))


def _centred(part: Scores, columns: Ints, density: Floats, window: slice) -> list[Floats]:
    """Scores less their posterior means, times the roots of the densities: S arrays (n, answers, nodes)."""
    root = np.sqrt(density)[:, None, :]
    laid = []
    for table in part.by_column[:, :, window]:
        values = np.ascontiguousarray(table).take(columns, axis=0)
        values -= np.matmul(values, density[:, :, None])
        values *= root
        laid.append(values)
    return laid
