"""Sincerity: scalar sums, exact laws over every pattern, honest simulees and helped ones."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import latent
from engine.adaptive import Design
from engine.answered import known
from engine.calibration.dif.multiplicity import holm
from engine.grid import Grid
from engine.latent import LatentTree
from engine.parameters import ItemParameters
from engine.responses import NONE, NOT_REACHED, SKIPPED
from engine.sincerity import Sincerity, sincerity
from engine.state import Facts
from engine.table import Table, build_table
from engine.uniform import derive
from itembank.files import shipped_bank
from itembank.positioning import positioning_design
from itembank.snapshot import Snapshot
from simulations.behaviours import behaving
from simulations.learners import Learners, draw
from simulations.run import simulate
from tests.reference import plausibility as slow
from tests.reference.banks import mixed, table_for

SMALL = Grid(-4.0, 4.0, 15)
TREE = LatentTree((0, 0, 1), (0.85, 0.7), (0.9, 0.6, 0.8))
TWO = LatentTree((0, 1), (0.85, 0.85), (0.85, 0.85))


def facts(item: object, response: object) -> Facts:
    rows = np.asarray(item)
    return Facts(rows, np.asarray(response), np.full(rows.shape, np.nan))


def positioned(seed: int, competences: int, *batch: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centre, sd = rng.normal(0.3, 0.7, (*batch, competences, 1)), rng.uniform(0.5, 1.5, (*batch, competences, 1))
    return np.asarray(-0.5 * ((SMALL.nodes - centre) / sd) ** 2)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_scalar_sum(seed: int) -> None:
    """One competence, items of every model."""
    rng = np.random.default_rng(seed)
    design = Design(grid=SMALL)
    table = build_table(mixed(2, 12), design)
    items, evidence = rng.permutation(12)[:7], positioned(seed, 1)
    responses = rng.integers(0, table.categories_of[items])
    found = sincerity(design, table, facts(items, responses), evidence)
    belief = latent.posterior(table.links, evidence)[0]
    z, p = slow.sincerity_alone(table, items, responses, belief)
    assert found.statistic == pytest.approx(z, abs=1e-9)
    assert found.overall == pytest.approx(p, abs=1e-4)
    assert found.by_competence[0] == pytest.approx(float(found.overall), abs=1e-9)
    assert found.p == pytest.approx(min(1.0, 2.0 * float(found.overall)))


def test_over_all_patterns_the_statistic_is_standard_and_false_alarms_are_rare() -> None:
    """Over two competences that correlate, every pattern of twelve answers that the profile can lead to."""
    design = Design(grid=SMALL, latent=TWO)
    rng = np.random.default_rng(2)
    table = build_table(
        ItemParameters.of("3PL", rng.uniform(0.8, 2.0, 12), rng.normal(0.0, 1.2, 12), rng.uniform(0.0, 0.25, 12)),
        design,
        competence=np.arange(12) % 2,
    )
    every = np.array(list(product((0, 1), repeat=12)))
    evidence = positioned(7, 2)
    found = sincerity(design, table, facts(np.broadcast_to(np.arange(12), every.shape), every), evidence)
    joint = slow.joint_of(TWO, SMALL.nodes) * np.exp(evidence[0])[:, None] * np.exp(evidence[1])
    joint /= joint.sum()
    chance = np.array([slow.probability(table, range(12), pattern, joint) for pattern in every])
    assert float(chance @ found.statistic) == pytest.approx(0.0, abs=1e-9)
    assert float(chance @ found.statistic**2) == pytest.approx(1.0, abs=0.02)
    for level, close in ((0.1, 0.02), (0.05, 0.015), (0.01, 0.004), (0.001, 0.001)):
        assert float(chance @ (found.overall < level)) == pytest.approx(level, abs=close)
        assert float(chance @ (found.p < level)) < 1.3 * level
        assert float(chance @ (np.min(found.by_competence, axis=-1) < level)) < 1.3 * level


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_one_is_as_many_and_each_competence_is_adjusted_by_holm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    design = Design(grid=SMALL, latent=TREE)
    table = table_for(design, mixed(1, 24))
    item = np.stack([rng.permutation(24)[:10] for _ in range(4)]).reshape(2, 2, 10)
    response = rng.integers(-3, table.categories_of[item])
    item = np.where(np.arange(10) < rng.integers(1, 11, (2, 2, 1)), item, NONE)
    response = np.where(item == NONE, NONE, response)
    evidence = positioned(seed, 3, 2, 2)
    many = sincerity(design, table, facts(item, response), evidence)
    for index in np.ndindex(2, 2):
        real = item[index] != NONE
        one = sincerity(design, table, facts(item[index][real], response[index][real]), evidence[index])
        for whole, single in zip(many, one, strict=True):
            np.testing.assert_allclose(whole[index], single, atol=1e-9)
        alone = []
        for competence in range(3):
            own = real & (table.competence[item[index]] == competence)
            part = sincerity(design, table, facts(item[index][own], response[index][own]), evidence[index])
            assert np.isnan(part.by_competence[[c for c in range(3) if c != competence]]).all()
            alone.append(part.by_competence[competence])
        np.testing.assert_allclose(many.by_competence[index], holm(alone), atol=1e-9)
        if not np.isnan(alone).all():
            assert many.worst[index] in np.flatnonzero(holm(alone) == np.nanmin(holm(alone)))


def test_each_lower_category_tells_more() -> None:
    design = Design(grid=SMALL)
    table = build_table(mixed(2, 12), design)
    rows = np.arange(12)
    evidence = positioned(3, 1)
    best = table.categories_of - 1
    before = sincerity(design, table, facts(rows, best), evidence)
    for item in rows:
        worse = sincerity(design, table, facts(rows, np.where(rows == item, best - 1, best)), evidence)
        assert worse.statistic < before.statistic
        assert worse.overall > 0.0
    assert sincerity(design, table, facts(rows, 0 * rows), evidence).overall < 0.05 < before.overall


def test_a_skip_earns_what_a_guess_would_and_what_was_not_reached_does_not_count() -> None:
    table = build_table(ItemParameters.of("3PL", [1.2, 1.5], [0.0, 0.3], [0.25, 0.25]), Design(grid=SMALL))
    evidence = positioned(3, 1)

    def found(response: list[int], skip: str = "unknown") -> float:
        design = Design(grid=SMALL, skip=skip)  # type: ignore[arg-type]
        return float(sincerity(design, table, facts([0, 1], response), evidence).statistic)

    assert found([1, SKIPPED]) == pytest.approx(0.75 * found([1, 0]) + 0.25 * found([1, 1]), abs=1e-12)
    assert found([1, SKIPPED], "incorrect") == found([1, 0])
    single = sincerity(Design(grid=SMALL), table, facts([0], [1]), evidence)
    assert found([1, SKIPPED], "ignored") == found([1, NOT_REACHED]) == pytest.approx(float(single.statistic))
    nothing = sincerity(Design(grid=SMALL), table, facts([NONE], [NONE]), evidence)
    assert (float(nothing.statistic), float(nothing.p), int(nothing.worst)) == (0.0, 1.0, NONE)


# simulees: a positioning over all competences, then forty items over seven of them


@cache
def two_tests() -> tuple[Design, Table, Design, Table]:
    snapshot = Snapshot.of(shipped_bank())
    first = positioning_design(snapshot.framework)
    second = positioning_design(snapshot.framework, snapshot.framework.codes[2::2], 40)
    return first, snapshot.table(first), second, snapshot.table(second)


def certified(count: int, help: float, helped: tuple[int, ...], skipping: float = 0.0) -> Sincerity:
    """Simulees with more ability during the positioning than during the certification."""
    first, first_table, second, second_table = two_tests()
    learners = draw(first.latent, count, seed=3)
    lifted = learners.abilities.copy()
    lifted[:, helped] += help
    positioning = simulate(first, first_table, Learners(learners.seeds, lifted), behaving(skipping=skipping))
    again = Learners(derive(learners.seeds, 99), learners.abilities)
    run = simulate(second, second_table, again, behaving(skipping=skipping))
    told = known(first, first_table, Facts(positioning.items, positioning.responses, positioning.seconds))
    return sincerity(second, second_table, Facts(run.items, run.responses, run.seconds), told.log_likelihood)


@pytest.mark.parametrize("skipping", [0.0, 0.5])
def test_the_honest_are_rarely_suspected(skipping: float) -> None:
    found = certified(2000, 0.0, (), skipping)
    assert abs(found.statistic.mean()) < 0.15
    assert found.statistic.std() == pytest.approx(1.0, abs=0.06)
    assert 0.025 < np.mean(found.overall < 0.05) < 0.07
    for level in (0.05, 0.01, 0.001):
        assert np.mean(found.p < level) <= level + 2.0 * np.sqrt(level / 2000)
        assert np.mean(np.nanmin(found.by_competence, axis=-1) < level) <= level + 2.0 * np.sqrt(level / 2000)


def test_the_helped_are_found_the_more_help_the_more_often() -> None:
    everywhere = tuple(range(16))
    rates = [np.mean(certified(400, help, everywhere).p < 0.01) for help in (0.0, 1.0, 2.0)]
    assert rates[0] < 0.03
    assert rates[1] > 0.25
    assert rates[2] > 0.85
    assert np.mean(certified(400, 2.0, (2, 4, 6)).p < 0.05) > 0.1
