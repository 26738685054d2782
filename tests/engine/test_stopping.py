import numpy as np
import pytest

from engine.adaptive import Design, begin, decide, step
from engine.errors import DesignError
from engine.levels import level_probabilities
from engine.responses import NONE
from engine.stopping import (
    AllOf,
    AnyOf,
    AtLeast,
    LevelIsClear,
    MaxLength,
    OutOfTime,
    PreciseEnough,
    Reason,
    Stop,
    longest,
)
from engine.table import build_table
from tests.reference import banks

DESIGN = Design(latent=banks.TREE)
TABLE = banks.table_for(DESIGN, banks.mixed(0, 24))
STATE = banks.states(DESIGN, TABLE, 0, (40,))


def reasons(stop: Stop, scope: tuple[int, ...] = (), **changes: object) -> list[int]:
    design = Design(latent=banks.TREE, scope=scope)
    return stop(banks.situation(design, TABLE, STATE._replace(**changes))).tolist()


def lengths(*values: int) -> dict[str, object]:
    return {"length": np.resize(values, 40)}


def test_a_test_has_a_largest_length() -> None:
    assert reasons(MaxLength(5), **lengths(4, 5, 6, 0))[:4] == [0, Reason.MAX_LENGTH, Reason.MAX_LENGTH, 0]


def test_at_least_waits() -> None:
    assert reasons(AtLeast(5), **lengths(4, 5, 6, 0))[:4] == [0, Reason.LONG_ENOUGH, Reason.LONG_ENOUGH, 0]


def test_time_runs_out() -> None:
    spent = np.resize([59.9, 60.0, 60.1, 60.0 - 1e-9], 40)
    assert reasons(OutOfTime(60.0), elapsed=spent)[:4] == [0, *[Reason.OUT_OF_TIME] * 3]


@pytest.mark.parametrize("scope", [(), (1,), (2, 0)])
def test_every_competence_in_scope_must_be_precise(scope: tuple[int, ...]) -> None:
    sd = banks.situation(DESIGN, TABLE, STATE).sd
    within = list(scope or (0, 1, 2))
    bound = float(np.median(sd[:, within].max(axis=1)))
    expected = [Reason.PRECISE_ENOUGH if all(sd[run, c] <= bound for c in within) else 0 for run in range(40)]
    assert 0 < expected.count(0) < 40
    assert reasons(PreciseEnough(bound + 1e-9), scope) == expected


@pytest.mark.parametrize("scope", [(), (1,), (2, 0)])
def test_some_level_of_every_competence_in_scope_must_be_clear(scope: tuple[int, ...]) -> None:
    chances = level_probabilities(banks.situation(DESIGN, TABLE, STATE).posterior, TABLE.nodes, TABLE.cuts)
    within = list(scope or (0, 1, 2))
    clearest = chances.max(axis=-1)[:, within].min(axis=-1)
    bound = float(np.median(clearest))
    expected = [Reason.LEVEL_CLEAR if value >= bound else 0 for value in clearest]
    assert 0 < expected.count(0) < 40
    assert reasons(LevelIsClear(bound - 1e-9), scope) == expected


def test_the_first_rule_that_stops_gives_the_reason() -> None:
    either = AnyOf((MaxLength(5), OutOfTime(60.0)))
    spent = np.resize([0.0, 0.0, 70.0, 70.0], 40)
    found = reasons(either, elapsed=spent, **lengths(4, 5, 4, 5))[:4]
    assert found == [0, Reason.MAX_LENGTH, Reason.OUT_OF_TIME, Reason.MAX_LENGTH]


def test_all_rules_stop_with_the_reason_of_the_last() -> None:
    both = AllOf((AtLeast(5), OutOfTime(60.0)))
    spent = np.resize([0.0, 0.0, 70.0, 70.0], 40)
    assert reasons(both, elapsed=spent, **lengths(4, 5, 4, 5))[:4] == [0, 0, 0, Reason.OUT_OF_TIME]


def test_rules_nest() -> None:
    stop = AnyOf((MaxLength(9), AllOf((AtLeast(3), AnyOf((OutOfTime(60.0), MaxLength(5)))))))
    spent = np.resize([70.0, 70.0, 0.0, 0.0], 40)
    found = reasons(stop, elapsed=spent, **lengths(2, 3, 5, 9))[:4]
    assert found == [0, Reason.OUT_OF_TIME, Reason.MAX_LENGTH, Reason.MAX_LENGTH]


@pytest.mark.parametrize(
    ("stop", "most"),
    [
        (MaxLength(9), 9),
        (PreciseEnough(0.3), None),
        (AnyOf((PreciseEnough(0.3), MaxLength(9), MaxLength(7))), 7),
        (AnyOf((AllOf((AtLeast(3), PreciseEnough(0.3))), MaxLength(9))), 9),
        (AllOf((AtLeast(3), MaxLength(9))), 9),
        (AllOf((AtLeast(3), OutOfTime(60.0))), None),
    ],
)
def test_the_longest_test_that_a_rule_lets_through(stop: Stop, most: int | None) -> None:
    assert longest(stop) == most
    if most is not None:
        assert reasons(stop, **lengths(most))[0] != Reason.GO_ON
        state = {"log_likelihood": np.zeros_like(STATE.log_likelihood), "elapsed": np.zeros(40)}
        assert reasons(stop, **lengths(most - 1), **state)[0] == Reason.GO_ON


@pytest.mark.parametrize("rule", [AnyOf, AllOf])
def test_a_list_of_rules_is_not_empty(rule: type[AnyOf | AllOf]) -> None:
    with pytest.raises(DesignError, match="at least one rule"):
        rule(())


def test_levels_need_cuts() -> None:
    design = Design(stop=AnyOf((MaxLength(5), LevelIsClear())))
    with pytest.raises(DesignError, match="needs the cuts"):
        begin(design, build_table(banks.logistic(1, 3), design), 0.0)


def test_nothing_left_when_every_item_was_asked() -> None:
    design = Design(stop=MaxLength(30))
    table = banks.table_for(design, banks.logistic(1, 3))
    state, decision = begin(design, table, 0.5)
    for length in range(3):
        assert not decision.done
        assert decision.reason == Reason.GO_ON
        assert int(state.length) == length
        state, decision = step(design, table, state, decision.item, 1, 10.0, 0.5)
    assert decision.done
    assert decision.reason == Reason.NOTHING_LEFT
    assert decision.item == NONE


def test_nothing_left_when_nothing_is_allowed() -> None:
    design = Design()
    table = banks.table_for(design, banks.logistic(1, 3))
    _, decision = begin(design, table, np.zeros(2), (2,), allowed=np.array([[False] * 3, [False, True, False]]))
    assert decision.item.tolist() == [NONE, 1]
    assert decision.reason.tolist() == [Reason.NOTHING_LEFT, Reason.GO_ON]


def test_an_earlier_reason_is_kept_when_nothing_is_left() -> None:
    design = Design(stop=AnyOf((PreciseEnough(0.5), MaxLength(3))))
    table = banks.table_for(design, banks.logistic(1, 3))
    state = banks.states(design, table, 1, (30,), most_asked=1.0)._replace(asked=np.ones((30, 3), dtype=bool))
    decision = decide(design, table, state, np.zeros(30))
    assert decision.done.all()
    assert (decision.item == NONE).all()
    expected = np.where(state.length >= 3, Reason.MAX_LENGTH, Reason.NOTHING_LEFT)
    np.testing.assert_array_equal(decision.reason, np.where(decision.sd[:, 0] <= 0.5, Reason.PRECISE_ENOUGH, expected))
    assert len(set(decision.reason.tolist())) > 1


def test_reasons_are_stored_as_numbers_that_never_change() -> None:
    assert {reason.name: reason.value for reason in Reason} == {
        "GO_ON": 0, "MAX_LENGTH": 1, "LONG_ENOUGH": 2, "PRECISE_ENOUGH": 3,
        "LEVEL_CLEAR": 4, "NOTHING_LEFT": 5, "OUT_OF_TIME": 6,
    }  # fmt: skip
