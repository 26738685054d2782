import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calibration.dif.multiplicity import FlagRule, benjamini_hochberg, holm
from engine.errors import DesignError

P = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20)
LEVELS = st.floats(0.001, 0.5)


def step_up(p: list[float], level: float) -> list[bool]:
    """Benjamini and Hochberg as they wrote it: reject the k smallest, k the last with p_(k) <= k level / m."""
    ordered = sorted(p)
    last = max((k for k in range(1, len(p) + 1) if ordered[k - 1] * len(p) / k <= level), default=0)
    return [last > 0 and value <= ordered[last - 1] for value in p]


def step_down(p: list[float], level: float) -> list[bool]:
    """Holm as he wrote it: reject from the smallest on while (m - k + 1) p_(k) <= level."""
    ordered, last = sorted(p), 0
    while last < len(p) and ordered[last] * (len(p) - last) <= level:
        last += 1
    return [last > 0 and value <= ordered[last - 1] for value in p]


@given(P, LEVELS)
def test_adjusted_p_values_reject_what_the_procedures_reject(p: list[float], level: float) -> None:
    assert (benjamini_hochberg(p) <= level).tolist() == step_up(p, level)
    assert (holm(p) <= level).tolist() == step_down(p, level)


@given(P)
def test_holm_is_the_stricter_and_what_was_not_tested_does_not_count(p: list[float]) -> None:
    for adjust in (benjamini_hochberg, holm):
        found = adjust(p)
        assert (found >= np.array(p) * (1 - 1e-12)).all()
        assert (found <= 1.0).all()
        assert np.array_equal(adjust([np.nan, *p, np.nan]), np.array([np.nan, *found, np.nan]), equal_nan=True)
    assert (holm(p) >= benjamini_hochberg(p) * (1 - 1e-12)).all()


def test_a_flag_needs_both_significance_and_size() -> None:
    rule = FlagRule()
    assert rule.flagged(np.array([0.01, 0.01, 0.2, np.nan]), np.array([2.0, 0.5, 2.0, np.nan])).tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert FlagRule(adjustment="none").adjusted([0.04, 0.01]).tolist() == [0.04, 0.01]
    assert FlagRule(adjustment="holm").adjusted([0.04, 0.01]).tolist() == [0.04, 0.02]


def test_rules_that_are_none() -> None:
    with pytest.raises(DesignError, match="bonferroni"):
        FlagRule(adjustment="bonferroni")
    for wrong in ({"level": 0.0}, {"level": 1.0}, {"delta": -1.0}, {"area": float("nan")}):
        with pytest.raises(DesignError, match="between 0 and 1"):
            FlagRule(**wrong)
