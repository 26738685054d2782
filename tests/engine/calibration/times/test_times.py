import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from engine.calibration.times.calibrate_times import TimeCalibration, TimeStatus, calibrate_times
from engine.calibration.times.fit import fit, residuals
from engine.calibration.times.likelihood import Times, information, value_and_gradient
from engine.errors import DesignError, ResponseError
from engine.timing import prior, update
from tests.reference.data import real_data
from tests.reference.seconds import dense_log_likelihood, simulated


def at(found: TimeCalibration, seconds: np.ndarray) -> float:
    rows = found.calibrated
    return dense_log_likelihood(seconds[:, rows], found.intensity[rows], found.discrimination[rows], found.speed_sd)


@pytest.mark.parametrize("measured", [1.0, 0.3])
def test_the_likelihood_is_that_of_the_multivariate_normal(measured: float) -> None:
    seconds, intensity, discrimination = simulated(1, 40, 6, measured)
    times = Times.of(seconds)
    point = np.concatenate([intensity - times.centre, np.log(discrimination), [math.log(0.7)]])
    exact = dense_log_likelihood(seconds, intensity, discrimination, 0.7)
    assert value_and_gradient(times, point)[0] == pytest.approx(exact, rel=1e-12)


def central(function: object, point: np.ndarray, step: float = 1e-5) -> np.ndarray:
    moves = step * np.eye(point.size)
    return np.array([(function(point + m) - function(point - m)) / (2 * step) for m in moves])


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from([1.0, 0.4, 0.05]))
def test_gradient_and_information_are_the_derivatives(seed: int, measured: float) -> None:
    seconds, _, _ = simulated(seed, 200, 4, measured)
    times = Times.of(seconds)
    point = np.random.default_rng(seed).normal(0.0, 0.3, 9)
    gradient = value_and_gradient(times, point)[1]
    by_value = central(lambda p: value_and_gradient(times, p)[0], point)
    np.testing.assert_allclose(gradient, by_value, rtol=1e-6, atol=1e-4)
    by_gradient = -central(lambda p: value_and_gradient(times, p)[1], point)
    np.testing.assert_allclose(information(times, point), by_gradient, rtol=1e-6, atol=1e-5)


def informed(seconds: np.ndarray, intensity: np.ndarray, discrimination: np.ndarray) -> np.ndarray:
    times = Times.of(seconds)
    return information(times, np.concatenate([intensity - times.centre, np.log(discrimination), [math.log(0.5)]]))


def test_the_information_of_many_learners_is_the_sum_of_that_of_their_parts() -> None:
    """The whole is worked on in several blocks, each part in one."""
    seconds, intensity, discrimination = simulated(3, 120_000, 12)
    parts = [informed(part, intensity, discrimination) for part in np.array_split(seconds, 3)]
    np.testing.assert_allclose(informed(seconds, intensity, discrimination), sum(parts), rtol=1e-9, atol=1e-5)


def test_the_information_of_sparse_times_is_that_of_their_dense_parts() -> None:
    """Twenty groups, each timed on two items of its own: sparse products for the whole, dense ones for a group."""
    seconds, intensity, discrimination = simulated(4, 400, 40)
    group = np.arange(400) % 20
    seconds[group[:, None] != np.arange(40) // 2] = np.nan
    whole = informed(seconds, intensity, discrimination)
    by_sd = 0.0
    for number in range(20):
        pair = [2 * number, 2 * number + 1]
        part = informed(seconds[group == number][:, pair], intensity[pair], discrimination[pair])
        rows = np.array([*pair, *(40 + item for item in pair)])
        np.testing.assert_allclose(whole[np.ix_(rows, rows)], part[:4, :4], rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(whole[rows, -1], part[:4, -1], rtol=1e-12, atol=1e-10)
        by_sd += part[-1, -1]
    assert whole[-1, -1] == pytest.approx(by_sd, rel=1e-12)
    assert np.count_nonzero(np.abs(whole) > 1e-12) <= 20 * (16 + 8) + 1


@pytest.mark.parametrize("measured", [1.0, 0.35])
def test_the_estimate_is_the_highest_point_that_a_blind_search_finds(measured: float) -> None:
    seconds, _, _ = simulated(7, 60, 3, measured)
    found = calibrate_times(seconds, fewest=10, gradient=1e-6)

    def downhill(point: np.ndarray) -> float:
        return -dense_log_likelihood(seconds, point[:3], np.exp(point[3:6]), math.exp(point[6]))

    start = np.concatenate([np.full(3, 4.0), np.full(3, 0.5), [-1.0]])
    search = minimize(downhill, start, method="BFGS", options={"gtol": 1e-4})
    np.testing.assert_allclose(found.intensity, search.x[:3], rtol=0, atol=1e-4)
    np.testing.assert_allclose(np.log(found.discrimination), search.x[3:6], rtol=0, atol=1e-4)
    assert math.log(found.speed_sd) == pytest.approx(search.x[6], abs=1e-4)
    assert found.log_likelihood == pytest.approx(-search.fun, abs=1e-6)
    assert found.log_likelihood == pytest.approx(at(found, seconds), rel=1e-12)
    assert found.converged
    assert found.gradient <= 1e-6


def test_standard_errors_are_those_of_the_curvature() -> None:
    seconds, _, _ = simulated(9, 40, 3)
    found = calibrate_times(seconds, gradient=1e-8)
    best = np.concatenate([found.intensity, found.discrimination, [found.speed_sd]])

    def value(point: np.ndarray) -> float:
        return dense_log_likelihood(seconds, point[:3], point[3:6], point[6])

    curvature = central(lambda p: central(value, p, 1e-3), best, 1e-3)
    expected = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    errors = np.concatenate([found.intensity_error, found.discrimination_error, [found.speed_sd_error]])
    np.testing.assert_allclose(errors, expected, rtol=1e-3)


def test_parameters_and_their_intervals_are_recovered_with_92_percent_missing() -> None:
    """Thirty calibrations of 40 items, each of 1,500 learners timed on about three of them."""
    inside, ratios, sds = [], [], []
    for seed in range(30):
        seconds, intensity, discrimination = simulated(seed, 1500, 40, 0.08)
        found = calibrate_times(seconds)
        assert found.converged
        intervals = found.interval(0.9)
        for interval, truth in zip(intervals, (intensity, discrimination), strict=True):
            inside.append((interval[:, 0] <= truth) & (truth <= interval[:, 1]))
        ratios.append((found.intensity - intensity) / found.intensity_error)
        sds.append((found.speed_sd - 0.4) / found.speed_sd_error)
    # 1,200 intervals of each kind, hardly dependent: three standard errors of a share of 0.9 are 0.026
    assert np.mean(inside[0::2]) == pytest.approx(0.9, abs=0.026)
    assert np.mean(inside[1::2]) == pytest.approx(0.9, abs=0.026)
    assert np.std(ratios) == pytest.approx(1.0, abs=0.08)
    assert abs(np.mean(sds)) < 3 / math.sqrt(30)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.floats(0.01, 100.0))
def test_other_units_of_time_only_move_the_intensities(seed: int, unit: float) -> None:
    seconds, _, _ = simulated(seed, 100, 5, 0.7)
    here, there = (calibrate_times(table, gradient=1e-6) for table in (seconds, unit * seconds))
    np.testing.assert_allclose(there.intensity, here.intensity + math.log(unit), rtol=0, atol=1e-5)
    np.testing.assert_allclose(there.discrimination, here.discrimination, rtol=1e-5)
    assert there.log_likelihood == pytest.approx(here.log_likelihood, abs=1e-6)


def test_the_order_of_learners_and_items_does_not_matter() -> None:
    seconds, _, _ = simulated(2, 200, 8, 0.5)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(200), rng.permutation(8)
    here, there = calibrate_times(seconds, gradient=1e-7), calibrate_times(seconds[rows][:, columns], gradient=1e-7)
    np.testing.assert_allclose(there.intensity, here.intensity[columns], rtol=0, atol=1e-6)
    np.testing.assert_allclose(there.intensity_error, here.intensity_error[columns], rtol=1e-5)
    np.testing.assert_allclose(there.speed, here.speed[rows], rtol=0, atol=1e-4)


def test_speed_is_what_engine_timing_learns_from_the_same_times() -> None:
    seconds, _, _ = simulated(4, 60, 5, 0.6)
    seconds[0] = np.nan
    found = calibrate_times(seconds)
    for row, times in enumerate(seconds):
        speed = prior(found.speed_sd)
        for item, spent in enumerate(times):
            speed = update(speed, found.intensity[item], found.discrimination[item], spent)
        np.testing.assert_allclose(found.speed[row], speed, rtol=1e-9, atol=1e-9)


def test_what_was_not_measured_does_not_count() -> None:
    seconds, _, _ = simulated(5, 100, 4)
    seconds[:10, 0], clean = np.nan, seconds
    broken = clean.copy()
    broken[:10, 0] = [0.0, -1.0, math.inf, -math.inf, math.nan, 1.0, 0.5, 2.0, 1.5, 0.1]
    clean = np.where(clean > 2.0, clean, np.nan)
    here, there = calibrate_times(clean), calibrate_times(broken, fastest=2.0)
    assert (here.intensity == there.intensity).all()
    assert here.counts.tolist() == there.counts.tolist()
    assert there.counts[0] == 90


def test_items_that_cannot_be_calibrated_say_why_and_leave_the_others_alone() -> None:
    seconds, _, _ = simulated(6, 100, 4)
    constant, few, none = np.full((100, 1), 30.0), np.full((100, 1), np.nan), np.full((100, 1), np.nan)
    few[:19, 0] = np.arange(1, 20)
    found = calibrate_times(np.hstack([constant, seconds, few, none]))
    alone = calibrate_times(seconds)
    converged = [TimeStatus.CONVERGED] * 4
    assert found.status.tolist() == [TimeStatus.CONSTANT, *converged, TimeStatus.TOO_FEW, TimeStatus.TOO_FEW]
    assert found.counts.tolist() == [100, 100, 100, 100, 100, 19, 0]
    assert (found.intensity[1:5] == alone.intensity).all()
    assert np.isnan(found.intensity[[0, 5, 6]]).all()
    assert np.isnan(found.intensity_error[[0, 5, 6]]).all()
    assert found.calibrated.tolist() == [1, 2, 3, 4]
    assert (found.speed == alone.speed).all()


def test_a_population_of_one_speed_is_at_the_bound() -> None:
    """Two items whose times vary against each other: no spread of speed is best."""
    rng = np.random.default_rng(8)
    noise = rng.normal(0.0, 0.3, 300)
    found = calibrate_times(np.exp(np.column_stack([4.0 + noise, 4.0 - noise + rng.normal(0.0, 0.1, 300)])))
    assert found.speed_sd == pytest.approx(1e-3)
    assert math.isnan(found.speed_sd_error)
    assert found.converged
    assert np.isfinite(found.intensity_error).all()


def test_an_item_that_only_speed_decides_is_at_the_bound() -> None:
    """No noise of its own, and the others vary against each other: its discrimination has no highest point."""
    rng = np.random.default_rng(8)
    speed = rng.normal(0.0, 0.5, 300)
    noise = rng.normal(0.0, 0.5, 300)
    logs = [4.0 - speed, 4.0 - speed + noise, 4.0 - speed - noise + rng.normal(0.0, 0.1, 300)]
    found = calibrate_times(np.exp(np.column_stack(logs)))
    assert found.status[0] == TimeStatus.AT_BOUND
    assert math.isnan(found.discrimination_error[0])
    assert (found.status[1:] == TimeStatus.CONVERGED).all()
    assert np.isfinite(found.discrimination_error[1:]).all()


def test_one_time_for_each_learner_tells_neither_speed_nor_noise() -> None:
    """Only the sum of the two variances is known: there are no standard errors, rather than wrong ones."""
    seconds, _, _ = simulated(10, 400, 4)
    seconds[np.arange(4) != (np.arange(400) % 4)[:, None]] = np.nan
    found = calibrate_times(seconds)
    assert np.isnan(found.discrimination_error).all()
    assert math.isnan(found.speed_sd_error)


def test_a_search_cut_short_says_so() -> None:
    seconds, _, _ = simulated(11, 200, 6, 0.5)
    found = calibrate_times(seconds, most_iterations=1, gradient=1e-6)
    assert not found.converged
    assert found.iterations == 1
    assert (found.status == TimeStatus.NOT_CONVERGED).all()


def test_what_is_not_a_table_of_times_is_refused() -> None:
    seconds, _, _ = simulated(15, 60, 4)
    found = calibrate_times(seconds)
    for wrong in (seconds[0], np.array([["30", "40"]])):
        with pytest.raises(ResponseError, match="table of seconds"):
            calibrate_times(wrong)
    with pytest.raises(ResponseError, match="No item has 20 response times"):
        calibrate_times(seconds[:10])
    with pytest.raises(ResponseError, match="times of 3 items and parameters of 4"):
        residuals(seconds[:, :3], found)
    for setting in ({"fewest": 1}, {"gradient": 0.0}, {"fastest": math.nan}, {"most_iterations": 0}):
        with pytest.raises(DesignError, match="Response times need"):
            calibrate_times(seconds, **setting)
    with pytest.raises(DesignError, match="between 0 and 1"):
        found.interval(1.0)


@pytest.fixture(scope="module")
def credential() -> np.ndarray:
    """Seconds of 1,636 candidates on the 200 items of a licensure examination."""
    return np.genfromtxt(real_data("credential_rt"), delimiter=",", skip_header=1)


def test_a_licensure_examination_converges_and_fits(credential: np.ndarray) -> None:
    found = calibrate_times(credential)
    assert found.converged
    assert found.gradient < 1e-4
    assert (found.status == TimeStatus.CONVERGED).all()
    assert (found.counts == (np.nan_to_num(credential) > 0).sum(axis=0)).all(), "109 times of 0 were not measured"
    assert np.nanstd(residuals(credential, found)) == pytest.approx(1.0, abs=0.01)
    assert fit(credential, found).spread == pytest.approx(np.ones(200), abs=0.02)


def test_a_licensure_examination_has_the_correlations_that_its_parameters_imply(credential: np.ndarray) -> None:
    found = calibrate_times(credential)
    with np.errstate(divide="ignore"):
        logs = np.ma.masked_invalid(np.log(np.where(credential > 0, credential, np.nan)))
    observed = np.ma.corrcoef(logs, rowvar=False).filled(np.nan)
    variance = found.speed_sd**2 + found.discrimination**-2.0
    implied = found.speed_sd**2 / np.sqrt(np.outer(variance, variance))
    pairs = np.isfinite(observed) & ~np.eye(200, dtype=np.bool_)
    assert implied[pairs].mean() == pytest.approx(observed[pairs].mean(), abs=0.01)
    np.testing.assert_allclose(variance, np.asarray(logs.var(axis=0)), rtol=0.15)
    middle = found.intensity - np.asarray(logs.mean(axis=0))
    assert np.abs(middle).max() < 0.1


def test_a_part_of_a_licensure_examination_is_at_the_top_of_the_dense_likelihood(credential: np.ndarray) -> None:
    part = credential[:300:2, 160:172]
    found = calibrate_times(part, fewest=10)
    rows, top = found.calibrated, at(found, part)
    assert found.log_likelihood == pytest.approx(top, rel=1e-12)
    for item in rows[::3]:
        for field, error in (("intensity", found.intensity_error), ("discrimination", found.discrimination_error)):
            for side in (-0.3, 0.3):
                moved = {name: getattr(found, name).copy() for name in ("intensity", "discrimination")}
                moved[field][item] += side * error[item]
                lower = dense_log_likelihood(
                    part[:, rows], moved["intensity"][rows], moved["discrimination"][rows], found.speed_sd
                )
                assert 0.01 < top - lower < 0.5
    for side in (-0.3, 0.3):
        sd = found.speed_sd + side * found.speed_sd_error
        assert dense_log_likelihood(part[:, rows], found.intensity[rows], found.discrimination[rows], sd) < top
