from pathlib import Path

import numpy as np
import pytest

from engine.errors import BankError
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from itembank.files import ResponseTable, read_responses, write_responses, write_scores


def write(folder: Path, text: str) -> Path:
    path = folder / "responses.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_are_categories_skips_and_nothing(tmp_path: Path) -> None:
    table = read_responses(write(tmp_path, "learner,i1,i2,i3\nana,1,0,S\nbob,,2, \n"))
    assert table.learners == ("ana", "bob")
    assert table.items == ("i1", "i2", "i3")
    assert table.responses.tolist() == [[1, 0, SKIPPED], [NOT_REACHED, 2, NOT_REACHED]]


def test_learners_are_numbered_when_they_have_no_name(tmp_path: Path) -> None:
    assert read_responses(write(tmp_path, "i1,i2\n1,0\n0,1\n")).learners == ("1", "2")


def test_floats_of_data_frames_are_categories(tmp_path: Path) -> None:
    assert read_responses(write(tmp_path, "i1,i2\n1.0,\n,0.0\n")).responses.tolist() == [[1, -1], [-1, 0]]


def test_responses_read_back(tmp_path: Path) -> None:
    path = write(tmp_path, "learner,i1,i2,i3\nana,1,0,S\nbob,,12,\n")
    before = path.read_text()
    write_responses(read_responses(path), path)
    assert path.read_text() == before


def test_columns_are_arranged_for_items(tmp_path: Path) -> None:
    table = read_responses(write(tmp_path, "i1,i2\n1,0\n"))
    assert table.for_items(["i3", "i2", "i1"]).tolist() == [[NOT_REACHED, 0, 1]]
    with pytest.raises(BankError, match="item 'i2' without parameters"):
        table.for_items(["i1"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("learner\nana\n", "no item column"),
        ("i1,i2\n", "no learner"),
        ("i1,\n1,0\n", "column without a name"),
        ("i1,i2\n1,x\n", "learner number 1: there is no response 'x'"),
        ("i1,i2\n1,-1\n", "no response '-1'"),
        ("i1,i2\n1,0.5\n", "no response '0.5'"),
        ("i1,i2\n1,100\n", "no response '100'"),
        ("i1,i2\n1\n", "line 2 has 1 cells for 2 columns"),
        ("learner,i1\nana,1\nana,0\n", "two lines for learner 'ana'"),
    ],
)
def test_faulty_responses_are_refused_with_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BankError) as raised:
        read_responses(write(tmp_path, text))
    assert words in str(raised.value)


def test_what_a_file_cannot_hold_is_not_written(tmp_path: Path) -> None:
    table = ResponseTable(("ana",), ("i1",), np.array([[TIMED_OUT]]))
    with pytest.raises(BankError, match="cannot hold the code -2"):
        write_responses(table, tmp_path / "x.csv")
    with pytest.raises(BankError, match="one row for each learner"):
        ResponseTable(("ana",), ("i1",), np.zeros((2, 1), dtype=np.int64))


def test_scores_are_written_in_full_precision(tmp_path: Path) -> None:
    write_scores(["ana", "bob"], [0.1 + 0.2, float("inf")], [0.5, float("nan")], tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text() == "learner,ability,se\nana,0.30000000000000004,0.5\nbob,,\n"
