import numpy as np
import pytest

from engine.levels import level
from engine.profile import Knowledge
from engine.responses import NONE, NOT_REACHED, SKIPPED
from engine.stopping import MaxLength, Reason
from simulations.behaviours import ModelTrue, Skipping
from simulations.learners import draw
from simulations.measures import confusion, informed, measure
from simulations.precision import conditional
from simulations.run import Result, simulate
from simulations.use import exposure_rates, mean_overlap
from tests.simulations.examples import plain_bank, single, tree

ITEMS = np.array([[0, 1, 2], [0, 3, NONE], [0, 1, 3]])


def hand_made():
    """Three simulees, one competence, figures that can be checked by hand."""
    ability = np.array([-1.0, 0.0, 2.0])
    mean = np.array([-0.5, 0.0, 1.0])
    ends = np.array([[-1.5, -0.9, 0.0, 0.5], [-1.0, -0.5, 0.5, 1.0], [0.2, 0.3, 1.5, 1.9]])
    levels = np.array([[0.6, 0.4, 0.0, 0.0], [0.1, 0.3, 0.6, 0.0], [0.0, 0.2, 0.5, 0.3]])
    return Result(
        seeds=np.arange(3),
        abilities=ability[:, None],
        items=ITEMS,
        responses=np.array([[1, 0, SKIPPED], [1, 1, NOT_REACHED], [1, 1, 1]]),
        seconds=np.array([[10.0, 20.0, 30.0], [10.0, 10.0, np.nan], [5.0, 5.0, 5.0]]),
        length=np.array([3, 2, 3]),
        reason=np.full(3, int(Reason.MAX_LENGTH)),
        mean=mean[:, None],
        sd=np.array([[0.5], [0.4], [0.7]]),
        quantiles=ends[:, None],
        levels=levels[:, None],
        duration=1.0,
    )


@pytest.fixture
def measures():
    return measure(*single(plain_bank(5)), hand_made())


def test_precision_by_hand(measures):
    found = measures.precision
    assert found.bias == pytest.approx((0.5 + 0.0 - 1.0) / 3)
    assert found.rmse == pytest.approx(np.sqrt(1.25 / 3))
    assert found.mean_se == pytest.approx(1.6 / 3)
    assert found.correlation == pytest.approx(np.corrcoef([-1.0, 0.0, 2.0], [-0.5, 0.0, 1.0])[0, 1])
    assert found.coverage_90 == pytest.approx(1 / 3)
    assert found.coverage_95 == pytest.approx(2 / 3)


def test_levels_by_hand(measures):
    assert measures.true_levels[:, 0].tolist() == [1, 2, 3]
    assert measures.levels[:, 0].tolist() == [0, 2, 2]
    assert measures.precision.level_exact == pytest.approx(1 / 3)
    assert measures.precision.level_within_one == 1.0
    expected = np.zeros((4, 4), dtype=int)
    expected[[1, 2, 3], [0, 2, 2]] = 1
    assert np.array_equal(measures.confusion[0], expected)


def test_knowledge_by_hand(measures):
    assert measures.knowledge[:, 0].tolist() == [Knowledge.MEASURED, Knowledge.MEASURED, Knowledge.ESTIMATED]
    assert measures.precision.measured == pytest.approx(2 / 3)
    assert measures.precision.estimated == pytest.approx(1 / 3)


def test_use_by_hand(measures):
    use = measures.use
    assert use.mean_length == pytest.approx(8 / 3)
    assert measures.exposure.tolist() == pytest.approx([1.0, 2 / 3, 1 / 3, 2 / 3, 0.0])
    assert use.max_exposure == 1.0
    assert use.pool_used == pytest.approx(0.8)
    assert use.success == pytest.approx(6 / 8)
    assert use.skipped == pytest.approx(1 / 8)
    assert use.mean_seconds == pytest.approx((60.0 + 20.0 + 15.0) / 3)


def test_overlap_is_that_of_all_pairs():
    runs = [set(run[run != NONE].tolist()) for run in ITEMS]
    pairs = [len(runs[i] & runs[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert mean_overlap(ITEMS, 5) == pytest.approx(np.mean(pairs) / (8 / 3))


def test_overlap_of_one_run_cannot_be_said():
    assert np.isnan(mean_overlap(ITEMS[:1], 5))


def test_exposure_counts_items_of_no_run_as_zero():
    assert exposure_rates(np.full((2, 1), NONE), 2).tolist() == [0.0, 0.0]


def test_conditional_by_hand():
    bins = conditional(hand_made(), [0], edges=(-0.5, 1.0))
    assert bins.count.tolist() == [1, 1, 1]
    assert bins.ability.tolist() == [-1.0, 0.0, 2.0]
    assert bins.bias.tolist() == [0.5, 0.0, -1.0]
    assert bins.rmse.tolist() == [0.5, 0.0, 1.0]
    assert bins.mean_se.tolist() == [0.5, 0.4, 0.7]
    assert bins.coverage_95.tolist() == [1.0, 1.0, 0.0]


def test_empty_bins_hold_no_number():
    bins = conditional(hand_made(), [0], edges=(-3.0, 3.0))
    assert bins.count.tolist() == [0, 3, 0]
    assert np.isnan(bins.rmse[[0, 2]]).all()


def test_confusion_keeps_every_simulee():
    true, found = np.array([0, 3, 3, 1]), np.array([0, 3, 2, 1])
    counts = confusion(true, found, 4)
    assert counts.sum() == 4
    assert counts[3].tolist() == [0, 0, 1, 1]


def test_competences_make_up_the_whole():
    design, table = tree()
    result = simulate(design, table, draw(design.latent, 200, seed=1), (ModelTrue(), Skipping(0.4)))
    measures = measure(design, table, result)
    precisions, uses = zip(*measures.by_competence, strict=True)
    assert measures.precision.rmse**2 == pytest.approx(np.mean([p.rmse**2 for p in precisions]))
    assert measures.precision.coverage_90 == pytest.approx(np.mean([p.coverage_90 for p in precisions]))
    assert measures.use.mean_length == pytest.approx(sum(u.mean_length for u in uses))
    assert measures.use.max_exposure == max(u.max_exposure for u in uses)
    assert measures.exposure.sum() == pytest.approx(measures.use.mean_length)
    assert measures.confusion.sum() == 4 * 200
    assert np.array_equal(measures.levels, level(result.levels).level)


def test_ignored_skips_inform_of_nothing():
    behaviours = (ModelTrue(), Skipping(1.0, spread=0.0))
    counts = []
    for policy in ("unknown", "ignored"):
        design, table = single(plain_bank(), skip=policy, stop=MaxLength(1))
        result = simulate(design, table, draw(design.latent, 200, seed=1), behaviours)
        counts.append(informed(design, table, result).sum())
    assert counts[0] == 200
    assert counts[1] == (result.responses != SKIPPED).sum() < 200


def test_intervals_cover_what_they_say():
    design, table = tree(16)
    measures = measure(design, table, simulate(design, table, draw(design.latent, 2000, seed=6)))
    assert 0.885 < measures.precision.coverage_90 < 0.915
    assert 0.94 < measures.precision.coverage_95 < 0.96
    assert abs(measures.precision.bias) < 0.03
    assert abs(measures.precision.rmse / measures.precision.mean_se - 1.0) < 0.05
