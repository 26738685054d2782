"""Working parameters: the same curves as the models, and derivatives that differences confirm."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ParameterError
from engine.models import log_probability
from engine.parameters import ItemParameters, Model
from engine.working import existing, from_working, jacobian, slopes, to_working

NODES = np.array([-6.0, -2.3, -0.7, 0.0, 0.4, 1.9, 6.0])
NAMES = ("1PL", "2PL", "3PL", "4PL", "GRM", "GPCM")
FIELDS = ("discrimination", "difficulty", "guessing", "slipping", "thresholds")


@st.composite
def banks(draw: st.DrawFn, names: tuple[str, ...] = NAMES) -> ItemParameters:
    """One to four items of any models."""
    models = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4))
    number = st.floats(-3.0, 3.0)
    rows: list[tuple] = []
    for model in models:
        a = draw(st.floats(0.2, 4.0))
        c = draw(st.floats(0.01, 0.45)) if model in ("3PL", "4PL") else 0.0
        d = draw(st.floats(0.55, 0.99)) if model == "4PL" else 1.0
        steps = None
        if model in ("GRM", "GPCM"):
            gaps = draw(st.lists(st.floats(0.1, 2.0), min_size=1, max_size=4))
            steps = tuple(draw(number) + np.cumsum(gaps))
            if model == "GPCM" and draw(st.booleans()):
                steps = steps[::-1]
        rows.append((a, None if steps else draw(number), c, d, steps))
    return ItemParameters.of(models, *map(list, zip(*rows, strict=True)))


def one_of_each() -> ItemParameters:
    return ItemParameters.of(
        NAMES,
        [0.7, 1.3, 1.8, 1.1, 1.4, 0.9],
        [0.4, -1.0, 0.6, 0.2, None, None],
        [0.0, 0.0, 0.22, 0.15, 0.0, 0.0],
        [1.0, 1.0, 1.0, 0.93, 1.0, 1.0],
        [None, None, None, None, (-1.2, 0.1, 1.3), (0.8, -0.6)],
    )


def differences(f: Callable[[np.ndarray], np.ndarray], working: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Derivatives of f in each column of one row, NaN columns giving 0: by the five-point rule."""
    result = []
    for column in range(working.shape[1]):
        shift = np.zeros(working.shape)
        shift[:, column] = step
        terms = [w * f(working + k * shift) for k, w in ((-2, 1), (-1, -8), (1, 8), (2, -1))]
        result.append(np.where(np.isnan(working[0, column]), 0.0, sum(terms) / (12 * step)))
    return np.array(result)


@settings(max_examples=60)
@given(banks())
def test_there_and_back(bank: ItemParameters) -> None:
    back = from_working(bank.model, to_working(bank))
    assert back.model.tolist() == bank.model.tolist()
    for name in FIELDS:
        before, after = getattr(bank, name), getattr(back, name)
        if name == "thresholds" and before.shape != after.shape:
            assert not np.isfinite(before).any()
            continue
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-12)


def test_one_row_by_hand() -> None:
    working = to_working(one_of_each())
    logit = np.log(0.15 / 0.85)
    assert working.shape == (6, 6)
    np.testing.assert_allclose(working[3], [1.1, -0.22, np.nan, np.nan, logit, np.log(0.93 / 0.07)], rtol=1e-12)
    np.testing.assert_allclose(working[4], [1.4, 1.68, -0.14, -1.82, np.nan, np.nan], rtol=1e-12)
    assert np.isfinite(working).tolist() == existing(one_of_each().model, one_of_each().categories).tolist()


@settings(max_examples=60)
@given(banks())
def test_the_curves_are_those_of_the_models(bank: ItemParameters) -> None:
    found = slopes(bank.model, to_working(bank), NODES).log_p
    expected = log_probability(bank, NODES)
    np.testing.assert_allclose(found[:, : expected.shape[1]], expected, rtol=1e-9, atol=1e-12)
    assert np.isneginf(found[:, expected.shape[1] :]).all()


@settings(max_examples=60)
@given(banks())
def test_derivatives_are_those_of_differences(bank: ItemParameters) -> None:
    for row in range(len(bank)):
        model, working = bank.model[row : row + 1], to_working(bank)[row : row + 1]
        found = slopes(model, working, NODES)
        exists = np.isfinite(found.log_p[0, :, 0])

        def log_p(x: np.ndarray, model: np.ndarray = model, exists: np.ndarray = exists) -> np.ndarray:
            return slopes(model, x, NODES).log_p[0][exists]

        expected = differences(log_p, working)
        np.testing.assert_allclose(found.by_parameter[0].transpose(1, 0, 2)[:, exists], expected, rtol=1e-5, atol=1e-7)
        assert (found.by_parameter[0][~exists] == 0).all()


@settings(max_examples=60)
@given(banks())
def test_probabilities_sum_to_one_so_their_derivatives_sum_to_nothing(bank: ItemParameters) -> None:
    found = slopes(bank.model, to_working(bank), NODES)
    p = np.exp(found.log_p)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.einsum("ikg,ikpg->ipg", p, found.by_parameter), 0.0, atol=1e-11)


@settings(max_examples=40)
@given(banks())
def test_jacobian_is_that_of_differences(bank: ItemParameters) -> None:
    for row in range(len(bank)):
        model, working = bank.model[row : row + 1], to_working(bank)[row : row + 1]

        def reported(x: np.ndarray, model: np.ndarray = model) -> np.ndarray:
            back = from_working(model, x)
            steps = back.thresholds[0] if model[0] in (Model.GRM, Model.GPCM) else back.difficulty
            steps = np.concatenate([steps, np.zeros(x.shape[1] - 3 - steps.size)])
            return np.nan_to_num(np.concatenate([back.discrimination, steps, back.guessing, back.slipping]))

        # a few of the steps of a GRM are near each other: small differences keep their order
        expected = differences(reported, working).T
        np.testing.assert_allclose(jacobian(model, working)[0], expected, rtol=1e-7, atol=1e-8)


def test_asymptotes_of_exactly_0_and_1_keep_everything_finite() -> None:
    bank = ItemParameters.of(["3PL", "4PL", "4PL"], [1.2, 1.1, 0.9], [0.0, 0.5, -0.5], [0.0, 0.0, 0.2], [1.0, 0.9, 1.0])
    working = to_working(bank)
    found = slopes(bank.model, working, NODES)
    np.testing.assert_allclose(found.log_p, log_probability(bank, NODES), rtol=1e-12)
    assert np.isfinite(found.by_parameter).all()
    back = from_working(bank.model, working)
    assert back.guessing.tolist() == [0.0, 0.0, pytest.approx(0.2)]
    assert back.slipping.tolist() == [1.0, pytest.approx(0.9), 1.0]


@pytest.mark.parametrize("name", NAMES)
def test_steep_items_far_away_keep_everything_finite(name: str) -> None:
    polytomous = name in ("GRM", "GPCM")
    bank = ItemParameters.of(
        name,
        [50.0],
        None if polytomous else [5.0],
        [0.2] if name in ("3PL", "4PL") else None,
        [0.95] if name == "4PL" else None,
        [(-5.0, 5.0)] if polytomous else None,
    )
    found = slopes(bank.model, to_working(bank), np.array([-30.0, -6.0, 5.0, 30.0]))
    assert np.isfinite(found.log_p).all()
    assert np.isfinite(found.by_parameter).all()
    np.testing.assert_allclose(np.exp(found.log_p).sum(axis=1), 1.0, rtol=1e-12)


def test_thresholds_that_do_not_increase_are_refused() -> None:
    with pytest.raises(ParameterError, match="do not increase"):
        from_working(np.array([Model.GRM]), np.array([[1.0, -1.0, 1.0, np.nan, np.nan]]))
