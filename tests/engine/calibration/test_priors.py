"""Priors: densities of scipy.stats, derivatives of differences, and words that are read back."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.calibration.priors import (
    KINDS,
    NO_PRIORS,
    USUAL_PRIORS,
    Beta,
    LogitNormal,
    LogNormal,
    Normal,
    Priors,
    log_prior,
    priors_named,
)
from engine.errors import DesignError
from engine.parameters import ItemParameters
from engine.working import to_working
from tests.reference import slow

BANK = ItemParameters.of(
    ["1PL", "2PL", "3PL", "4PL", "GRM", "GPCM"],
    [0.7, 1.3, 1.8, 1.1, 1.4, 0.9],
    [0.4, -1.0, 0.6, 0.2, None, None],
    [0.0, 0.0, 0.22, 0.15, 0.0, 0.0],
    [1.0, 1.0, 1.0, 0.93, 1.0, 1.0],
    [None, None, None, None, (-1.2, 0.1, 1.3), (0.8, -0.6)],
)
EVERY = Priors(LogNormal(0.1, 0.4), Normal(0.3, 1.5), LogitNormal(-1.4, 0.5), Beta(17.0, 5.0))
SPREAD = st.floats(0.2, 3.0)
DENSITIES = st.one_of(
    st.tuples(st.just("lognormal"), st.floats(-2.0, 2.0), SPREAD),
    st.tuples(st.just("normal"), st.floats(-2.0, 2.0), SPREAD),
    st.tuples(st.just("beta"), st.floats(0.5, 30.0), st.floats(0.5, 30.0)),
    st.tuples(st.just("logitnormal"), st.floats(-3.0, 3.0), SPREAD),
)


def log_density(kind: str, one: float, two: float, x: float) -> float:
    """By scipy.stats."""
    if kind == "lognormal":
        return float(stats.lognorm.logpdf(x, s=two, scale=math.exp(one)))
    if kind == "normal":
        return float(stats.norm.logpdf(x, one, two))
    if kind == "beta":
        return float(stats.beta.logpdf(x, one, two))
    return float(stats.norm.logpdf(math.log(x / (1.0 - x)), one, two))


@settings(max_examples=80)
@given(DENSITIES, st.floats(0.05, 0.95))
def test_densities_and_their_derivatives(words: tuple[str, float, float], x: float) -> None:
    kind, one, two = words
    level, slope, bend = (float(part[0]) for part in KINDS[kind](one, two).derivatives(np.array([x])))

    def expected(t: float) -> float:
        return log_density(kind, one, two, t)

    assert level == pytest.approx(expected(x), rel=1e-10, abs=1e-10)
    assert slope == pytest.approx(slow.derivative(expected, x, 1e-4), rel=1e-5, abs=1e-5)
    assert bend == pytest.approx(slow.second_derivative(expected, x, 1e-3), rel=1e-3, abs=1e-3)


def test_the_level_is_a_sum_over_what_each_item_has() -> None:
    working = to_working(BANK)
    level, _, _ = log_prior(EVERY, BANK.model, working, np.ones(working.shape))
    locations = [(0.4,), (-1.0,), (0.6,), (0.2,), (-1.2, 0.1, 1.3), (0.8, -0.6)]
    for row, steps in enumerate(locations):
        expected = log_density("lognormal", 0.1, 0.4, float(BANK.discrimination[row]))
        expected += sum(log_density("normal", 0.3, 1.5, b) for b in steps)
        if row in (2, 3):
            expected += log_density("logitnormal", -1.4, 0.5, float(BANK.guessing[row]))
        if row == 3:
            expected += log_density("beta", 17.0, 5.0, 0.93)
        assert level[row] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    "priors", [EVERY, USUAL_PRIORS, Priors(difficulty=Normal(0.0, 1.0)), Priors(guessing=Beta(5.0, 17.0))]
)
def test_derivatives_in_the_working_parameters(priors: Priors) -> None:
    working = to_working(BANK)
    kept = np.ones(working.shape)
    level, slope, bend = log_prior(priors, BANK.model, working, kept)
    assert np.isfinite(level).all()
    for row in range(len(BANK)):
        model, has = BANK.model[row : row + 1], np.isfinite(working[row])
        assert (slope[row, ~has] == 0).all()
        assert (bend[row, ~has] == 0).all()
        for column in np.flatnonzero(has):

            def along(t: float, row: int = row, column: int = column, model: np.ndarray = model) -> tuple:
                moved = working[row : row + 1].copy()
                moved[0, column] += t
                return log_prior(priors, model, moved, kept[:1])

            expected = slow.derivative(lambda t, along=along: along(t)[0][0], 0.0)
            assert slope[row, column] == pytest.approx(expected, rel=1e-7, abs=1e-7)
            step = 1e-4
            expected = (along(step)[1][0] - along(-step)[1][0]) / (2 * step)
            np.testing.assert_allclose(bend[row, column], expected, rtol=1e-5, atol=1e-5)


def test_what_is_held_has_no_prior() -> None:
    working = to_working(BANK)
    kept = np.ones(working.shape)
    kept[1] = 0.0
    kept[2, 0] = 0.0
    whole = log_prior(EVERY, BANK.model, working, np.ones(working.shape))
    part = log_prior(EVERY, BANK.model, working, kept)
    assert part[0][1] == 0.0
    assert (part[1][1] == 0).all()
    assert (part[2][1] == 0).all()
    assert whole[0][2] - part[0][2] == pytest.approx(log_density("lognormal", 0.1, 0.4, 1.8))
    assert part[1][2, 0] == 0.0
    assert (part[2][2, 0] == 0).all()
    np.testing.assert_array_equal(part[0][3:], whole[0][3:])


def test_there_is_none_unless_asked_for() -> None:
    assert not NO_PRIORS
    assert not Priors()
    assert Priors(slipping=Beta())
    working = to_working(BANK)
    for part in log_prior(NO_PRIORS, BANK.model, working, np.ones(working.shape)):
        assert (part == 0).all()


@given(st.lists(st.tuples(st.sampled_from(["discrimination", "difficulty", "guessing", "slipping"]), DENSITIES)))
def test_words_are_read_back(choices: list) -> None:
    words = [f" {name} = {kind}( {one:g}, {two:g} ) " for name, (kind, one, two) in choices]
    found = priors_named(words)
    assert set(found.words()) == {name for name, _ in choices}
    assert priors_named([f"{name}={text}" for name, text in found.words().items()]) == found


def test_the_usual_priors_give_way_to_what_is_said_in_any_order() -> None:
    assert priors_named(["default"]) == USUAL_PRIORS
    for words in (["default", "difficulty=normal(1, 3)"], ["difficulty=normal(1, 3)", "default"]):
        found = priors_named(words)
        assert found.difficulty == Normal(1.0, 3.0)
        assert found.guessing == USUAL_PRIORS.guessing


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("usual", "is not understood"),
        ("slope=normal(0, 1)", "one of discrimination, difficulty, guessing, slipping"),
        ("guessing=gamma(1, 1)", "one of lognormal, normal, beta, logitnormal"),
        ("guessing=beta(5)", "is not understood"),
        ("guessing=beta(five, 17)", "no number"),
        ("difficulty=normal(0, 0)", "positive spread"),
        ("guessing=beta(0, 17)", "positive spread"),
        ("difficulty=normal(nan, 1)", "positive spread"),
        ("difficulty=normal(0, inf)", "positive spread"),
    ],
)
def test_words_that_are_not_understood_are_refused(text: str, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        priors_named([text])
