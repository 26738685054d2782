"""Observed information against differences of the gradient, which are those of the log posterior, and against mirt."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calibration import em, entries
from engine.calibration.errors.inverse import inverted
from engine.calibration.errors.observed import information, placed, uncertainty
from engine.calibration.maximisation import LOWEST_SLOPE
from engine.calibration.priors import NO_PRIORS, priors_named
from engine.latent import Independent, LatentTree
from engine.working import from_working
from tests.reference.calibrated import (
    CASES,
    GRID,
    USUAL,
    Case,
    by_differences,
    case,
    dichotomous,
    fixed_items,
    level,
    moved,
    parameters,
    relative,
    simulated,
    slopes_of,
)
from tests.reference.golden import golden

MIRT = golden("mirt_lsat7_calibration.json")


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_that_of_the_log_posterior(name):
    own = CASES[name]()
    point = moved(own.start, parameters(own)[0], 0.1)
    for value, cells in zip(slopes_of(own, point), parameters(own), strict=True):
        above, below = (level(own, moved(point, cells, sign * 1e-4)) for sign in (1, -1))
        assert value == pytest.approx((above - below) / 2e-4, abs=1e-6 * own.sample.learners)


@pytest.mark.parametrize("name", CASES)
def test_information_is_minus_the_hessian(name):
    own = CASES[name]()
    point = own.estimated(USUAL)
    (block,) = information(own.task, own.sample, point, GRID, placed(own.task))
    assert relative(block, by_differences(own, point)) < 1e-7
    assert uncertainty(own.task, own.sample, point, GRID).definite


# -------------------------------------------------------------------------------------------------------- the tree


def tree_case(tree: LatentTree, per: int, learners: int = 400) -> Case:
    rng = np.random.default_rng(1)
    gamma, loading = np.array(tree.domain_loadings), np.array(tree.competence_loadings)
    root = rng.normal(size=(learners, 1))
    domain = gamma * root + np.sqrt(1 - gamma**2) * rng.normal(size=(learners, gamma.size))
    theta = loading * domain[:, list(tree.domain_of)]
    theta += np.sqrt(1 - loading**2) * rng.normal(size=theta.shape)
    columns = [simulated(11 + c, learners, dichotomous(31 + c, per, "2PL"), theta[:, c]) for c in range(loading.size)]
    places = np.repeat(np.arange(loading.size), per)
    held = [[False] * loading.size]
    return case(np.hstack(columns), "2PL", competence=places, latent=tree, loadings=True, free=held)


@pytest.mark.parametrize(("loading", "cells", "errors"), [(0.7, 2e-5, 1e-5), (0.9, 1e-3, 2e-4)])
def test_information_on_a_tree_is_minus_the_hessian_but_for_high_degrees(loading, cells, errors):
    """Exact within a competence and with the loadings; between competences, short of polynomials of degree 4 and up."""
    own = tree_case(LatentTree((0, 0, 1, 1), (0.8, 0.8), (loading,) * 4), 5)
    point = own.estimated(em.Options(refine=False, most_iterations=60))
    point = point._replace(loadings=np.minimum(point.loadings, 0.95))
    (block,), whole = information(own.task, own.sample, point, GRID, placed(own.task)), by_differences(own, point)
    assert block.shape == whole.shape == (45, 45)
    between = np.kron(~np.eye(4, dtype=bool), np.ones((10, 10), dtype=bool))
    scale = np.sqrt(np.diag(whole))
    deviation = np.abs(block - whole) / np.outer(scale, scale)
    assert deviation[:40, :40][between].max() < cells
    assert deviation[:40, :40][~between].max() < 1e-7
    assert deviation[40:, :40].max() < 1e-6
    assert deviation[40:, 40:].max() < 1e-5
    assert np.abs(np.abs(whole / np.outer(scale, scale))[:40, :40][between]).max() > 0.05
    ratio = np.diag(inverted(block)[0])[:40] / np.diag(np.linalg.inv(whole))[:40]
    np.testing.assert_allclose(ratio, 1.0, atol=2 * errors)


def test_errors_of_loadings_in_common_are_those_of_their_number():
    own = tree_case(LatentTree((0, 0, 1, 1), (0.8, 0.8), (0.7,) * 4), 5)
    point = own.estimated(USUAL)
    block = information(own.task, own.sample, point, GRID, placed(own.task))[0]
    spread = uncertainty(own.task, own.sample, point, GRID)
    expected = np.sqrt(np.linalg.inv(block)[40, 40]) * (1 - point.loadings[:2] ** 2)
    assert own.task.label[:2].tolist() == [0, 0]
    np.testing.assert_allclose(spread.loadings[:2], expected, rtol=1e-8)
    assert np.isfinite(spread.loadings).all()


def test_without_loadings_to_estimate_the_tree_has_none():
    own = tree_case(LatentTree((0, 0), (0.8,), (0.8, 0.7)), 3, 200)
    held = own._replace(task=replace(own.task, label=np.full(3, -1)))
    spread = uncertainty(held.task, held.sample, held.estimated(), GRID)
    assert np.isnan(spread.loadings).all()
    assert np.isfinite(spread.errors.difficulty).all()


def test_independent_competences_have_the_errors_they_have_apart():
    responses = simulated(1, 300, dichotomous(1, 10, "2PL"))
    both = case(responses, "2PL", competence=np.arange(10) % 2, latent=Independent(2))
    one = case(responses[:, 1::2], "2PL")
    spread = uncertainty(both.task, both.sample, both.estimated(), GRID)
    alone = uncertainty(one.task, one.sample, one.estimated(), GRID)
    order = np.argsort(both.begin.entries.column)
    np.testing.assert_allclose(spread.covariance[order][1::2], alone.covariance, rtol=1e-6)


# ----------------------------------------------------------------------------------------------------------- LSAT7


def lsat7() -> np.ndarray:
    return np.repeat(np.array(MIRT["patterns"]), MIRT["counts"], axis=0)


@pytest.mark.parametrize(
    ("name", "model", "priors"),
    [
        ("1PL", "1PL", NO_PRIORS),
        ("2PL", "2PL", NO_PRIORS),
        ("3PL_prior", "3PL", priors_named(["guessing=logitnormal(-1.386294, 0.5)"])),
    ],
)
def test_errors_are_those_of_mirt(name, model, priors):
    own, oracle, tolerance = case(lsat7(), model, priors), MIRT["models"][name], MIRT["tolerance"][name]
    point = own.estimated()
    spread = uncertainty(own.task, own.sample, point, GRID)
    mine = np.sqrt(np.einsum("jpp->jp", spread.covariance))
    told = [[item[key] for key in ("a1", "d", "logit(g)")] for item in oracle["slope_intercept_se"].values()]
    expected = np.array(told, dtype=float)
    np.testing.assert_allclose(mine[:, :3], expected, rtol=tolerance["se relative"], equal_nan=True)
    assert spread.definite
    found = inverted(information(own.task, own.sample, point, GRID, placed(own.task))[0])[0]
    scale = np.sqrt(np.diag(found))
    deviation = np.abs(found - np.array(oracle["vcov"])) / np.outer(scale, scale)
    assert deviation.max() < tolerance["se relative"]


def test_the_rasch_model_of_mirt_is_our_1pl():
    """mirt frees the variance instead of the slope: variance = slope^2, and the intercepts are the same."""
    own, oracle = case(lsat7(), "1PL"), MIRT["models"]["Rasch"]
    point = own.estimated()
    spread = uncertainty(own.task, own.sample, point, GRID)
    variance_error = 2 * point.working[0, 0] * spread.errors.discrimination[0]
    assert variance_error == pytest.approx(oracle["vcov"][5][5] ** 0.5, rel=MIRT["tolerance"]["Rasch"]["se relative"])
    expected = [item["d"] for item in oracle["slope_intercept_se"].values()]
    mine = np.sqrt(spread.covariance[:, 1, 1])
    np.testing.assert_allclose(mine, expected, rtol=MIRT["tolerance"]["Rasch"]["se relative"])


# ------------------------------------------------------------------------------------------- what becomes of errors


@pytest.mark.parametrize("name", ["3PL", "4PL", "mixed"])
def test_errors_are_those_of_reported_parameters(name):
    own = CASES[name]()
    point = own.estimated(em.Options(refine=False))
    errors, covariance = uncertainty(own.task, own.sample, point, GRID)[:2]
    codes, working = own.task.problem.models, point.working

    def reported(values: np.ndarray) -> np.ndarray:
        items = from_working(codes, values)
        columns = (items.discrimination, items.difficulty, items.guessing, items.slipping, *items.thresholds.T)
        return np.column_stack(columns)

    turn = np.zeros((*reported(working).shape, working.shape[1]))
    for column in range(working.shape[1]):
        shift = np.where(np.arange(working.shape[1]) == column, 1e-6, 0.0)
        turn[:, :, column] = (reported(working + shift) - reported(working - shift)) / 2e-6
    variance = np.einsum("jrp,jpq,jrq->jr", np.nan_to_num(turn), np.nan_to_num(covariance), np.nan_to_num(turn))
    mine = np.column_stack([*errors[:4], errors.thresholds])
    exists = np.isfinite(mine)
    np.testing.assert_allclose(mine[exists], np.sqrt(variance[exists]), rtol=1e-6)
    assert (exists == (variance > 0)).all()


def test_a_slope_at_its_bound_is_known():
    responses = simulated(2, 300, dichotomous(2, 6, "2PL"))
    responses[:, 3] = 1 - responses[:, 3]
    own = case(responses, "2PL")
    point = own.estimated(em.Options(refine=False))
    assert point.working[3, 0] == LOWEST_SLOPE
    errors, covariance, _, _, definite = uncertainty(own.task, own.sample, point, GRID)
    assert np.isnan(errors.discrimination[3])
    assert np.isnan(covariance[3, 0]).all()
    assert errors.difficulty[3] == pytest.approx(covariance[3, 1, 1] ** 0.5 / LOWEST_SLOPE)
    assert definite
    assert np.isfinite(errors.discrimination[[0, 1, 2, 4, 5]]).all()


def test_held_items_have_no_errors_and_new_ones_do():
    own = fixed_items()
    errors, _, people, _, _ = uncertainty(own.task, own.sample, own.estimated(), GRID)
    held = ~own.begin.free.any(axis=1)
    assert held.sum() == 2
    assert np.isnan(np.array(errors[:2])[:, held]).all()
    assert np.isfinite(np.array(errors[:2])[:, ~held]).all()
    assert np.isfinite(people.mean).all()
    assert np.isfinite(people.sd).all()


def test_errors_of_a_group_are_those_of_its_mean_and_sd():
    """With many answers, the errors are near those of a sample of known abilities: sd / sqrt(n), sd / sqrt(2 n)."""
    rng = np.random.default_rng(3)
    items = dichotomous(3, 60, "2PL")
    held = entries.Fixed(np.arange(60), items)
    responses = simulated(3, 500, items, 0.3 + 0.9 * rng.normal(size=500))
    own = case(responses, "2PL", fixed=held, free=[[True]])
    point = own.estimated()
    people = uncertainty(own.task, own.sample, point, GRID).population
    sd = point.population.sd[0, 0]
    assert 1.0 < people.mean[0, 0] / (sd / 500**0.5) < 1.1
    assert 1.0 < people.sd[0, 0] / (sd / 1000**0.5) < 1.15


def test_what_cannot_be_told_has_no_error_and_the_rest_has():
    """The mean and sd of one competence are free with nothing that gives its scale."""
    responses = simulated(1, 300, dichotomous(1, 10, "2PL"))
    own = case(responses, "2PL", competence=np.arange(10) // 5, latent=Independent(2), free=[[False, True]])
    point = own.start._replace(working=case(responses, "2PL").estimated().working)
    errors, covariance, people, _, definite = uncertainty(own.task, own.sample, point, GRID)
    assert not definite
    assert np.isnan(people.mean[0, 1])
    assert np.isnan(errors.discrimination[5:]).any()
    assert np.isfinite(covariance[:5, :2, :2]).all()


def test_competences_with_nothing_to_estimate_have_no_block_to_invert():
    items = dichotomous(3, 6, "2PL")
    held = entries.Fixed(np.arange(3), items.take(np.arange(3)))
    places = np.array([0, 0, 0, 1, 1, 1])
    own = case(simulated(4, 300, items), "2PL", fixed=held, competence=places, latent=Independent(2))
    errors, _, _, _, definite = uncertainty(own.task, own.sample, own.estimated(USUAL), GRID)
    assert definite
    assert np.isnan(errors.difficulty[:3]).all()
    assert np.isfinite(errors.difficulty[3:]).all()


@given(seed=st.integers(0, 10**6), size=st.integers(1, 8))
def test_inverse_of_a_definite_matrix(seed, size):
    part = np.random.default_rng(seed).normal(size=(size, 12))
    matrix = part @ part.T + 0.1 * np.eye(size)
    found, definite = inverted(matrix)
    assert definite
    np.testing.assert_allclose(found @ matrix, np.eye(size), atol=1e-8)
