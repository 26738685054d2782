from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adaptive import Design, posterior, replay
from engine.assembly import Blueprint
from engine.assessment import Assessment, Profile, assess
from engine.certification import CertificationDesign
from engine.errors import DesignError
from engine.grid import Grid
from engine.responses import NONE, NOT_REACHED, SKIPPED, TIMED_OUT
from engine.scores import VarianceReduction
from engine.state import Facts
from engine.validation import End, Outcome, OutcomeReason, Status, validate
from tests.reference import banks

RULES = CertificationDesign("test", 1)
DESIGN = Design(
    score=VarianceReduction(), grid=Grid(-4, 4, 33), latent=banks.TREE, assembly=Blueprint(each=4, longest=56)
)
ITEMS = 60
TABLE = banks.table_for(DESIGN, banks.logistic(3, ITEMS), 3)
OWN = [np.flatnonzero(TABLE.competence == c) for c in range(3)]
FULL = 12


def simulated(seed: int, ability: np.ndarray, each: int = 4, first: int = 0, pace: float = 1.0) -> Facts:
    """Answers of the model to ``each`` items of every competence, starting with the ``first`` one of them."""
    rng = np.random.default_rng(seed)
    items = rng.permutation(np.concatenate([rows[first : first + each] for rows in OWN]))
    a, b = TABLE.parameters.discrimination[items], TABLE.parameters.difficulty[items]
    right = rng.uniform(size=items.size) < 1.0 / (1.0 + np.exp(-a * (ability[TABLE.competence[items]] - b)))
    log_time = TABLE.time_intensity[items] + rng.normal(size=items.size) / TABLE.time_discrimination[items]
    return Facts(items, right.astype(np.int64), pace * np.exp(log_time))


def profile_of(facts: Facts, levels: int | list[int] = 8, about: Any = True) -> Profile:
    """Profile of somebody who answered so in the positioning."""
    known = replay(DESIGN, TABLE, facts).log_likelihood
    return Profile(np.broadcast_to(levels, (3,)), np.broadcast_to(about, (3,)), known)


def stacked(runs: list[Facts]) -> Facts:
    """Facts of several runs, padded."""
    length = max(run.item.size for run in runs)

    def padded(values: np.ndarray, filling: float) -> np.ndarray:
        return np.pad(values, (0, length - values.size), constant_values=filling)

    return Facts(
        np.stack([padded(run.item, NONE) for run in runs]),
        np.stack([padded(run.response, NOT_REACHED) for run in runs]),
        np.stack([padded(run.seconds, np.nan) for run in runs]),
    )


ABLE = np.array([0.6, 0.3, 0.5])
POSITIONING = simulated(1, ABLE, each=10, first=4)
PROFILE = profile_of(POSITIONING)


def judged(facts: Facts, profile: Profile = PROFILE, end: End = End.COMPLETED, **options: Any) -> Assessment:
    return assess(RULES, DESIGN, TABLE, facts, profile, end, **options)


def test_the_answers_are_judged_by_the_population_and_never_by_the_profile() -> None:
    facts = simulated(5, ABLE)
    expected = validate(
        RULES, posterior(DESIGN, TABLE, replay(DESIGN, TABLE, facts)), TABLE, [True] * 3, [8] * 3, [4] * 3
    )
    strangers = [profile_of(simulated(9, np.full(3, ability), 10, 4)) for ability in (-3.0, 3.0)]
    for profile in (PROFILE, *strangers):
        for found, wanted in zip(judged(facts, profile).validation, expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_what_was_not_reached_is_no_answer() -> None:
    facts = simulated(5, ABLE)
    short = Facts(*(field[:9] for field in facts))
    shown = Facts(facts.item[:10], np.append(facts.response[:9], NOT_REACHED), np.append(facts.seconds[:9], np.nan))
    for end in End:
        one, other = judged(short, end=end), judged(shown, end=end)
        assert one.answered_share == other.answered_share == pytest.approx(9 / FULL)
        for found, wanted in zip((*one.validation, *one[1:3]), (*other.validation, *other[1:3]), strict=True):
            np.testing.assert_array_equal(found, wanted)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 4)), min_size=1, max_size=4), st.integers(0, 4))
def test_an_assessment_of_one_is_that_of_many(runs: list[tuple[int, int]], end: int) -> None:
    facts = [simulated(seed, ABLE, each) for seed, each in runs]
    profiles = [profile_of(simulated(seed + 1, ABLE, 5, 5), seed % 9, np.arange(3) != seed % 4) for seed, _ in runs]
    together = Profile(*(np.stack(fields) for fields in zip(*profiles, strict=True)))
    many = assess(RULES, DESIGN, TABLE, stacked(facts), together, np.full(len(runs), end))
    for place, (alone, profile) in enumerate(zip(facts, profiles, strict=True)):
        one = assess(RULES, DESIGN, TABLE, alone, profile, end)
        assert one.outcome == many.outcome[place]
        assert one.reasons == many.reasons[place]
        for single, batch in zip(one.validation, many.validation, strict=True):
            np.testing.assert_allclose(single, batch[place], atol=1e-9)
        for name in ("person_fit", "sincerity", "too_fast", "times"):
            np.testing.assert_allclose(getattr(one, name).p, getattr(many, name).p[place], atol=1e-9)


@given(st.integers(0, 10**6), st.integers(0, 4), st.lists(st.booleans(), min_size=3, max_size=3))
def test_answers_are_counted_one_by_one(seed: int, each: int, about: list[bool]) -> None:
    rng = np.random.default_rng(seed)
    facts = simulated(seed, ABLE, each)
    facts = facts._replace(response=rng.choice([0, 1, SKIPPED, TIMED_OUT, NOT_REACHED], facts.item.size))
    found = judged(facts, profile_of(POSITIONING, about=about), End.TIME)
    own = [0, 0, 0]
    for item, response in zip(facts.item, facts.response, strict=True):
        own[TABLE.competence[item]] += response != NOT_REACHED
    assert found.validation.answered.tolist() == own
    scope = 3 if each else sum(about)  # what was asked is in the scope of the run
    assert found.answered_share == pytest.approx(sum(own) / max(4 * scope, 1))
    certified = found.validation.level > 0
    assert not (certified & ~np.array(about)).any()
    assert not (certified & (found.validation.answered < RULES.least_answered)).any()


def test_skips_that_the_design_ignores_certify_nothing() -> None:
    design = replace(DESIGN, skip="ignored")
    table = banks.table_for(design, banks.logistic(3, ITEMS), 3)
    facts = simulated(5, ABLE)
    facts = facts._replace(response=np.full(FULL, SKIPPED))
    found = assess(RULES, design, table, facts, PROFILE, End.CANDIDATE)
    assert (found.validation.status == Status.NOT_CERTIFIED).all()
    assert found.outcome == Outcome.REJECTED


def test_nobody_who_leaves_at_once_is_certified() -> None:
    nothing = Facts(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))
    outcomes = {End.CANDIDATE: Outcome.REJECTED, End.TECHNICAL: Outcome.CANCELLED, End.INVIGILATOR: Outcome.TO_REVIEW}
    for end, expected in outcomes.items():
        found = judged(nothing, end=end)
        assert (found.outcome, found.answered_share) == (expected, 0.0)
        assert (found.validation.level == 0).all()
        assert not found.reasons & int(OutcomeReason.SINCERITY | OutcomeReason.PERSON_FIT | OutcomeReason.TOO_FAST)


def test_honest_candidates_are_seldom_to_review() -> None:
    runs, rng = 400, np.random.default_rng(2)
    abilities = rng.normal(size=(runs, 1)) * 0.8 + rng.normal(size=(runs, 3)) * 0.6
    facts = stacked([simulated(seed, ability) for seed, ability in enumerate(abilities)])
    profiles = [profile_of(simulated(10**4 + seed, ability, 10, 4)) for seed, ability in enumerate(abilities)]
    together = Profile(*(np.stack(fields) for fields in zip(*profiles, strict=True)))
    found = assess(RULES, DESIGN, TABLE, facts, together, np.zeros(runs, dtype=int))
    # Four statistics, accepted false alarms of 0.016 in all: 6.4 candidates expected of 400.
    assert np.count_nonzero(found.outcome == Outcome.TO_REVIEW) < 20
    assert np.count_nonzero(found.outcome == Outcome.CANCELLED) == 0


@pytest.mark.parametrize(
    ("facts", "options", "reason"),
    [
        (simulated(5, np.full(3, -3.0)), {}, OutcomeReason.SINCERITY),
        (simulated(5, ABLE, pace=0.02), {}, OutcomeReason.TOO_FAST),
        (simulated(5, ABLE), {"copied_p": 1e-6}, OutcomeReason.COPIED),
    ],
)
def test_what_is_suspicious_is_reviewed_and_the_reason_given(
    facts: Facts, options: dict[str, Any], reason: OutcomeReason
) -> None:
    honest = judged(simulated(5, ABLE))
    assert honest.outcome == Outcome.VALIDATED
    able = profile_of(simulated(1, np.full(3, 2.5), each=10, first=4))
    found = judged(facts, able if reason is OutcomeReason.SINCERITY else PROFILE, **options)
    assert found.outcome == Outcome.TO_REVIEW
    assert found.reasons & int(reason)
    assert not honest.reasons & int(reason)


def test_a_design_without_a_blueprint_is_refused() -> None:
    with pytest.raises(DesignError, match="give the design a blueprint"):
        assess(RULES, replace(DESIGN, assembly=None), TABLE, simulated(1, ABLE), PROFILE, End.COMPLETED)
