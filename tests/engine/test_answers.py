"""What an answer, a silence or a mistake does to a state."""

import numpy as np
import pytest

from engine.adaptive import Design, begin, step
from engine.errors import DesignError, ResponseError
from engine.parameters import ItemParameters
from engine.picks import SympsonHetter
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from engine.state import absorb
from engine.table import build_table
from tests.reference import banks, slow


@pytest.mark.parametrize("policy", ["unknown", "incorrect", "ignored"])
@pytest.mark.parametrize("code", [SKIPPED, TIMED_OUT, NOT_REACHED])
def test_what_a_silence_says(policy: str, code: int) -> None:
    items = [slow.Item(1.3, 0.2, 0.25, 0.9), slow.Item(0.8, -0.5, 0.2), slow.Item(1.1, thresholds=(-0.5, 0.4))]
    bank = ItemParameters.of(
        ["4PL", "3PL", "GPCM"],
        [1.3, 0.8, 1.1],
        [0.2, -0.5, None],
        [0.25, 0.2, 0],
        [0.9, 1, 1],
        [None, None, (-0.5, 0.4)],
    )
    items[2] = slow.Item(1.1, thresholds=(-0.5, 0.4), graded=False)
    chosen = {SKIPPED: "skip", TIMED_OUT: "time_out"}.get(code)
    design = Design(**{chosen: policy} if chosen else {"skip": policy, "time_out": policy})  # type: ignore[arg-type]
    table = build_table(bank, design)
    for row, item in enumerate(items):
        state, decision = begin(design, table, 0.0)
        after = absorb(table, state, row, code, 12.0)
        if code == NOT_REACHED or policy == "ignored":
            expected = np.zeros(41)
        else:
            guessed = slow.without_guessing(item) if policy == "unknown" else item
            expected = np.array([slow.log_p(guessed, 0, node) for node in table.nodes])
        np.testing.assert_allclose(after.log_likelihood[0], expected - expected.max(), rtol=0, atol=1e-12)
        assert after.asked.tolist() == [place == row for place in range(3)]
        assert (after.length, after.last, after.last_response, after.elapsed) == (1, row, code, 12.0)
        assert decision.item in range(3)


def test_a_skip_says_less_than_a_wrong_answer_only_without_a_fair_guess() -> None:
    """A guesser who skips knew nothing, as one who fails; without guessing both say exactly the same."""
    table = build_table(ItemParameters.of("3PL", [1.5, 1.5], [0.0, 0.0], [0.0, 0.25]), Design())
    skipped, wrong = table.log_evidence[:, SKIPPED], table.log_evidence[:, 0]
    np.testing.assert_allclose(skipped[0], wrong[0], atol=1e-13)
    np.testing.assert_allclose(skipped[1] - wrong[1], -np.log(1.0 - 0.25), atol=1e-13)


def test_times_that_were_not_measured_teach_nothing() -> None:
    design = Design()
    table = build_table(ItemParameters.of("1PL", [1.0], [0.0]), design)
    state, _ = begin(design, table, 0.0)
    for spent in (float("nan"), 0.0, -5.0):
        after = absorb(table, state, 0, 1, spent)
        assert after.elapsed == 0.0
        assert (after.speed == state.speed).all()
    measured = absorb(table, state, 0, 1, 30.0)
    assert measured.elapsed == 30.0
    assert measured.speed[1] > 0.0


@pytest.mark.parametrize(("item", "code"), [(20, 0), (-1, 0), (0, 2), (0, -4), (0, 99)])
def test_answers_that_cannot_be_are_refused(item: int, code: int) -> None:
    design = Design()
    table = banks.table_for(design, banks.mixed(0, 20))
    state, _ = begin(design, table, 0.0)
    with pytest.raises(ResponseError, match="names an item" if item not in range(20) else "not a category of its item"):
        step(design, table, state, item, code, 1.0, 0.0)


def test_a_category_of_another_item_is_refused() -> None:
    table = build_table(
        ItemParameters.of(["GRM", "1PL"], [1.0, 1.0], [None, 0.0], thresholds=[(-1.0, 1.0), None]), Design()
    )
    state, _ = begin(Design(), table, 0.0)
    assert absorb(table, state, 0, 2, 1.0).last_response == 2
    with pytest.raises(ResponseError, match="not a category"):
        absorb(table, state, 1, 2, 1.0)


def test_exposure_parameters_belong_to_one_bank() -> None:
    design = Design(pick=SympsonHetter((0.5,) * 4))
    table = build_table(banks.logistic(0, 5), design)
    with pytest.raises(DesignError, match="4 exposure parameters for 5 items"):
        begin(design, table, 0.0)
