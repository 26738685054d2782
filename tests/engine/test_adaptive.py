import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adaptive import Decision, Design, State, begin, decide, posterior, replay, step
from engine.filters import (
    AnotherTopic,
    EasierAfterSkip,
    FairChance,
    Filter,
    FitsTheTime,
    NoTwoTimed,
    OnePerTopic,
    Prefer,
    Quotas,
    WithoutEnemies,
)
from engine.latent import Independent, Latent
from engine.models import log_probability
from engine.picks import Best, Pick, Proportional, SympsonHetter, TopK
from engine.responses import NONE
from engine.scores import InformationAtMean, KullbackLeibler, Score, VarianceReduction, WeightedInformation
from engine.state import Facts
from engine.stopping import AllOf, AnyOf, AtLeast, LevelIsClear, MaxLength, OutOfTime, PreciseEnough, Reason, Stop
from engine.table import build_table
from engine.uniform import uniform
from tests.reference import banks
from tests.reference.learners import served, simulated, together

ITEMS = 26
laws = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 2**32 - 1)
latents = st.sampled_from([banks.ALONE, banks.TREE])
SCORES: tuple[Score, ...] = (
    InformationAtMean(), WeightedInformation("likelihood"), WeightedInformation("posterior"), VarianceReduction(),
    KullbackLeibler("likelihood"), KullbackLeibler("posterior"),
)  # fmt: skip
PICKS: tuple[Pick, ...] = (
    Best(), TopK(5), Proportional(), Proportional(6.0), SympsonHetter(tuple(0.2 + 0.03 * row for row in range(ITEMS))),
)  # fmt: skip
LIMITS: tuple[Filter, ...] = (Quotas((1, 1, 1), (5, 5, 5), 12), FitsTheTime(500.0))
FILTERS: tuple[tuple[Filter, ...], ...] = (
    (),
    (OnePerTopic(), WithoutEnemies(), NoTwoTimed()),
    (Prefer(AnotherTopic()), Prefer(FairChance()), Prefer(EasierAfterSkip())),
    LIMITS,
)
STOPS: tuple[Stop, ...] = (
    MaxLength(10), AnyOf((MaxLength(12), PreciseEnough(0.62))), AnyOf((OutOfTime(400.0), MaxLength(11))),
    AnyOf((AllOf((AtLeast(4), LevelIsClear(0.3))), MaxLength(9))),
)  # fmt: skip
BANKS = {"ties": banks.tied, "six models": banks.mixed}
COMBINATIONS = [
    pytest.param(
        Design(score=score, pick=pick, filters=FILTERS[n % 4], stop=STOPS[n // 4 % 4], latent=latent), bank,
        id=f"{bank}, {latent.competences}, {type(score).__name__}, {type(pick).__name__}, {n % 16}",
    )
    for n, (score, pick, latent, bank) in enumerate(itertools.product(SCORES, PICKS, (banks.ALONE, banks.TREE), BANKS))
]  # fmt: skip
every_combination = pytest.mark.parametrize(("design", "bank"), COMBINATIONS)


def same_states(one: State, other: State) -> None:
    for name, left, right in zip(State._fields, one, other, strict=True):
        np.testing.assert_array_equal(left, right, err_msg=name)


def fitted(design: Design) -> Design:
    """The design with quotas for its number of competences."""
    if design.filters != LIMITS or design.latent.competences == 3:
        return design
    return Design(
        design.score, (Quotas((4,), (12,), 12), FitsTheTime(500.0)), design.pick, design.stop, latent=design.latent
    )


@every_combination
def test_many_at_once_are_each_alone_and_replay_equals_steps(design: Design, bank: str) -> None:
    """The same items, responses and reasons exactly; the same estimates but for the last bits."""
    design = fitted(design)
    table = banks.table_for(design, BANKS[bank](5, ITEMS), 5)
    learners = [3, 2**62, 17, 2**63 - 1]
    runs = simulated(design, table, learners)
    states = []
    for learner, run in zip(learners, runs, strict=True):
        alone, state = served(design, table, learner)
        assert (alone.items, alone.responses, alone.reason) == (run.items, run.responses, run.reason)
        np.testing.assert_allclose(alone.means, run.means, rtol=0, atol=1e-12)
        np.testing.assert_allclose(alone.sds, run.sds, rtol=0, atol=1e-12)
        same_states(replay(design, table, run.facts()), state)
        states.append(state)
        assert len(set(run.items)) == len(run.items) > 0
        position = len(run.items) // 2
        before = replay(design, table, Facts(*(part[:position] for part in run.facts())))
        again = decide(design, table, before, uniform(learner, position))
        assert again.item == [*run.items, NONE][position]
    padded = replay(design, table, together(runs))
    for index, state in enumerate(states):
        same_states(banks.one_of(padded, (index,)), state)


@pytest.mark.parametrize(
    ("design", "bank"),
    [
        (Design(stop=MaxLength(10)), "ties"),
        (Design(pick=TopK(5), stop=MaxLength(10)), "ties"),
        (Design(score=VarianceReduction(), latent=banks.TREE, pick=TopK(3), stop=MaxLength(10)), "ties"),
        (
            Design(score=WeightedInformation(), latent=banks.TREE, pick=Proportional(2.0), stop=MaxLength(8)),
            "six models",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else type(part.score).__name__,
)
def test_a_hundred_at_once_are_each_alone(design: Design, bank: str) -> None:
    """Large enough for other routines of linear algebra than those that serve a single learner."""
    table = banks.table_for(design, BANKS[bank](7, 60), 7)
    learners = list(range(100))
    for learner, run in zip(learners, simulated(design, table, learners), strict=True):
        alone, _ = served(design, table, learner)
        assert (alone.items, alone.responses, alone.reason) == (run.items, run.responses, run.reason)
        np.testing.assert_allclose(alone.means, run.means, rtol=0, atol=1e-12)


def test_the_combinations_cover_what_they_name() -> None:
    designs = [combination.values[0] for combination in COMBINATIONS]
    for name, options in (("score", SCORES), ("pick", PICKS), ("filters", FILTERS), ("stop", STOPS)):
        assert {getattr(design, name) for design in designs} == set(options)
    assert len({(design.filters, design.stop) for design in designs}) == 16


@laws
@given(seeds, latents, st.data())
def test_the_order_of_the_answers_does_not_matter(seed: int, latent: Latent, data: st.DataObject) -> None:
    design = Design(latent=latent)
    table = banks.table_for(design, banks.mixed(seed, 20), seed)
    rng = np.random.default_rng(seed)
    items = rng.permutation(20)[:12]
    facts = Facts(items, rng.integers(-3, table.categories_of[items]), rng.uniform(1.0, 99.0, 12))
    order = data.draw(st.permutations(range(12)))
    straight = replay(design, table, facts)
    shuffled = replay(design, table, Facts(*(part[order] for part in facts)))
    np.testing.assert_allclose(shuffled.log_likelihood, straight.log_likelihood, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        posterior(design, table, shuffled), posterior(design, table, straight), rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(shuffled.speed, straight.speed, rtol=1e-9)
    np.testing.assert_allclose(shuffled.elapsed, straight.elapsed, rtol=1e-9)
    assert (shuffled.asked == straight.asked).all()
    assert shuffled.length == straight.length == 12


@laws
@given(seeds, latents)
def test_beliefs_are_the_prior_times_the_probabilities_of_the_answers(seed: int, latent: Latent) -> None:
    design = Design(latent=latent)
    table = banks.table_for(design, banks.mixed(seed, 15), seed)
    rng = np.random.default_rng(seed)
    items = rng.permutation(15)[:9]
    answers = rng.integers(0, table.categories_of[items])
    state = replay(design, table, Facts(items, answers, np.full(9, np.nan)))
    for competence in range(latent.competences):
        own = [(row, k) for row, k in zip(items, answers, strict=True) if table.competence[row] == competence]
        log_p = [log_probability(table.parameters.take([row]), table.nodes)[0, k] for row, k in own]
        total = np.sum([np.zeros(41), *log_p], axis=0)
        np.testing.assert_allclose(state.log_likelihood[competence], total - total.max(), rtol=0, atol=1e-10)


@laws
@given(seeds, latents)
def test_earlier_evidence_is_answers_given_before(seed: int, latent: Latent) -> None:
    design = Design(latent=latent, stop=MaxLength(99))
    table = banks.table_for(design, banks.mixed(seed, 20), seed)
    rng = np.random.default_rng(seed)
    facts = Facts(np.arange(10), rng.integers(0, table.categories_of[:10]), np.full(10, np.nan))
    first, second = Facts(*(part[:6] for part in facts)), Facts(*(part[6:] for part in facts))
    earlier = replay(design, table, first).log_likelihood
    kept = earlier.copy()
    resumed = replay(design, table, second, evidence=earlier)
    whole = replay(design, table, facts)
    np.testing.assert_allclose(resumed.log_likelihood, whole.log_likelihood, rtol=0, atol=1e-10)
    assert resumed.length == 4
    assert (earlier == kept).all()
    _, opened = begin(design, table, 0.3, evidence=earlier - 1000.0)
    np.testing.assert_allclose(opened.mean, decide(design, table, replay(design, table, first), 0.3).mean, atol=1e-10)


def test_only_the_scope_is_asked_and_the_rest_is_informed() -> None:
    design = Design(score=VarianceReduction(), latent=banks.TREE, scope=(2,), stop=MaxLength(12))
    table = banks.table_for(design, banks.mixed(0, 30))
    run, state = served(design, table, 5)
    assert set(table.competence[run.items].tolist()) == {2}
    assert (state.allowed == (table.competence == 2)).all()
    assert run.sds[-1][0] < run.sds[0][0]
    assert run.sds[-1][2] < run.sds[-1][0]


def test_only_what_is_allowed_is_asked() -> None:
    design = Design(stop=MaxLength(9), pick=Proportional(0.0))
    table = banks.table_for(design, banks.mixed(0, 30))
    allowed = np.arange(30) % 7 == 2
    state, decision = begin(design, table, uniform(np.arange(50), 0), (50,), allowed)
    assert set(decision.item.tolist()) == set(np.flatnonzero(allowed).tolist())
    for position in range(1, 5):
        state, decision = step(
            design, table, state, decision.item, np.zeros(50, int), np.ones(50), uniform(np.arange(50), position)
        )
    assert (decision.reason == Reason.NOTHING_LEFT).sum() == (50 if allowed.sum() == 4 else 0)
    assert (state.asked == allowed).all()
    scoped = Design(latent=banks.TREE, scope=(1,))
    table = banks.table_for(scoped, banks.mixed(0, 30))
    assert (begin(scoped, table, 0.5, allowed=allowed)[0].allowed == (allowed & (table.competence == 1))).all()


@laws
@given(seeds, latents)
def test_an_item_is_named_exactly_where_the_test_goes_on(seed: int, latent: Latent) -> None:
    design = Design(latent=latent, stop=AnyOf((MaxLength(12), PreciseEnough(0.5))), pick=TopK(3))
    table = banks.table_for(design, banks.mixed(seed, 20), seed)
    decision = decide(design, table, banks.states(design, table, seed, (40,), 1.0), uniform(seed, np.arange(40)))
    assert ((decision.item == NONE) == decision.done).all()
    assert ((decision.reason == Reason.GO_ON) == ~decision.done).all()
    assert np.isfinite(decision.mean).all()
    assert (decision.sd > 0).all()


def test_a_step_leaves_the_state_that_it_was_given() -> None:
    design = Design(latent=banks.TREE)
    table = banks.table_for(design, banks.mixed(0, 20))
    for batch in ((), (3,)):
        state, decision = begin(design, table, np.full(batch, 0.5), batch)
        kept = State(*(np.array(part) for part in state))
        step(design, table, state, decision.item, np.ones(batch, int), np.ones(batch), np.full(batch, 0.5))
        same_states(state, kept)


def test_deciding_twice_decides_the_same() -> None:
    design = Design(latent=banks.TREE, pick=Proportional())
    table = banks.table_for(design, banks.mixed(0, 20))
    state = banks.states(design, table, 1, (10,))
    one, two = (decide(design, table, state, np.full(10, 0.37)) for _ in range(2))
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)


def test_an_empty_batch_is_a_batch() -> None:
    design = Design()
    table = banks.table_for(design, banks.mixed(0, 20))
    state, decision = begin(design, table, np.zeros(0), (0,))
    assert decision.item.shape == (0,)
    none = np.zeros(0, dtype=np.int64)
    _, after = step(design, table, state, none, none, np.zeros(0), np.zeros(0))
    assert isinstance(after, Decision)
    assert after.mean.shape == (0, 1)
    assert replay(design, table, Facts(none, none, np.zeros(0))).length == 0


def test_one_competence_of_many_is_the_plain_test() -> None:
    """Sixteen independent competences, the scope being one: the same test as with that one alone."""
    parameters = banks.logistic(6, 60)
    many = Design(latent=Independent(16), scope=(3,), stop=MaxLength(12))
    wide = build_table(parameters, many, competence=np.full(60, 3))
    plain = Design(stop=MaxLength(12))
    narrow = build_table(parameters, plain)
    for learner in range(5):
        one, other = served(many, wide, learner)[0], served(plain, narrow, learner)[0]
        assert one.items == other.items
        np.testing.assert_allclose(np.array(one.means)[:, [3]], other.means, rtol=0, atol=1e-12)
