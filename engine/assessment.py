"""The one function that judges a certification: what the API stores and what the simulator measures."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.adaptive import Design, posterior, replay
from engine.answered import answered
from engine.arrays import Bools, Floats, Ints
from engine.assembly import full_length
from engine.certification import CertificationDesign
from engine.errors import DesignError
from engine.pace import time_fit, too_fast
from engine.personfit import Fit, person_fit
from engine.responses import NONE
from engine.sincerity import Sincerity, sincerity
from engine.state import Facts
from engine.table import Table
from engine.validation import Validation, flagged, outcome, validate


class Profile(NamedTuple):
    """What a candidate comes with."""

    levels: Ints  # (*batch, C) obtained by the positioning
    certifiable: Bools  # (*batch, C) what the test is about
    evidence: Floats  # (*batch, C, G) log-likelihood of the positioning's answers, untempered


class Assessment(NamedTuple):
    """Everything that is said of a finished test."""

    validation: Validation
    outcome: Ints  # (*batch,) codes of Outcome
    reasons: Ints  # (*batch,) bits of OutcomeReason
    answered_share: Floats  # (*batch,) answers as a share of a full test
    person_fit: Fit
    sincerity: Sincerity
    too_fast: Fit
    times: Fit
    copied: Floats  # (*batch,) p-value as given, NaN where none was


def assess(
    rules: CertificationDesign,
    design: Design,
    table: Table,
    facts: Facts,
    profile: Profile,
    end: ArrayLike,
    copied_p: ArrayLike | None = None,
) -> Assessment:
    """Judge finished tests.

    Parameters
    ----------
    rules : CertificationDesign
    design, table : Design, Table
        As in the run.
    facts : Facts
        (*batch, L). What was not reached is no answer and no evidence, like the padding of shorter runs.
    profile : Profile
    end : (*batch,) int
        Codes of :class:`engine.validation.End`.
    copied_p : (*batch,) float, optional
        Smallest p-value of the candidate's pairs with others of the session, corrected for their number.

    Returns
    -------
    Assessment

    Raises
    ------
    DesignError
        When the design has no blueprint, which says how long a full test is.
    """
    if design.assembly is None:
        raise DesignError("A certification is judged against its full test; give the design a blueprint.")
    about = np.asarray(profile.certifiable, dtype=bool)
    # No evidence is passed: the posterior is that of the population, given these answers alone.
    state = replay(design, table, facts, allowed=about[..., table.competence])
    answers = answered(design, facts)
    measures = np.where(answers.counted, table.competence[answers.item], NONE)
    own = np.count_nonzero(measures[..., None] == np.arange(about.shape[-1]), axis=-2)
    levels = np.asarray(profile.levels)
    validation = validate(rules, posterior(design, table, state), table, about, levels, own)
    full = np.maximum(full_length(design.assembly, state, table), 1)
    share = np.minimum(own.sum(axis=-1) / full, 1.0)
    misfit, pace = person_fit(design, table, facts), time_fit(table, facts, design.speed_sd)
    doubt, hasty = (
        sincerity(design, table, facts, np.asarray(profile.evidence)),
        too_fast(table, facts, design.speed_sd),
    )
    copied = np.broadcast_to(np.asarray(np.nan if copied_p is None else copied_p, dtype=np.float64), share.shape)
    flags = flagged(rules, person_fit=misfit.p, sincerity=doubt.p, too_fast=hasty.p, times=pace.p, copied=copied)
    verdict = outcome(rules, validation, flags, share, end)
    return Assessment(validation, verdict.outcome, verdict.reasons, share, misfit, doubt, hasty, pace, copied)
