from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import BankError
from itembank.files import TimesTable, read_times


def write(folder: Path, text: str) -> Path:
    path = folder / "times.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("quote", ["", '"'])
def test_cells_are_seconds_and_nothing(tmp_path: Path, quote: str) -> None:
    table = read_times(write(tmp_path, f"learner,i1,i2\nana,{quote}12.5{quote},\nbob, 7 ,1e-2\n"))
    assert (table.learners, table.items) == (("ana", "bob"), ("i1", "i2"))
    np.testing.assert_array_equal(table.seconds, [[12.5, np.nan], [7.0, 0.01]])
    assert len(table.data_hash) == 64


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.none() | st.floats(0, exclude_min=True, allow_infinity=False), min_size=2, max_size=20))
def test_any_seconds_read_back(tmp_path: Path, seconds: list[float | None]) -> None:
    lines = "".join(f"{'' if value is None else repr(value)},\n" for value in seconds)
    table = read_times(write(tmp_path, f"i1,i2\n{lines}"))
    expected = [np.nan if value is None else value for value in seconds]
    np.testing.assert_array_equal(table.seconds[:, 0], expected)


def test_columns_may_be_left_out_and_items_known(tmp_path: Path) -> None:
    path = write(tmp_path, "i1,note\n1,x\n")
    assert read_times(path, ignored=["note"], items=["i1"]).items == ("i1",)
    with pytest.raises(BankError, match="column 2: there is no item 'note'"):
        read_times(path, items=["i1"])


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("x", "'x' is not a number of seconds"),
        ('"3,5"', "'3,5' is not a number of seconds; write it with a point"),
        ("0", "'0' is no time; write seconds above 0"),
        ("-1", "'-1' is no time"),
        ("nan", "'nan' is no time"),
        ("inf", "'inf' is no time"),
        ("1e999", "'1e999' is no time"),
        ("S", "'S' is not a number"),
    ],
)
def test_faulty_times_are_refused_with_a_sentence(tmp_path: Path, cell: str, words: str) -> None:
    with pytest.raises(BankError) as raised:
        read_times(write(tmp_path, f"learner,i1,i2\nana,3,\nbob,2,{cell}\n"))
    assert f"times.csv, line 3, column 'i2': {words}" in str(raised.value)


def test_a_table_whose_sides_do_not_fit_is_refused() -> None:
    with pytest.raises(BankError, match="one row for each learner"):
        TimesTable(("ana",), ("i1",), np.zeros((2, 1)))
