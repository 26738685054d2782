"""From answers to items, not from normal measurements: how far the normal likelihoods hold with few questions."""

import numpy as np
import pytest
from scipy.special import expit

from engine.groups.change import Verdict, change, progress
from engine.groups.pooling import pool

NODES = np.linspace(-6.0, 6.0, 121)
SIZES = [6, 10, 16, 20, 24, 28]


def posteriors(
    rng: np.random.Generator, ability: np.ndarray, items: int, guessing: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of each learner under N(0, 1), from items near the ability, as a positioning asks them."""
    shape = (*ability.shape, items)
    a, b = rng.lognormal(0.2, 0.3, shape), 0.6 * ability[..., None] + rng.normal(0.0, 0.7, shape)
    right = rng.uniform(size=shape) < guessing + (1.0 - guessing) * expit(a * (ability[..., None] - b))
    log = np.broadcast_to(-0.5 * NODES**2, (*ability.shape, NODES.size)).copy()
    for item in range(items):
        logit = a[..., item, None] * (NODES - b[..., item, None])
        wrong = (1.0 - guessing) * expit(-logit)
        log += np.log(np.where(right[..., item, None], guessing + (1.0 - guessing) * expit(logit), wrong))
    weight = np.exp(log)
    weight /= weight.sum(axis=-1, keepdims=True)
    mean = weight @ NODES
    return mean, np.sqrt(weight @ NODES**2 - mean**2)


@pytest.mark.parametrize(("items", "sd", "bias"), [(3, 0.74, 0.1), (6, 0.60, 0.07), (12, 0.46, 0.06)])
@pytest.mark.parametrize("centre", [-1.0, 0.0])
def test_classes_and_progress_are_covered_with_few_questions(items: int, sd: float, bias: float, centre: float) -> None:
    """100 schools of 6 classes, also well below the population; 0.045 is three Monte Carlo errors or so."""
    rng = np.random.default_rng(items)
    group = np.repeat(np.arange(6), SIZES)
    means = rng.normal(centre, 0.3, (100, 6))
    ability = means[:, group] + rng.normal(0.0, 0.8, (100, group.size))
    before = posteriors(rng, ability, items)
    after = posteriors(rng, ability + rng.normal(0.3, 0.4, ability.shape), items)
    assert before[1].mean() == pytest.approx(sd, abs=0.02)
    classes = [pool(m, s, group, 6) for m, s in zip(*before, strict=True)]
    inside = [(found.lower <= truth) & (truth <= found.upper) for found, truth in zip(classes, means, strict=True)]
    assert np.mean(inside) == pytest.approx(0.885, abs=0.045)
    assert abs(np.mean([found.mean for found in classes] - means)) < bias
    rises = [progress(*pair) for pair in zip(*before, *after, strict=True)]
    assert np.mean([rise.mean for rise in rises]) == pytest.approx(0.3, abs=0.05)
    assert np.mean([rise.lower <= 0.3 <= rise.upper for rise in rises]) == pytest.approx(0.9, abs=0.09)


@pytest.mark.parametrize(("items", "bias", "covered"), [(3, 0.33, 0.77), (6, 0.22, 0.8)])
@pytest.mark.parametrize("centre", [-1.0, 0.0, 1.0])
def test_items_that_are_guessed_at_move_the_means_of_classes(
    items: int, bias: float, covered: float, centre: float
) -> None:
    """Questions that one in four guesses right: far from normal, as the document says."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(6), SIZES)
    means = rng.normal(centre, 0.3, (100, 6))
    ability = means[:, group] + rng.normal(0.0, 0.8, (100, group.size))
    classes = [pool(m, s, group, 6) for m, s in zip(*posteriors(rng, ability, items, 0.25), strict=True)]
    inside = [(found.lower <= truth) & (truth <= found.upper) for found, truth in zip(classes, means, strict=True)]
    assert abs(np.mean([found.mean for found in classes] - means)) < bias
    assert np.mean(inside) > covered


@pytest.mark.parametrize(
    ("items", "sd", "still", "level", "levels"),
    [
        (3, 0.74, 0.0, 0.0, 0.0),
        (6, 0.60, 0.0, 0.003, 0.02),
        (12, 0.46, 0.01, 0.05, 0.21),
        (24, 0.34, 0.038, 0.19, 0.62),
        (48, 0.24, 0.059, 0.43, 0.93),
    ],
)
def test_changes_of_learners_are_covered_and_told_as_often_as_the_document_says(
    items: int, sd: float, still: float, level: float, levels: float
) -> None:
    """5,000 learners whose abilities change with an sd of 0.63, stay, or rise by one level or two of 0.6."""
    rng = np.random.default_rng(items)
    first = rng.normal(size=5000)
    second = 0.8 * first + 0.6 * rng.normal(size=5000)
    before = posteriors(rng, first, items)
    found, truth = change(*before, *posteriors(rng, second, items)), second - first
    assert before[1].mean() == pytest.approx(sd, abs=0.01)
    assert np.mean((found.lower <= truth) & (truth <= found.upper)) == pytest.approx(0.9, abs=0.015)
    same, one, two = (change(*before, *posteriors(rng, first + rise, items)).verdict for rise in (0.0, 0.6, 1.2))
    assert np.mean(same != Verdict.NOISE) == pytest.approx(still, abs=0.01)
    assert np.mean(one == Verdict.ROSE) == pytest.approx(level, abs=0.02)
    assert np.mean(two == Verdict.ROSE) == pytest.approx(levels, abs=0.02)
    assert max(np.mean(one == Verdict.FELL), np.mean(two == Verdict.FELL)) < 0.003
    rose = found.verdict == Verdict.ROSE
    assert np.count_nonzero(truth[rose] < 0.0) <= 0.08 * np.count_nonzero(rose)
