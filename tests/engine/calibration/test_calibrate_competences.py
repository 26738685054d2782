"""Several competences: apart when they are independent, together on a tree, whose loadings are found."""

import numpy as np
import pytest

from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.grid import Grid
from engine.latent import Independent, LatentTree
from engine.parameters import ItemParameters
from tests.reference.fit import simulated

EXACT = Options(grid=Grid(-5.0, 5.0, 26), refine=False, gradient=1e-7, most_iterations=3000, errors=False)


def bank(count: int, seed: int) -> ItemParameters:
    rng = np.random.default_rng(seed)
    return ItemParameters.of("2PL", rng.uniform(0.8, 1.8, count), rng.normal(0.0, 0.8, count))


def several(seed: int, latent: LatentTree, learners: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers of learners whose abilities hang together on a tree."""
    rng = np.random.default_rng(seed)
    ability = rng.multivariate_normal(np.zeros(latent.competences), latent.correlations(), size=learners)
    banks = [bank(each, 30 + c) for c in range(latent.competences)]
    parts = [simulated(own, ability[:, c], seed + c) for c, own in enumerate(banks)]
    return np.hstack(parts), np.repeat(np.arange(latent.competences), each)


def test_independent_competences_are_separate_calibrations() -> None:
    responses, competence = several(3, LatentTree((0, 0, 1), (0.7, 0.7), (0.8, 0.8, 0.8)), 400, 4)
    order = np.random.default_rng(1).permutation(12)
    mixed, places = responses[:, order], competence[order]
    found = calibrate(mixed, competence=places, latent=Independent(3), options=EXACT)
    assert found.rows.tolist() == sorted(range(12), key=lambda i: (places[i], i))
    total = 0.0
    for c in range(3):
        alone = calibrate(mixed[:, places == c], options=EXACT)
        np.testing.assert_allclose(found.working[4 * c : 4 * c + 4], alone.working, atol=1e-6)
        total += alone.log_likelihood
    assert found.log_likelihood == pytest.approx(total, abs=1e-7)
    assert found.population.mean.shape == (1, 3)


def test_a_tree_without_loadings_is_independence() -> None:
    responses, competence = several(3, LatentTree((0, 0, 1), (0.7, 0.7), (0.8, 0.8, 0.8)), 400, 4)
    latent = LatentTree((0, 0, 1), (0.0, 0.0), (0.0, 0.0, 0.0))
    found = calibrate(responses, competence=competence, latent=latent, options=EXACT)
    apart = calibrate(responses, competence=competence, latent=Independent(3), options=EXACT)
    np.testing.assert_allclose(found.working, apart.working, atol=1e-6)
    assert found.log_likelihood == pytest.approx(apart.log_likelihood, abs=1e-7)
    assert found.latent == latent
    assert found.free == 24


def test_loadings_are_recovered() -> None:
    truth = LatentTree((0, 0, 1, 1, 2, 2), (0.9, 0.7, 0.5), (0.9, 0.8, 0.7, 0.9, 0.6, 0.9))
    responses, competence = several(7, truth, 2500, 8)
    begin = LatentTree(truth.domain_of, (0.6,) * 3, (0.6,) * 6)
    options = Options(grid=Grid(-4.5, 4.5, 31), refine=False, errors=False, gradient=3e-3)
    found = calibrate(responses, competence=competence, latent=begin, estimate_loadings=True, options=options)
    assert found.converged
    assert found.free == 2 * 48 + 9
    assert isinstance(found.latent, LatentTree)
    np.testing.assert_allclose(found.latent.correlations(), truth.correlations(), atol=0.06)
    held = calibrate(responses, competence=competence, latent=begin, options=options)
    assert held.latent == begin
    assert found.log_likelihood > held.log_likelihood + 50.0


@pytest.mark.parametrize(
    ("domain_of", "gamma", "loading", "free"),
    [((0, 0), (0.3,), (0.9, 0.5), 1), ((0, 1), (0.9, 0.4), (0.6, 0.8), 1), ((0, 0, 1), (0.5, 0.9), (0.8, 0.6, 0.9), 3)],
)
def test_loadings_that_no_data_tell_apart_are_equal(
    domain_of: tuple[int, ...], gamma: tuple[float, ...], loading: tuple[float, ...], free: int
) -> None:
    """Also when they were given unequal; and wherever they start, what the data tell is found again."""
    shape = LatentTree(domain_of, tuple(0.85 for _ in gamma), tuple(0.85 for _ in loading))
    responses, competence = several(5, shape, 1000, 5)
    options = Options(grid=Grid(-4.5, 4.5, 31), refine=False, errors=False, gradient=1e-4)
    unequal = LatentTree(domain_of, gamma, loading)
    found = calibrate(responses, competence=competence, latent=unequal, estimate_loadings=True, options=options)
    again = calibrate(responses, competence=competence, latent=shape, estimate_loadings=True, options=options)
    assert found.converged
    assert found.free == 2 * responses.shape[1] + free
    assert isinstance(found.latent, LatentTree)
    np.testing.assert_allclose(found.latent.correlations(), again.latent.correlations(), atol=2e-3)  # type: ignore[union-attr]
    np.testing.assert_allclose(found.latent.correlations(), shape.correlations(), atol=0.15)
    assert found.log_likelihood == pytest.approx(again.log_likelihood, abs=1e-3)
    if domain_of == (0, 0):
        assert found.latent.domain_loadings == gamma
        assert np.unique(found.latent.competence_loadings).size == 1
    if domain_of == (0, 1):
        assert np.unique([*found.latent.domain_loadings, *found.latent.competence_loadings]).size == 1
