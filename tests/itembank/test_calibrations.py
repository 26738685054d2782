import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BankError
from engine.working import to_working
from itembank.calibrations import (
    CalibrationRecord,
    calibration_from,
    covariances,
    read_calibration,
    stacked,
    this_software,
)
from itembank.estimates import ItemEstimates
from itembank.parameters import Parameters, to_engine
from itembank.summary import calibration_summary
from tests.itembank import examples

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | examples.TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(examples.TEXTS, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def estimates(draw: st.DrawFn, id: str) -> ItemEstimates:
    """Entry of an item of any model."""
    steps = sorted(draw(st.lists(st.floats(-4, 4), min_size=1, max_size=3, unique=True)))
    graded = draw(st.booleans())
    parameters = Parameters(
        "GRM" if graded else "4PL",
        draw(st.floats(0.1, 4)),
        None if graded else steps[0],
        0.0 if graded else draw(st.floats(0, 0.4)),
        1.0 if graded else draw(st.floats(0.7, 1)),
        tuple(steps) if graded else (),
        draw(st.none() | st.floats(-2, 6)),
        draw(st.none() | st.floats(0.1, 5)),
    )
    size = (len(steps) if graded else 1) + 3
    covariance = np.array(draw(st.lists(NUMBERS, min_size=size**2, max_size=size**2))).reshape(size, size)
    held = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    covariance[held] = covariance[:, held] = np.nan
    errors = {"discrimination": draw(st.floats(0, 1) | st.just(np.nan))}
    entry = ItemEstimates.of(
        id,
        parameters,
        errors | ({"thresholds": [0.1] * len(steps)} if graded else {"difficulty": 0.2}),
        draw(st.sampled_from([None, covariance])),
        draw(st.none() | st.integers(0, 10**7)),
        draw(st.none() | st.just("converged")),
    )
    assert entry.parameters == parameters
    return entry


@st.composite
def records(draw: st.DrawFn) -> CalibrationRecord:
    """Any record of three items, given in any order."""
    entries = [draw(estimates(f"i{number}")) for number in range(draw(st.integers(1, 3)))]
    return examples.record(
        {},
        items=draw(st.permutations(entries)),
        left_out=[{"id": "out-1", "status": "constant"}, {"id": "out-0", "status": "too few"}],
        options=draw(st.dictionaries(examples.TEXTS, PLAIN, max_size=4)),
        log_likelihood=draw(st.none() | NUMBERS),
        learners=draw(st.none() | st.integers(0, 10**7)),
        converged=draw(st.none() | st.booleans()),
        loadings=draw(st.none() | st.just({"domains": {"1": {"value": 0.5, "error": None}}})),
    )


@given(records())
def test_any_record_reads_back_with_its_id(record: CalibrationRecord) -> None:
    text = record.to_json()
    again = read_calibration(text, "the file")
    assert again == record
    assert again.id == record.id
    assert again.to_json() == text
    assert json.loads(text)["format"] == 1


def test_the_order_in_which_items_are_given_does_not_matter() -> None:
    one, two = (ItemEstimates.of(id, Parameters("2PL", 1.0, 0.0)) for id in "ab")
    assert examples.record({}, items=[one, two]).id == examples.record({}, items=[two, one]).id


def test_the_text_is_one_line_a_field_and_one_line_an_item() -> None:
    base = {"a": Parameters("2PL", 1.0, 0.0), "b": Parameters("2PL", 1.5, 0.0)}
    text = examples.record(base).to_json()
    other = examples.record(base | {"b": Parameters("2PL", 1.6, 0.0)}).to_json()
    pairs = list(zip(text.splitlines(), other.splitlines(), strict=True))
    assert [pair for pair in pairs if pair[0] != pair[1]] == [
        (
            '  {"id": "b", "model": "2PL", "discrimination": 1.5, "difficulty": 0.0, "guessing": 0.0, "slipping": 1.0, '
            '"thresholds": []}',
            '  {"id": "b", "model": "2PL", "discrimination": 1.6, "difficulty": 0.0, "guessing": 0.0, "slipping": 1.0, '
            '"thresholds": []}',
        )
    ]
    assert text.startswith('{\n "format": 1,\n "date": "2026-01-31T12:00:00Z",\n')


def test_the_id_is_that_of_every_record_ever_written() -> None:
    # A change of this number makes every bank with a history unreadable.
    record = examples.record({"a": Parameters("GRM", 1.0, thresholds=(0.0, 1.0))}, options={"skip": "unknown"})
    assert record.id == "66b298a3f65f"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"date": "2026-01-31"}, "date '2026-01-31' that is not in UTC"),
        ({"date": "2026-01-31T12:00:00+02:00"}, "that is not in UTC"),
        ({"date": "2026-02-31T12:00:00Z"}, "that is not in UTC"),
        ({"data_hash": "abc"}, "data_hash"),
        ({"source": " "}, "source is blank"),
        ({"items": []}, "items"),
        ({"learners": -1}, "learners"),
        ({"learners": 3.5}, "learners must be a whole number"),
        ({"log_likelihood": float("nan")}, "log_likelihood"),
        (
            {"options": {"sd": [1.0, {"x": float("inf")}]}},
            "options.sd.list.1.dict.x.float is refused: input should be a finite number",
        ),
        ({"left_out": [{"id": "a", "status": "constant"}]}, "speaks twice of the same item"),
        ({"format": 2}, "format"),
        ({"colour": "red"}, "colour is not a field"),
    ],
)
def test_a_record_that_says_nothing_clear_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BankError, match=r"^The calibration: ") as raised:
        examples.record({"a": Parameters("2PL", 1.0, 0.0)}, **changes)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"discrimination": "1.0"}, "discrimination"),
        ({"discrimination": float("inf")}, "discrimination"),
        ({"discrimination": -1.0}, "discrimination"),
        ({"model": "5PL"}, "no response model '5PL'"),
        ({"model": "2pl"}, "write 2PL"),
        ({"model": "GRM"}, "need thresholds"),
        ({"free": [0, 1]}, "without its places"),
        ({"free": [0], "covariance": [[1.0, 0.0]]}, "does not fit its places"),
        ({"free": [7], "covariance": [[1.0]]}, "does not fit its places"),
        ({"errors": {"thresholds": [0.1]}}, "another number of thresholds"),
        ({"errors": {"colour": 0.1}}, "colour is not a field"),
    ],
)
def test_an_entry_that_no_item_can_have_is_refused(changes: dict[str, Any], words: str) -> None:
    entry = {"id": "a", "model": "2PL", "discrimination": 1.0, "difficulty": 0.0} | changes
    with pytest.raises(BankError) as raised:
        examples.record({}, items=[entry])
    assert words in str(raised.value)


def test_covariances_are_those_of_the_calibration_in_force() -> None:
    bank = examples.bank()
    first, second, third, fourth = (item.id for item in bank.items[:4])
    nan = np.nan
    # As an array of items with up to two thresholds gives it: slope, two intercepts, logits of guessing and slipping.
    wide = np.array(
        [
            [0.04, 0.01, nan, 0.02, nan],
            [0.01, 0.09, nan, 0.03, nan],
            [nan, nan, nan, nan, nan],
            [0.02, 0.03, nan, 0.16, nan],
            [nan, nan, nan, nan, nan],
        ]
    )
    entries = [
        ItemEstimates.of(first, Parameters("3PL", 1.0, 0.0, guessing=0.2), covariance=wide),
        ItemEstimates.of(second, Parameters("3PL", 1.0, 0.0, guessing=0.2), covariance=wide),
        ItemEstimates.of(third, Parameters("1PL", 1.0, 0.0)),
    ]
    bank = bank.with_calibration(examples.record({}, items=entries))
    bank = bank.with_calibration(examples.record({second: Parameters("2PL", 1.0, 0.0)}))
    known, none, fixed, never = covariances(bank, [first, second, third, fourth])
    assert known is not None
    own = wide[np.ix_([0, 1, 3, 4], [0, 1, 3, 4])]
    np.testing.assert_array_equal(known, own)
    assert (none, fixed, never) == (None, None, None)

    graded = next(
        id for id, known in bank.parameters.items() if len(known.thresholds) == 0 and id not in (first, fourth)
    )
    own = np.arange(25.0).reshape(5, 5)
    own[3:] = own[:, 3:] = np.nan
    steps = Parameters("GRM", 1.0, thresholds=(0.0, 1.0))
    bank = bank.with_calibration(examples.record({}, items=[ItemEstimates.of(graded, steps, covariance=own)]))
    ids = [first, graded, fourth]
    array = stacked([len(bank.parameters[id].thresholds) for id in ids], covariances(bank, ids))
    working = to_working(to_engine([bank.parameters[id] for id in ids]))
    assert array.shape == (3, working.shape[1], working.shape[1])
    np.testing.assert_array_equal(array[0], wide)
    np.testing.assert_array_equal(array[1], own)
    assert np.isnan(array[2]).all()
    estimated = ~np.isnan(array).all(axis=2)
    assert not (estimated & np.isnan(working)).any()


def test_errors_of_an_estimation_become_those_of_the_item() -> None:
    nan = np.nan
    graded = ItemEstimates.of(
        "a", Parameters("GRM", 1.0, thresholds=(0.0, 1.0)), {"guessing": nan, "thresholds": np.array([0.1, nan, nan])}
    )
    assert graded.errors is not None
    assert (graded.errors.guessing, graded.errors.thresholds) == (None, (0.1, None))
    plain = ItemEstimates.of("a", Parameters("2PL", 1.0, 0.0), {"difficulty": 0.2, "thresholds": np.array([nan, nan])})
    assert plain.errors is not None
    assert (plain.errors.difficulty, plain.errors.thresholds) == (0.2, None)


def test_the_summary_tells_which_calibration_is_in_force() -> None:
    bank = examples.bank()
    first, second = (item.id for item in bank.items[:2])
    estimate = Parameters("2PL", 1.0, 0.0)
    bank = bank.with_calibration(examples.record({first: estimate, second: estimate}, learners=1000))
    bank = bank.with_calibration(examples.record({second: estimate}, source="more.csv"))
    one, two = calibration_summary(bank)
    assert (one.number, one.learners, one.items, one.in_force) == (1, 1000, (first, second), (first,))
    assert (two.number, two.source, two.items, two.in_force) == (2, "more.csv", (second,), (second,))
    assert [row.id for row in (one, two)] == [record.id for record in bank.calibrations]
    assert calibration_summary(examples.bank()) == ()


def test_records_name_the_software() -> None:
    assert this_software().startswith("jalon")


def test_a_record_may_be_read_from_plain_data() -> None:
    record = examples.record({"a": Parameters("2PL", 1.0, 0.0)})
    assert calibration_from(json.loads(record.to_json())) == record
