"""Answers as the tests of plausibility read them: which answers count, and sums over those of a competence."""

from typing import NamedTuple

import numpy as np

from engine import latent
from engine.adaptive import Design
from engine.arrays import Bools, Floats, Ints
from engine.responses import NONE, NOT_REACHED, SKIPPED, TIMED_OUT
from engine.state import Facts
from engine.table import Table


class Answered(NamedTuple):
    """Facts that say something of the candidate, each (*batch, L)."""

    item: Ints  # rows, 0 where nothing counts
    category: Ints  # a skip and a time-out are the lowest category
    counted: Bools  # not what pads, was not reached, or is ignored by the design
    given: Bools  # counted, and an answer rather than a silence


def answered(design: Design, facts: Facts) -> Answered:
    """Read facts.

    Parameters
    ----------
    design : Design
        Its policies say whether a skip and a time-out are evidence at all.
    facts : Facts
        (*batch, L), padded with NONE.

    Returns
    -------
    Answered
    """
    item, response = np.asarray(facts.item, dtype=np.int64), np.asarray(facts.response, dtype=np.int64)
    counted = (item != NONE) & (response != NOT_REACHED)
    for code, policy in ((SKIPPED, design.skip), (TIMED_OUT, design.time_out)):
        if policy == "ignored":
            counted = counted & (response != code)
    return Answered(np.where(counted, item, 0), np.maximum(response, 0), counted, counted & (response >= 0))


class Known(NamedTuple):
    """What answers tell of the abilities, each (*batch, C, G)."""

    log_likelihood: Floats
    posterior: Floats


def known(design: Design, table: Table, facts: Facts, evidence: Floats | None = None) -> Known:
    """Likelihood and posterior that facts lead to, those of :func:`engine.adaptive.replay` but for a constant."""
    item, response = np.asarray(facts.item, dtype=np.int64), np.asarray(facts.response, dtype=np.int64)
    each = table.log_evidence[np.where(item == NONE, 0, item), response]
    total = by_competence(table, item, item != NONE, each, design.latent.competences)
    if evidence is not None:
        total = total + evidence
    return Known(total, latent.posterior(table.links, total))


def by_competence(table: Table, item: Ints, counted: Bools, values: Floats, competences: int) -> Floats:
    """Sum values of answers over those of each competence; values of answers that do not count are left out.

    Parameters
    ----------
    table : Table
    item, counted : (*batch, L)
        Rows, and which of them count.
    values : (*batch, L, ...) float
    competences : int

    Returns
    -------
    (*batch, C, ...) float
    """
    *batch, length = item.shape
    rest = values.shape[len(batch) + 1 :]
    place = np.where(counted, table.competence[item], NONE)[..., None, :]
    belongs = (place == np.arange(competences)[:, None]).astype(np.float64)
    flat = np.where(counted[..., None], values.reshape(*batch, length, int(np.prod(rest, dtype=np.int64))), 0.0)
    return np.asarray((belongs @ flat).reshape(*batch, competences, *rest))
