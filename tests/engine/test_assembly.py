import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from engine.adaptive import Design, begin, decide, replay, step
from engine.assembly import Blueprint, Softness, assemble, full_length, run_scope
from engine.errors import DesignError
from engine.exposure import held_back
from engine.filters import available
from engine.latent import Independent, LatentTree
from engine.picks import Best
from engine.programme import best_test
from engine.quotas import best_within, groups_of, unit, weighted
from engine.relaxation import Programme
from engine.scores import VarianceReduction
from engine.state import Facts, State, withdraw
from engine.stopping import AnyOf, LengthByScope, OutOfTime, Reason, longest
from engine.table import Table
from engine.uniform import uniform
from tests.reference import banks
from tests.reference.full_tests import best_full_test

laws = settings(deadline=None, max_examples=150)
seeds = st.integers(0, 2**32 - 1)
blueprints = st.builds(
    lambda least, more, each, longest, per_topic, seconds: Blueprint(
        least, least + more, each, longest, per_topic, seconds
    ),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 6),
    st.integers(1, 14),
    st.integers(1, 2),
    st.sampled_from([200.0, 400.0, 600.0, 800.0, 1200.0, 5000.0]),
)
ITEMS, COMPETENCES = 11, 3


def surrounded(seed: int, blueprint: Blueprint, items: int = ITEMS, runs: int = 4) -> tuple[Design, Table, State]:
    """Runs under way, some of whose items are held back."""
    rng = np.random.default_rng(seed)
    parameters = banks.tied(seed, items) if seed % 3 == 0 else banks.logistic(seed, items)
    design = Design(score=VarianceReduction(), latent=Independent(COMPETENCES), assembly=blueprint)
    table = banks.table_for(design, parameters, seed)
    state = banks.states(design, table, seed, (runs,), most_asked=0.3)
    codes = rng.choice([0, 0, 0, 1, 2], (runs, items)).astype(np.int8)
    elapsed = rng.uniform(0.0, 0.8, runs) * blueprint.seconds
    return design, table, state._replace(elapsed=elapsed, reserve=codes if seed % 2 else codes[:, :0])


@laws
@given(seeds, blueprints)
def test_the_shadow_test_is_the_best_of_all_sets_and_what_gives_way_is_as_documented(
    seed: int, blueprint: Blueprint
) -> None:
    design, table, state = surrounded(seed, blueprint)
    situation = banks.situation(design, table, state)
    open_ = available((), situation)
    shadow = assemble(blueprint, situation, open_)
    for run in range(open_.shape[0]):
        best = best_full_test(design, table, banks.one_of(state, (run,)), open_[run])
        assert shadow.relaxed[run] == best.relaxed
        assert shadow.late[run] == best.late
        if best.sums.size == 1 or best.sums[0] > best.sums[1]:
            np.testing.assert_array_equal(shadow.items[run], best.items)


@laws
@given(seeds, blueprints)
def test_a_batch_is_assembled_as_each_run_alone(seed: int, blueprint: Blueprint) -> None:
    design, table, state = surrounded(seed, blueprint, items=40, runs=6)
    many = banks.situation(design, table, state)
    whole = assemble(blueprint, many, available((), many))
    for run in range(6):
        alone = banks.situation(design, table, banks.one_of(state, (run,)))
        for one, all_ in zip(assemble(blueprint, alone, available((), alone)), whole, strict=True):
            np.testing.assert_array_equal(one, all_[run])


@laws
@given(seeds, blueprints)
def test_what_never_gives_way(seed: int, blueprint: Blueprint) -> None:
    design, table, state = surrounded(seed, blueprint, items=60, runs=5)
    situation = banks.situation(design, table, state)
    shadow = assemble(blueprint, situation, available((), situation))
    groups = groups_of(table)
    whole = shadow.items | state.asked
    assert not (shadow.items & (state.asked | ~state.allowed)).any()
    assert not (shadow.items[:, groups.pairs] & whole[:, groups.pairs[::-1]]).any()
    full = full_length(blueprint, state, table)
    assert (shadow.items.sum(axis=1) <= np.maximum(full - state.length, 0)).all()
    seconds = np.exp(
        table.time_intensity - (state.speed[:, 1] / state.speed[:, 0])[:, None]
        + 0.5 * (table.time_discrimination**-2.0 + 1.0 / state.speed[:, :1])
    )  # fmt: skip
    planned = (shadow.items * seconds).sum(axis=1) + state.elapsed
    assert (planned <= blueprint.seconds + 0.001 * ITEMS)[shadow.items.any(axis=1)].all()
    by_competence = np.stack([whole[:, table.competence == c].sum(axis=1) for c in range(COMPETENCES)], axis=1)
    short = (by_competence < blueprint.least) & run_scope(state, table)
    going = shadow.items.any(axis=1)
    assert ((shadow.relaxed & Softness.MINIMUM > 0) >= short.any(axis=1))[going].all()


def programmes(seed: int, items: int, tight: float, enemies: int, least: int) -> Programme:
    """A test to choose, of which the time is ``tight`` times what the room would take."""
    rng = np.random.default_rng(seed)
    competence = np.sort(rng.integers(0, 4, items))
    topic = np.unique(5 * competence + rng.integers(0, 5, items), return_inverse=True)[1]
    seconds = rng.integers(20_000, 150_000, items)
    return Programme(
        weighted(1 + rng.integers(0, 1001, (1, items)), 20)[0],
        unit(items, 20),
        seconds,
        topic,
        competence,
        rng.choice(items, (2, enemies)) if enemies else np.zeros((2, 0), dtype=int),
        np.ones(topic.max() + 1, dtype=int),
        np.full(4, least),
        np.full(4, 4),
        12,
        int(12 * tight * 75_000),
        0,
    )


def solved_by_scipy(programme: Programme) -> float | None:
    """Weight of the best test, by the branch and bound of scipy.optimize.milp."""
    items = programme.weight.size
    topic = (np.arange(programme.topics.size)[:, None] == programme.topic).astype(float)
    competence = (np.arange(4)[:, None] == programme.competence).astype(float)
    pairs = np.zeros((programme.enemies.shape[1], items))
    for row, pair in enumerate(programme.enemies.T):
        pairs[row, pair] = 1.0
    result = milp(
        -programme.weight / programme.unit,
        integrality=np.ones(items),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(topic, -np.inf, programme.topics),
            LinearConstraint(competence, programme.least, programme.most),
            LinearConstraint(np.ones((1, items)), -np.inf, programme.room),
            LinearConstraint(programme.seconds[None] / 1e3, -np.inf, programme.left / 1e3),
            *([LinearConstraint(pairs, -np.inf, 1)] if len(pairs) else []),
        ],
        options={"mip_rel_gap": 0.0},
    )
    return -float(result.fun) if result.x is not None else None


@settings(deadline=None, max_examples=60)
@given(seeds, st.sampled_from([0.5, 0.7, 0.9, 3.0]), st.sampled_from([0, 3, 12]), st.integers(0, 2))
def test_a_programme_is_solved_as_well_as_by_branch_and_bound(
    seed: int, tight: float, enemies: int, least: int
) -> None:
    programme = programmes(seed, 60, tight, enemies, least)
    programme = programme._replace(enemies=programme.enemies[:, programme.enemies[0] != programme.enemies[1]])
    expected = solved_by_scipy(programme)
    if expected is None:
        return
    found = best_test(programme)
    assert programme.seconds[found].sum() <= programme.left
    assert not found[programme.enemies].all(axis=0).any()
    assert (np.bincount(programme.topic[found]) <= 1).all()
    got = np.bincount(programme.competence[found], minlength=4)
    assert ((got >= least) & (got <= 4)).all()
    assert programme.weight[found].sum() / programme.unit == pytest.approx(expected, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(0, 3))
def test_within_quotas_the_greedy_test_is_that_of_the_programme(seed: int, least: int) -> None:
    programme = programmes(seed, 80, 9.0, 0, least)
    design = Design(latent=Independent(4))
    table = banks.build_table(banks.logistic(seed, 80), design, competence=programme.competence, topic=programme.topic)
    one = (np.array(part)[None] for part in (programme.topics, programme.least, programme.most, programme.room))
    topics, lowest, most, room = one
    may = np.ones((1, 80), dtype=bool)
    found = best_within(groups_of(table), programme.weight[None], may, topics, lowest, most, room, 20)
    np.testing.assert_array_equal(found[0], best_test(programme))


def certification(seed: int, count: int = 260, **changes: Any) -> tuple[Design, Table]:
    """A test of 6 competences over a bank with enemies and times."""
    rng = np.random.default_rng(seed)
    tree = LatentTree((0, 0, 0, 1, 1, 1), (0.85, 0.8), (0.85,) * 6)
    blueprint = dataclasses.replace(Blueprint(2, 6, 5, 24, 1, 2400.0), **changes)
    design = Design(
        score=VarianceReduction(),
        pick=Best(),
        stop=AnyOf((LengthByScope(blueprint.each, blueprint.longest), OutOfTime(1.05 * blueprint.seconds))),
        latent=tree,
        assembly=blueprint,
    )
    competence = rng.integers(0, 6, count)
    table = banks.build_table(
        banks.logistic(seed, count),
        design,
        competence=competence,
        topic=7 * competence + rng.integers(0, 7, count),
        enemies=[tuple(rng.choice(count, 2, replace=False)) for _ in range(count // 20)],
        time_intensity=rng.normal(4.3, 0.5, count),
        time_discrimination=rng.uniform(1.5, 2.5, count),
        cuts=np.tile(np.linspace(-2.0, 2.0, 8), (6, 1)),
    )
    return design, table


@pytest.mark.parametrize(
    ("changes", "pace"), [({}, 1.0), ({}, 1.6), ({"seconds": 900.0}, 1.0), ({"per_topic": 2}, 1.0)]
)
def test_whole_tests_keep_to_the_blueprint_and_are_replayed(changes: dict[str, Any], pace: float) -> None:
    design, table = certification(5, **changes)
    blueprint, runs = design.assembly, 6
    assert blueprint is not None
    seeds = np.arange(runs)
    rng = np.random.default_rng(1)
    reserve = held_back(seeds, table.topic, 0.4).astype(np.int8)
    reserve[rng.uniform(size=reserve.shape) < 0.05] = 2
    items, responses, spent, flags = [], [], [], np.zeros(runs, dtype=int)
    state, decision = begin(design, table, uniform(seeds, 0), (runs,), reserve=reserve)
    ends = np.zeros(runs, dtype=int)
    while not decision.done.all():
        going = ~decision.done
        flags |= decision.relaxed
        item = np.where(going, decision.item, 0)
        items.append(np.where(going, item, -1))
        responses.append(rng.integers(0, 2, runs))
        spent.append(pace * np.exp(rng.normal(table.time_intensity[item], 0.4)))
        after, following = step(design, table, state, item, responses[-1], spent[-1], uniform(seeds, len(items)))
        for run in np.flatnonzero(going):
            _, decided = step(
                design, table, banks.one_of(state, (run,)), item[run], responses[-1][run], spent[-1][run],
                uniform(run, len(items)),
            )  # fmt: skip
            assert (decided.item, decided.reason, decided.relaxed) == tuple(
                field[run] for field in (following.item, following.reason, following.relaxed)
            )
        ends = np.where(going, following.reason, ends)
        state = State(
            *(np.where(going.reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in zip(after, state, strict=True))
        )
        decision = decide(design, table, state, uniform(seeds, len(items)))
    facts = Facts(np.stack(items, axis=1), np.stack(responses, axis=1), np.stack(spent, axis=1))
    for run in range(runs):
        length = int(state.length[run])
        for position in range(length):
            part = Facts(*(field[run, :position] for field in facts))
            again = decide(design, table, replay(design, table, part, reserve=reserve[run]), uniform(run, position))
            assert again.item == facts.item[run, position]
        asked = state.asked[run]
        groups = groups_of(table)
        assert not asked[groups.pairs].all(axis=0).any()
        counts = np.bincount(table.competence[asked], minlength=6)
        assert (counts >= blueprint.least).all() or flags[run] & Softness.MINIMUM
        assert (counts <= blueprint.most).all() or flags[run] & Softness.MAXIMUM
        assert np.bincount(table.topic[asked]).max() <= blueprint.per_topic or flags[run] & Softness.TOPICS
        assert not (asked & (reserve[run] == 1)).any() or flags[run] & Softness.EXPOSURE
        assert not (asked & (reserve[run] == 2)).any() or flags[run] & Softness.SEEN
        assert ends[run] == (Reason.MAX_LENGTH if length == 24 else Reason.OUT_OF_TIME)


def test_a_slow_candidate_gets_fewer_items_that_tell_more_for_their_time() -> None:
    design, table = certification(2, seconds=1800.0)
    state, _ = begin(design, table, 0.0)
    slow = state._replace(speed=np.array([50.0, -40.0]))
    situations = [banks.situation(design, table, each) for each in (state, slow)]
    assert design.assembly is not None
    usual, few = (assemble(design.assembly, each, available((), each)).items for each in situations)
    assert few.sum() < usual.sum() == 24
    gained = situations[0].scores
    assert gained[few].sum() / np.exp(table.time_intensity[few]).sum() > (
        gained[usual].sum() / np.exp(table.time_intensity[usual]).sum()
    )


def test_constraints_give_way_in_their_order() -> None:
    design, table = certification(3, count=12, least=3, most=3, each=3, longest=18)
    design = dataclasses.replace(design, scope=(0,))
    rows = np.flatnonzero(table.competence == 0)
    topic = table.topic.copy()
    topic[rows] = np.arange(rows.size) % 2
    one = table._replace(
        topic=np.unique(topic, return_inverse=True)[1], hostile=table.hostile[:0], enemies=table.enemies[:0]
    )
    assert rows.size >= 3
    for held, expected in (
        (0, Softness.TOPICS),
        (1, Softness.EXPOSURE | Softness.TOPICS),
        (2, Softness.TOPICS | Softness.SEEN),
    ):
        reserve = np.zeros(12, dtype=np.int8)
        reserve[rows[2:]] = held
        _, decision = begin(design, one, 0.0, reserve=reserve)
        assert decision.relaxed == expected
    allowed = np.isin(np.arange(12), rows[:2])
    assert begin(design, one, 0.0, allowed=allowed)[1].relaxed == Softness.MINIMUM


def test_when_nothing_is_left_the_reason_says_whether_it_was_the_time() -> None:
    design, table = certification(4, seconds=600.0)
    state, _ = begin(design, table, 0.0)
    decision = decide(design, table, state._replace(elapsed=np.array(599.0)), 0.0)
    assert (decision.item, decision.reason) == (-1, Reason.OUT_OF_TIME)
    decision = decide(design, table, state._replace(allowed=state.allowed & False), 0.0)
    assert decision.reason in (Reason.MAX_LENGTH, Reason.NOTHING_LEFT)
    few = state._replace(asked=state.allowed.copy(), length=np.array(5))
    assert decide(design, table, few, 0.0).reason == Reason.NOTHING_LEFT


def test_a_withdrawn_item_takes_its_topic_with_it_and_nothing_else() -> None:
    design, table = certification(6)
    state, decision = begin(design, table, 0.0)
    after = withdraw(table, state, decision.item)
    np.testing.assert_array_equal(after.allowed, state.allowed & (table.topic != table.topic[decision.item]))
    for name in set(State._fields) - {"allowed"}:
        assert getattr(after, name) is getattr(state, name)
    instead = decide(design, table, after, 0.0)
    assert table.topic[instead.item] != table.topic[decision.item]
    assert full_length(design.assembly, after, table) == 24  # type: ignore[arg-type]
    many = State(*(np.stack([part, part]) for part in state))
    both = withdraw(table, many, np.array([-1, int(decision.item)]))
    np.testing.assert_array_equal(both.allowed, np.stack([state.allowed, after.allowed]))


def test_the_length_follows_the_scope_of_the_run() -> None:
    design, table = certification(7)
    allowed = np.stack([np.isin(table.competence, some) for some in ([0], [0, 4], [0, 1, 2, 3], range(6))])
    state, _ = begin(design, table, np.zeros(4), (4,), allowed=allowed)
    assert full_length(LengthByScope(5, 24), state, table).tolist() == [5, 10, 20, 24]
    assert run_scope(state, table).sum(axis=1).tolist() == [1, 2, 4, 6]
    situation = banks.situation(design, table, state._replace(length=np.full(4, 10)))
    assert LengthByScope(5, 24)(situation).tolist() == [Reason.MAX_LENGTH, Reason.MAX_LENGTH, 0, 0]
    assert longest(LengthByScope(5, 24)) == 24


def test_reserves_that_make_no_sense_are_refused() -> None:
    design, table = certification(8)
    with pytest.raises(DesignError, match="Only a test with a blueprint"):
        begin(dataclasses.replace(design, assembly=None), table, 0.0, reserve=np.zeros(260, dtype=np.int8))
    with pytest.raises(DesignError, match="one code"):
        begin(design, table, 0.0, reserve=np.full(260, 3))
    with pytest.raises(DesignError, match="one code"):
        begin(design, table, 0.0, reserve=np.zeros(3, dtype=np.int8))
