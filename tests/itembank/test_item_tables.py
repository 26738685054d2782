from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.adaptive import Design
from engine.errors import BankError
from engine.latent import Independent
from itembank.files import read_item_table, write_item_table
from itembank.item_rows import ItemRow
from itembank.parameters import Parameters
from itembank.tables import ItemTable, bank_table, item_table_text
from tests.itembank import examples

HEADER = "id,model,discrimination,difficulty,guessing,slipping,thresholds,competence,topic"
FULL = f"""{HEADER},se_discrimination,se_difficulty
i1,1PL,1.0,-0.5,,,,1.1,alpha,0.1,0.2
i2,2PL,1.2,0.0,,,,1.1,beta,,
i3,3PL,0.9,0.7,0.2,,,1.2,alpha,,0.3
i4,4PL,1.1,1.0,0.15,0.95,,1.2,alpha,,
i5,GRM,1.3,,,,-1.0;0.25;1.5,2.1,beta,,
i6,GPCM,0.8,,,,-0.4;0.4,2.1,beta,,
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "items.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_reads_back_byte_for_byte(tmp_path: Path) -> None:
    table = read_item_table(write(tmp_path, FULL))
    assert table.ids == ("i1", "i2", "i3", "i4", "i5", "i6")
    assert table.competences == ("1.1", "1.2", "2.1")
    assert table.parameters.categories.tolist() == [2, 2, 2, 2, 4, 3]
    assert table.rows[0].errors == {"se_discrimination": 0.1, "se_difficulty": 0.2}
    assert item_table_text(table) == FULL
    write_item_table(table, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == FULL


def test_standard_errors_of_thresholds_are_as_many_as_the_thresholds(tmp_path: Path) -> None:
    text = (
        "id,model,discrimination,difficulty,guessing,slipping,thresholds,"
        "se_discrimination,se_difficulty,se_thresholds,se_time_intensity\n"
        "i1,2PL,1.0,0.5,,,,0.1,0.2,,0.05\ni2,GRM,1.0,,,,-1.0;0.25,0.3,,0.11;0.12,\ni3,GRM,1.0,,,,0.0;1.0,,,,\n"
    )
    table = read_item_table(write(tmp_path, text))
    assert table.rows[1].errors == {"se_discrimination": 0.3, "se_thresholds": (0.11, 0.12)}
    assert item_table_text(table) == text
    scaled = read_item_table(tmp_path / "items.csv", 1.7).rows[1].errors
    assert scaled["se_discrimination"] == pytest.approx(0.51)
    assert scaled["se_thresholds"] == (0.11, 0.12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    st.floats(0.05, 5),
    st.lists(st.floats(-4, 4), min_size=1, max_size=4, unique=True).map(sorted),
    st.none() | st.floats(-2, 6),
)
def test_any_numbers_read_back(tmp_path: Path, slope: float, steps: list[float], intensity: float | None) -> None:
    rows = (
        ItemRow("a", Parameters("GRM", slope, thresholds=tuple(steps), time_intensity=intensity)),
        ItemRow("b", Parameters("3PL", slope, steps[0], guessing=0.1, provisional=True), competence="1.1"),
    )
    write_item_table(ItemTable(rows), tmp_path / "items.csv")
    assert read_item_table(tmp_path / "items.csv").rows == rows


@pytest.mark.parametrize("scale", [1.7, 1.702])
def test_another_metric_is_converted_once(tmp_path: Path, scale: float) -> None:
    path = write(tmp_path, FULL)
    plain, converted = read_item_table(path).parameters, read_item_table(path, scale)
    assert converted.parameters.discrimination == pytest.approx(scale * plain.discrimination)
    assert converted.parameters.difficulty.tolist() == plain.difficulty.tolist()
    assert converted.parameters.guessing.tolist() == plain.guessing.tolist()
    assert converted.rows[0].errors == pytest.approx({"se_discrimination": 0.1 * scale, "se_difficulty": 0.2})
    write_item_table(converted, path)
    assert read_item_table(path) == ItemTable(converted.rows, str(path))


def test_the_file_itself_may_state_its_metric(tmp_path: Path) -> None:
    path = write(tmp_path, "id,model,discrimination,difficulty,D\ni1,2PL,1.0,0.5,1.7\ni2,1PL,,0.5,1.7\n")
    assert read_item_table(path).parameters.discrimination == pytest.approx([1.7, 1.7])
    assert read_item_table(path, scale=1.7).parameters.discrimination == pytest.approx([1.7, 1.7])
    with pytest.raises(BankError, match=r"says D = 1.7 and D = 1.702 was asked for"):
        read_item_table(path, scale=1.702)
    with pytest.raises(BankError, match="no metric in use"):
        read_item_table(write(tmp_path, "id,model,difficulty\ni1,1PL,0.5\n"), scale=2.0)


def test_only_what_the_model_needs_is_required(tmp_path: Path) -> None:
    table = read_item_table(write(tmp_path, "difficulty,id,model,note\n0.5,i1,1PL,hello\n-1,i2,1pl,\n"))
    assert [row.parameters for row in table.rows] == [Parameters("1PL", 1.0, 0.5), Parameters("1PL", 1.0, -1.0)]


def test_spreadsheet_habits_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_bytes("\ufeffid, model ,discrimination,difficulty\r\n i1 ,2PL, 1 ,0\r\n\r\n".encode())
    assert read_item_table(path).ids == ("i1",)


def test_the_difficulty_of_a_polytomous_item_may_be_stated_if_it_is_the_mean(tmp_path: Path) -> None:
    head = "id,model,discrimination,difficulty,thresholds\n"
    assert read_item_table(write(tmp_path, f"{head}i,GRM,1,0.5,0;1\n")).rows[0].parameters.difficulty is None
    with pytest.raises(BankError, match="not the mean of its thresholds"):
        read_item_table(write(tmp_path, f"{head}i,GRM,1,0.9,0;1\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("id;model\ni;1PL\n", "separates its columns with semicolons"),
        ("id,difficulty\ni,0\n", "no column 'model'"),
        ("id,model,dificulty\ni,1PL,0\n", "column 'dificulty'; if it is 'difficulty', write it so"),
        ("id,model,Difficulty\ni,1PL,0\n", "if it is 'difficulty'"),
        ("id,id,model\ni,i,1PL\n", "two columns 'id'"),
        ("id,model,difficulty\ni,1PL\n", "line 2 has 2 cells for 3 columns"),
        ("id,model,difficulty\ni,5PL,0\n", "row 1: There is no response model '5PL'"),
        ("id,model,difficulty\n,1PL,0\n", "id is empty"),
        ("id,model,difficulty\ni,,0\n", "model is empty"),
        ("id,model,difficulty\ni,1PL,\n", "item i: Parameters of the model 1PL need a difficulty"),
        ("id,model,difficulty\ni,2PL,0\n", "no discrimination, which the model 2PL needs"),
        ('id,model,difficulty\ni,1PL,"0,5"\n', "'0,5' is not a number; write it with a point"),
        ("id,model,difficulty\ni,1PL,nan\n", "write a finite number"),
        ("id,model,difficulty\ni,1PL,0\ni,1PL,1\n", "two rows for item i"),
        ("id,model,discrimination,difficulty\ni,2PL,-1,0\n", "discrimination outside"),
        ("id,model,discrimination,thresholds\ni,GRM,1,a;b\n", "not numbers separated by semicolons"),
        ("id,model,difficulty,provisional\ni,1PL,0,maybe\n", "write true or false"),
        ('id,model\n"i,1PL\n', "is not CSV"),
        ("id\tmodel\ni\t1PL\n", "separates its columns with tabs"),
        ("id,model,discrimination,thresholds,se_thresholds\ni,GRM,1,0;1,0.1\n", "1 se_thresholds for 2 thresholds"),
        ("id,model,difficulty,se_thresholds\ni,1PL,0,0.1\n", "1 se_thresholds for 0 thresholds"),
        ("id,model,discrimination,thresholds,se_thresholds\ni,GRM,1,0;1,0.1;x\n", "se_thresholds '0.1;x' are not"),
        ("id,model,discrimination,thresholds,se_thresholds\ni,GRM,1,0;1,0.1;nan\n", "write finite numbers"),
    ],
)
def test_a_faulty_table_is_refused_with_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BankError) as raised:
        read_item_table(path)
    assert words in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_missing_file_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BankError, match="cannot be read"):
        read_item_table(tmp_path / "absent.csv")


def test_a_table_becomes_items_of_one_or_several_competences(tmp_path: Path) -> None:
    table = read_item_table(write(tmp_path, FULL))
    assert table.table(Design()).competence.tolist() == [0] * 6
    several = table.table(Design(latent=Independent(3)), competences=("2.1", "1.1", "1.2"))
    assert several.competence.tolist() == [1, 1, 2, 2, 0, 0]
    assert len(np.unique(several.topic)) == 4
    with pytest.raises(BankError, match=r"gives item i1 the competence '1.1'; use one of 1.2"):
        table.table(Design(latent=Independent(2)), competences=("1.2", "2.1"))


def test_the_table_of_a_bank_says_where_each_item_belongs() -> None:
    bank = examples.bank()
    table = bank_table(bank)
    assert table.ids == tuple(item.id for item in bank.items)
    assert [(row.competence, row.topic) for row in table.rows] == [(item.competence, item.topic) for item in bank.items]
