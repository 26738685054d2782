"""The M-step climbs from anywhere, keeps what it must keep, and ends where a general optimiser ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from engine.calibration.maximisation import (
    FURTHEST,
    LOWEST_SLOPE,
    Problem,
    at_bound,
    bounded,
    maximised,
    ordered,
    system,
)
from engine.calibration.priors import NO_PRIORS, USUAL_PRIORS, Priors, log_prior
from engine.calibration.sample import Layout
from engine.models import log_probability
from engine.parameters import MAX_DISCRIMINATION, Model
from engine.working import existing, from_working
from tests.reference import slow

NODES = np.linspace(-4.0, 4.0, 17)
CODES = st.lists(st.sampled_from(list(Model)), min_size=1, max_size=5)


def layout(categories: np.ndarray) -> Layout:
    """Items of one competence."""
    first = np.concatenate([[0], np.cumsum(categories)])
    return Layout(np.zeros(categories.size, dtype=int), categories, first, np.array([0, categories.size]))


def problem_of(models: list[Model], steps: int = 3, priors: Priors = NO_PRIORS) -> Problem:
    codes = np.array(models, dtype=np.int64)
    categories = np.where(codes >= Model.GRM, steps + 1, 2)
    tie = np.where(codes == Model.ONE_PL, 0, -1)
    return Problem(codes, existing(codes, categories), tie, priors, layout(categories))


def silly(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Working parameters that an item may have, often absurd."""
    count, size = problem.free.shape
    working = rng.normal(0.0, 3.0, size=(count, size))
    working[:, 0] = rng.choice([LOWEST_SLOPE, 0.1, 1.0, 4.0, 20.0, MAX_DISCRIMINATION], size=count)
    tied = problem.tie >= 0
    working[tied, 0] = working[tied, 0][:1]
    working[:, 1:-2] = -np.sort(-working[:, 1:-2], axis=1) - 0.01 * np.arange(size - 3)
    working[:, -2] = rng.choice([-FURTHEST, -4.0, -1.0, 0.5], size=count)
    working[:, -1] = rng.choice([1.0, 3.0, FURTHEST], size=count)
    return np.where(problem.free, working, np.nan)


def tallies(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Expected counts that no data need have given."""
    counts = rng.gamma(0.3, 20.0, size=(int(problem.layout.first[-1]), NODES.size))
    return np.where(rng.random(counts.shape) < 0.2, 0.0, counts)


def value(problem: Problem, working: np.ndarray, counts: np.ndarray) -> float:
    """Expected log posterior from the models themselves."""
    bank = from_working(problem.models, working)
    log_p = log_probability(bank, NODES)
    total = 0.0
    for item, first in enumerate(problem.layout.first[:-1]):
        for k in range(int(problem.layout.categories[item])):
            total += float(counts[first + k] @ log_p[item, k])
    kept = problem.free.astype(float)
    return total + float(log_prior(problem.priors, problem.models, working, kept, problem.tie)[0].sum())


@settings(max_examples=150)
@given(CODES, st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 3))
def test_every_step_climbs_from_anywhere(models: list[Model], seed: int, informed: bool, steps: int) -> None:
    rng = np.random.default_rng(seed)
    problem = problem_of(models, steps, USUAL_PRIORS if informed else NO_PRIORS)
    working, counts = silly(problem, rng), tallies(problem, rng)
    levels = [value(problem, working, counts)]
    for _ in range(4):
        working, gradient = maximised(problem, working, counts, NODES)
        levels.append(value(problem, working, counts))
        assert np.isfinite(gradient).all()
        assert (gradient[~problem.free] == 0).all()
        assert np.isfinite(working).tolist() == problem.free.tolist()
        assert ordered(problem.models, working).all()
        assert np.unique(working[problem.tie == 0, 0]).size <= 1
        assert (working[:, 0] >= LOWEST_SLOPE).all()
        assert (working[:, 0] <= MAX_DISCRIMINATION).all()
        assert np.nanmax(np.abs(working[:, -2:]), initial=0.0) <= FURTHEST
    drops = -np.diff(levels)
    assert drops.max() <= 1e-9 * abs(levels[0])


@settings(max_examples=50)
@given(CODES, st.integers(0, 2**32 - 1))
def test_what_is_held_does_not_move(models: list[Model], seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = problem_of(models)
    working, counts = silly(problem, rng), tallies(problem, rng)
    free = problem.free & (rng.random(problem.free.shape) < 0.5)
    free[problem.tie == 0, 0] = False
    held = Problem(problem.models, free, np.full(len(models), -1), NO_PRIORS, problem.layout)
    moved, gradient = maximised(held, working, counts, NODES)
    np.testing.assert_array_equal(moved[~free], working[~free])
    assert (gradient[~free] == 0).all()


@pytest.mark.parametrize("model", list(Model))
@pytest.mark.parametrize("priors", [NO_PRIORS, USUAL_PRIORS])
def test_the_gradient_is_that_of_differences(model: Model, priors: Priors) -> None:
    rng = np.random.default_rng(int(model))
    problem = problem_of([model] * 2, priors=priors)
    counts = tallies(problem, rng)
    working = np.where(problem.free, np.tile([1.2, 0.9, 0.1, -0.8, -1.5, 2.5][: problem.free.shape[1]], (2, 1)), np.nan)
    if model <= Model.FOUR_PL:
        working[:, -2:] = np.where(problem.free[:, -2:], [-1.5, 2.5], np.nan)
    found = system(problem, working, counts, NODES)
    assert found.value.sum() == pytest.approx(value(problem, working, counts), abs=1e-8)
    for place in np.argwhere(problem.free):
        shift = np.zeros(working.shape)
        shift[tuple(place)] = 1.0
        slope = slow.derivative(lambda t, shift=shift: value(problem, working + t * shift, counts), 0.0)
        assert found.gradient[tuple(place)] == pytest.approx(slope, rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("model", [Model.TWO_PL, Model.GPCM])
def test_scoring_is_newton_for_exponential_families(model: Model) -> None:
    rng = np.random.default_rng(5)
    problem = problem_of([model])
    counts = tallies(problem, rng)
    working = np.where(problem.free, [[1.2, 0.5, -0.3, -0.9, 0.0, 0.0][: problem.free.shape[1]]], np.nan)
    found = system(problem, working, counts, NODES).information[0]
    for place in np.flatnonzero(problem.free[0]):
        shift = np.zeros(working.shape)
        shift[0, place] = 1e-4
        up, down = (system(problem, working + s * shift, counts, NODES).gradient[0] for s in (1, -1))
        np.testing.assert_allclose(found[place], -(up - down) / 2e-4, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("model", [Model.ONE_PL, Model.TWO_PL, Model.GRM, Model.GPCM, Model.THREE_PL, Model.FOUR_PL])
def test_repeated_steps_end_where_a_general_optimiser_ends(model: Model) -> None:
    """Counts that such items could have given, from a start far away; with priors, so that there is one maximum."""
    rng = np.random.default_rng(11)
    problem = problem_of([model] * 2, 2, USUAL_PRIORS)
    size = problem.free.shape[1]
    truth = np.where(problem.free, np.resize([1.4, 0.8, -0.7], size), np.nan)
    truth[:, -2:] = np.where(problem.free[:, -2:], [-1.4, 2.2], np.nan)
    log_p = log_probability(from_working(problem.models, truth), NODES)
    learners = 200.0 * np.exp(-0.5 * NODES**2)
    columns = [np.exp(log_p[j, k]) for j in range(2) for k in range(int(problem.layout.categories[j]))]
    counts = np.array(columns) * learners * rng.uniform(0.8, 1.2, size=(len(columns), NODES.size))
    working = np.where(problem.free, np.resize([0.3, -1.0, -2.0], size), np.nan)
    working[:, -2:] = np.where(problem.free[:, -2:], [-3.0, 4.0], np.nan)
    start = working
    for _ in range(60):
        working, gradient = maximised(problem, working, counts, NODES)
    assert np.abs(gradient).max() < 1e-7

    def unpacked(vector: np.ndarray) -> np.ndarray:
        moved = start.copy()
        moved[problem.free] = vector
        if model == Model.ONE_PL:
            moved[:, 0] = vector[0]
        return moved

    def low(vector: np.ndarray) -> float:
        moved = unpacked(vector)
        sane = ordered(problem.models, moved).all() and (moved[:, 0] > 0).all()
        return -value(problem, moved, counts) if sane else 1e9

    best = minimize(low, start[problem.free], method="BFGS", options={"gtol": 1e-6})
    assert value(problem, working, counts) >= -best.fun - 1e-7
    np.testing.assert_allclose(working, unpacked(best.x), atol=2e-3)


def test_tied_slopes_move_together_where_one_item_presses_on_the_bound() -> None:
    """A steep and a flat item at the highest slope: the sum of their pulls decides, for both."""
    problem = problem_of([Model.ONE_PL] * 2)
    steep = np.where(NODES > 0.1, 0.999, 0.001)
    flat = np.full(NODES.size, 0.5)
    learners = 100.0 * np.exp(-0.5 * NODES**2)
    counts = np.array([(1 - steep) * learners, steep * learners, (1 - flat) * learners, flat * learners])
    working = np.full((2, 4), np.nan)
    working[:, 0], working[:, 1] = MAX_DISCRIMINATION, -5.0
    slopes = []
    for _ in range(100):
        working, gradient = maximised(problem, working, counts, NODES)
        assert working[0, 0] == working[1, 0]
        slopes.append(working[0, 0])
    assert slopes[0] < MAX_DISCRIMINATION
    assert slopes[-1] < 5.0
    assert np.abs(gradient).max() < 1e-6


def test_tied_slopes_move_together_however_far_one_intercept_wants_to_go() -> None:
    problem = problem_of([Model.ONE_PL] * 3)
    learners = 1000.0 * np.exp(-0.5 * NODES**2)
    rises = [1.0 / (1.0 + np.exp(-(2.0 * NODES + shift))) for shift in (0.0, 6.0, -6.0)]
    counts = np.concatenate([[(1 - p) * learners, p * learners] for p in rises])
    working = np.full((3, 4), np.nan)
    working[:, 0], working[:, 1] = 1.0, [0.0, -20.0, 20.0]
    for _ in range(80):
        working, _ = maximised(problem, working, counts, NODES)
        assert np.unique(working[:, 0]).size == 1
    np.testing.assert_allclose(working[:, :2], [[2.0, 0.0], [2.0, 6.0], [2.0, -6.0]], atol=1e-5)


def test_at_a_bound_only_the_pull_inward_counts() -> None:
    problem = problem_of([Model.TWO_PL])
    learners = 100.0 * np.exp(-0.5 * NODES**2)
    falling = 1.0 / (1.0 + np.exp(NODES))
    working = np.array([[LOWEST_SLOPE, 0.0, np.nan, np.nan]])
    counts = np.array([(1 - falling) * learners, falling * learners])
    moved, gradient = maximised(problem, working, counts, NODES)
    assert moved[0, 0] == LOWEST_SLOPE
    assert at_bound(moved)[0].tolist() == [True, False, False, False]
    assert gradient[0, 0] == 0.0
    moved, gradient = maximised(problem, working, counts[::-1], NODES)
    assert moved[0, 0] > 0.5
    assert gradient[0, 0] > 1.0


def test_bounds_are_kept_for_what_is_free_only() -> None:
    problem = problem_of([Model.FOUR_PL] * 2)
    free = problem.free.copy()
    free[1] = False
    wild = np.tile([90.0, 500.0, -30.0, 30.0], (2, 1))
    found = bounded(Problem(problem.models, free, problem.tie, NO_PRIORS, problem.layout), wild)
    assert found.tolist() == [[MAX_DISCRIMINATION, 500.0, -FURTHEST, FURTHEST], wild[1].tolist()]


def test_disordered_items_are_told() -> None:
    models = np.array([Model.GRM, Model.GRM, Model.GPCM, Model.FOUR_PL, Model.FOUR_PL])
    working = np.full((5, 5), np.nan)
    working[:3, 1:3] = [[1.0, 0.5], [0.5, 0.5], [0.5, 1.0]]
    working[3:, 3:] = [[-1.0, 2.0], [1.0, 1.0]]
    assert ordered(models, working).tolist() == [True, False, True, True, False]
