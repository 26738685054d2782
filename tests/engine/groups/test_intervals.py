import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from engine.errors import DesignError
from engine.groups.intervals import mixture_quantile, normal_interval, tail_of

PARTS = st.lists(
    st.tuples(st.floats(0.01, 1.0), st.floats(-3.0, 3.0), st.floats(0.01, 3.0)), min_size=1, max_size=6
).map(np.array)
SHARES = st.floats(0.001, 0.999)


@given(PARTS, SHARES)
def test_a_quantile_of_a_mixture_has_its_share_below(parts: np.ndarray, share: float) -> None:
    weight, mean, sd = parts[:, 0] / parts[:, 0].sum(), parts[:, 1], parts[:, 2]
    found = mixture_quantile(weight, mean[:, None], sd[:, None], share)
    exact = brentq(lambda x: weight @ norm.cdf(x, mean, sd) - share, -20.0, 20.0, xtol=1e-13)
    assert found.item() == pytest.approx(exact, abs=1e-9)


@given(SHARES)
def test_mixtures_side_by_side_are_as_each_alone(share: float) -> None:
    rng = np.random.default_rng(1)
    weight, mean, sd = rng.dirichlet(np.ones(5)), rng.normal(size=(5, 3)), rng.uniform(0.1, 2.0, (5, 3))
    many = mixture_quantile(weight, mean, sd, share)
    for place in range(3):
        alone = mixture_quantile(weight, mean[:, place, None], sd[:, place, None], share)
        assert many[place] == pytest.approx(alone.item(), abs=1e-10)


@given(st.floats(-3.0, 3.0), st.floats(0.01, 5.0), st.floats(0.01, 0.99))
def test_a_normal_interval_is_central(mean: float, sd: float, coverage: float) -> None:
    lower, upper = normal_interval(mean, sd, coverage)
    assert (lower, upper) == pytest.approx(norm.interval(coverage, mean, sd), abs=1e-9)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 90.0, np.nan])
def test_a_coverage_that_cannot_be_is_refused(coverage: float) -> None:
    with pytest.raises(DesignError, match="between 0 and 1"):
        tail_of(coverage)
