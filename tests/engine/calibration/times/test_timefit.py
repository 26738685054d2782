import math

import numpy as np
import pytest
from scipy.stats import kstest

from engine.calibration.times.calibrate_times import calibrate_times
from engine.calibration.times.fit import fit, residuals
from engine.timing import prior, update
from tests.reference.seconds import simulated


@pytest.mark.parametrize("measured", [1.0, 0.4])
def test_a_residual_is_the_surprise_at_what_the_other_times_foretell(measured: float) -> None:
    seconds, _, _ = simulated(12, 50, 4, measured)
    found = calibrate_times(seconds, fewest=10)
    table = residuals(seconds, found)
    assert (np.isnan(table) == np.isnan(seconds)).all()
    for row, item in np.argwhere(np.isfinite(seconds)):
        speed = prior(found.speed_sd)
        for other in range(4):
            if other != item:
                speed = update(speed, found.intensity[other], found.discrimination[other], seconds[row, other])
        middle = found.intensity[item] - speed[1] / speed[0]
        spread = math.sqrt(found.discrimination[item] ** -2 + 1 / speed[0])
        assert table[row, item] == pytest.approx((math.log(seconds[row, item]) - middle) / spread, abs=1e-9)


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    seconds, _, _ = simulated(13, 80, 5, 0.6)
    found = calibrate_times(seconds)
    table, checked = residuals(seconds, found), fit(seconds, found)
    for item in range(5):
        kept = table[np.isfinite(table[:, item]), item]
        assert checked.distance[item] == pytest.approx(kstest(kept, "norm").statistic, abs=1e-12)
        assert checked.spread[item] == pytest.approx(kept.std(), abs=1e-12)
        assert checked.counts[item] == kept.size


def test_times_of_the_model_fit_and_others_do_not() -> None:
    """Of 400 items of the model about 5 % and 1 % are beyond the bounds; the three bad ones are."""
    shapes, slopes = [], []
    for seed in range(10):
        seconds, _, _ = simulated(seed, 500, 40, 0.5)
        checked = fit(seconds, calibrate_times(seconds))
        shapes.append(checked.shape)
        slopes.append(checked.slope)
    assert np.mean(np.array(shapes) > 0.895) == pytest.approx(0.05, abs=0.035)
    assert np.mean(np.array(shapes) > 1.035) < 0.03
    assert np.std(slopes) == pytest.approx(1.0, abs=0.12)
    rng = np.random.default_rng(1)
    seconds, _, _ = simulated(1, 500, 40)
    seconds[:, 0] = np.exp(4.0 + rng.exponential(1.0, 500))
    seconds[:, 1] = np.where(rng.uniform(size=500) < 0.3, 2.0, seconds[:, 1])
    found = calibrate_times(seconds)
    slowness = -found.speed[:, 1] / found.speed[:, 0]
    seconds[:, 2] = np.exp(4.0 + 2.0 * slowness + rng.normal(0.0, 0.4, 500))
    seconds[:, 3] = np.exp(4.0 + rng.normal(0.0, 0.4, 500))
    checked = fit(seconds, calibrate_times(seconds))
    assert (checked.shape[:2] > 1.035).all()
    assert checked.slope[2] > 4
    assert checked.slope[3] < -4


def test_items_without_parameters_have_no_residuals() -> None:
    seconds, _, _ = simulated(14, 60, 4)
    seconds[5:, 2] = np.nan
    found = calibrate_times(seconds)
    assert np.isnan(residuals(seconds, found)[:, 2]).all()
    checked = fit(seconds, found)
    assert np.isnan(checked.distance[2])
    assert checked.counts.tolist() == [60, 60, 0, 60]
    nobody = fit(np.full((3, 4), np.nan), found)
    assert np.isnan(nobody.spread).all()
