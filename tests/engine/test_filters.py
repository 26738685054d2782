import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adaptive import Design, begin, decide, replay, step
from engine.filters import (
    Allowed,
    AnotherTopic,
    EasierAfterSkip,
    FairChance,
    Filter,
    FitsTheTime,
    NoTwoTimed,
    OnePerTopic,
    Prefer,
    Quotas,
    Unasked,
    WithoutEnemies,
    available,
)
from engine.models import log_probability
from engine.parameters import ItemParameters
from engine.picks import Proportional
from engine.responses import NONE, NOT_REACHED, SKIPPED, TIMED_OUT
from engine.situation import Situation
from engine.state import Facts, absorb
from engine.stopping import MaxLength, Reason
from engine.table import build_table
from engine.timing import expected_seconds
from engine.uniform import uniform
from tests.reference import banks

ITEMS = 30
DESIGN = Design(latent=banks.TREE)
TABLE = banks.table_for(DESIGN, banks.mixed(0, ITEMS))
FILTERS: tuple[Filter, ...] = (
    Unasked(), Allowed(), OnePerTopic(), AnotherTopic(), WithoutEnemies(), NoTwoTimed(), FitsTheTime(500.0),
    FairChance(), FairChance(0.9, 0.95, 20), EasierAfterSkip(), EasierAfterSkip(0.9),
    Quotas((1, 2, 3), (10, 10, 10), 20), Quotas((0, 0, 0), (1, 1, 1), 3),
)  # fmt: skip
laws = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)


def now(seed: int, batch: tuple[int, ...] = (20,), **changes: object) -> Situation:
    state = banks.states(DESIGN, TABLE, seed, batch)
    return banks.situation(DESIGN, TABLE, state._replace(**changes))


def each(situation: Situation) -> list[tuple[int, int]]:
    return list(np.ndindex(situation.state.asked.shape))


@laws
@given(seeds, st.lists(st.sampled_from(FILTERS), max_size=4))
def test_filters_only_remove(seed: int, rules: list[Filter]) -> None:
    situation = now(seed)
    before = situation.state.allowed & ~situation.state.asked
    assert (available((), situation) == before).all()
    for rule in rules:
        after = before & rule(situation)
        assert (after <= before).all()
        before = after
    assert (available(tuple(rules), situation) == before).all()


@laws
@given(seeds, st.lists(st.sampled_from(FILTERS), min_size=1, max_size=4))
def test_a_preference_gives_way_only_where_it_leaves_nothing(seed: int, rules: list[Filter]) -> None:
    situation = now(seed)
    mask = available((), situation)
    for rule in rules:
        kept = mask & rule(situation)
        mask = np.array([line if line.any() else whole for line, whole in zip(kept, mask, strict=True)])
    found = available(tuple(Prefer(rule) for rule in rules), situation)
    assert (found == mask).all()
    assert (found.any(axis=1) == available((), situation).any(axis=1)).all()


def test_a_preference_may_hold_after_one_that_gave_way() -> None:
    situation = now(1, asked=np.zeros((20, ITEMS), dtype=bool), allowed=np.ones((20, ITEMS), dtype=bool))
    never, always = FitsTheTime(0.0), NoTwoTimed()
    assert (available((Prefer(never), always), situation) == available((always,), situation)).all()
    assert not available((never, Prefer(always)), situation).any()


def test_no_item_twice_and_only_what_is_allowed() -> None:
    situation = now(2)
    assert (Unasked()(situation) != situation.state.asked).all()
    assert (Allowed()(situation) == situation.state.allowed).all()


def test_one_item_of_each_topic() -> None:
    situation = now(3)
    found = OnePerTopic()(situation)
    assert not found.all()
    assert found.any()
    for run, row in each(situation):
        same = TABLE.topic == TABLE.topic[row]
        assert found[run, row] == (not situation.state.asked[run, same].any())


def test_another_topic_than_the_last() -> None:
    situation = now(4)
    found = AnotherTopic()(situation)
    assert (situation.state.last == NONE).any()
    for run, row in each(situation):
        last = situation.state.last[run]
        assert found[run, row] == (last == NONE or TABLE.topic[row] != TABLE.topic[last])


def test_enemies_exclude_each_other_in_both_directions() -> None:
    pairs = banks.surroundings(0, ITEMS, banks.TREE)["enemies"]
    situation = now(5)
    found = WithoutEnemies()(situation)
    assert not found.all()
    for run, row in each(situation):
        foes = [b if a == row else a for a, b in pairs if row in (a, b)]
        assert found[run, row] == (not situation.state.asked[run, foes].any())


def test_no_timed_item_right_after_another() -> None:
    situation = now(6)
    found = NoTwoTimed()(situation)
    assert not found.all()
    for run, row in each(situation):
        last = situation.state.last[run]
        assert found[run, row] == (not (TABLE.timed[row] and last != NONE and TABLE.timed[last]))


def test_a_first_item_may_be_timed_whatever_the_last_row_of_the_bank() -> None:
    design = Design()
    for timed in ([True, True], [True, False], [False, True]):
        table = build_table(banks.logistic(0, 2), design, timed=timed)
        state, _ = begin(design, table, 0.0)
        assert NoTwoTimed()(banks.situation(design, table, state)).tolist() == [True, True]
        after = NoTwoTimed()(banks.situation(design, table, absorb(table, state, 0, 1, 9.0)))
        assert after.tolist() == [not timed[0], not (timed[0] and timed[1])]


def test_an_item_must_fit_into_the_time_left() -> None:
    situation = now(7)
    state = situation.state
    expected = expected_seconds(TABLE.time_intensity, TABLE.time_discrimination, state.speed)
    found = FitsTheTime(500.0)(situation)
    assert (found == (state.elapsed[:, None] + expected <= 500.0)).all()
    assert found.any()
    assert not found.all()


def test_slow_learners_are_not_asked_what_they_cannot_finish() -> None:
    """Thirty seconds an item are expected of everyone; after ten items at a minute each, not of this learner."""
    design = Design(filters=(FitsTheTime(630.0),), stop=MaxLength(50))
    table = build_table(banks.logistic(0, 40), design, time_intensity=np.full(40, np.log(30.0)))
    for seconds, fits in ((60.0, False), (30.0, True)):
        facts = Facts(np.arange(10), np.zeros(10, dtype=int), np.full(10, seconds))
        state = replay(design, table, facts)._replace(elapsed=np.float64(590.0))
        assert bool(decide(design, table, state, 0.5).done) is not fits


@laws
@given(seeds)
def test_a_fair_chance_is_the_expected_share_of_credit(seed: int) -> None:
    situation = now(seed)
    p = np.exp(log_probability(TABLE.parameters, TABLE.nodes))
    chance = np.empty((20, ITEMS))
    for run, row in each(situation):
        own = situation.posterior[run, TABLE.competence[row]]
        credit = np.arange(p.shape[1]) / (TABLE.parameters.categories[row] - 1)
        chance[run, row] = credit @ (p[row] @ own)
    np.testing.assert_allclose(situation.chance, chance, rtol=0, atol=1e-12)
    least = np.where(situation.state.length < 3, 0.7, 0.45)[:, None]
    sure = np.abs(chance - least) > 1e-8
    assert ((FairChance(0.45, 0.7, 3)(situation) == (chance >= least)) | ~sure).all()


def test_first_questions_are_easier() -> None:
    design = Design(filters=(Prefer(FairChance(0.5, 0.8, 2)),), stop=MaxLength(6))
    table = banks.table_for(design, banks.logistic(3, 200))
    state, decision = begin(design, table, 0.5)
    for length in range(5):
        chance = banks.situation(design, table, state).chance[decision.item]
        assert chance >= (0.8 if length < 2 else 0.5)
        state, decision = step(design, table, state, decision.item, 1, 20.0, 0.5)
    plain = Design(stop=MaxLength(6))
    first = begin(plain, table, 0.5)[1].item
    assert banks.situation(design, table, begin(plain, table, 0.5)[0]).chance[first] < 0.8


@laws
@given(seeds, st.sampled_from([SKIPPED, TIMED_OUT, NOT_REACHED, 0, 1]), st.sampled_from([0.0, 0.25, 0.8, 1.0]))
def test_after_a_skip_an_easier_useful_item(seed: int, response: int, share: float) -> None:
    last = np.random.default_rng(seed).integers(0, ITEMS, 20)
    situation = now(seed, last=last, last_response=np.full(20, response))
    found = EasierAfterSkip(share)(situation)
    if response != SKIPPED:
        assert found.all()
        return
    scores, difficulty = situation.score(situation), TABLE.parameters.difficulty
    for run in range(20):
        open_ = situation.state.allowed[run] & ~situation.state.asked[run]
        best = scores[run, open_].max(initial=0.0)
        useful = scores[run] >= share * best
        sure = np.abs(scores[run] - share * best) > 1e-8
        expected = useful & (difficulty < difficulty[last[run]])
        assert ((found[run] == expected) | ~sure).all()


@settings(deadline=None, max_examples=8)
@given(seeds)
def test_never_harder_right_after_a_skip_when_an_easier_useful_item_exists(seed: int) -> None:
    design = Design(latent=banks.TREE, filters=(Prefer(EasierAfterSkip(0.25)),), stop=MaxLength(ITEMS + 1))
    state, decision = begin(design, TABLE, 0.0)
    difficulty = TABLE.parameters.difficulty
    for place in range(ITEMS - 1):
        skipped = decision.item
        state = absorb(TABLE, state, skipped, SKIPPED if uniform(seed, place) < 0.6 else 1, 30.0)
        situation = banks.situation(design, TABLE, state)
        decision = decide(design, TABLE, state, 0.0)
        if state.last_response == SKIPPED and difficulty[decision.item] >= difficulty[skipped]:
            open_ = ~state.asked & (difficulty < difficulty[skipped])
            scores = situation.score(situation)
            assert scores[open_].max(initial=0.0) <= 0.25 * scores[~state.asked].max() + 1e-8


@laws
@given(seeds, st.lists(st.sampled_from(FILTERS), max_size=3))
def test_what_is_picked_passed_every_filter(seed: int, rules: list[Filter]) -> None:
    design = Design(filters=tuple(rules), latent=banks.TREE, stop=MaxLength(1000), pick=Proportional())
    state = banks.states(design, TABLE, seed, (20,))
    decision = decide(design, TABLE, state, uniform(seed, np.arange(20)))
    open_ = available(design.filters, banks.situation(design, TABLE, state))
    for run, item in enumerate(decision.item):
        assert open_[run, item] if item != NONE else not open_[run].any()
    assert ((decision.item == NONE) == decision.done).all()
    assert ((decision.reason == Reason.NOTHING_LEFT) == decision.done).all()


def test_topics_of_any_codes() -> None:
    design = Design(filters=(OnePerTopic(),))
    table = build_table(ItemParameters.of("1PL", np.ones(5), np.zeros(5)), design, topic=[70, 3, 70, 900, 3])
    state, _ = begin(design, table, 0.0)
    state = absorb(table, state, 2, 1, 1.0)
    assert OnePerTopic()(banks.situation(design, table, state)).tolist() == [False, True, False, True, True]
