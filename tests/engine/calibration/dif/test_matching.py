import numpy as np
import pytest

from engine.calibration.calibrate import calibrate
from engine.calibration.dif.matching import Ability, Given, SummedScore, evidence, quantile_strata, tables
from engine.calibration.em import Options
from engine.calibration.fit.scored import MISSING
from engine.errors import ResponseError
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT


def answers(seed: int, learners: int, items: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(learners, 1)) - rng.normal(size=items)
    responses = (rng.random((learners, items)) < 1 / (1 + np.exp(-1.5 * z))).astype(np.int16)
    responses[rng.random(responses.shape) < 0.3] = MISSING
    return responses


def stratum(matched, item: int) -> np.ndarray:
    """Stratum of each learner for one item."""
    return matched.strata[item, matched.levels[:, item if matched.levels.shape[1] > 1 else 0]]


def test_responses_are_read_by_their_policies() -> None:
    codes = [[2, SKIPPED, TIMED_OUT, NOT_REACHED]]
    assert evidence(codes, "unknown", "ignored").tolist() == [[2, 0, MISSING, MISSING]]
    assert evidence(codes, "ignored", "incorrect").tolist() == [[2, MISSING, 0, MISSING]]
    for wrong in ([[-4]], [[0.5]], [0, 1], np.empty((0, 3), dtype=int), [[40000]]):
        with pytest.raises(ResponseError):
            evidence(wrong, "unknown", "unknown")


def test_a_score_counts_the_studied_item_and_those_kept() -> None:
    categories = np.array([[1, 0, 2], [1, 1, 0], [0, 1, 1]], dtype=np.int16)
    matched = SummedScore(categories).matching(np.array([True, False, True]))
    assert [stratum(matched, item).tolist() for item in range(3)] == [[3, 1, 1], [3, 2, 2], [3, 1, 1]]


def test_tables_count_every_answer_once() -> None:
    responses = answers(1, 300, 5)
    focal = np.arange(300) % 3 == 0
    matched = Given(np.round(np.random.default_rng(0).normal(size=300), 1), responses, 8).matching(np.ones(5, bool))
    found = tables(responses, focal, matched)
    for item, place, who, category in np.ndindex(5, int(found.shape[1]), 2, 2):
        here = (stratum(matched, item) == place) & (focal == bool(who)) & (responses[:, item] == category)
        assert found[item, place, who, category] == np.count_nonzero(here)


def test_strata_are_ordered_of_equal_numbers_and_never_part_equals() -> None:
    responses = answers(2, 5000, 4)
    values = np.random.default_rng(1).normal(size=5000)
    matched = Given(values, responses, 10).matching(np.ones(4, bool))
    for item in range(4):
        here = responses[:, item] != MISSING
        sizes = np.bincount(stratum(matched, item)[here], minlength=10)
        assert sizes == pytest.approx(np.full(10, here.sum() / 10), rel=0.05)
        order = np.argsort(values)
        assert (np.diff(stratum(matched, item)[order]) >= 0).all()
    few = np.repeat([0, 1, 2], [10, 3000, 1990])[:, None]
    assert np.unique(quantile_strata(few, responses, 10)[0]).size == 3
    assert Given(few[:, 0], responses, 3).matching(np.ones(4, bool)).strata[0].tolist() == [0, 1, 2]


def test_ability_with_the_studied_item_is_that_of_a_posterior_with_it() -> None:
    responses = answers(3, 2000, 12)
    found = Ability(calibrate(responses, "2PL", options=Options(errors=False)), responses, 20)
    kept = np.arange(12) > 1
    without = found.matching(kept)
    for item in (0, 1):
        also = kept.copy()
        also[item] = True
        here = responses[:, item] != MISSING
        one, other = stratum(without, item)[here], stratum(found.matching(also), item)[here]
        assert np.abs(one - other).max() <= 1
        assert np.mean(one == other) > 0.95
    own, alone = stratum(without, 0), stratum(found.matching(kept), 5)
    assert np.corrcoef(own, responses[:, 0] > 0)[0, 1] > np.corrcoef(alone, responses[:, 0] > 0)[0, 1]


def test_with_no_item_left_everybody_is_alike_but_for_the_studied_one() -> None:
    responses = answers(4, 400, 5)
    found = Ability(calibrate(responses, "2PL", options=Options(errors=False)), responses, 20)
    matched = found.matching(np.zeros(5, dtype=bool))
    for item in range(5):
        assert np.unique(stratum(matched, item)[responses[:, item] != MISSING]).size <= 2
