import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DesignError
from engine.groups.change import Verdict, change, progress
from engine.groups.likelihoods import normal_likelihood
from tests.reference import groups as slow

MEANS = st.floats(-2.0, 2.0)
SDS = st.floats(0.15, 0.95)
STABILITIES = st.floats(0.0, 0.95)
Posteriors = tuple[np.ndarray, np.ndarray]


def measured(rng: np.random.Generator, ability: np.ndarray, variance: float) -> Posteriors:
    """Posteriors of abilities that are measured with an error of this variance."""
    square = variance / (1.0 + variance)
    value = ability + rng.normal(0.0, np.sqrt(variance), ability.shape)
    return square * value / variance, np.full(ability.shape, np.sqrt(square))


@pytest.mark.parametrize("stability", [0.0, 0.5, 0.8, 0.95])
@pytest.mark.parametrize(
    ("before", "after"),
    [((0.0, 0.5), (0.6, 0.5)), ((-1.2, 0.3), (0.1, 0.6)), ((1.5, 0.9), (1.0, 0.2)), ((0.4, 0.35), (-0.8, 0.3))],
)
def test_it_is_the_sum_over_every_pair_of_abilities(
    before: tuple[float, float], after: tuple[float, float], stability: float
) -> None:
    mean, sd, rose = slow.change(before, after, stability)
    found = change(*before, *after, stability)
    assert found.mean == pytest.approx(mean, abs=1e-5)
    assert found.sd == pytest.approx(sd, abs=1e-4)
    assert found.rose == pytest.approx(rose, abs=1e-4)


@given(MEANS, SDS, MEANS, SDS, STABILITIES)
def test_it_is_the_inverse_of_the_matrix_of_precisions(m: float, s: float, n: float, t: float, r: float) -> None:
    one, two = normal_likelihood(m, s), normal_likelihood(n, t)
    covariance = np.linalg.inv(np.linalg.inv([[1.0, r], [r, 1.0]]) + np.diag([one.precision, two.precision]))
    rise = np.array([-1.0, 1.0])
    found = change(m, s, n, t, r)
    assert found.mean == pytest.approx(rise @ covariance @ [one.weighted, two.weighted], abs=1e-9)
    assert found.sd == pytest.approx(np.sqrt(rise @ covariance @ rise), rel=1e-7)


@given(MEANS, SDS, MEANS, SDS, STABILITIES)
def test_backwards_and_upside_down_it_is_the_opposite(m: float, s: float, n: float, t: float, r: float) -> None:
    straight, backwards, mirrored = change(m, s, n, t, r), change(n, t, m, s, r), change(-m, s, -n, t, r)
    for other in (backwards, mirrored):
        assert other.mean == pytest.approx(-straight.mean, abs=1e-12)
        assert other.sd == pytest.approx(straight.sd)
        assert other.rose == pytest.approx(1.0 - straight.rose, abs=1e-12)
        assert other.verdict == -straight.verdict


@given(MEANS, SDS, MEANS, SDS, STABILITIES)
def test_the_verdict_is_that_of_the_interval(m: float, s: float, n: float, t: float, r: float) -> None:
    found = change(m, s, n, t, r, 0.8)
    assert found.lower < found.mean < found.upper
    assert (found.verdict == Verdict.ROSE) == (found.lower > 0.0)
    assert (found.verdict == Verdict.FELL) == (found.upper < 0.0)
    assert (found.rose > 0.9) == (found.verdict == Verdict.ROSE)


@given(MEANS, SDS, MEANS, SDS)
def test_the_more_stable_abilities_are_the_less_a_change_is_believed(m: float, s: float, n: float, t: float) -> None:
    loose, firm = change(m, s, n, t, 0.5), change(m, s, n, t, 0.95)
    assert firm.sd < loose.sd
    assert change(m, s, n, t, 1.0 - 1e-9).sd < 1e-3
    assert change(m, s, n, t, 1.0 - 1e-9).mean == pytest.approx(0.0, abs=1e-3)


def test_well_measured_it_is_the_reliable_change_index() -> None:
    """With nearly no error the prior says nothing, and the index of Jacobson and Truax is left."""
    sd = 0.02
    found = change(0.3, sd, 0.35, sd)
    raw, error = 0.05, np.sqrt(2.0 * sd**2)
    assert found.mean / found.sd == pytest.approx(raw / error, rel=0.01)


def test_campaigns_that_say_nothing_leave_the_prior() -> None:
    found = change(0.0, 1.0, 0.0, 1.0, 0.8)
    assert [float(found.mean), float(found.rose)] == [0.0, 0.5]
    assert found.sd == pytest.approx(np.sqrt(2 * (1 - 0.8)))


def test_an_unknown_campaign_is_an_unknown_change() -> None:
    found = change([0.1, np.nan, 0.3], [0.4, 0.4, np.nan], [0.5, 0.5, 0.5], 0.4)
    assert np.isnan([field[1:] for field in found[:5]]).all()
    assert np.isfinite([field[0] for field in found[:5]]).all()
    assert found.verdict.tolist()[1:] == [Verdict.NOISE, Verdict.NOISE]
    assert found.verdict.dtype == np.int64


def test_many_are_as_each_alone() -> None:
    rng = np.random.default_rng(1)
    mean, sd = rng.normal(size=(2, 5, 16)), rng.uniform(0.2, 0.9, (2, 5, 16))
    many = change(mean[0], sd[0], mean[1], sd[1])
    for index in np.ndindex(5, 16):
        alone = change(mean[0][index], sd[0][index], mean[1][index], sd[1][index])
        assert [field[index] for field in many] == [field[()] for field in alone]


@pytest.mark.parametrize("variances", [(0.2, 0.2), (0.1, 1.0), (1.5, 0.3), (0.05, 0.05)])
def test_where_nothing_changed_few_verdicts_say_otherwise(variances: tuple[float, float]) -> None:
    """20,000 learners whose abilities stay what they are; at any ability of the middle 95 % too."""
    rng = np.random.default_rng(3)
    ability = rng.normal(size=20000)
    before, after = (measured(rng, ability, variance) for variance in variances)
    told = change(*before, *after).verdict != Verdict.NOISE
    assert told.mean() < 0.1
    for low in np.arange(-2.0, 2.0, 0.5):
        assert told[(ability >= low) & (ability < low + 0.5)].mean() < 0.13


@pytest.mark.parametrize("stability", [0.5, 0.8])
def test_intervals_cover_changes_that_are_as_stable_as_told(stability: float) -> None:
    rng = np.random.default_rng(4)
    first = rng.normal(size=20000)
    second = stability * first + np.sqrt(1.0 - stability**2) * rng.normal(size=20000)
    found = change(*measured(rng, first, 0.3), *measured(rng, second, 0.5), stability)
    truth = second - first
    # 0.007 is three Monte Carlo errors.
    assert np.mean((found.lower <= truth) & (truth <= found.upper)) == pytest.approx(0.9, abs=0.007)
    rose = found.verdict == Verdict.ROSE
    assert np.mean(truth[rose] > 0.0) > 0.95


def test_a_great_rise_is_found() -> None:
    rng = np.random.default_rng(5)
    ability = rng.normal(-0.5, 0.7, 2000)
    found = change(*measured(rng, ability, 0.1), *measured(rng, ability + 1.2, 0.1))
    assert np.mean(found.verdict == Verdict.ROSE) > 0.7
    assert np.mean(found.verdict == Verdict.FELL) < 0.001


@pytest.mark.parametrize("stability", [-0.1, 1.0, np.nan])
def test_a_stability_that_cannot_be_is_refused(stability: float) -> None:
    with pytest.raises(DesignError, match="stability"):
        change(0.0, 0.5, 0.0, 0.5, stability)


def test_progress_covers_the_mean_change() -> None:
    """400 classes of 12, whose learners change by 0.3 on average, each by more or less."""
    inside, rose, means = [], [], []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        ability = rng.normal(size=12)
        before = measured(rng, ability, 0.3)
        found = progress(*before, *measured(rng, ability + rng.normal(0.3, 0.4, 12), 0.4))
        inside.append(found.lower <= 0.3 <= found.upper)
        rose.append(found.rose)
        means.append(found.mean)
    # 0.045 is three Monte Carlo errors.
    assert np.mean(inside) == pytest.approx(0.9, abs=0.045)
    assert np.mean(means) == pytest.approx(0.3, abs=0.05)
    assert np.mean(rose) > 0.75


def test_progress_is_the_mean_of_one_class_of_differences_on_a_fine_grid() -> None:
    rng = np.random.default_rng(6)
    ability = rng.normal(size=9)
    before, after = measured(rng, ability, 0.3), measured(rng, ability + 0.4, 0.8)
    one, two = normal_likelihood(*before), normal_likelihood(*after)
    difference = two.weighted / two.precision - one.weighted / one.precision
    variance = 1.0 / one.precision + 1.0 / two.precision
    exact = slow.ClassMeans(difference, variance, np.zeros(9, dtype=int), 1, (0.5, 1.0), 60)
    found = progress(*before, *after)
    assert found.mean == pytest.approx((exact.weight @ exact.mean).item(), abs=1e-3)
    assert exact.below(0, found.lower) == pytest.approx(0.05, abs=1e-3)
    assert exact.below(0, found.upper) == pytest.approx(0.95, abs=1e-3)
    assert exact.below(0, 0.0) == pytest.approx(1.0 - found.rose, abs=1e-3)


def test_progress_is_of_those_who_are_known_in_both_campaigns() -> None:
    before, after = ([0.1, -0.3, 0.5, 0.0], [0.4] * 4), ([0.3, 0.1, 0.4, 0.2], [0.4] * 4)
    alone = progress(*before, *after)
    assert alone.learners == 4
    more = progress(
        [*before[0], 1.0, np.nan, 0.2],
        [*before[1], 0.4, 0.5, 1.0],
        [*after[0], np.nan, 1.0, 2.0],
        [*after[1], 1, 1, 0.3],
    )
    assert more == alone
    nobody = progress([np.nan], [np.nan], [0.1], [0.4])
    assert nobody.learners == 0
    assert np.isnan(nobody[:5]).all()


def test_learners_in_another_order_are_the_same_group() -> None:
    rng = np.random.default_rng(7)
    mean, sd, place = rng.normal(size=(2, 15)), rng.uniform(0.3, 0.9, (2, 15)), rng.permutation(15)
    straight = progress(mean[0], sd[0], mean[1], sd[1])
    assert progress(mean[0][place], sd[0][place], mean[1][place], sd[1][place]) == pytest.approx(straight, abs=1e-10)


def test_progress_backwards_is_the_opposite() -> None:
    rng = np.random.default_rng(8)
    mean, sd = rng.normal(size=(2, 15)), rng.uniform(0.3, 0.9, (2, 15))
    one, other = progress(mean[0], sd[0], mean[1], sd[1]), progress(mean[1], sd[1], mean[0], sd[0])
    assert (other.mean, other.lower, other.rose) == pytest.approx((-one.mean, -one.upper, 1.0 - one.rose), abs=1e-9)


def test_learners_that_do_not_pair_are_refused() -> None:
    with pytest.raises(DesignError, match="align"):
        progress([0.0, 0.1], [0.5, 0.5], [0.0], [0.5])
    with pytest.raises(DesignError, match="align"):
        progress(0.0, 0.5, 0.0, 0.5)
    with pytest.raises(DesignError, match="scale"):
        progress([0.0], [0.5], [0.0], [0.5], spread_scale=0.0)
