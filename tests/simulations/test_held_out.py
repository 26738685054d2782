"""Prediction of hidden answers, against enumeration, and against the truth of simulated learners."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calibration.em import Options
from engine.calibration.priors import LogNormal, Priors
from engine.errors import DesignError, ResponseError
from engine.grid import Grid
from engine.latent import Independent, LatentTree
from engine.parameters import ItemParameters
from engine.responses import NOT_REACHED, SKIPPED
from simulations.held_out import advantage, compared, folds_of, held_out_scores
from tests.reference import slow, tree
from tests.reference.fit import plain, simulated

COARSE = Options(grid=Grid(-4.0, 4.0, 9), refine=False, gradient=1e-3, errors=False)
FLAT = Priors(discrimination=LogNormal(0.0, 0.5))
COMPETENCE = np.repeat([0, 1, 2, 3], 6)
TREE = LatentTree((0, 0, 1, 1), (0.8, 0.8), (0.9, 0.9, 0.9, 0.9))
FREE = LatentTree((0, 0, 1, 1), (0.7, 0.7), (0.7, 0.7, 0.7, 0.7))


def learners(count: int, seed: int, one: bool = False) -> np.ndarray:
    """Answers of learners whose abilities follow the tree, or are all one; some items not presented."""
    rng = np.random.default_rng(seed)
    domain = TREE.domain_loadings[0] * rng.normal(size=(count, 1)) + 0.6 * rng.normal(size=(count, 2))
    ability = 0.9 * domain[:, [0, 0, 1, 1]] + math.sqrt(1 - 0.81) * rng.normal(size=(count, 4))
    if one:
        ability[:] = rng.normal(size=(count, 1))
    bank = ItemParameters.of("2PL", rng.uniform(1.0, 2.0, 24), rng.normal(0.0, 0.7, 24))
    given = np.empty((count, 24), dtype=np.int64)
    for place in range(4):
        own = np.flatnonzero(COMPETENCE == place)
        given[:, own] = simulated(bank.take(own), ability[:, place], seed + place)
    return np.where(rng.random(given.shape) < 0.3, NOT_REACHED, given)


@pytest.mark.parametrize("latent", [Independent(4), TREE], ids=["independent", "tree"])
def test_each_prediction_is_that_of_enumeration(latent: Independent | LatentTree) -> None:
    given = learners(300, 3)
    given[:, [5, 11]] += (given[:, [5, 11]] == 1) & (np.arange(300) % 2 == 0)[:, None]
    given[:7, 3] = SKIPPED
    models = ["GPCM" if item in (5, 11) else "2PL" for item in range(24)]
    predicted = held_out_scores(
        given, models, competence=COMPETENCE, latent=latent, folds=5, hidden=1, seed=4, priors=FLAT, options=COARSE
    )
    found, fitted = predicted.scores, predicted.calibrations[0]
    items = dict(zip(fitted.rows.tolist(), plain(fitted.parameters), strict=True))
    nodes = COARSE.grid.nodes.tolist()
    weights = tree.population(nodes)
    hidden = set(zip(found.learner.tolist(), found.item.tolist(), strict=True))
    checked = 0
    for n in [*range(7), *range(7, 300, 29)]:
        logs = np.zeros((4, 9))
        for item in items:
            answer = 0 if given[n, item] == SKIPPED else int(given[n, item])
            if answer >= 0 and (n, item) not in hidden:
                logs[COMPETENCE[item]] += [slow.log_p(items[item], answer, node) for node in nodes]
        belief = _on_tree(nodes, logs) if isinstance(latent, LatentTree) else np.exp(logs) * weights
        belief = belief / belief.sum(axis=1, keepdims=True)
        for row in np.flatnonzero(found.learner == n):
            item = int(found.item[row])
            curve = np.array([slow.probabilities(items[item], node) for node in nodes])
            p = belief[COMPETENCE[item]] @ curve
            want = math.log(p[given[n, item]])
            brier = sum((chance - (k == given[n, item])) ** 2 for k, chance in enumerate(p))
            assert (found.log_score[row], found.brier[row]) == pytest.approx((want, brier), rel=1e-9)
            checked += 1
    assert checked > 15


def _on_tree(nodes: list[float], logs: np.ndarray) -> np.ndarray:
    """Posterior of each competence of TREE by summing out abilities one after the other, from the definition."""
    weights = np.array(tree.population(nodes))
    up, down = (np.array(tree.transition(nodes, loading)) for loading in (0.9, 0.8))
    leaf = np.exp(logs)
    result = np.empty_like(logs)
    for wanted in range(4):
        sister, cousins = wanted ^ 1, [c for c in range(4) if c // 2 != wanted // 2]
        other = (up @ leaf[cousins[0]]) * (up @ leaf[cousins[1]])
        root = weights * (down @ other)
        own = (root @ down) * (up @ leaf[sister])
        result[wanted] = (own @ up) * leaf[wanted]
    return result


def test_the_shares_of_the_item_are_the_plain_prediction() -> None:
    given = learners(200, 5)
    found = held_out_scores(given, folds=4, hidden=1, options=COARSE).scores
    for row in range(0, found.item.size, 37):
        item = found.item[row]
        seen = [
            given[n, item]
            for n in range(200)
            if given[n, item] >= 0 and not ((found.item == item) & (found.learner == n)).any()
        ]
        share = seen.count(found.category[row]) / len(seen)
        assert found.plain_log_score[row] == pytest.approx(math.log(share))
        assert found.plain_brier[row] == pytest.approx(2.0 * (1.0 - share) ** 2)


def test_a_hidden_answer_never_tells_its_own_prediction() -> None:
    given = learners(150, 6)
    before = held_out_scores(given, folds=5, hidden=1, options=COARSE).scores
    other = given.copy()
    other[before.learner, before.item] = 1 - before.category
    after = held_out_scores(other, folds=5, hidden=1, options=COARSE).scores
    np.testing.assert_allclose(np.exp(before.log_score) + np.exp(after.log_score), 1.0, rtol=1e-12)


@settings(max_examples=25)
@given(st.integers(2, 12), st.integers(0, 2**31))
def test_folds_are_a_partition_of_the_answers_of_nearly_equal_parts(folds: int, seed: int) -> None:
    given = np.where(np.arange(4000).reshape(80, 50) % 3 == 0, NOT_REACHED, 1)
    fold, learner, item = folds_of(given, folds, seed)
    assert len(set(zip(learner.tolist(), item.tolist(), strict=True))) == np.count_nonzero(given >= 0) == fold.size
    assert (given[learner, item] == 1).all()
    sizes = np.bincount(fold, minlength=folds)
    expected = fold.size / folds
    assert sizes.size == folds
    assert np.abs(sizes - expected).max() < 6.0 * math.sqrt(expected)


def test_every_answer_is_predicted_once_when_all_folds_are_hidden() -> None:
    given = learners(120, 7)
    found = held_out_scores(given, folds=3, options=COARSE)
    scores = found.scores
    cells = set(zip(scores.learner.tolist(), scores.item.tolist(), strict=True))
    assert len(cells) == scores.item.size == np.count_nonzero(given >= 0)
    assert len(found.calibrations) == 3


def test_answers_to_items_that_cannot_be_calibrated_are_counted_not_scored() -> None:
    given = learners(120, 8)
    given[20:, 2] = NOT_REACHED
    given[:, 9] = 1
    given[0, 4] = 2
    models = ["GRM" if item == 4 else "2PL" for item in range(24)]
    found = held_out_scores(given, models, folds=2, options=COARSE)
    fold, learner, item = folds_of(given, 2, 1)
    rare = fold[(learner == 0) & (item == 4)]
    assert not np.isin(found.scores.item, [2, 9]).any()
    assert rare.size == 1
    assert not (found.scores.category == 2).any()
    assert found.unpredicted == np.count_nonzero(given[:, [2, 9]] >= 0) + 1
    assert found.scores.item.size + found.unpredicted == fold.size


def test_the_truth_predicts_best() -> None:
    """Of learners on a tree the tree, of learners with one ability one ability: both ways, beyond the interval."""
    kinds: dict[str, dict[str, Any]] = {
        "tree": {"competence": COMPETENCE, "latent": FREE, "estimate_loadings": True},
        "apart": {"competence": COMPETENCE, "latent": Independent(4)},
        "one": {},
    }
    on_tree, of_one = (
        {
            kind: held_out_scores(given, folds=5, hidden=2, seed=2, options=COARSE, **asked)
            for kind, asked in kinds.items()
        }
        for given in (learners(900, 9), learners(900, 10, one=True))
    )
    for other in ("apart", "one"):
        log, brier = compared(on_tree["tree"], on_tree[other])
        assert log.lower > 0.0 > brier.upper
    log, brier = compared(of_one["one"], of_one["apart"])
    assert log.lower > 0.0 > brier.upper
    assert compared(of_one["tree"], of_one["apart"])[0].lower > 0.0
    scores = on_tree["tree"].scores
    assert advantage(scores.log_score, scores.plain_log_score, scores.learner).lower > 0.0


def test_the_interval_takes_learners_as_the_sample() -> None:
    rng = np.random.default_rng(2)
    learner = rng.integers(0, 40, 300) * 3
    gap = rng.normal(0.1, 1.0, 120)[learner] + 0.1 * rng.normal(size=300)
    found = advantage(gap, np.zeros(300), learner)
    mean = sum(gap) / 300
    people = sorted(set(learner.tolist()))
    squares = sum(sum(gap[n] - mean for n in range(300) if learner[n] == person) ** 2 for person in people)
    error = math.sqrt(len(people) / (len(people) - 1) * squares) / 300
    assert (found.value, found.error) == pytest.approx((mean, error))
    assert (found.lower, found.upper) == pytest.approx((mean - 1.959964 * error, mean + 1.959964 * error))
    assert (found.answers, found.learners) == (300, len(people))
    assert error > 2.0 * gap.std() / math.sqrt(300)


def test_what_cannot_be_compared_is_refused_in_a_sentence() -> None:
    given = learners(60, 11)
    one, other = (held_out_scores(given, folds=5, hidden=1, seed=seed, options=COARSE) for seed in (1, 2))
    with pytest.raises(DesignError, match="same answers"):
        compared(one, other)
    for folds, hidden in ((1, 1), (5, 6), (5, 0)):
        with pytest.raises(DesignError, match="Hide 1 to"):
            held_out_scores(given, folds=folds, hidden=hidden)
    with pytest.raises(ResponseError, match="two learners"):
        advantage([1.0, 2.0], [0.0, 0.0], [3, 3])
    with pytest.raises(ResponseError, match="table of whole numbers"):
        held_out_scores(np.zeros((0, 3), dtype=int))
