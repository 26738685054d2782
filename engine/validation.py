"""What the answers of a certification say: the levels that they certify, and the outcome.

The policy
----------
A level is certified only up to that of the profile, and only by the answers of the certification: the positioning helps
to choose the questions, never to judge the answers. A competence is certified from ``least_answered`` answers to its
own items on, so that nobody certifies by leaving early what the population's prior or the other competences say.

The outcome is the first of these that applies:

1. ``TO_REVIEW``: the invigilator ended the run; a person says what it is worth.
2. ``CANCELLED``: fewer answers than the share ``complete`` of a full test, for a technical reason or because the bank
   had nothing left to ask. The candidate may sit again, whatever the statistics say of so few answers.
3. ``TO_REVIEW``: a statistic is beyond its threshold. It is never a rejection by itself, and it is looked at before
   one: a person decides.
4. ``REJECTED``: too few answers, because the candidate left or the time ran out.
5. ``REJECTED``: fewer competences certified than a certificate needs.
6. ``VALIDATED``: what was certified stands, also when the test was not finished; competences with too few answers of
   their own are not certified.

All the reasons that hold are given, not only the one that decided. After a review, :func:`outcome` without flags, and
with the end that the reviewers found, says what follows.
"""

from enum import IntEnum, IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Floats, Ints
from engine.certification import CertificationDesign
from engine.levels import DECIMALS, probability_above
from engine.table import Table


class Status(IntEnum):
    """What became of a competence."""

    NOT_EXAMINED = 0
    NOT_CERTIFIED = 1
    LOWERED = 2
    CONFIRMED = 3


class End(IntEnum):
    """Why a run ended."""

    COMPLETED = 0
    """Nothing was left to ask: the full test was answered, or the bank ran dry."""
    TIME = 1
    CANDIDATE = 2
    """The candidate left or stopped answering, by choice."""
    TECHNICAL = 3
    INVIGILATOR = 4
    """The invigilator ended it, e.g. for cheating."""


class Outcome(IntEnum):
    """What became of a test."""

    VALIDATED = 0
    REJECTED = 1
    CANCELLED = 2
    TO_REVIEW = 3


class OutcomeReason(IntFlag):
    """Everything that speaks for or about an outcome."""

    TOO_FEW_ANSWERS = 1
    """Fewer than the share of a full test that counts."""
    TIME = 2
    CANDIDATE = 4
    TECHNICAL = 8
    INVIGILATOR = 16
    TOO_FEW_CERTIFIED = 32
    PERSON_FIT = 64
    SINCERITY = 128
    TOO_FAST = 256
    TIMES = 512
    COPIED = 1024
    LOWERED = 2048
    """Some competence is certified below the profile."""
    UNANSWERED = 4096
    """Some competence is not certified for lack of answers to its own items."""


FLAGS = (
    OutcomeReason.PERSON_FIT
    | OutcomeReason.SINCERITY
    | OutcomeReason.TOO_FAST
    | OutcomeReason.TIMES
    | OutcomeReason.COPIED
)
"""Reasons that are a statistic beyond its threshold."""


class Validation(NamedTuple):
    """What the answers certify of each competence."""

    level: Ints  # (*batch, C) certified level, 0 where none
    status: Ints  # (*batch, C) codes of Status
    probability: Floats  # (*batch, C) of an ability at or above the cut of the certified level; 1 where it is 0
    answered: Ints  # (*batch, C) answers to its own items


class Verdict(NamedTuple):
    """Outcome, and all its reasons, each (*batch,)."""

    outcome: Ints  # codes of Outcome
    reasons: Ints  # bits of OutcomeReason


def validate(
    rules: CertificationDesign,
    posterior: ArrayLike,
    table: Table,
    certifiable: ArrayLike,
    profile_levels: ArrayLike,
    answered: ArrayLike,
) -> Validation:
    """Say of each competence which level the answers certify.

    The certified level is the highest l up to that of the profile with P(ability >= cut_l | answers) >= probability.

    Parameters
    ----------
    rules : CertificationDesign
    posterior : (*batch, C, G) float
        From the answers of the certification and the population's prior alone.
    table : Table
        Gives the nodes (G,) and the cuts (C, L).
    certifiable : (*batch, C) bool
        What the test is about.
    profile_levels : (*batch, C) int
    answered : (*batch, C) int
        Answers that are evidence, to the items of each competence.

    Returns
    -------
    Validation
    """
    examined, reached = np.asarray(certifiable, dtype=bool), np.asarray(profile_levels, dtype=np.int64)
    own = np.asarray(answered, dtype=np.int64)
    above = np.round(probability_above(posterior, table.nodes, table.cuts), DECIMALS)
    steps = np.arange(1, table.cuts.shape[1] + 1)
    proved = (above >= rules.probability) & (steps <= reached[..., None])
    enough = examined & (own >= rules.least_answered)
    level = np.where(enough, np.where(proved, steps, 0).max(axis=-1, initial=0), 0)
    from_zero = np.concatenate([np.ones((*above.shape[:-1], 1)), above], axis=-1)
    probability = np.take_along_axis(from_zero, level[..., None], axis=-1)[..., 0]
    certified = np.where(level == reached, int(Status.CONFIRMED), int(Status.LOWERED))
    status = np.where(level > 0, certified, int(Status.NOT_CERTIFIED))
    return Validation(level, np.where(examined, status, int(Status.NOT_EXAMINED)), probability, own)


def flagged(
    rules: CertificationDesign,
    *,
    person_fit: ArrayLike = np.nan,
    sincerity: ArrayLike = np.nan,
    too_fast: ArrayLike = np.nan,
    times: ArrayLike = np.nan,
    copied: ArrayLike = np.nan,
) -> Ints:
    """Statistics beyond their thresholds, as bits of :class:`OutcomeReason`.

    Parameters
    ----------
    rules : CertificationDesign
    person_fit, sincerity, too_fast, times, copied : (*batch,) float
        p-values; NaN where there is none, which is never beyond a threshold.

    Returns
    -------
    (*batch,) int

    Examples
    --------
    >>> OutcomeReason(int(flagged(CertificationDesign("x", 1), copied=1e-4, sincerity=0.4))).name
    'COPIED'
    """
    values = {
        OutcomeReason.PERSON_FIT: (person_fit, rules.person_fit),
        OutcomeReason.SINCERITY: (sincerity, rules.sincerity),
        OutcomeReason.TOO_FAST: (too_fast, rules.too_fast),
        OutcomeReason.TIMES: (times, rules.times),
        OutcomeReason.COPIED: (copied, rules.copied),
    }
    bits = [
        _bits(np.round(np.asarray(p, dtype=np.float64), DECIMALS) < threshold, reason)
        for reason, (p, threshold) in values.items()
    ]
    return np.asarray(sum(bits), dtype=np.int64)


def outcome(
    rules: CertificationDesign, validation: Validation, flags: ArrayLike, answered_share: ArrayLike, end: ArrayLike
) -> Verdict:
    """Say what became of a test, by the policy at the head of this module.

    Parameters
    ----------
    rules : CertificationDesign
    validation : Validation
    flags : (*batch,) int
        Of :func:`flagged`; 0 after a review that found nothing.
    answered_share : (*batch,) float
        Answers given as a share of a full test.
    end : (*batch,) int
        Codes of :class:`End`.

    Returns
    -------
    Verdict
    """
    ended, doubts = np.asarray(end, dtype=np.int64), np.asarray(flags, dtype=np.int64)
    few = np.round(np.asarray(answered_share, dtype=np.float64), DECIMALS) < rules.complete
    unproved = np.count_nonzero(validation.level > 0, axis=-1) < rules.certified
    unanswered = (validation.status == Status.NOT_CERTIFIED) & (validation.answered < rules.least_answered)
    stopped, broken = ended == End.INVIGILATOR, (ended == End.TECHNICAL) | (ended == End.COMPLETED)
    # np.select takes the first condition that holds: this is the order of the policy.
    found = np.select(
        [stopped, few & broken, doubts != 0, few | unproved],
        [Outcome.TO_REVIEW, Outcome.CANCELLED, Outcome.TO_REVIEW, Outcome.REJECTED],
        Outcome.VALIDATED,
    )
    reasons = (
        doubts
        + _bits(few, OutcomeReason.TOO_FEW_ANSWERS)
        + _bits(unproved, OutcomeReason.TOO_FEW_CERTIFIED)
        + _bits((validation.status == Status.LOWERED).any(axis=-1), OutcomeReason.LOWERED)
        + _bits(unanswered.any(axis=-1), OutcomeReason.UNANSWERED)
    )
    for why in (End.TIME, End.CANDIDATE, End.TECHNICAL, End.INVIGILATOR):
        reasons = reasons + _bits(ended == why, OutcomeReason[why.name])
    return Verdict(np.asarray(found, dtype=np.int64), np.asarray(reasons, dtype=np.int64))


def _bits(where: Bools, reason: OutcomeReason) -> Ints:
    return np.where(where, int(reason), 0)
