import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, ndtri, rel_entr, softmax
from scipy.stats import qmc

from engine.adaptive import Design, begin, decide, replay, step
from engine.arrays import Floats
from engine.designs import content_hash, from_dict, to_dict
from engine.errors import DesignError, ParameterError
from engine.models import curves, information
from engine.parameters import ItemParameters, Model
from engine.picks import Best, Pick, TopK
from engine.scores import InformationAtMean, KullbackLeibler, Score, VarianceReduction, WeightedInformation
from engine.state import Facts
from engine.stopping import MaxLength
from engine.table import Table, build_table
from engine.uncertain import expected_curves, information_of
from engine.uniform import uniform
from engine.working import to_working
from tests.reference import banks

laws = settings(deadline=None, max_examples=25)
NODES = np.linspace(-4.0, 4.0, 17)
UNSURE = Design(parameters="uncertain", stop=MaxLength(10**6))
seeds = st.integers(0, 2**32 - 1)


def errors(parameters: ItemParameters, seed: int, sd: float = 0.15) -> Floats:
    """Covariances of any correlation; each parameter has an error of 0.3 to 1.7 times ``sd``, twice for logits."""
    rng = np.random.default_rng(seed)
    has = ~np.isnan(to_working(parameters))
    count, width = has.shape
    factor = rng.normal(size=(count, width, width))
    whole = factor @ factor.transpose(0, 2, 1)
    size = np.sqrt(np.diagonal(whole, axis1=1, axis2=2))
    scale = sd * rng.uniform(0.3, 1.7, (count, width)) * np.where(np.arange(width) < width - 2, 1.0, 2.0) / size
    return np.where(has[:, :, None] & has[:, None, :], whole * scale[:, :, None] * scale[:, None, :], np.nan)


def covariance(sds: list[float], correlation: float, width: int) -> Floats:
    """One covariance (1, P, P) of the first parameters of an item, all correlated alike."""
    whole = np.full((1, width, width), np.nan)
    matrix = np.full((len(sds), len(sds)), correlation)
    np.fill_diagonal(matrix, 1.0)
    whole[0, : len(sds), : len(sds)] = matrix * np.outer(sds, sds)
    return whole


def drawn(model: Model, x: Floats, nodes: Floats) -> Floats:
    """Probabilities (S, K, G) at working parameters (S, P), straight from the formulas."""
    line = x[:, :1, None] * nodes + x[:, 1:-2, None]
    if model <= Model.FOUR_PL:
        c = expit(x[:, -2]) if model >= Model.THREE_PL else np.zeros(len(x))
        d = expit(x[:, -1]) if model == Model.FOUR_PL else np.ones(len(x))
        right = c[:, None] + (d - c)[:, None] * expit(line[:, 0])
        return np.stack([1.0 - right, right], axis=1)
    if model == Model.GPCM:
        return softmax(np.cumsum(np.concatenate([np.zeros_like(line[:, :1]), line], axis=1), axis=1), axis=1)
    above = np.concatenate([np.ones_like(line[:, :1]), expit(line), np.zeros_like(line[:, :1])], axis=1)
    return above[:, :-1] - above[:, 1:]


def sampled(parameters: ItemParameters, whole: Floats, nodes: Floats) -> Floats:
    """Mean probabilities (K, G) of one item over 2^15 scrambled draws of its parameters."""
    working = to_working(parameters)[0]
    free = np.flatnonzero(~np.isnan(np.diagonal(whole[0])))
    u = qmc.Sobol(free.size, rng=np.random.default_rng(5)).random_base2(15)
    x = np.tile(working, (len(u), 1))
    x[:, free] += ndtri(u) @ np.linalg.cholesky(whole[0][np.ix_(free, free)]).T
    return np.asarray(drawn(Model(int(parameters.model[0])), x, nodes).mean(axis=0))


REALISTIC = {
    "1PL": (ItemParameters.of("1PL", [1.0], [0.5]), covariance([0.1, 0.15], 0.0, 4)),
    "2PL": (ItemParameters.of("2PL", [1.2], [-0.25]), covariance([0.17, 0.13], 0.3, 4)),
    "2PL, steep and hard": (ItemParameters.of("2PL", [2.2], [1.8]), covariance([0.39, 0.5], -0.9, 4)),
    "3PL": (ItemParameters.of("3PL", [1.4], [0.4], [0.2]), covariance([0.3, 0.32, 0.4], -0.3, 4)),
    "3PL, vague guessing": (ItemParameters.of("3PL", [1.4], [-0.7], [0.2]), covariance([0.29, 0.3, 0.8], -0.3, 4)),
    "4PL": (ItemParameters.of("4PL", [1.5], [0.3], [0.2], [0.95]), covariance([0.35, 0.35, 0.4, 0.6], -0.2, 4)),
    "GRM": (
        ItemParameters.of("GRM", [1.5], thresholds=[(-2.0, -0.7, 0.3, 1.7)]),
        covariance([0.14, 0.24, 0.15, 0.14, 0.2], 0.3, 7),
    ),
    "GRM, 8 categories": (
        ItemParameters.of("GRM", [2.0], thresholds=[(-2.0, -1.5, -1.0, -0.3, 0.4, 1.2, 2.0)]),
        covariance([0.2, 0.3, 0.25, 0.2, 0.2, 0.2, 0.25, 0.3], 0.6, 10),
    ),
    "GPCM": (
        ItemParameters.of("GPCM", [0.8], thresholds=[(-1.9, -0.6, 0.4, 1.9)]),
        covariance([0.09, 0.25, 0.17, 0.16, 0.24], 0.1, 7),
    ),
}


@pytest.mark.parametrize("name", REALISTIC)
def test_expected_curves_are_the_means_of_a_large_sample(name: str) -> None:
    item, whole = REALISTIC[name]
    expected = np.exp(expected_curves(item, whole, NODES).log_p)[0]
    plain = np.exp(curves(item, NODES).log_p)[0]
    few = np.isfinite(whole[0]).any(axis=0).sum() <= 5
    np.testing.assert_allclose(expected, sampled(item, whole, NODES), rtol=0, atol=1e-4 if few else 2e-4)
    assert np.abs(expected - plain).max() > 1e-3


@laws
@given(seeds, st.integers(1, 20), st.floats(0.0, 0.5))
def test_they_are_curves(seed: int, count: int, sd: float) -> None:
    """Probabilities sum to 1, expected credit rises, the derivatives are those of the curves."""
    items = banks.mixed(seed, count)
    doubt = errors(items, seed, sd)
    whole = expected_curves(items, doubt, NODES)
    p = np.exp(whole.log_p)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    credit = np.einsum("k,ikg->ig", np.arange(p.shape[1]), p)
    assert (np.diff(credit, axis=1) > -1e-12).all()
    h = 1e-4
    before, after = (expected_curves(items, doubt, NODES + shift) for shift in (-h, h))
    exists = np.isfinite(whole.log_p)
    slope = (after.log_p[exists] - before.log_p[exists]) / (2 * h)
    np.testing.assert_allclose(whole.first[exists], slope, rtol=1e-5, atol=1e-6)
    bend = (after.first[exists] - before.first[exists]) / (2 * h)
    np.testing.assert_allclose(whole.second[exists], bend, rtol=1e-5, atol=1e-5)
    informs = information_of(expected_curves(items, doubt, NODES))
    np.testing.assert_allclose(informs, np.sum(p * np.where(exists, whole.first, 0.0) ** 2, axis=1), rtol=1e-12)


@laws
@given(seeds, st.integers(1, 20), st.booleans())
def test_what_is_known_keeps_its_curves_to_the_last_bit(seed: int, count: int, zero: bool) -> None:
    items = banks.mixed(seed, count)
    doubt = 0.0 * errors(items, seed) if zero else np.full_like(errors(items, seed), np.nan)
    unsure = np.arange(count) % 3 == 1
    doubt[unsure] = errors(items, seed)[unsure]
    for found, plain in zip(expected_curves(items, doubt, NODES), curves(items, NODES), strict=True):
        np.testing.assert_array_equal(found[~unsure], plain[~unsure])


@laws
@given(seeds, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_less_is_known_of_a_2pl_item_the_flatter_its_curve(seed: int, share: float, more: float) -> None:
    """At each ability, the expected probability comes nearer to 1/2, and never beyond it."""
    rng = np.random.default_rng(seed)
    items = ItemParameters.of("2PL", rng.uniform(0.9, 2.5, 8), rng.normal(0.0, 1.3, 8))
    doubt = errors(items, seed, 0.1)
    distances = [
        np.abs(np.exp(expected_curves(items, size * doubt, NODES).log_p)[:, 1] - 0.5)
        for size in (0.0, share * more, share)
    ]
    for known, unknown in pairwise(distances):
        assert (unknown <= known + 1e-5).all()
    at = items.difficulty
    alone = np.stack([expected_curves(items.take([i]), doubt[[i]], at[[i]]).log_p[0, 1] for i in range(8)])
    assert (np.abs(np.exp(alone[:, 0]) - 0.5) < 1e-6).all()


@laws
@given(seeds, st.floats(0.01, 0.4))
def test_an_answer_to_an_unsure_item_tells_at_most_what_it_tells_on_average(seed: int, sd: float) -> None:
    """Fisher information is convex in the curve; equality only where nothing is uncertain."""
    items = banks.logistic(seed, 6)
    doubt = errors(items, seed, sd)
    line, mass = np.polynomial.hermite_e.hermegauss(21)
    pairs, weights = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2), np.outer(mass, mass).reshape(-1)
    for i, (slope, intercept) in enumerate(to_working(items)[:, :2]):
        x = pairs @ np.linalg.cholesky(doubt[i, :2, :2]).T + (slope, intercept)
        p = expit(x[:, :1] * NODES + x[:, 1:])
        average = np.average(x[:, :1] ** 2 * p * (1.0 - p), axis=0, weights=weights)
        assert (information_of(expected_curves(items.take([i]), doubt[[i]], NODES))[0] <= average + 1e-4).all()


def test_a_slope_that_may_be_negative_counts_as_none() -> None:
    item = ItemParameters.of("2PL", [0.4], [0.0])
    whole = covariance([1.0, 0.1], 0.0, 4)
    p = np.exp(expected_curves(item, whole, NODES).log_p)[0, 1]
    assert (np.diff(p) > 0).all()
    line, mass = np.polynomial.hermite_e.hermegauss(5)
    slopes = np.maximum(0.4 + line, 0.004)
    np.testing.assert_allclose(p, expit(slopes[:, None] * NODES).T @ mass / mass.sum(), atol=2e-3)


def test_intercepts_that_may_cross_keep_the_expected_credit() -> None:
    item = ItemParameters.of("GRM", [1.5], thresholds=[(-0.05, 0.0, 0.1)])
    whole = covariance([0.1, 0.5, 0.5, 0.5], 0.0, 6)
    p = np.exp(expected_curves(item, whole, NODES).log_p)[0]
    assert (p > 0).all()
    np.testing.assert_allclose(p.sum(axis=0), 1.0, atol=1e-12)
    np.testing.assert_allclose(np.arange(4) @ p, np.arange(4) @ sampled(item, whole, NODES), atol=1e-4)


@pytest.mark.parametrize("guessing", [0.0, 0.2, 0.7])
def test_asymptotes_that_may_cross_leave_a_curve_that_rises(guessing: float) -> None:
    item = ItemParameters.of("4PL", [1.5], [0.0], [guessing], [0.75])
    p = np.exp(expected_curves(item, covariance([0.2, 0.2, 4.0, 20.0], 0.0, 4), NODES).log_p)[0]
    assert (np.diff(p[1]) > 0).all()
    np.testing.assert_allclose(p.sum(axis=0), 1.0, atol=1e-12)


def test_asymptotes_that_cross_change_places() -> None:
    item = ItemParameters.of("4PL", [1.5], [0.0], [0.5], [0.6])
    p = np.exp(expected_curves(item, covariance([0.1, 0.1, 0.8, 0.8], 0.0, 4), [-30.0, 30.0]).log_p)[0, 1]
    c, d = expit(np.random.default_rng(4).normal([0.0, np.log(1.5)], 0.8, (200_000, 2))).T
    np.testing.assert_allclose(p, [np.minimum(c, d).mean(), np.maximum(c, d).mean()], atol=0.01)


def broken(place: tuple[int, ...], value: float) -> Floats:
    whole = np.zeros((2, 4, 4)) + np.diag([0.04, 0.04, 0.0, 0.0])
    whole[place] = value
    return whole


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (np.zeros((2, 3, 3)), r"shape \(2, 3, 3\); give one matrix of 4 x 4 for each of the 2 items"),
        (np.zeros((4, 4)), "give one matrix"),
        (broken((1, 0, 1), 0.01), "Item number 2 has a covariance that is not finite and symmetrical"),
        (broken((1, 0, 1), np.nan), "Item number 2 has a covariance that is not finite"),
        (broken((1, 0, 0), np.inf), "Item number 2 has a covariance that is not finite"),
        (broken((0, 1, 1), -0.04), "Item number 1 has a covariance with a negative variance"),
        (broken((1, slice(0, 2), slice(0, 2)), 0.1) - 0.08 * np.eye(4), "negative variance|does not have"),
        (broken((1, 2, 2), 0.1), "Item number 2 has a variance of a parameter that it does not have"),
    ],
)
def test_what_is_no_covariance_is_refused(whole: Floats, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        expected_curves(ItemParameters.of("2PL", [1.0, 1.0], [0.0, 0.0]), whole, NODES)


def test_no_items_have_no_curves() -> None:
    assert expected_curves(banks.logistic(0, 0), np.zeros((0, 4, 4)), NODES).log_p.shape == (0, 2, NODES.size)


def test_a_design_of_before_the_option_keeps_its_hash_and_one_with_it_is_another() -> None:
    old = to_dict(Design())
    assert "parameters" not in old
    assert from_dict(old) == Design(parameters="known")
    unsure = json.loads(json.dumps(to_dict(UNSURE)))
    assert unsure["parameters"] == "uncertain"
    assert from_dict(unsure) == UNSURE
    assert content_hash(UNSURE) != content_hash(dataclasses.replace(UNSURE, parameters="known"))
    with pytest.raises(DesignError, match='"known" or "uncertain", not \'guessed\''):
        from_dict(old | {"parameters": "guessed"})


def unsure_table(design: Design, items: ItemParameters, seed: int, sd: float = 0.15) -> Table:
    return build_table(
        items, design, **banks.surroundings(seed, len(items), design.latent), covariance=errors(items, seed, sd)
    )


@settings(deadline=None, max_examples=40)
@given(
    seeds,
    st.integers(1, 150),
    st.sampled_from(["1PL", "2PL", "3PL", "mixed"]),
    st.sampled_from([Best(), TopK(2), TopK(5), TopK(30)]),
    st.sampled_from([0.3, 0.9, 1.0]),
    st.sampled_from([1.0, 8.0]),
)
def test_decisions_are_those_of_the_whole_bank(
    seed: int, count: int, kind: str, pick: Pick, most_asked: float, spread: float
) -> None:
    items = banks.mixed(seed, count) if kind == "mixed" else banks.logistic(seed, count, kind)
    design = dataclasses.replace(UNSURE, pick=pick)
    table = build_table(items, design, covariance=errors(items, seed))
    state = banks.states(design, table, seed, (40,), most_asked, spread)
    u = np.random.default_rng(seed).uniform(size=40)
    assert table.shortlist is not None
    short, dense = decide(design, table, state, u), decide(design, table._replace(shortlist=None), state, u)
    np.testing.assert_array_equal(short.item, dense.item)
    np.testing.assert_array_equal(short.reason, dense.reason)


def test_scores_at_the_mean_are_those_of_the_expected_curves() -> None:
    items = banks.mixed(7, 24)
    design = dataclasses.replace(UNSURE, latent=banks.TREE)
    table = unsure_table(design, items, 7, 0.3)
    situation = banks.situation(design, table, banks.states(design, table, 7, (3,)))
    at = np.clip(situation.mean[:, table.competence], -4.0, 4.0)
    doubt = errors(items, 7, 0.3)
    own = [[expected_curves(items.take([i]), doubt[[i]], at[n, [i]]) for i in range(24)] for n in range(3)]
    informs = np.array([[np.sum(np.exp(c.log_p) * c.first**2) for c in row] for row in own])
    np.testing.assert_allclose(InformationAtMean()(situation), informs, rtol=2e-3)
    elsewhere = np.exp(expected_curves(items, doubt, table.nodes).log_p)
    here = np.zeros((3, 24, elsewhere.shape[1]))
    for place in np.ndindex(3, 24):
        p = np.exp(own[place[0]][place[1]].log_p[0, :, 0])
        here[(*place, slice(p.size))] = p
    apart = rel_entr(here[..., None], elsewhere[None]).sum(axis=2)
    weighed = np.einsum("nig,nig->ni", apart, situation.posterior[:, table.competence])
    np.testing.assert_allclose(KullbackLeibler("posterior")(situation), weighed, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize(
    "score", [InformationAtMean(), WeightedInformation(), VarianceReduction(), KullbackLeibler()], ids=repr
)
def test_a_slope_high_by_chance_is_not_preferred(score: Score) -> None:
    """Two items at the mean: one said to be steep by a handful of learners, one well known."""
    items = ItemParameters.of("2PL", [2.4, 1.7], [0.0, 0.0])
    doubt = np.concatenate([covariance([0.7, 1.6], 0.0, 4), covariance([0.05, 0.05], 0.0, 4)])
    for parameters, chosen in (("known", 0), ("uncertain", 1)):
        design = Design(score=score, parameters=parameters)  # type: ignore[arg-type]
        assert begin(design, build_table(items, design, covariance=doubt), 0.5)[1].item == chosen


@pytest.mark.parametrize("score", [InformationAtMean(), VarianceReduction(), KullbackLeibler()], ids=repr)
@pytest.mark.parametrize("latent", [banks.ALONE, banks.TREE], ids=["one", "tree"])
def test_many_are_served_as_each_and_runs_replay_to_the_last_bit(score: Score, latent: object) -> None:
    items = banks.mixed(3, 24)
    design = dataclasses.replace(UNSURE, score=score, latent=latent, pick=TopK(3), stop=MaxLength(8))  # type: ignore[arg-type]
    table = unsure_table(design, items, 3)
    assert table.dense is not None
    learners = np.arange(5)
    facts = np.full((3, 5, 8), np.nan)
    state, decision = begin(design, table, uniform(learners, 0), (5,))
    for place in range(8):
        response = np.where((learners + place) % 4 == 3, -3, (learners * 3 + place) % 2)
        facts[0, :, place], facts[1, :, place], facts[2, :, place] = decision.item, response, 20.0
        state, decision = step(design, table, state, decision.item, response, 20.0, uniform(learners, place + 1))
    again = unsure_table(design, items, 3)
    asked = Facts(facts[0].astype(np.int64), facts[1].astype(np.int64), facts[2])
    for kept, found in zip(state, replay(design, again, asked), strict=True):
        np.testing.assert_array_equal(kept, found)
    for learner in learners:
        alone, one = begin(design, table, uniform(learner, 0))
        for place in range(8):
            assert one.item == asked.item[learner, place]
            response = asked.response[learner, place]
            alone, one = step(design, table, alone, one.item, response, 20.0, uniform(learner, place + 1))
        np.testing.assert_allclose(one.mean, decision.mean[learner], atol=1e-12)


def test_information_between_nodes_is_that_of_the_curves() -> None:
    items = banks.mixed(1, 24)
    table = unsure_table(UNSURE, items, 1)
    np.testing.assert_allclose(table.information_at(table.nodes), table.information, rtol=1e-9, atol=1e-14)
    ability = np.linspace(-3.97, 3.97, 501)
    exact = information_of(expected_curves(items, errors(items, 1), ability))
    assert (np.abs(table.information_at(ability) - exact) / exact.max(axis=1, keepdims=True)).max() < 2e-3
    chances = expected_curves(items, errors(items, 1), ability).log_p
    np.testing.assert_allclose(np.exp(table.log_probability_at(ability)), np.exp(chances), atol=1e-3)
    rows = np.array([3, 11])
    np.testing.assert_array_equal(table.information_at(ability, rows), table.information_at(ability)[rows])
    assert (information(items, ability).max(axis=1) > exact.max(axis=1)).mean() > 0.9
