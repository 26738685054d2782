import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import lognorm

from engine.errors import DesignError
from engine.timing import expected_seconds, mean_speed, prior, seconds_quantile, update
from tests.reference import slow

TIMES = st.tuples(st.floats(1.0, 6.0), st.floats(0.3, 4.0), st.floats(0.5, 2000.0))


def learn(speed: np.ndarray, times: list[tuple[float, float, float]]) -> np.ndarray:
    for intensity, discrimination, seconds in times:
        speed = update(speed, intensity, discrimination, seconds)
    return speed


def test_the_update_is_bayes_rule() -> None:
    times = [(4.0, 2.0, 30.0), (3.5, 1.5, 60.0), (4.5, 2.5, 45.0)]

    def posterior(tau: float) -> float:
        density = slow.normal(0.0, 0.4)(tau)
        for intensity, discrimination, seconds in times:
            density *= slow.normal(intensity - tau, 1 / discrimination)(math.log(seconds))
        return density

    mass = slow.integral(posterior, -5, 5)
    mean = slow.integral(lambda t: t * posterior(t), -5, 5) / mass
    variance = slow.integral(lambda t: (t - mean) ** 2 * posterior(t), -5, 5) / mass
    speed = learn(prior(0.4), times)
    assert mean_speed(speed) == pytest.approx(mean, abs=1e-10)
    assert 1 / speed[0] == pytest.approx(variance, abs=1e-10)


@given(st.lists(TIMES, min_size=2, max_size=6), st.randoms())
def test_the_order_of_the_answers_does_not_matter(times: list, random: object) -> None:
    shuffled = list(times)
    random.shuffle(shuffled)
    np.testing.assert_allclose(learn(prior(0.4), times), learn(prior(0.4), shuffled), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seconds", [0.0, -3.0, math.nan, math.inf, -math.inf])
def test_a_time_that_was_not_measured_teaches_nothing(seconds: float) -> None:
    speed = update(prior(0.4), 4.0, 2.0, 30.0)
    assert (update(speed, 4.0, 2.0, seconds) == speed).all()


def test_the_state_before_is_not_changed() -> None:
    speed = prior(0.4)
    update(speed, 4.0, 2.0, 30.0)
    assert speed.tolist() == [pytest.approx(6.25), 0.0]


@given(st.lists(TIMES, min_size=1, max_size=6), st.tuples(st.floats(1.0, 6.0), st.floats(0.3, 4.0)))
def test_many_are_each_alone(times: list, other: tuple[float, float]) -> None:
    intensity, discrimination, seconds = (np.array(column) for column in zip(*times, strict=True))
    many = update(prior(0.4, intensity.shape), intensity, discrimination, seconds)
    table = np.array([intensity[0], other[0]]), np.array([discrimination[0], other[1]])
    forecast, late = expected_seconds(*table, many), seconds_quantile(*table, many, 0.9)
    assert forecast.shape == late.shape == (intensity.size, 2)
    for row in range(intensity.size):
        alone = update(prior(0.4), intensity[row], discrimination[row], seconds[row])
        assert (many[row] == alone).all()
        np.testing.assert_allclose(forecast[row], expected_seconds(*table, alone), rtol=1e-13)
        np.testing.assert_allclose(late[row], seconds_quantile(*table, alone, 0.9), rtol=1e-13)


def test_forecasts_are_those_of_the_log_normal_predictive() -> None:
    speed = learn(prior(0.4), [(4.0, 2.0, 30.0), (3.5, 1.5, 20.0)])
    spread = math.sqrt(1 / 1.8**2 + 1 / speed[0])
    exact = lognorm(s=spread, scale=math.exp(4.2 - mean_speed(speed)))
    assert expected_seconds([4.2], [1.8], speed)[0] == pytest.approx(exact.mean(), rel=1e-12)
    for q in (0.05, 0.5, 0.95):
        assert seconds_quantile([4.2], [1.8], speed, q)[0] == pytest.approx(exact.ppf(q), rel=1e-12)


def test_a_fast_learner_is_expected_to_need_less() -> None:
    fast = update(prior(0.4), np.log(60.0), 2.0, 20.0)
    assert mean_speed(fast) > 0
    assert expected_seconds([4.0], [2.0], fast)[0] < expected_seconds([4.0], [2.0], prior(0.4))[0]


@pytest.mark.parametrize("sd", [0.0, -1.0, math.nan, math.inf])
def test_a_spread_that_is_not_positive_is_refused(sd: float) -> None:
    with pytest.raises(DesignError, match="standard deviation of speed"):
        prior(sd)
