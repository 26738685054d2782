"""Two candidates of a session with more answers alike than two who worked alone.

References
----------
van der Linden, W. J., & Sotaridona, L. (2006). Detecting answer copying when the regular response process follows a
known response model. Journal of Educational and Behavioral Statistics, 31, 283-304.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Floats, Ints
from engine.errors import DesignError, ResponseError
from engine.responses import NONE, NOT_REACHED
from engine.table import Table
from engine.tails import count_at_least

ALIKE: Final = 0.5
"""Chance that two wrong answers to an item are the same, unless better is known: as with two wrong answers that attract
equally. Of three equally attractive ones it would be 1/3; of free text, much less."""
BLOCK: Final = 2**22
"""Numbers in the largest array worked on at once; bounds the memory whatever the number of candidates."""


class Copies(NamedTuple):
    """The most suspicious pair of each candidate, each (*batch, N)."""

    p: Floats  # smallest p, corrected for the number of pairs; 1 where no item is shared with anybody
    partner: Ints  # place of the other candidate, NONE where no item is shared with anybody
    shared: Ints  # items that both were asked
    alike: Ints  # answers alike among them


def copied(
    table: Table, item: ArrayLike, response: ArrayLike, answer: ArrayLike, posterior: Floats, alike: ArrayLike = ALIKE
) -> Copies:
    """Look for answers alike in all pairs of candidates of a session: the generalised binomial test.

    Two answers are alike when both earn full credit, or the same lower category and are the same raw answer. If the two
    worked alone, this has on an item the probability

        sum over k of P_1(k) P_2(k) a_k,    a_k = 1 for full credit, ``alike`` below,

    P_1 and P_2 being the predictions of their posteriors, and the number of answers alike is Poisson-binomial. The p
    value of a pair is the exact upper tail, times the number of pairs that share an item (Bonferroni).

    Parameters
    ----------
    table : Table
    item, response : (*batch, N, L) int
        Rows and responses of the N candidates of a session, padded with NONE. A skip or a time-out is the lowest
        category and like nothing; what was not reached is left out.
    answer : (*batch, N, L) int
        Code of each raw answer: the same code on the same item is the same answer.
    posterior : (*batch, N, C, G) float
        Of each candidate.
    alike : float or (I,) float
        Chance that two wrong answers to an item are the same.

    Returns
    -------
    Copies

    Raises
    ------
    ResponseError, DesignError
        When the arrays do not go together.

    Notes
    -----
    Too small an ``alike`` accuses the innocent: estimate it from the answers of earlier sessions, as the sum of the
    squared shares of the wrong answers, or leave it as it is.
    """
    rows, given, raw = (np.asarray(x, dtype=np.int64) for x in (item, response, answer))
    if rows.ndim < 2 or rows.shape != given.shape or rows.shape != raw.shape:
        raise ResponseError("Items, responses and answers need the same shape, a row for each candidate; align them.")
    chance = np.broadcast_to(np.asarray(alike, dtype=np.float64), table.competence.shape)
    if not ((chance >= 0.0) & (chance <= 1.0)).all():
        raise DesignError("The chance that two wrong answers are alike lies between 0 and 1; correct it.")
    *batch, people, length = rows.shape
    beliefs = np.asarray(posterior, dtype=np.float64).reshape(-1, people, *posterior.shape[-2:])
    first, second, third = (x.reshape(-1, people, length) for x in (rows, given, raw))
    sessions = [_session(table, *parts, chance) for parts in zip(first, second, third, beliefs, strict=True)]
    shape = (*batch, people)
    return Copies(*(np.array(field).reshape(shape) for field in zip(*sessions, strict=True)))


def _session(table: Table, item: Ints, given: Ints, raw: Ints, posterior: Floats, chance: Floats) -> Copies:
    """Compare all pairs of one session."""
    people, items = item.shape[0], table.competence.size
    who, place = np.nonzero((item != NONE) & (given != NOT_REACHED))
    row = item[who, place]
    asked = np.zeros((people, items), dtype=bool)
    asked[who, row] = True
    used = np.flatnonzero(asked.sum(axis=0) > 1)
    one, other = np.triu_indices(people, 1)
    shared = (asked.astype(np.float64) @ asked.T.astype(np.float64)).astype(np.int64)[one, other]
    one, other, shared = one[shared > 0], other[shared > 0], shared[shared > 0]
    nothing = np.zeros(people, dtype=np.int64)
    if one.size == 0:
        return Copies(np.ones(people), np.full(people, NONE), nothing, nothing)
    category, code = np.full((2, people, items), NONE)
    category[who, row], code[who, row] = given[who, place], raw[who, place]
    foretold = _predictions(table, posterior, used)
    tail, same = np.empty(one.size), np.empty(one.size, dtype=np.int64)
    step = max(1, BLOCK // (used.size * foretold.shape[-1]))
    for start in range(0, one.size, step):
        part = slice(start, start + step)
        both = (one[part], other[part])
        column = np.argsort(~(asked[both[0]] & asked[both[1]])[:, used], axis=1, kind="stable")[:, : shared[part].max()]
        exists = np.arange(column.shape[1]) < shared[part, None]
        place = used[column]
        first, second = (foretold[side[:, None], column] for side in both)
        full = np.arange(first.shape[-1]) == table.categories_of[place][..., None] - 1
        matches = np.sum(first * second * np.where(full, 1.0, chance[place][..., None]), axis=-1)
        got, gets = (category[side[:, None], place] for side in both)
        top = got == table.categories_of[place] - 1
        identical = code[both[0][:, None], place] == code[both[1][:, None], place]
        same[part] = np.count_nonzero(exists & (got == gets) & (got >= 0) & (top | identical), axis=1)
        tail[part] = count_at_least(np.where(exists, np.minimum(matches, 1.0), 0.0), same[part])
    corrected = np.minimum(tail * one.size, 1.0)
    return _smallest(people, one, other, corrected, tail, shared, same)


def _predictions(table: Table, posterior: Floats, used: Ints) -> Floats:
    """Probability of each category of the items ``used`` for each candidate, (N, U, K)."""
    p = np.exp(table.log_evidence[used, : table.categories])
    found = np.empty((posterior.shape[0], used.size, p.shape[1]))
    for competence in np.unique(table.competence[used]):
        here = table.competence[used] == competence
        found[:, here] = np.einsum("ng,ikg->nik", posterior[:, competence], p[here])
    return found


def _smallest(people: int, one: Ints, other: Ints, p: Floats, tail: Floats, shared: Ints, same: Ints) -> Copies:
    """Give each candidate the pair with the smallest p; the uncorrected p and the pair's place break ties."""
    mine, theirs, pair = np.concatenate([one, other]), np.concatenate([other, one]), np.tile(np.arange(one.size), 2)
    order = np.lexsort((theirs, tail[pair], mine))
    found, first = np.unique(mine[order], return_index=True)
    best = order[first]
    result = Copies(np.ones(people), np.full(people, NONE), *np.zeros((2, people), dtype=np.int64))
    for field, values in zip(result, (p[pair], theirs, shared[pair], same[pair]), strict=True):
        field[found] = values[best]
    return result
