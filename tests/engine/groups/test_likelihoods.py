import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DesignError
from engine.groups.likelihoods import normal_likelihood
from tests.reference.groups import posterior_of


@given(st.floats(-4.0, 4.0), st.floats(0.01, 100.0))
def test_the_measurement_comes_back_from_its_posterior(value: float, variance: float) -> None:
    found = normal_likelihood(*posterior_of(value, variance))
    assert found.precision == pytest.approx(1.0 / variance, rel=1e-9)
    assert found.weighted == pytest.approx(value / variance, rel=1e-9, abs=1e-12)


def test_what_says_nothing_is_nothing_and_what_is_unknown_stays_unknown() -> None:
    found = normal_likelihood([0.3, 0.3, 0.3, np.nan, 0.3], [1.0, 1.2, 1.0 - 1e-9, 0.5, np.nan])
    np.testing.assert_array_equal(found.precision, [0.0, 0.0, 0.0, np.nan, np.nan])
    np.testing.assert_array_equal(found.weighted, [0.0, 0.0, 0.0, np.nan, np.nan])


def test_of_many_are_those_of_each() -> None:
    mean, sd = np.random.default_rng(1).normal(size=(3, 4)), np.random.default_rng(2).uniform(0.2, 1.3, (3, 4))
    many = normal_likelihood(mean, sd)
    for index in np.ndindex(3, 4):
        one = normal_likelihood(mean[index], sd[index])
        assert (many.precision[index], many.weighted[index]) == (one.precision, one.weighted)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.0), (0.0, -1.0), (np.inf, 0.5), (0.0, np.inf)])
def test_what_cannot_be_is_refused(mean: float, sd: float) -> None:
    with pytest.raises(DesignError, match="positive"):
        normal_likelihood([0.0, mean], [0.5, sd])
