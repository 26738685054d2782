import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adaptive import Design, posterior, replay
from engine.certification import CertificationDesign
from engine.grid import Grid
from engine.responses import SKIPPED
from engine.scores import VarianceReduction
from engine.state import Facts
from engine.validation import (
    FLAGS,
    End,
    Outcome,
    OutcomeReason,
    Status,
    Validation,
    flagged,
    outcome,
    validate,
)
from tests.reference import banks, slow

RULES = CertificationDesign("test", 1)
NODES = np.linspace(-4.0, 4.0, 17)
CUTS = np.array([[-2.0, -1.0, 0.3, 1.1], [-1.5, -0.5, 0.5, 1.5], [-1.0, 0.0, 1.0, 2.0]])
TABLE: Any = SimpleNamespace(nodes=NODES, cuts=CUTS)
MASSES = st.lists(st.integers(0, 50), min_size=17, max_size=17).filter(lambda mass: sum(mass) > 0)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, np.ndarray]:
    runs = draw(st.integers(1, 3))
    mass = np.array([[draw(MASSES) for _ in range(3)] for _ in range(runs)], dtype=float)

    def table(each: st.SearchStrategy[Any]) -> np.ndarray:
        return np.array([[draw(each) for _ in range(3)] for _ in range(runs)])

    return {
        "posterior": mass / mass.sum(axis=-1, keepdims=True),
        "certifiable": table(st.booleans()),
        "profile_levels": table(st.integers(0, 4)),
        "answered": table(st.integers(0, 4)),
    }


def scalar(
    rules: CertificationDesign, mass: np.ndarray, cuts: np.ndarray, about: bool, profile: int, own: int
) -> tuple:
    """Level, status and probability of one competence, as the words of the design say it."""
    if not about:
        return 0, Status.NOT_EXAMINED, 1.0
    above = [1.0, *(round(slow.probability_above(mass, NODES, cut), 9) for cut in cuts)]
    reached = [level for level in range(1, profile + 1) if above[level] >= rules.probability]
    if own < rules.least_answered or not reached:
        return 0, Status.NOT_CERTIFIED, 1.0
    return reached[-1], Status.CONFIRMED if reached[-1] == profile else Status.LOWERED, above[reached[-1]]


@given(cases(), st.sampled_from([0.3, 0.5, 0.8]), st.integers(1, 2))
def test_levels_are_those_of_the_definition(case: dict[str, np.ndarray], probability: float, least: int) -> None:
    rules = replace(RULES, probability=probability, least_answered=least)
    found = validate(rules, case["posterior"], TABLE, case["certifiable"], case["profile_levels"], case["answered"])
    for run, c in np.ndindex(found.level.shape):
        level, status, share = scalar(
            rules,
            case["posterior"][run, c],
            CUTS[c],
            *(case[name][run, c] for name in ("certifiable", "profile_levels", "answered")),
        )
        assert (found.level[run, c], found.status[run, c]) == (level, status)
        assert found.probability[run, c] == pytest.approx(share, abs=1e-12)


@given(cases())
def test_a_level_is_never_above_that_of_the_profile_nor_certified_without_answers(case: dict[str, np.ndarray]) -> None:
    found = validate(RULES, case["posterior"], TABLE, case["certifiable"], case["profile_levels"], case["answered"])
    assert (found.level <= case["profile_levels"]).all()
    certified = found.level > 0
    assert (case["certifiable"] & (case["answered"] >= RULES.least_answered))[certified].all()
    assert (found.probability[certified] >= RULES.probability).all()
    np.testing.assert_array_equal(certified, found.status >= Status.LOWERED)


@given(cases())
def test_a_validation_of_one_is_that_of_many(case: dict[str, np.ndarray]) -> None:
    many = validate(RULES, case["posterior"], TABLE, case["certifiable"], case["profile_levels"], case["answered"])
    for run in range(len(many.level)):
        names = ("certifiable", "profile_levels", "answered")
        one = validate(RULES, case["posterior"][run], TABLE, *(case[name][run] for name in names))
        for alone, together in zip(one, many, strict=True):
            np.testing.assert_array_equal(alone, together[run])


def test_a_tie_in_the_last_bit_is_certified() -> None:
    mass = np.where(NODES == 0, 1.0, 0.0)[None]
    table: Any = SimpleNamespace(nodes=NODES, cuts=np.array([[1e-12]]))  # a hair less than half of the cell lies above
    assert validate(RULES, mass, table, [True], [1], [2]).level.tolist() == [1]


DESIGN = Design(score=VarianceReduction(), grid=Grid(-4, 4, 21), latent=banks.TREE)
ITEMS = banks.table_for(DESIGN, banks.logistic(3, 40, "3PL"), 3)


@given(st.integers(0, 10**6), st.integers(1, 12), st.data())
def test_a_better_answer_never_lowers_a_level(seed: int, length: int, data: st.DataObject) -> None:
    """In every competence, for the abilities hang together; right instead of wrong is the better answer."""
    rng = np.random.default_rng(seed)
    items = rng.permutation(40)[:length]
    worse = rng.integers(0, 2, length)
    place = data.draw(st.integers(0, length - 1))
    worse[place] = data.draw(st.sampled_from([0, SKIPPED]))
    better = worse.copy()
    better[place] = 1
    levels = []
    for responses in (worse, better):
        facts = Facts(items, responses, np.full(length, 30.0))
        known = posterior(DESIGN, ITEMS, replay(DESIGN, ITEMS, facts))
        levels.append(validate(RULES, known, ITEMS, [True] * 3, [8] * 3, [2] * 3).level)
    assert (levels[0] <= levels[1]).all()


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_more_of_the_profile_never_lowers_a_level(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    facts = Facts(rng.permutation(40)[:length], rng.integers(0, 2, length), np.full(length, 30.0))
    known = posterior(DESIGN, ITEMS, replay(DESIGN, ITEMS, facts))
    levels = [validate(RULES, known, ITEMS, [True] * 3, [top] * 3, [2] * 3).level for top in range(9)]
    for top, (lower, higher) in enumerate(itertools.pairwise(levels)):
        assert (lower == np.minimum(higher, top)).all()


def verdict(
    levels: list[int], profile: list[int], share: float, end: End, flags: int = 0, answered: int = 6, **changes: Any
) -> tuple[Outcome, OutcomeReason]:
    level, top = np.array(levels), np.array(profile)
    status = np.where(level == 0, Status.NOT_CERTIFIED, np.where(level < top, Status.LOWERED, Status.CONFIRMED))
    status = np.where(top == 0, Status.NOT_EXAMINED, status)
    validation = Validation(level, status, np.ones(level.shape), np.full(level.shape, answered))
    found = outcome(replace(RULES, **changes), validation, flags, share, end)
    return Outcome(int(found.outcome)), OutcomeReason(int(found.reasons))


NOTHING = OutcomeReason(0)
FEW, LEFT = OutcomeReason.TOO_FEW_ANSWERS, OutcomeReason.CANDIDATE
FAST, DOUBT = OutcomeReason.TOO_FAST, OutcomeReason.SINCERITY


@pytest.mark.parametrize(
    ("case", "expected", "reasons"),
    [
        # The full test was answered.
        (([3, 2], [3, 2], 1.0, End.COMPLETED), Outcome.VALIDATED, NOTHING),
        (([3, 1], [3, 2], 1.0, End.COMPLETED), Outcome.VALIDATED, OutcomeReason.LOWERED),
        (([3, 0], [3, 0], 1.0, End.COMPLETED), Outcome.VALIDATED, NOTHING),
        (([0, 0], [3, 2], 1.0, End.COMPLETED), Outcome.REJECTED, OutcomeReason.TOO_FEW_CERTIFIED),
        (([3, 2], [3, 2], 1.0, End.COMPLETED, DOUBT), Outcome.TO_REVIEW, DOUBT),
        (([3, 2], [3, 2], 1.0, End.COMPLETED, DOUBT | FAST), Outcome.TO_REVIEW, DOUBT | FAST),
        # A rejection is looked at before it is one.
        (([0], [3], 1.0, End.COMPLETED, FAST), Outcome.TO_REVIEW, FAST | OutcomeReason.TOO_FEW_CERTIFIED),
        (([3], [3], 0.2, End.CANDIDATE, FAST), Outcome.TO_REVIEW, FAST | FEW | LEFT),
        # Enough answers stand, whatever the end.
        (([3], [3], 0.6, End.TIME), Outcome.VALIDATED, OutcomeReason.TIME),
        (([3], [3], 0.6, End.CANDIDATE), Outcome.VALIDATED, LEFT),
        (([3], [3], 0.6, End.TECHNICAL), Outcome.VALIDATED, OutcomeReason.TECHNICAL),
        # Too few answers: by choice or for lack of time, then for a technical reason or for lack of items.
        (([3], [3], 0.59, End.CANDIDATE), Outcome.REJECTED, FEW | LEFT),
        (([3], [3], 0.59, End.TIME), Outcome.REJECTED, FEW | OutcomeReason.TIME),
        (([3], [3], 0.59, End.TECHNICAL), Outcome.CANCELLED, FEW | OutcomeReason.TECHNICAL),
        (([3], [3], 0.59, End.COMPLETED), Outcome.CANCELLED, FEW),
        # A cancelled test is cancelled.
        (([3], [3], 0.1, End.TECHNICAL, FAST), Outcome.CANCELLED, FAST | FEW | OutcomeReason.TECHNICAL),
        # The invigilator's end is for a person to judge.
        (([3], [3], 1.0, End.INVIGILATOR), Outcome.TO_REVIEW, OutcomeReason.INVIGILATOR),
        (([3], [3], 0.1, End.INVIGILATOR), Outcome.TO_REVIEW, FEW | OutcomeReason.INVIGILATOR),
    ],
)
def test_the_policy(case: tuple, expected: Outcome, reasons: OutcomeReason) -> None:
    assert verdict(*case) == (expected, reasons)


def test_a_certificate_may_need_several_competences() -> None:
    assert verdict([3, 2, 0], [3, 3, 3], 1.0, End.COMPLETED, certified=2)[0] == Outcome.VALIDATED
    assert verdict([3, 0, 0], [3, 3, 3], 1.0, End.COMPLETED, certified=2)[0] == Outcome.REJECTED


def test_competences_without_answers_of_their_own_are_said_to_be() -> None:
    found = verdict([3, 0], [3, 3], 0.7, End.CANDIDATE, answered=1)
    assert found == (Outcome.VALIDATED, LEFT | OutcomeReason.UNANSWERED)


def test_leaving_early_never_certifies_from_the_prior() -> None:
    """Level 1 is nearly sure in the population: with no answer it is not certified all the same."""
    for length in (0, 1):
        facts = Facts(np.arange(length), np.ones(length, dtype=int), np.full(length, 30.0))
        known = posterior(DESIGN, ITEMS, replay(DESIGN, ITEMS, facts))
        own = np.bincount(ITEMS.competence[:length], minlength=3)
        found = validate(RULES, known, ITEMS, [True] * 3, [8] * 3, own)
        assert (found.level == 0).all()
        assert (found.status == Status.NOT_CERTIFIED).all()
        verdict = outcome(RULES, found, 0, length / 18, End.CANDIDATE)
        assert verdict.outcome == Outcome.REJECTED


OUTCOMES = st.tuples(
    st.lists(st.integers(0, 3), min_size=2, max_size=2),
    st.floats(0, 1),
    st.sampled_from(End),
    st.integers(0, 31).map(lambda bits: bits * int(OutcomeReason.PERSON_FIT)),
)


@given(st.lists(OUTCOMES, min_size=1, max_size=5))
def test_an_outcome_of_one_is_that_of_many_and_no_flag_is_ever_lost(runs: list[tuple]) -> None:
    level = np.array([levels for levels, *_ in runs])
    status = np.where(level == 0, Status.NOT_CERTIFIED, np.where(level < 3, Status.LOWERED, Status.CONFIRMED))
    whole = Validation(level, status, np.ones(level.shape), 2 * np.ones(level.shape, dtype=int))
    _, share, end, flags = (np.array([run[place] for run in runs]) for place in range(4))
    many = outcome(RULES, whole, flags, share, end)
    assert (many.reasons & int(FLAGS) == flags).all()
    for place in range(len(runs)):
        one = outcome(RULES, Validation(*(field[place] for field in whole)), flags[place], share[place], end[place])
        assert (one.outcome, one.reasons) == (many.outcome[place], many.reasons[place])
        if flags[place]:
            assert one.outcome in (Outcome.TO_REVIEW, Outcome.CANCELLED)
        if one.outcome == Outcome.VALIDATED:
            assert share[place] >= RULES.complete
            assert (level[place] > 0).any()
        if one.outcome == Outcome.REJECTED:
            assert one.reasons & int(FEW | OutcomeReason.TOO_FEW_CERTIFIED)


NAMES = ("person_fit", "sincerity", "too_fast", "times", "copied")


@pytest.mark.parametrize("name", NAMES)
def test_each_statistic_has_its_flag_and_threshold(name: str) -> None:
    threshold = getattr(RULES, name)
    assert flagged(RULES, **{name: threshold * 0.99}) == OutcomeReason[name.upper()]
    assert flagged(RULES, **{name: threshold}) == 0
    assert flagged(RULES, **{name: np.nan}) == 0
    assert flagged(replace(RULES, **{name: 0.0}), **{name: 0.0}) == 0


def test_flags_of_many_add_up() -> None:
    found = flagged(RULES, person_fit=np.array([0.0, 0.5]), copied=np.array([0.0, np.nan]), times=0.0)
    both = OutcomeReason.PERSON_FIT | OutcomeReason.COPIED | OutcomeReason.TIMES
    assert found.tolist() == [int(both), int(OutcomeReason.TIMES)]
