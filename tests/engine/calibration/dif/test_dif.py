"""Likelihood ratios against independent fits, areas by quadrature, planted DIF, the null distribution, countries."""

import csv

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2 as chi_square

from engine.calibration.calibrate import calibrate
from engine.calibration.dif.curvegap import curve_gap
from engine.calibration.dif.likelihood_ratio import LikelihoodRatioDif, likelihood_ratio_dif
from engine.calibration.dif.mantel_haenszel import MantelHaenszel, mantel_haenszel
from engine.calibration.dif.multiplicity import DifStatus, FlagRule
from engine.calibration.em import Options
from engine.calibration.priors import LogNormal, Priors
from engine.errors import DesignError, ParameterError, ResponseError
from engine.parameters import ItemParameters, Model
from engine.responses import NOT_REACHED, SKIPPED
from engine.working import to_working
from tests.reference.data import real_data

QUICK = Options(errors=False)


def answers(
    seed: int, learners: int, items: int, impact: float = 0.5, shift: np.ndarray | float = 0.0, turn: float = 1.0
) -> tuple:
    """2PL answers; in group 1 all items are harder by ``shift``, and the slope of the first is ``turn`` times."""
    rng = np.random.default_rng(seed)
    group = np.arange(learners) % 2
    ability = rng.normal(size=learners) - impact * group
    slope, difficulty = rng.lognormal(0.2, 0.2, items), rng.normal(size=items)
    slope[0], difficulty[0] = 1.2, -impact
    slopes = np.tile(slope, (learners, 1))
    slopes[group == 1, 0] *= turn
    z = slopes * (ability[:, None] - difficulty - shift * group[:, None])
    return (rng.random((learners, items)) < 1 / (1 + np.exp(-z))).astype(np.int8), group


def graded(seed: int, learners: int, items: int) -> tuple:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, learners)
    ability = rng.normal(size=(learners, 1)) + 0.4 * group[:, None]
    noise = rng.logistic(size=(learners, items))
    return (1.3 * ability + noise > -0.7).astype(int) + (1.3 * ability + noise > 0.9), group


def two_fits(
    responses: np.ndarray, models: str | list, group: np.ndarray, apart: list, together: list, **rest
) -> tuple:
    """Statistic and degrees of freedom from two calibrations that know nothing of each other."""
    free = calibrate(responses, models, group=group, anchors=apart, options=QUICK, **rest)
    common = calibrate(responses, models, group=group, anchors=together, options=QUICK, **rest)
    return 2 * (free.log_likelihood - common.log_likelihood), free.free - common.free


@pytest.mark.parametrize("models", ["2PL", "1PL"])
def test_the_ratio_is_that_of_two_complete_fits(models: str) -> None:
    responses, group = answers(1, 900, 7)
    found = likelihood_ratio_dif(responses, models, group, items=[0, 4])
    every = list(range(7))
    for item in (0, 4):
        chi2, df = two_fits(responses, models, group, [row for row in every if row != item], every)
        assert found.chi2[item] == pytest.approx(chi2, abs=2e-3)
        assert found.df[item] == df == (2 if models == "2PL" else 1)
        assert found.p[item] == pytest.approx(chi_square.sf(chi2, df), abs=1e-3)
    assert found.status[1] == DifStatus.NOT_STUDIED
    assert np.isnan(found.chi2[[1, 2, 3, 5, 6]]).all()


@pytest.mark.parametrize("model", ["GRM", "GPCM"])
def test_items_of_three_categories_with_anchors(model: str) -> None:
    responses, group = graded(2, 800, 6)
    models = [model] * 5 + ["2PL"]
    responses[:, 5] = responses[:, 5] > 0
    found = likelihood_ratio_dif(responses, models, group, anchors=[0, 1, 2])
    assert found.df.tolist() == [0, 0, 0, 3, 3, 2]
    assert (found.status[:3] == DifStatus.NOT_STUDIED).all()
    for item in (3, 5):
        chi2, _ = two_fits(responses, models, group, [0, 1, 2], [0, 1, 2, item])
        assert found.chi2[item] == pytest.approx(chi2, abs=2e-3)
    anchor = likelihood_ratio_dif(responses, models, group, anchors=[0, 1, 2], items=[2])
    assert anchor.chi2[2] == pytest.approx(two_fits(responses, models, group, [0, 1], [0, 1, 2])[0], abs=2e-3)


def test_priors_and_missing_answers_are_those_of_the_calibration() -> None:
    responses, group = answers(3, 900, 7)
    rng = np.random.default_rng(0)
    responses[rng.random(responses.shape) < 0.3] = NOT_REACHED
    responses[rng.random(responses.shape) < 0.05] = SKIPPED
    priors = Priors(discrimination=LogNormal(0.0, 0.3))
    found = likelihood_ratio_dif(responses, "2PL", group, items=[2], priors=priors, skip="ignored")
    others = [0, 1, 3, 4, 5, 6]
    chi2, _ = two_fits(responses, "2PL", group, others, list(range(7)), priors=priors, skip="ignored")
    assert found.chi2[2] == pytest.approx(chi2, abs=2e-3)


def test_the_groups_may_change_places() -> None:
    responses, group = answers(4, 1200, 8, shift=np.where(np.arange(8) == 2, 0.7, 0.0))
    one = likelihood_ratio_dif(responses, "2PL", group)
    other = likelihood_ratio_dif(responses, "2PL", np.where(group == 0, 5, 2), reference=2, focal=5)
    assert one.chi2 == pytest.approx(other.chi2, abs=0.01)
    assert np.sign(one.signed[2]) == -np.sign(other.signed[2]) == -1
    assert np.flatnonzero(one.flagged).tolist() == np.flatnonzero(other.flagged).tolist() == [2]


def test_areas_are_those_of_quadrature() -> None:
    one = ItemParameters.of(["3PL", "GRM"], [1.5, 1.1], [0.2, None], [0.2, None], thresholds=[None, (-1.0, 0.5)])
    other = ItemParameters.of(["3PL", "GRM"], [0.8, 1.1], [0.3, None], [0.1, None], thresholds=[None, (-0.5, 0.7)])
    nodes, mean, sd = np.linspace(-9, 9, 3601), -0.5, 1.2
    weights = np.exp(-0.5 * ((nodes - mean) / sd) ** 2)
    working = [to_working(items) for items in (one, other)]
    found = curve_gap(one.model, *working, nodes, weights / weights.sum())

    def logistic(a: float, b: float, theta: float) -> float:
        return float(1 / (1 + np.exp(-a * (theta - b))))

    scores = [
        [lambda t: 0.2 + 0.8 * logistic(1.5, 0.2, t), lambda t: logistic(1.1, -1.0, t) + logistic(1.1, 0.5, t)],
        [lambda t: 0.1 + 0.9 * logistic(0.8, 0.3, t), lambda t: logistic(1.1, -0.5, t) + logistic(1.1, 0.7, t)],
    ]

    def over(function) -> float:
        def weighted(t: float) -> float:
            return function(t) * np.exp(-0.5 * ((t - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))

        return float(quad(weighted, -9, 9, limit=200, points=[-0.5, 0.2])[0])

    for item in (0, 1):
        first, second = scores[0][item], scores[1][item]
        signed = over(lambda t, f=first, s=second: s(t) - f(t))
        spread = [over(lambda t, f=f: f(t) ** 2) - over(f) ** 2 for f in (first, second)]
        assert found.signed[item] == pytest.approx(signed, abs=1e-5)
        assert found.unsigned[item] == pytest.approx(over(lambda t, f=first, s=second: abs(s(t) - f(t))), abs=1e-5)
        assert found.standardised[item] == pytest.approx(signed / np.sqrt(sum(spread) / 2), abs=1e-5)


def test_uniform_dif_is_found_with_its_size() -> None:
    responses, group = answers(5, 3000, 12, shift=np.where(np.arange(12) == 0, 0.6, 0.0))
    found = likelihood_ratio_dif(responses, "2PL", group)
    assert np.flatnonzero(found.flagged).tolist() == [0]
    nodes = np.linspace(-6, 6, 241)
    weights = np.exp(-0.5 * (nodes + 0.5) ** 2)
    truth = to_working(ItemParameters.of("2PL", [1.2, 1.2], [-0.5, 0.1]))
    gap = curve_gap(np.array([Model.TWO_PL]), truth[:1], truth[1:], nodes, weights / weights.sum())
    assert found.signed[0] == pytest.approx(gap.signed[0], abs=0.04)
    assert found.unsigned[0] == pytest.approx(-found.signed[0], abs=0.02)
    assert found.focal_population[0] == pytest.approx([-0.5, 1.0], abs=0.12)


def test_curves_that_cross_are_found_where_mantel_and_haenszel_see_nothing() -> None:
    responses, group = answers(6, 4000, 12, turn=0.35)
    found = likelihood_ratio_dif(responses, "2PL", group)
    assert np.flatnonzero(found.flagged).tolist() == [0]
    assert abs(found.signed[0]) < 0.04 < 0.08 < found.unsigned[0]
    assert not mantel_haenszel(responses, group).flagged[0]


def test_dif_of_some_items_does_not_show_in_others_when_anchors_are_given() -> None:
    shift = np.where((np.arange(12) >= 4) & (np.arange(12) < 10), 0.8, 0.0)
    responses, group = answers(7, 3000, 12, shift=shift)
    rule = FlagRule(area=0.03)
    alone = likelihood_ratio_dif(responses, "2PL", group, rule=rule)
    anchored = likelihood_ratio_dif(responses, "2PL", group, anchors=[0, 1, 2, 3], rule=rule)
    assert alone.flagged[[0, 1, 2, 3, 10, 11]].sum() >= 3
    assert np.array_equal(anchored.flagged, shift > 0)


def test_without_dif_the_statistic_is_a_chi_square() -> None:
    rows = [0, 2, 4, 6, 8]
    p = np.concatenate([likelihood_ratio_dif(*data(seed), items=rows).p[rows] for seed in range(12)])
    assert np.mean(p < 0.05) <= 0.12
    assert 0.38 < np.mean(p < 0.5) < 0.62
    assert np.sort(p)[[14, 29, 44]] == pytest.approx([0.25, 0.5, 0.75], abs=0.15)


def data(seed: int) -> tuple:
    responses, group = answers(100 + seed, 500, 10)
    return responses, "2PL", group


def test_what_cannot_be_tested_has_its_status_and_does_not_stop_the_rest() -> None:
    responses, group = graded(8, 600, 11)
    models = ["GRM"] * 6 + ["2PL"] * 5
    responses[:, 6:] = responses[:, 6:] > 0
    responses[group == 1, 1] = NOT_REACHED
    responses[group == 1, 2] = np.where(np.arange(np.count_nonzero(group)) < 30, 1, NOT_REACHED)
    responses[(group == 1) & (responses[:, 3] == 2), 3] = 1
    responses[(group == 1) & (responses[:, 4] == 1), 4] = 0
    responses[:, 5] = NOT_REACHED
    expected = [DifStatus.ONE_GROUP, DifStatus.CONSTANT, DifStatus.EMPTY_CATEGORY, DifStatus.EMPTY_CATEGORY]
    for anchors in (None, [0, 6, 8, 9, 10]):
        found = likelihood_ratio_dif(responses, models, group, anchors=anchors)
        assert found.status[1:6].tolist() == [*expected, DifStatus.ONE_GROUP]
        assert found.status[7] == DifStatus.TESTED
        assert np.isfinite(found.p[7])
        assert np.isnan(found.p[1:6]).all()
        assert not found.flagged[1:6].any()


def test_a_fit_that_does_not_converge_is_said_not_to() -> None:
    responses, group = answers(9, 400, 5)
    found = likelihood_ratio_dif(responses, "2PL", group, options=Options(most_iterations=2, errors=False))
    assert not found.converged
    assert (found.status == DifStatus.NOT_CONVERGED).all()
    assert np.isnan(found.chi2).all()


def test_what_is_refused() -> None:
    responses, group = answers(0, 100, 4)
    with pytest.raises(ParameterError, match="anchors"):
        likelihood_ratio_dif(responses, "2PL", group, anchors=[4])
    with pytest.raises(ParameterError, match="studied"):
        likelihood_ratio_dif(responses, "2PL", group, items=[])
    with pytest.raises(ParameterError, match="models"):
        likelihood_ratio_dif(responses, ["2PL"], group)
    with pytest.raises(DesignError, match="group 2"):
        likelihood_ratio_dif(responses, "2PL", group, focal=2)
    with pytest.raises(ResponseError, match="No item"):
        likelihood_ratio_dif(np.ones((100, 4), dtype=int), "2PL", group)
    with pytest.raises(ResponseError, match="categories"):
        likelihood_ratio_dif(responses + 1, "2PL", group)


@pytest.fixture(scope="module")
def fims() -> tuple[MantelHaenszel, LikelihoodRatioDif]:
    """Australia and Japan, 14 items of the First International Mathematics Study."""
    with real_data("tam_fims").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    items = [name for name in rows[0] if name not in ("SEX", "country")]
    responses = np.array([[int(row[name]) for name in items] for row in rows])
    country = np.array([int(row["country"]) for row in rows])
    mantel = mantel_haenszel(responses, country, reference=1, focal=2)
    kept = np.flatnonzero(mantel.kept)
    return mantel, likelihood_ratio_dif(
        responses, "2PL", country, reference=1, focal=2, anchors=kept, items=range(len(items))
    )


def test_between_two_countries_both_methods_see_the_same(fims: tuple[MantelHaenszel, LikelihoodRatioDif]) -> None:
    mantel, ratio = fims
    assert ratio.converged
    assert (ratio.status <= DifStatus.AT_BOUND).all()
    assert ratio.flagged[mantel.flagged].all()
    assert (np.sign(mantel.delta) == np.sign(ratio.signed))[mantel.flagged].all()
    ranks = [np.argsort(np.argsort(effect)) for effect in (mantel.delta, ratio.signed)]
    assert np.corrcoef(*ranks)[0, 1] > 0.8
