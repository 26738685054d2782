import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DesignError
from engine.groups.needs import needs, next_steps
from engine.levels import level
from engine.responses import NONE
from tests.reference import groups as slow

SEEDS = st.integers(0, 10_000)


def group(seed: int, learners: int = 6, competences: int = 5, top: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    each = rng.dirichlet(np.full(top + 1, 0.5), size=(learners, competences))
    each[rng.uniform(size=(learners, competences)) < 0.2] = np.nan
    return each, rng.integers(-1, top + 1, competences)


@given(SEEDS)
def test_scores_are_those_of_each_learner_and_level_in_turn(seed: int) -> None:
    each, targets = group(seed)
    found = needs(each, targets)
    for column, target in enumerate(targets):
        told = (found.score[column], found.share_below[column], found.missing_when_below[column])
        assert told == pytest.approx(slow.need(each[:, column].tolist(), int(target)), abs=1e-12, nan_ok=True)
        assert found.learners[column] == np.count_nonzero(~np.isnan(each[:, column, 0]))


@given(SEEDS)
def test_a_score_is_the_share_below_times_what_those_lack(seed: int) -> None:
    each, targets = group(seed)
    found = needs(each, targets)
    np.testing.assert_allclose(found.score, found.share_below * found.missing_when_below, atol=1e-12)
    known = found.learners > 0
    assert ((found.share_below[known] >= 0.0) & (found.share_below[known] <= 1.0 + 1e-12)).all()
    assert (found.missing_when_below[known & (found.share_below > 1e-12)] >= 1.0 - 1e-9).all()
    assert (found.score[known] <= np.maximum(targets[known], 0) + 1e-9).all()


@given(SEEDS)
def test_the_greatest_need_comes_first_and_the_unknown_last(seed: int) -> None:
    each, targets = group(seed, learners=2)
    found = needs(each, targets)
    assert sorted(found.order) == list(range(5))
    ordered = found.score[found.order]
    assert (np.diff(np.where(np.isnan(ordered), -1.0, ordered)) <= 1e-9).all()


@given(SEEDS)
def test_a_higher_target_is_never_a_smaller_need(seed: int) -> None:
    each, _ = group(seed)
    scores = [needs(each, np.full(5, target)).score for target in range(5)]
    known = ~np.isnan(scores[0])
    assert (scores[0][known] == 0.0).all()
    assert (np.diff(np.stack(scores)[:, known], axis=0) >= -1e-12).all()


def test_equal_needs_are_in_the_order_of_the_framework_though_sums_differ_in_the_last_bit() -> None:
    each = np.zeros((3, 4, 3))
    each[..., 2] = 1.0
    for column, shares in ((1, [0.1, 0.2, 0.3]), (2, [0.3, 0.2, 0.1]), (3, [0.2, 0.3, 0.1])):
        each[:, column, 0], each[:, column, 2] = shares, 1.0 - np.array(shares)
    each[:, 3, 0] += 1e-13
    assert needs(each, [2, 2, 2, 2]).order.tolist() == [1, 2, 3, 0]


def test_a_learner_is_a_group_of_one_and_groups_side_by_side_are_as_each_alone() -> None:
    each, targets = group(1)
    of_one, alone = needs(each[0], targets), needs(each[:1], targets)
    many = needs(np.stack([each, each[::-1]]), targets)
    for field, other in zip(of_one, alone, strict=True):
        np.testing.assert_array_equal(field, other)
    for field, other in zip(many, needs(each, targets), strict=True):
        np.testing.assert_array_equal(field[0], other)
        np.testing.assert_allclose(field[1], other, atol=1e-12)


def test_no_target_and_a_target_of_nothing_are_no_need() -> None:
    each = np.full((4, 2, 3), 1 / 3)
    found = needs(each, [-1, 0])
    for field in found[:3]:
        assert field.tolist() == [0.0, 0.0]
    assert next_steps(each[0], [-1, 0]).competence.tolist() == [NONE, NONE]


def test_a_group_without_anybody_known_has_no_needs() -> None:
    found = needs(np.full((3, 2, 4), np.nan), [1, 2])
    assert np.isnan(found[:3]).all()
    assert (found.learners.tolist(), found.order.tolist()) == ([0, 0], [0, 1])
    assert np.isnan(needs(np.empty((0, 2, 4)), [1, 2]).score).all()


@given(SEEDS, st.integers(0, 7))
def test_steps_are_below_the_target_one_level_up_and_the_best_products(seed: int, count: int) -> None:
    each, targets = group(seed, learners=1)
    found = next_steps(each[0], targets, count)
    expected = []
    for column, target in enumerate(targets):
        p = each[0, column]
        if not np.isnan(p).any() and (now := int(level(p).level)) < target:
            missing = slow.need([p.tolist()], int(target))[0]
            expected.append((-round(missing * p[now + 1 :].sum(), 9), column, now + 1, missing, p[now + 1 :].sum()))
    expected = sorted(expected)[:count]
    real = found.competence != NONE
    assert found.competence.shape == (min(count, 5),)
    assert found.competence[real].tolist() == [row[1] for row in expected]
    assert found.level[real].tolist() == [row[2] for row in expected]
    np.testing.assert_allclose(found.missing[real], [row[3] for row in expected], atol=1e-12)
    np.testing.assert_allclose(found.reach[real], [row[4] for row in expected], atol=1e-12)
    np.testing.assert_allclose(found.score[real], found.missing[real] * found.reach[real], atol=1e-12)
    assert (found.reach[real] < 0.5).all()
    assert not real[len(expected) :].any()
    assert np.isnan(found.score[~real]).all()
    assert (found.level[~real] == NONE).all()


def test_what_is_at_hand_comes_before_what_is_far() -> None:
    near, far = [0.6, 0.4, 0.0, 0.0], [0.98, 0.02, 0.0, 0.0]
    assert next_steps([far, near], [2, 2]).competence.tolist() == [1, 0]
    assert needs([far, near], [2, 2]).order.tolist() == [0, 1], "though the need of the other is greater"


def test_learners_side_by_side_get_their_own_steps() -> None:
    each, targets = group(4)
    many = next_steps(each, targets, 2)
    for place in range(6):
        for field, alone in zip(many, next_steps(each[place], targets, 2), strict=True):
            np.testing.assert_array_equal(field[place], alone)


@pytest.mark.parametrize("targets", [[1], [1, 5], [1, -2], [1.0, 2.0], 1])
def test_targets_that_cannot_be_are_refused(targets: object) -> None:
    for function in (needs, next_steps):
        with pytest.raises(DesignError, match=r"[Tt]arget"):
            function(np.full((2, 4), 0.25), targets)  # type: ignore[arg-type]


def test_a_number_of_steps_that_cannot_be_is_refused() -> None:
    with pytest.raises(DesignError, match="0 or more"):
        next_steps(np.full((2, 4), 0.25), [1, 2], -1)
