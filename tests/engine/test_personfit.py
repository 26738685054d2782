"""Person fit: held against the textbook's numbers, scalar sums, exact laws over every pattern, and honest simulees."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from engine.adaptive import Design
from engine.errors import ResponseError
from engine.grid import Grid
from engine.latent import Independent, LatentTree
from engine.pace import time_fit, too_fast
from engine.parameters import ItemParameters
from engine.personfit import LEAST_LEFT, Fit, lz, person_fit
from engine.responses import NONE, NOT_REACHED, SKIPPED, TIMED_OUT
from engine.state import Facts
from engine.table import Table, build_table
from itembank.files import shipped_bank
from itembank.positioning import positioning_design
from itembank.snapshot import Snapshot
from simulations.behaviours import behaving
from simulations.learners import draw
from simulations.run import Result, simulate
from tests.reference import plausibility as slow
from tests.reference.banks import mixed, table_for
from tests.reference.golden import catr_bank, golden

SMALL = Grid(-4.0, 4.0, 17)
TWO = LatentTree((0, 1), (0.85, 0.85), (0.85, 0.85))


def facts(item: object, response: object, seconds: object = None) -> Facts:
    rows = np.asarray(item)
    return Facts(rows, np.asarray(response), np.full(rows.shape, np.nan) if seconds is None else np.asarray(seconds))


# l_z at known abilities


@pytest.mark.parametrize("case", golden("person_fit.json")["cases"])
def test_lz_is_the_textbooks(case: dict[str, float]) -> None:
    numbers = golden("person_fit.json")
    bank = catr_bank({"3PL": numbers["bank"]}, "3PL")
    found = lz(bank, numbers["patterns"][case["pattern"]], case["theta"])
    assert found.statistic == pytest.approx(case["lz"], abs=1e-9)


def test_the_p_value_is_that_of_every_pattern() -> None:
    """At a known ability, the probability of a pattern as unlikely or more, from all 4,096 patterns."""
    rng = np.random.default_rng(1)
    bank = ItemParameters.of("3PL", rng.uniform(0.6, 2.0, 12), rng.normal(0.0, 1.0, 12), rng.uniform(0.0, 0.25, 12))
    every = np.array(list(product((0, 1), repeat=12)))
    found = lz(bank, every, np.full(4096, 0.3))
    p = bank.guessing + (1 - bank.guessing) / (1 + np.exp(-bank.discrimination * (0.3 - bank.difficulty)))
    chance = np.where(every == 1, p, 1 - p).prod(axis=1)
    assert float(chance @ found.statistic) == pytest.approx(0.0, abs=1e-12)
    assert float(chance @ found.statistic**2) == pytest.approx(1.0, abs=1e-12)
    for level, close in ((0.1, 0.02), (0.05, 0.01), (0.01, 0.003)):
        assert float(chance @ (found.p <= level)) == pytest.approx(level, abs=close)


def test_skips_are_the_lowest_category_and_items_not_reached_do_not_count() -> None:
    bank = mixed(3, 12)
    answered = np.minimum(np.arange(12) % 3, bank.categories - 1)
    answered[[1, 5]] = 0
    silent = answered.copy()
    silent[[1, 5]] = SKIPPED, TIMED_OUT
    assert lz(bank, silent, 0.2).statistic == lz(bank, answered, 0.2).statistic
    short = np.where(np.arange(12) < 8, answered, NOT_REACHED)
    assert lz(bank, short, 0.2).statistic == pytest.approx(lz(bank.take(np.arange(8)), answered[:8], 0.2).statistic)
    nothing = lz(bank, np.full((2, 12), NOT_REACHED), 0.2)
    np.testing.assert_array_equal(nothing, [[0.0, 0.0], [1.0, 1.0]])
    with pytest.raises(ResponseError, match="one column for each of the 12 items"):
        lz(bank, answered[:5], 0.0)


# l_z with unknown abilities


def test_person_fit_is_the_scalar_sum() -> None:
    """Items of every model; statistic and variance by scalars."""
    design = Design(grid=SMALL)
    table = build_table(mixed(2, 12), design)
    rng = np.random.default_rng(4)
    for _ in range(20):
        items = rng.permutation(12)[:9]
        given = rng.integers(0, table.categories_of[items])
        found = person_fit(design, table, facts(items, given))
        statistic, _, variance = slow.person_fit_alone(table, items, given, np.exp(SMALL.log_weights), LEAST_LEFT)
        assert found.statistic == pytest.approx(statistic / np.sqrt(variance), abs=1e-10)


def test_over_all_patterns_the_mean_is_zero_and_the_variance_is_the_one_expected() -> None:
    """The law of total variance that the statistic rests on, exactly, from every pattern of nine items."""
    design = Design(grid=SMALL)
    rng = np.random.default_rng(6)
    table = build_table(ItemParameters.of("2PL", rng.uniform(0.8, 2.0, 9), rng.normal(0.0, 1.0, 9)), design)
    prior, items = np.exp(SMALL.log_weights), list(range(9))
    mean = square = expected = 0.0
    for pattern in slow.patterns(table, items):
        chance = slow.probability(table, items, pattern, prior)
        statistic, variance, _ = slow.person_fit_alone(table, items, pattern, prior, 0.0)
        mean, square, expected = mean + chance * statistic, square + chance * statistic**2, expected + chance * variance
    assert mean == pytest.approx(0.0, abs=1e-12)
    assert square == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("latent", [Independent(1), Independent(2), TWO])
def test_false_alarms_over_every_pattern(latent: Independent | LatentTree) -> None:
    """The exact rate of false alarms of twelve fixed items, a hard case: adaptive tests of 40 are below."""
    design = Design(grid=SMALL, latent=latent)
    rng = np.random.default_rng(2)
    competence = np.arange(12) % latent.competences
    table = build_table(
        ItemParameters.of("2PL", rng.uniform(0.8, 2.0, 12), rng.normal(0.0, 1.2, 12)), design, competence=competence
    )
    every = np.array(list(product((0, 1), repeat=12)))
    found = person_fit(design, table, facts(np.broadcast_to(np.arange(12), every.shape), every))
    if isinstance(latent, LatentTree):
        joint = slow.joint_of(latent, SMALL.nodes)
    else:
        weights = np.exp(SMALL.log_weights)
        joint = weights if latent.competences == 1 else np.outer(weights, weights)
    chance = np.array([slow.probability(table, range(12), pattern, joint) for pattern in every])
    assert chance.sum() == pytest.approx(1.0)
    for level, least, most in ((0.1, 0.08, 0.18), (0.05, 0.04, 0.1), (0.01, 0.005, 0.025), (0.001, 0.0, 0.002)):
        assert least <= float(chance @ (found.p < level)) <= most, level


def padded(table: Table, seed: int) -> Facts:
    """Runs of several lengths with every kind of response."""
    rng = np.random.default_rng(seed)
    item = np.stack([rng.permutation(table.competence.size)[:10] for _ in range(6)]).reshape(2, 3, 10)
    response = np.where(
        rng.uniform(size=item.shape) < 0.3, rng.integers(-3, 0, item.shape), rng.integers(0, table.categories_of[item])
    )
    ends = rng.integers(3, 11, (2, 3, 1))
    seconds = np.where(rng.uniform(size=item.shape) < 0.2, np.nan, rng.lognormal(4.0, 1.0, item.shape))
    return Facts(np.where(np.arange(10) < ends, item, NONE), np.where(np.arange(10) < ends, response, NONE), seconds)


def test_one_is_as_many_whatever_pads_and_in_whatever_order() -> None:
    design = Design(grid=SMALL, latent=LatentTree((0, 0, 1), (0.85, 0.7), (0.9, 0.6, 0.8)))
    table = table_for(design, mixed(1, 24))
    runs = padded(table, 3)
    many = (person_fit(design, table, runs), time_fit(table, runs, 0.4), too_fast(table, runs, 0.4))
    for index in np.ndindex(2, 3):
        real = runs.item[index] != NONE
        run = Facts(*(field[index][real][::-1] for field in runs))
        one = (person_fit(design, table, run), time_fit(table, run, 0.4), too_fast(table, run, 0.4))
        for whole, single in zip(many, one, strict=True):
            assert single.statistic == pytest.approx(whole.statistic[index], abs=1e-10)
            assert single.p == pytest.approx(whole.p[index], abs=1e-10)


def test_who_answered_nothing_is_not_suspected() -> None:
    design = Design(grid=SMALL, skip="ignored")
    table = build_table(mixed(2, 12), design)
    for run in (facts([], []), facts([NONE, NONE], [NONE, NONE]), facts([3, 4], [NOT_REACHED, SKIPPED])):
        for fit in (person_fit(design, table, run), time_fit(table, run, 0.4), too_fast(table, run, 0.4)):
            assert (float(fit.statistic), float(fit.p)) == (0.0, 1.0)


# times


def test_the_chi_square_is_the_quadratic_form_of_the_times() -> None:
    design = Design(grid=SMALL)
    table = table_for(design, mixed(1, 24))
    rng = np.random.default_rng(8)
    item = rng.permutation(24)[:10]
    response = np.array([0, 1, 0, SKIPPED, 1, TIMED_OUT, 0, NOT_REACHED, 1, 0])
    seconds = rng.lognormal(4.0, 1.0, 10)
    seconds[[1, 6]] = np.nan, 0.0
    found = time_fit(table, Facts(item, response, seconds), 0.3)
    kept = [0, 2, 4, 8, 9]
    gap = np.log(seconds[kept]) - table.time_intensity[item[kept]]
    covariance = 0.3**2 + np.diag(table.time_discrimination[item[kept]] ** -2.0)
    assert found.statistic == pytest.approx(gap @ np.linalg.solve(covariance, gap), abs=1e-9)


def test_times_of_the_model_give_uniform_p_values() -> None:
    design = Design(grid=SMALL)
    table = table_for(design, mixed(1, 24))
    rng = np.random.default_rng(5)
    item = np.stack([rng.permutation(24)[:12] for _ in range(20000)])
    noise = rng.normal(size=item.shape) / table.time_discrimination[item]
    seconds = np.exp(table.time_intensity[item] - rng.normal(0.0, 0.4, (20000, 1)) + noise)
    p = time_fit(table, facts(item, np.ones_like(item), seconds), 0.4).p
    for level in (0.5, 0.1, 0.05, 0.01):
        assert np.mean(p < level) == pytest.approx(level, abs=4.0 * np.sqrt(level * (1 - level) / p.size))
    assert np.mean(too_fast(table, facts(item, np.ones_like(item), seconds), 0.4).p < 0.05) < 0.05


def test_answers_too_fast_to_have_been_read() -> None:
    """All accidents when the model's own chance is nothing: the tail of a binomial."""
    design = Design(grid=SMALL)
    table = build_table(mixed(1, 24), design, time_discrimination=np.full(24, 50.0))
    seconds = np.full((11, 10), 60.0)
    for fast in range(11):
        seconds[fast, :fast] = 5.0
    run = facts(np.broadcast_to(np.arange(10), (11, 10)), np.zeros((11, 10), dtype=np.int64), seconds)
    found = too_fast(table, run, 0.1, chance=0.05)
    np.testing.assert_array_equal(found.statistic, np.arange(11))
    expected = [slow.count_at_least([0.05] * 10, fast) for fast in range(11)]
    np.testing.assert_allclose(found.p, expected, rtol=1e-9)
    slow_candidate = too_fast(table, run._replace(seconds=seconds * 0.0), 0.1)
    np.testing.assert_array_equal(slow_candidate.p, 1.0)


# simulees


@cache
def seven_competences(behaviour: str = "honest") -> Fit:
    """Adaptive tests of 40 items over seven competences of the shipped bank."""
    snapshot = Snapshot.of(shipped_bank())
    design = positioning_design(snapshot.framework, snapshot.framework.codes[2::2], 40)
    table = snapshot.table(design)
    ways = {"honest": behaving(), "skipping": behaving(skipping=0.5), "guessing": behaving(guessing=1.0)}
    run: Result = simulate(design, table, draw(design.latent, 2000, seed=5), ways[behaviour])
    return person_fit(design, table, Facts(run.items, run.responses, run.seconds))


@pytest.mark.parametrize("behaviour", ["honest", "skipping"])
def test_honest_simulees_are_rarely_suspected_after_an_adaptive_test(behaviour: str) -> None:
    fit = seven_competences(behaviour)
    assert abs(fit.statistic.mean()) < 0.25
    assert fit.statistic.std() == pytest.approx(1.0, abs=0.1)
    assert 0.03 < np.mean(fit.p < 0.05) < 0.08
    assert np.mean(fit.p < 0.01) < 0.015
    assert np.mean(fit.p < 0.001) < 0.003


def test_who_answers_at_random_is() -> None:
    assert np.mean(seven_competences("guessing").p < 0.01) > 0.3
