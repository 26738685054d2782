"""Faults that other packages are known for, each with a test that it is not ours."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from engine.calibration import em, entries
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.entries import Fixed
from engine.calibration.expectation import Expected
from engine.calibration.maximisation import Problem
from engine.calibration.population import Population
from engine.calibration.priors import NO_PRIORS, USUAL_PRIORS, Beta, LogitNormal, LogNormal, Normal, Priors
from engine.calibration.result import Calibration, ItemStatus
from engine.calibration.sample import prepare, tally
from engine.grid import Grid
from engine.latent import Independent
from engine.parameters import ItemParameters
from engine.responses import SKIPPED
from tests.reference import marginal, slow
from tests.reference.fit import plain, simulated
from tests.reference.golden import golden

GRID = Grid(-6.0, 6.0, 31)
SAME = Options(grid=GRID, refine=False, gradient=1e-6, most_iterations=3000, errors=False)
MIRT = golden("mirt_lsat7_calibration.json")
LSAT7 = np.repeat(np.array(MIRT["patterns"]), MIRT["counts"], axis=0)
MIRT_3PL = -2658.0546709998
"""Log-likelihood at which mirt stops on the 3PL without priors, 61 nodes."""


def answers(bank: ItemParameters, learners: int, seed: int) -> np.ndarray:
    return simulated(bank, np.random.default_rng(seed).normal(size=learners), seed + 1)


def searched(models: list[str], responses: np.ndarray, **more: object) -> marginal.Answer:
    groups = [marginal.Group(marginal.counted(responses))]
    return marginal.maximum(marginal.Question(models, groups, nodes=GRID.nodes, **more))  # type: ignore[arg-type]


def test_difficulties_are_not_clamped() -> None:
    """Fault: difficulties clamped at 6 while convergence is reported. SAT12 has an item with b = 12.7."""
    bank = ItemParameters.of("2PL", [1.4, 1.1, 1.6, 1.2, 0.9, 0.18], [-1.0, -0.3, 0.2, 0.8, 1.2, 12.7])
    responses = answers(bank, 2000, 5)
    found = calibrate(responses, options=SAME)
    best = searched(["2PL"] * 6, responses)
    assert found.converged
    assert (found.status == ItemStatus.CONVERGED).all()
    assert found.parameters.difficulty[5] > 6.0
    assert found.parameters.difficulty[5] == pytest.approx(best.items[5].b, rel=1e-3)
    assert found.log_likelihood == pytest.approx(best.log_posterior, abs=1e-5)


def test_the_slope_of_the_1pl_is_free() -> None:
    """Fault: a "1PL" with slopes of 1 and abilities of variance 1, so that nothing carries the scale."""
    bank = ItemParameters.of("1PL", [1.7] * 10, np.linspace(-1.5, 1.5, 10))
    found = calibrate(answers(bank, 3000, 1), "1PL", options=Options(errors=False))
    assert np.unique(found.parameters.discrimination).size == 1
    assert found.parameters.discrimination[0] == pytest.approx(1.7, abs=0.08)
    np.testing.assert_allclose(found.parameters.difficulty, bank.difficulty, atol=0.12)
    assert found.population.sd[0, 0] == 1.0


def test_no_prior_is_applied_unless_asked_for() -> None:
    """Fault: a prior on the slopes that nobody asked for. With 80 learners any prior would show."""
    bank = ItemParameters.of("2PL", [1.6, 0.7, 1.2, 0.9, 1.3], [-1.6, 0.8, 0.0, 1.4, -0.5])
    responses = answers(bank, 80, 3)
    found = calibrate(responses, options=SAME)
    best = searched(["2PL"] * 5, responses)
    for mine, other in zip(plain(found.parameters), best.items, strict=True):
        np.testing.assert_allclose((mine.a, mine.b), (other.a, other.b), atol=1e-3)
    assert found.log_posterior == found.log_likelihood
    informed = calibrate(responses, priors=USUAL_PRIORS, options=SAME)
    assert np.abs(informed.working - found.working)[:, :2].max() > 0.05
    assert informed.log_likelihood < found.log_likelihood


@pytest.mark.parametrize(("slope", "intercept"), [(0.05, -4.0), (8.0, 3.0), (0.3, 0.0)])
def test_estimation_does_not_stop_short(slope: float, intercept: float) -> None:
    """Fault: iterations ended by a patience or a loose tolerance, some log-likelihood short of the optimum."""
    bank = ItemParameters.of("2PL", [1.8, 0.6, 1.2, 0.9, 2.2], [-1.6, 0.8, 0.0, 1.4, -0.5])
    responses = answers(bank, 500, 6)
    best = searched(["2PL"] * 5, responses)
    none = np.zeros(500, dtype=int)
    codes = entries.model_codes("2PL", 5)
    given = [tally(responses, "unknown", "incorrect")]
    begin = entries.start(given, codes, np.zeros(5, dtype=int), None, None, NO_PRIORS, 20)
    sample = prepare(responses, begin.entries, none)
    problem = Problem(begin.models, begin.free, begin.tie, NO_PRIORS, sample.layout)
    task = em.Task(problem, np.zeros((1, 1), dtype=bool), Independent(), np.empty(0, dtype=int))
    bad = begin._replace(working=np.where(begin.free, np.array([slope, intercept, 0.0, 0.0]), np.nan))
    first = Population(np.zeros((1, 1)), np.ones((1, 1)))
    found, _, _ = em.estimated(task, sample, bad, first, Options(grid=GRID, refine=False))
    assert found.converged
    assert found.step.expected.log_likelihood == pytest.approx(best.log_posterior, abs=1e-3)
    usual = calibrate(responses, options=Options(grid=GRID, refine=False, errors=False))
    assert usual.log_likelihood == pytest.approx(best.log_posterior, abs=1e-3)


def test_a_3pl_without_priors_goes_at_least_as_far_as_mirt_or_says_that_it_did_not() -> None:
    """Fault: a flat likelihood, in which guessings of 0 are never reached, is declared converged on the way."""
    found = calibrate(LSAT7, "3PL", options=Options(errors=False))
    if found.converged:
        assert found.log_likelihood >= MIRT_3PL - 1e-3
    else:
        assert (found.status == ItemStatus.NOT_CONVERGED).any()
    flat = found.parameters.guessing < 1e-4
    assert flat.any()
    assert (found.status[flat] != ItemStatus.CONVERGED).all()


def converted(models: list[str], working: np.ndarray) -> list[slow.Item]:
    """Items of working parameters, by hand."""
    result = []
    for model, row in zip(models, working, strict=True):
        c = float(expit(row[-2])) if model in ("3PL", "4PL") else 0.0
        d = float(expit(row[-1])) if model == "4PL" else 1.0
        result.append(slow.Item(float(row[0]), float(-row[1] / row[0]), c, d))
    return result


def scaled_gradient(
    found: Calibration, models: list[str], responses: np.ndarray, log_prior: dict[str, Callable[[float], float]]
) -> np.ndarray:
    """Derivatives of the slow log posterior over the roots of the complete-data information, all by differences."""
    group = marginal.Group(marginal.counted(responses))
    question = marginal.Question(models, [group], nodes=GRID.nodes, log_prior=log_prior)
    nodes = GRID.nodes.tolist()
    counts, _ = marginal.expected(converted(models, found.working), group, nodes)

    def level(working: np.ndarray) -> float:
        items = converted(models, working)
        return marginal.fast_log_likelihood(items, [group], GRID.nodes) + question.log_priors(items)

    result = []
    for row, column in np.argwhere(np.isfinite(found.working)):
        shift = np.zeros(found.working.shape)
        shift[row, column] = 1.0

        def item(t: float, row: int = row, shift: np.ndarray = shift) -> slow.Item:
            return converted(models, found.working + t * shift)[row]

        def own_prior(t: float, item: Callable[[float], slow.Item] = item, row: int = row) -> float:
            return marginal.Question([models[row]], [], log_prior=log_prior).log_priors([item(t)])

        information = -slow.second_derivative(own_prior, 0.0, 1e-3)
        for g, node in enumerate(nodes):
            chances = slow.probabilities(item(0.0), node)
            for k, p in enumerate(chances):
                turn = slow.derivative(lambda t, item=item, k=k, node=node: slow.log_p(item(t), k, node), 0.0)
                information += counts[row][:, g].sum() * p * turn**2
        result.append(slow.derivative(lambda t, shift=shift: level(found.working + t * shift), 0.0) / information**0.5)
    return np.array(result)


INFORMED = Priors(LogNormal(0.0, 0.5), Normal(0.0, 2.0), LogitNormal(-1.4, 0.5))
LOG_PRIORS: dict[str, Callable[[float], float]] = {
    "a": lambda a: -np.log(a) - 0.5 * (np.log(a) / 0.5) ** 2,
    "b": lambda b: -0.5 * (b / 2.0) ** 2,
    "c": lambda c: -0.5 * ((np.log(c / (1.0 - c)) + 1.4) / 0.5) ** 2,
}


@pytest.mark.parametrize(("model", "priors", "log_prior"), [("2PL", NO_PRIORS, {}), ("3PL", INFORMED, LOG_PRIORS)])
@pytest.mark.parametrize("bound", [1e-2, 1e-4])
def test_converged_means_that_the_gradient_is_small(model: str, priors: Priors, log_prior: dict, bound: float) -> None:
    """Fault: "converged" with a large gradient. Ours is computed here again, by differences of another likelihood."""
    responses = answers(ItemParameters.of("2PL", [1.8, 0.6, 1.2, 2.4], [-1.6, 0.8, 0.0, -0.5]), 400, 8)
    options = Options(grid=GRID, refine=False, errors=False, gradient=bound)
    found = calibrate(responses, model, priors=priors, options=options)
    gradient = scaled_gradient(found, [model] * 4, responses, log_prior)
    assert found.converged
    assert np.abs(gradient).max() <= bound
    assert found.gradient == pytest.approx(np.abs(gradient).max(), rel=1e-2, abs=1e-7)
    early = calibrate(responses, model, priors=priors, options=replace(options, most_iterations=4))
    gradient = scaled_gradient(early, [model] * 4, responses, log_prior)
    assert np.abs(gradient).max() > bound
    assert not early.converged
    assert early.gradient == pytest.approx(np.abs(gradient).max(), rel=1e-2)


def test_too_few_iterations_are_told() -> None:
    """Fault: estimates at the end of the iterations are handed out like any others."""
    found = calibrate(LSAT7, options=Options(most_iterations=3, errors=False))
    assert not found.converged
    assert found.iterations == 3
    assert (found.status == ItemStatus.NOT_CONVERGED).all()
    assert found.gradient > Options().gradient
    enough = calibrate(LSAT7, options=Options(errors=False))
    assert enough.converged
    assert (enough.status == ItemStatus.CONVERGED).all()


def test_what_has_not_settled_is_not_called_converged_whatever_its_gradient() -> None:
    """Fault: the iterations ran out, and items whose gradient happened to be small are called converged."""
    found = calibrate(LSAT7, options=Options(most_iterations=2, gradient=1e3, errors=False))
    assert found.gradient < 1e3
    assert not found.converged
    assert (found.status == ItemStatus.NOT_CONVERGED).all()


def test_an_item_that_does_not_converge_does_not_condemn_the_others() -> None:
    """Six ordinary items, and one that is right exactly when three of them are: a step that no slope describes."""
    rng = np.random.default_rng(3)
    ability = rng.normal(size=400)
    good = (rng.random((400, 6)) < expit(1.2 * (ability[:, None] - np.linspace(-1, 1, 6)))).astype(int)
    step = (good.sum(axis=1) >= 3).astype(int)
    found = calibrate(np.column_stack([good, step]), options=Options(refine=False, errors=False))
    assert found.iterations < Options().most_iterations
    assert (found.status[:6] == ItemStatus.CONVERGED).all()
    assert found.status[6] in (ItemStatus.NOT_CONVERGED, ItemStatus.AT_BOUND)
    assert found.converged == (found.status[6] == ItemStatus.AT_BOUND)
    assert found.parameters.discrimination[6] > 40.0


def test_a_grid_is_as_fine_as_the_steepest_item_needs() -> None:
    """Fault: a curve that rises between two nodes is whatever it likes there; the posteriors alone do not tell."""
    flat = np.zeros((0, 1))
    wide = Expected(0.0, flat, flat, flat, 0.5, 0.0)
    grid = Grid(-6.0, 6.0, 61)
    assert em.refined(grid, wide, 10.0) == grid
    assert em.refined(grid, wide, 20.0) == Grid(-6.0, 6.0, 121)
    assert em.refined(grid, wide._replace(smallest_sd=0.2), 1.0) == Grid(-6.0, 6.0, 121)
    assert em.refined(grid, wide._replace(edge=0.01), 1.0) == Grid(-8.0, 8.0, 81)


@pytest.fixture(scope="module")
def long_test() -> np.ndarray:
    rng = np.random.default_rng(4)
    return answers(ItemParameters.of("2PL", rng.uniform(1.0, 2.5, 200), rng.normal(size=200)), 400, 4)


def test_a_grid_that_is_too_coarse_is_refined(long_test: np.ndarray) -> None:
    """Fault: a fixed grid on a long test, whose posteriors fall between the nodes, biases the slopes unseen."""
    exact = calibrate(long_test, options=Options(grid=Grid(-6.0, 6.0, 241), refine=False, errors=False))
    found = calibrate(long_test, options=Options(grid=Grid(-6.0, 6.0, 21), errors=False))
    assert exact.check.ratio < 0.9
    assert found.converged
    assert found.check.refinements >= 2
    assert found.check.grid.spacing == pytest.approx(12.0 / (found.check.grid.count - 1))
    assert found.check.ratio == pytest.approx(found.check.grid.spacing / found.check.smallest_sd)
    assert found.check.grid.spacing <= 0.9 * found.check.smallest_sd
    np.testing.assert_allclose(found.parameters.discrimination, exact.parameters.discrimination, atol=0.002)
    assert found.log_likelihood == pytest.approx(exact.log_likelihood, abs=0.01)


def test_a_grid_that_nobody_may_refine_is_reported(long_test: np.ndarray) -> None:
    found = calibrate(long_test, options=Options(grid=Grid(-6.0, 6.0, 21), refine=False, errors=False))
    exact = calibrate(long_test, options=Options(grid=Grid(-6.0, 6.0, 241), refine=False, errors=False))
    assert found.check.grid == Grid(-6.0, 6.0, 21)
    assert found.check.refinements == 0
    assert found.check.ratio > 0.9
    bias = found.parameters.discrimination - exact.parameters.discrimination
    assert np.abs(bias).max() > 0.02


def test_a_grid_that_is_too_narrow_is_widened() -> None:
    """Fault: learners beyond the last node are pulled back to it, and the items with them."""
    bank = ItemParameters.of("2PL", [1.2] * 10, np.linspace(3.0, 7.0, 10))
    responses = simulated(bank, np.random.default_rng(0).normal(5.0, 1.0, size=500), 1)
    held = Fixed(np.arange(5), bank.take(np.arange(5)))
    found = calibrate(responses, fixed=held, options=Options(errors=False))
    assert found.check.grid.upper > 6.0
    assert found.check.edge <= 1e-3
    assert found.population.mean[0, 0] == pytest.approx(5.0, abs=0.25)
    narrow = calibrate(responses, fixed=held, options=Options(refine=False, errors=False))
    assert narrow.check.edge > 1e-3


def test_skips_do_not_drive_the_guessing_up() -> None:
    """Fault: reading a skip as 1 - P* while c is estimated, so that a larger c costs nothing."""
    rng = np.random.default_rng(21)
    theta, a, b = rng.normal(size=(4000, 1)), 1.3, np.linspace(-1.5, 1.5, 20)
    knows = rng.random((4000, 20)) < 1.0 / (1.0 + np.exp(-a * (theta - b)))
    skips = ~knows & (rng.random(knows.shape) < 0.3)
    right = knows | (rng.random(knows.shape) < 0.2)
    responses = np.where(skips, SKIPPED, right.astype(int))
    found = calibrate(responses, "3PL", priors=Priors(guessing=Beta(5.0, 17.0)), options=Options(errors=False))
    assert found.converged
    assert found.parameters.guessing.mean() == pytest.approx(0.7 * 0.2, abs=0.05)
    assert found.parameters.discrimination.mean() == pytest.approx(a, abs=0.15)
    assert found.parameters.difficulty == pytest.approx(b, abs=0.4)
