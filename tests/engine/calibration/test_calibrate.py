"""Calibration against the maximum that a general optimiser finds of a slow marginal likelihood."""

import numpy as np
import pytest
from scipy import stats

from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.entries import Fixed
from engine.calibration.priors import Beta, LogitNormal, LogNormal, Normal, Priors
from engine.calibration.result import Calibration, ItemStatus
from engine.errors import DesignError, ParameterError, ResponseError
from engine.grid import Grid
from engine.latent import Independent, LatentTree
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from tests.reference import marginal, slow
from tests.reference.fit import plain, simulated

NODES = np.linspace(-5.0, 5.0, 26)
EXACT = Options(grid=Grid(-5.0, 5.0, 26), refine=False, gradient=1e-7, most_iterations=3000, errors=False)
QUICK = Options(errors=False)
PRIORS = Priors(LogNormal(0.1, 0.4), Normal(0.0, 1.5), LogitNormal(-1.4, 0.5), Beta(17.0, 3.0))
LOG_PRIORS = {
    "a": lambda a: float(stats.lognorm.logpdf(a, s=0.4, scale=np.exp(0.1))),
    "b": lambda b: float(stats.norm.logpdf(b, 0.0, 1.5)),
    "c": lambda c: float(stats.norm.logpdf(np.log(c / (1.0 - c)), -1.4, 0.5)),
    "d": lambda d: float(stats.beta.logpdf(d, 17.0, 3.0)),
}


def items(model: str, count: int, seed: int = 1) -> ItemParameters:
    rng = np.random.default_rng(seed)
    a = np.full(count, 1.3) if model == "1PL" else rng.uniform(0.8, 1.8, count)
    if model in ("GRM", "GPCM"):
        steps = np.sort(np.array([-0.8, 0.7]) + rng.normal(0.0, 0.3, (count, 2)), axis=1)
        return ItemParameters.of(model, a, thresholds=steps.tolist())
    c = rng.uniform(0.15, 0.25, count) if model in ("3PL", "4PL") else None
    return ItemParameters.of(model, a, rng.normal(0.0, 0.8, count), c, np.full(count, 0.93) if model == "4PL" else None)


def answers(bank: ItemParameters, learners: int, seed: int = 2, mean: float = 0.0, sd: float = 1.0) -> np.ndarray:
    return simulated(bank, np.random.default_rng(seed).normal(mean, sd, size=learners), seed + 1)


def holes(responses: np.ndarray, share: float, code: int = NOT_REACHED, seed: int = 3) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(responses.shape) < share, code, responses)


def assert_same(found: Calibration, best: marginal.Answer, atol: float = 2e-4) -> None:
    """The same maximum: not lower than the general optimiser's, and at the same parameters."""
    assert found.converged
    assert found.gradient <= EXACT.gradient
    assert found.log_posterior == pytest.approx(best.log_posterior, abs=2e-5)
    assert found.log_posterior >= best.log_posterior - 1e-6
    for mine, other in zip(plain(found.parameters), best.items, strict=True):
        np.testing.assert_allclose(
            (mine.a, mine.b, mine.c, mine.d, *mine.thresholds) if not mine.thresholds else (mine.a, *mine.thresholds),
            (other.a, other.b, other.c, other.d) if not other.thresholds else (other.a, *other.thresholds),
            atol=atol,
        )


def searched(models: list[str], responses: np.ndarray, **more: object) -> marginal.Answer:
    groups = more.pop("groups", None) or [marginal.Group(marginal.counted(responses))]
    return marginal.maximum(marginal.Question(models, groups, nodes=NODES, **more))


@pytest.mark.parametrize("model", ["1PL", "2PL", "GRM", "GPCM"])
def test_the_maximum_of_the_likelihood(model: str) -> None:
    responses = holes(answers(items(model, 5), 300), 0.15)
    found = calibrate(responses, model, options=EXACT)
    steps = [2] * 5 if model in ("GRM", "GPCM") else []
    best = searched([model] * 5, responses, steps=steps)
    assert_same(found, best)
    assert found.log_likelihood == found.log_posterior
    slowly = marginal.log_likelihood(plain(found.parameters), best.groups, NODES.tolist())
    assert found.log_likelihood == pytest.approx(slowly, abs=1e-8)
    assert found.free == {"1PL": 6, "2PL": 10}.get(model, 15)
    assert found.aic == pytest.approx(2 * found.free - 2 * slowly)
    assert found.bic == pytest.approx(found.free * np.log(found.learners - found.silent) - 2 * slowly)


@pytest.mark.parametrize("model", ["3PL", "4PL"])
def test_the_maximum_of_the_posterior(model: str) -> None:
    responses = answers(items(model, 5, seed=4), 600)
    found = calibrate(responses, model, priors=PRIORS, options=EXACT)
    best = searched([model] * 5, responses, log_prior=LOG_PRIORS)
    assert_same(found, best, atol=5e-4)
    assert found.log_likelihood == pytest.approx(
        marginal.log_likelihood(plain(found.parameters), best.groups, NODES.tolist()), abs=1e-8
    )
    assert found.log_posterior != found.log_likelihood


def test_mixed_models_with_every_prior() -> None:
    models = ["1PL", "2PL", "3PL", "1PL", "4PL", "GRM", "GPCM"]
    responses = np.column_stack([answers(items(m, 1, seed=k), 300, seed=9) for k, m in enumerate(models)])
    found = calibrate(responses, models, priors=PRIORS, options=EXACT)
    assert_same(found, searched(models, responses, steps=[2] * 7, log_prior=LOG_PRIORS), atol=5e-4)
    assert found.parameters.discrimination[0] == found.parameters.discrimination[3]


@pytest.mark.parametrize("policy", ["unknown", "incorrect", "ignored"])
def test_skips_and_time_outs_by_each_policy(policy: str) -> None:
    responses = holes(answers(items("3PL", 5, seed=4), 300), 0.2, SKIPPED)
    read = marginal.NOTHING if policy == "ignored" else 0
    best = searched(["3PL"] * 5, np.where(responses == SKIPPED, read, responses), log_prior=LOG_PRIORS)
    found = calibrate(responses, "3PL", priors=PRIORS, skip=policy, options=EXACT)  # type: ignore[arg-type]
    assert_same(found, best, atol=5e-4)
    late = np.where(responses == SKIPPED, TIMED_OUT, responses)
    again = calibrate(late, "3PL", priors=PRIORS, time_out=policy, options=EXACT)  # type: ignore[arg-type]
    np.testing.assert_array_equal(again.working, found.working)
    assert found.counts.sum() == (responses.size if policy != "ignored" else (responses != SKIPPED).sum())


def two_groups(learners: int = 300) -> tuple[np.ndarray, np.ndarray]:
    bank = items("2PL", 5)
    responses = np.vstack([answers(bank, learners, 5), answers(bank, learners, 7, mean=0.6, sd=1.3)])
    return responses, np.repeat([0, 1], learners)


def test_two_groups() -> None:
    responses, group = two_groups()
    found = calibrate(responses, group=group, options=EXACT)
    groups = [marginal.Group(marginal.counted(responses[group == q])) for q in (0, 1)]
    best = searched(["2PL"] * 5, responses, groups=groups, free_groups=[1])
    assert_same(found, best)
    assert found.population.mean[0, 0] == 0.0
    assert found.population.sd[0, 0] == 1.0
    assert found.population.mean[1, 0] == pytest.approx(best.groups[1].mean, abs=2e-4)
    assert found.population.sd[1, 0] == pytest.approx(best.groups[1].sd, abs=2e-4)
    assert found.free == 12


def test_anchors_are_common_and_the_others_are_estimated_in_each_group() -> None:
    responses, group = two_groups()
    found = calibrate(responses, group=group, anchors=[0, 1, 3], options=EXACT)
    split = np.full((len(group), 7), -1)
    columns, owners = [0, 1, 2, 2, 3, 4, 4], [-1, -1, 0, 1, -1, 0, 1]
    for place, (column, owner) in enumerate(zip(columns, owners, strict=True)):
        seen = (group == owner) | (owner < 0)
        split[seen, place] = responses[seen, column]
    groups = [marginal.Group(marginal.counted(split[group == q])) for q in (0, 1)]
    assert found.rows.tolist() == columns
    assert found.group.tolist() == owners
    assert_same(found, searched(["2PL"] * 7, split, groups=groups, free_groups=[1]), atol=5e-4)


def test_fixed_items_give_the_scale() -> None:
    bank = items("2PL", 5)
    responses = answers(bank, 400, mean=0.5, sd=1.2)
    held = bank.take([0, 3, 4])
    found = calibrate(responses, fixed=Fixed(np.array([0, 3, 4]), held), options=EXACT)
    known = {row: plain(bank)[row] for row in (0, 3, 4)}
    best = searched(["2PL"] * 5, responses, held=known, free_groups=[0])
    assert_same(found, best)
    assert found.population.mean[0, 0] == pytest.approx(best.groups[0].mean, abs=2e-4)
    assert found.population.sd[0, 0] == pytest.approx(best.groups[0].sd, abs=2e-4)
    np.testing.assert_array_equal(found.parameters.discrimination[[0, 3, 4]], held.discrimination)
    np.testing.assert_allclose(found.parameters.difficulty[[0, 3, 4]], held.difficulty, rtol=1e-14)
    assert found.status.tolist() == [ItemStatus.FIXED, 0, 0, ItemStatus.FIXED, ItemStatus.FIXED]
    assert found.free == 6


def test_new_1pl_items_take_the_slope_of_the_fixed_ones() -> None:
    bank = items("1PL", 5)
    responses = answers(bank, 400)
    found = calibrate(responses, "1PL", fixed=Fixed(np.array([1, 2]), bank.take([1, 2])), options=EXACT)
    assert found.parameters.discrimination.tolist() == [1.3] * 5
    assert found.free == 5  # three difficulties, a mean and an sd
    groups = [marginal.Group(marginal.counted(responses))]
    for shift in (-0.01, 0.01):  # each difficulty is at its maximum
        for row in (0, 3, 4):
            moved = [slow.Item(i.a, i.b + shift * (k == row)) for k, i in enumerate(plain(found.parameters))]
            people = [marginal.Group(groups[0].counts, *(float(x[0, 0]) for x in found.population))]
            assert marginal.fast_log_likelihood(moved, people, NODES) < found.log_likelihood


@pytest.mark.parametrize("unused", [False, True])
def test_a_fixed_item_may_have_categories_that_nobody_gave(unused: bool) -> None:
    """And parameters with room for more thresholds than any item here has."""
    bank = items("2PL", 5)
    responses = answers(bank, 300)
    steps = ((-1.0, 0.0, 1.0, 4.0, 6.0), None)
    wide = ItemParameters.of(["GRM", "2PL"], [1.0, 1.2], [None, 0.3], thresholds=steps)
    if unused:
        graded = np.minimum(responses[:, :2].sum(axis=1), 2)
        found = calibrate(
            np.column_stack([responses, graded]), ["2PL"] * 5 + ["GRM"], fixed=Fixed(np.array([5]), wide.take([0]))
        )
        assert found.parameters.thresholds[5].tolist() == pytest.approx(steps[0])
    else:
        found = calibrate(responses, fixed=Fixed(np.array([0]), wide.take([1])))
        assert found.parameters.difficulty[0] == pytest.approx(0.3)
    assert found.status[0] in (ItemStatus.FIXED, ItemStatus.CONVERGED)


def test_the_log_posterior_rises_with_every_iteration() -> None:
    responses = answers(items("3PL", 6, seed=4), 300)
    levels = [
        calibrate(responses, "3PL", priors=PRIORS, options=Options(most_iterations=k, errors=False)).log_posterior
        for k in range(1, 16)
    ]
    assert np.diff(levels).min() >= -2e-6
    assert levels[-1] - levels[0] > 1.0


@pytest.mark.parametrize("model", ["1PL", "2PL", "GPCM"])
def test_neither_the_order_of_learners_nor_of_items_matters(model: str) -> None:
    responses = answers(items(model, 6), 1500)
    first = calibrate(responses, model, options=EXACT)
    rng = np.random.default_rng(0)
    shuffled = calibrate(rng.permutation(responses), model, options=EXACT)
    np.testing.assert_allclose(shuffled.working, first.working, atol=1e-6)
    assert shuffled.log_likelihood == pytest.approx(first.log_likelihood, abs=1e-8)
    order = rng.permutation(6)
    turned = calibrate(responses[:, order], model, options=EXACT)
    np.testing.assert_allclose(turned.working, first.working[order], atol=1e-6)


def test_learners_sorted_by_score_change_nothing() -> None:
    """The first, rough estimate from some learners then sees the weakest only."""
    bank = items("2PL", 8, seed=8)
    responses = answers(bank, 4200)
    ranked = responses[np.argsort(responses.sum(axis=1), kind="stable")]
    options = Options(subset=1024, errors=False, gradient=1e-6)
    whole = calibrate(responses, options=options)
    found = calibrate(ranked, options=options)
    assert whole.converged
    assert found.converged
    np.testing.assert_allclose(found.working, whole.working, atol=1e-5)


def test_learners_twice_are_twice_the_log_likelihood() -> None:
    responses = answers(items("2PL", 5), 300)
    once = calibrate(responses, options=EXACT)
    twice = calibrate(np.vstack([responses, responses]), options=EXACT)
    assert twice.log_likelihood == pytest.approx(2 * once.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(twice.working, once.working, atol=1e-6)


def test_learners_without_answers_change_nothing() -> None:
    responses = answers(items("2PL", 5), 300)
    silent = np.full((20, 5), NOT_REACHED)
    silent[:10] = SKIPPED
    found = calibrate(np.vstack([silent, responses]), skip="ignored", options=EXACT)
    alone = calibrate(responses, options=EXACT)
    assert (found.learners, found.silent) == (320, 20)
    np.testing.assert_allclose(found.working, alone.working, atol=1e-6)
    assert found.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-7)


def test_no_bad_item_stops_the_others() -> None:
    bank = items("2PL", 5)
    good = answers(bank, 400)
    rng = np.random.default_rng(0)
    bad = np.column_stack(
        [
            np.ones(400, dtype=int),
            np.zeros(400, dtype=int),
            np.where(np.arange(400) < 19, good[:, 0], NOT_REACHED),
            np.full(400, NOT_REACHED),
            rng.choice([0, 2], size=400),
            1 - good[:, 1],
            good[:, 2],
        ]
    )
    found = calibrate(np.hstack([good, bad]), ["2PL"] * 9 + ["GRM"] + ["2PL"] * 2, options=QUICK)
    assert found.rows.tolist() == [0, 1, 2, 3, 4, 10, 11]
    expected = [ItemStatus.CONSTANT] * 2 + [ItemStatus.TOO_FEW] * 2 + [ItemStatus.EMPTY_CATEGORY, ItemStatus.AT_BOUND]
    assert found.status[5:11].tolist() == expected
    assert found.parameters.discrimination[5] == pytest.approx(0.01)
    assert found.converged
    assert found.counts.tolist() == [400] * 7 + [19, 0] + [400] * 3


def test_one_answer_more_is_enough() -> None:
    responses = answers(items("2PL", 5), 300)
    responses[20:, 4] = NOT_REACHED
    responses[:2, 4] = [0, 1]
    assert calibrate(responses, options=QUICK).status[4] != ItemStatus.TOO_FEW
    responses[19, 4] = NOT_REACHED
    assert calibrate(responses, options=QUICK).status[4] == ItemStatus.TOO_FEW


def test_an_item_that_one_group_finds_constant_is_left_out_everywhere() -> None:
    responses, group = two_groups()
    responses[group == 1, 2] = 1
    found = calibrate(responses, group=group, anchors=[0, 1], options=QUICK)
    assert found.status.tolist() == [0, 0, ItemStatus.CONSTANT, 0, 0]
    assert 2 not in found.rows.tolist()
    assert calibrate(responses, group=group, options=QUICK).status[2] == ItemStatus.CONVERGED


def test_a_group_that_shares_no_items_of_a_competence_has_no_mean_there() -> None:
    """Nothing compares it with the others: its mean and sd are held, not estimated from nothing."""
    responses, group = two_groups()
    both = np.hstack([responses, responses[:, ::-1]])
    competence = np.repeat([0, 1], 5)
    found = calibrate(both, competence=competence, latent=Independent(2), group=group, anchors=[0, 1, 2], options=QUICK)
    assert found.population.mean[1, 1] == 0.0
    assert found.population.sd[1, 1] == 1.0
    assert found.population.mean[1, 0] != 0.0


@pytest.mark.parametrize(
    ("arguments", "words", "kind"),
    [
        ({"models": ["2PL"] * 4}, "4 models for 5 items", ParameterError),
        ({"models": "5PL"}, "no response model '5PL'", ParameterError),
        ({"group": [0] * 59}, "group of each of the 60 learners", ParameterError),
        ({"group": ["a"] * 60}, "whole number", ParameterError),
        ({"group": [0, 2] * 30}, "without a gap", ParameterError),
        ({"group": [0, -1] * 30}, "whole number", ParameterError),
        ({"competence": [0, 0, 0, 0, 1]}, "from 0 to 0", ParameterError),
        ({"anchors": [0, 1]}, "Anchors need several groups", DesignError),
        ({"group": [0, 1] * 30, "anchors": [7]}, "rows from 0 to 4", ParameterError),
        ({"estimate_loadings": True}, "no loadings without a tree", DesignError),
        ({"group": [0, 1] * 30, "latent": LatentTree((0,), (0.5,), (0.5,))}, "not with a tree", DesignError),
        ({"fixed": Fixed(np.array([0, 0]), items("2PL", 2))}, "give each once", ParameterError),
        ({"options": Options(fewest=1000)}, "No item can be calibrated", ResponseError),
        ({"skip": "wrong"}, "no policy 'wrong'", DesignError),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(arguments: dict, words: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=words):
        calibrate(answers(items("2PL", 5), 60), **arguments)


@pytest.mark.parametrize("responses", [np.zeros((3, 2)), np.zeros(3, dtype=int), np.zeros((0, 3), dtype=int)])
def test_what_is_no_table_of_responses_is_refused(responses: np.ndarray) -> None:
    with pytest.raises(ResponseError, match="table of whole numbers"):
        calibrate(responses)


def test_a_category_that_the_model_does_not_have_is_refused() -> None:
    responses = answers(items("2PL", 5), 60)
    responses[5, 3] = 2
    with pytest.raises(
        ResponseError, match="Item number 4 has the response 2, and its model 2PL has the categories 0 to 1"
    ):
        calibrate(responses)
    responses[5, 3] = 256
    with pytest.raises(ResponseError, match="Item number 4 has the response 256"):
        calibrate(responses)
