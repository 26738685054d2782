import hashlib
import os
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import itembank.csv_blocks
import itembank.learner_rows
from engine.errors import BankError
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from itembank.files import ResponseTable, lsat7, read_responses, write_responses, write_scores


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "responses.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path, **options: object) -> str:
    """Sentence with which a file is refused."""
    with pytest.raises(BankError) as raised:
        read_responses(path, **options)  # type: ignore[arg-type]
    sentence = str(raised.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    return sentence


def test_cells_are_categories_skips_and_nothing(tmp_path: Path) -> None:
    table = read_responses(write(tmp_path, "learner,i1,i2,i3\nana,1,0,S\nbob,,2, \n"))
    assert table.learners == ("ana", "bob")
    assert table.items == ("i1", "i2", "i3")
    assert table.responses.tolist() == [[1, 0, SKIPPED], [NOT_REACHED, 2, NOT_REACHED]]
    assert table.responses.dtype == np.int8
    assert (table.groups, table.group) == ((), None)


def test_learners_are_numbered_when_they_have_no_name(tmp_path: Path) -> None:
    assert read_responses(write(tmp_path, "i1,i2\n1,0\n0,1\n")).learners == ("1", "2")


def test_floats_of_data_frames_are_categories(tmp_path: Path) -> None:
    assert read_responses(write(tmp_path, "i1,i2\n1.0,\n,0.0\n")).responses.tolist() == [[1, -1], [-1, 0]]


@pytest.mark.parametrize(
    "text",
    [
        "learner,i1,i2\nana,1,12\nbob,,S\n",
        "learner,i1,i2\r\nana,1,12\r\nbob,,S\r\n",
        "learner,i1,i2\rana,1,12\rbob,,S",
        "\ufefflearner, i1 ,i2\n ana , 1,12\n\nbob,,S",
        'learner,"i1","i2"\n"ana","1",12\n"bob",,"S"\n',
        "learner,i1,i2\nana,1,12\n\n\nbob,, S \n\n",
    ],
    ids=["plain", "windows", "old macintosh", "spaces and a mark", "quotes", "blank lines"],
)
def test_ways_to_write_the_same(tmp_path: Path, text: str) -> None:
    table = read_responses(write(tmp_path, text))
    assert (table.learners, table.items) == (("ana", "bob"), ("i1", "i2"))
    assert table.responses.tolist() == [[1, 12], [NOT_REACHED, SKIPPED]]


def test_quotes_hold_commas_newlines_and_quotes(tmp_path: Path) -> None:
    table = read_responses(write(tmp_path, 'learner,"i,1"\n"Ana, ""la""\nrouge",1\n5" ,0\n'))
    assert table.learners == ('Ana, "la"\nrouge', '5"')
    assert table.items == ("i,1",)


def test_responses_read_back(tmp_path: Path) -> None:
    path = write(tmp_path, "learner,i1,i2,i3\nana,1,0,S\nbob,,12,\n")
    before = path.read_text()
    write_responses(read_responses(path), path)
    assert path.read_text() == before


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8).map(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.lists(NAMES, min_size=1, max_size=12, unique=True),
    st.lists(NAMES.filter(lambda name: name not in ("", "learner", "group")), min_size=2, max_size=5, unique=True),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 7, 64, 2**18]),
    st.booleans(),
)
def test_any_table_reads_back_whatever_the_blocks(
    tmp_path: Path, learners: list[str], items: list[str], seed: int, block: int, grouped: bool
) -> None:
    rng = np.random.default_rng(seed)
    codes = np.array([NOT_REACHED, SKIPPED, 0, 1, 9, 10, 99])
    responses = codes[rng.integers(0, len(codes), (len(learners), len(items)))]
    groups = ("nord", "sud, est") if grouped and len(learners) > 1 else ()
    group = np.arange(len(learners)) % 2 if groups else None
    table = ResponseTable(tuple(learners), tuple(items), responses, groups, group)
    write_responses(table, tmp_path / "x.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(itembank.csv_blocks, "BLOCK", block)
        again = read_responses(tmp_path / "x.csv", group="group" if groups else None)
    assert (again.learners, again.items, again.groups) == (table.learners, table.items, table.groups)
    assert again.responses.tolist() == responses.tolist()
    assert (again.group is None) == (group is None)
    assert group is None or (again.group == group).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(
    st.binary(max_size=60) | st.text('i,1\n\r"S ;0\t\0é', max_size=40).map(str.encode), st.sampled_from([1, 5, 2**18])
)
def test_any_bytes_are_read_or_refused_with_a_sentence(tmp_path: Path, data: bytes, block: int) -> None:
    path = write(tmp_path, b"i1,i2\n1,0\n" + data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(itembank.csv_blocks, "BLOCK", block)
        found = either(path)
    if isinstance(found, str):
        assert str(path) in found
        assert found.endswith(".")
    else:
        assert found.responses.shape == (len(found.learners), 2)
        assert ((found.responses >= SKIPPED) & (found.responses <= 99)).all()


def either(path: Path) -> ResponseTable | str:
    """Table of a file, or the sentence with which it is refused."""
    try:
        return read_responses(path)
    except BankError as error:
        return str(error)


def test_columns_are_arranged_for_items(tmp_path: Path) -> None:
    table = read_responses(write(tmp_path, "i1,i2\n1,0\n"))
    arranged = table.for_items(["i3", "i2", "i1"])
    assert arranged.tolist() == [[NOT_REACHED, 0, 1]]
    assert arranged.dtype == np.int8
    assert table.for_items(["i1", "i2"]).tolist() == [[1, 0]]
    with pytest.raises(BankError, match="item 'i2' without parameters"):
        table.for_items(["i1"])


def test_groups_are_numbered_in_the_order_of_appearance(tmp_path: Path) -> None:
    path = write(tmp_path, "learner,i1,land,i2\nana,1,sud,0\nbob,0, nord ,1\ncleo,1,sud,1\n")
    table = read_responses(path, group="land")
    assert table.items == ("i1", "i2")
    assert table.groups == ("sud", "nord")
    assert table.group is not None
    assert table.group.tolist() == [0, 1, 0]
    assert table.responses.tolist() == [[1, 0], [0, 1], [1, 1]]


def test_a_line_may_count_for_several_learners(tmp_path: Path) -> None:
    path = write(tmp_path, "i1,i2,count,land\n1,0,2,b\n0,1,0,a\n1,1,1,c\n")
    table = read_responses(path, counts="count", group="land")
    assert table.learners == ("1", "2", "3")
    assert table.responses.tolist() == [[1, 0], [1, 0], [1, 1]]
    assert table.group is not None
    assert [table.groups[code] for code in table.group] == ["b", "b", "c"]


def test_columns_may_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "learner,note,i1,age\nana,très bien,1,37\nana,,0,\n")
    table = read_responses(path, ignored=["age", "note", "learner"], items={"i1", "i2"})
    assert (table.items, table.learners) == (("i1",), ("1", "2"))


def test_what_is_in_a_column_left_out_does_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path, b"i1,note\n1,\xff\n0,ok\n")
    assert read_responses(path, ignored=["note"]).responses.tolist() == [[1], [0]]


def test_items_without_any_answer_and_silent_learners_are_kept(tmp_path: Path) -> None:
    table = read_responses(write(tmp_path, "i1,i2\n1,\n,\n"))
    assert table.responses.tolist() == [[1, NOT_REACHED], [NOT_REACHED, NOT_REACHED]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("learner\nana\n", "no item column"),
        ("i1,i2\n", "no learner"),
        ("i1,\n1,0\n", "column 2 is a column without a name"),
        ("i1,i2,i1\n1,0,1\n", "two columns 'i1', 1 and 3"),
        ("i1;i2\n1;0\n", "separates its columns with semicolons"),
        ("i1\ti2\n1\t0\n", "separates its columns with tabs"),
        ("i1,i2\n1,x\n", "line 2, column 'i2': there is no response 'x'; write a category (0 to 99), S for a skip"),
        ("i1,i2\n1,0\n1,NA\n", "line 3, column 'i2': there is no response 'NA'"),
        ("i1,i2\n1,-1\n", "no response '-1'"),
        ("i1,i2\n1,0.5\n", "no response '0.5'"),
        ("i1,i2\n1,100\n", "no response '100'"),
        ("i1,i2\n1,٣\n", "no response '٣'"),
        ("i1,i2\n1,s\n", "no response 's'"),
        (f"i1,i2\n1,{'9' * 5000}\n", f"no response '{'9' * 40}...'"),
        ("i1,i2\n1,0\n1\n", "line 3 has 1 cells for 2 columns"),
        ("i1,i2\n1,0,1\n1\n", "line 2 has 3 cells for 2 columns"),
        ("i1,i2\n1,0\n\n1\n", "line 4 has 1 cells for 2 columns"),
        ('i1,i2\n1,"0\n"\n1,"x"\n', "line 4, column 'i2'"),
        ("learner,i1\nana,1\nbob,0\n ana,0\n", "line 4: there are two lines for learner 'ana'"),
        ('learner,i1\nana,1\n"bob,0\nana,0\n', "line 3 opens a quote that is not closed"),
        ('learner,i1\nana,1\n"bob"x,0\n', "line 3 is not CSV"),
        ('"i1,i2\n1,0\n', "line 1 is not CSV"),
        ("i1,i2\n1,0\n1,\0\n", "line 3 holds a NUL byte"),
        ("i1,i2\n1,0\n".encode("utf-16"), "line 1 holds a NUL byte"),
        (b"i1,i\xe9\n1,0\n", "line 1, column 2 is not UTF-8 text"),
        (b"i1,i2\n1,0\n1,\xe9\n", "line 3, column 'i2' is not UTF-8 text"),
        (b"learner,i1\nana,1\nRen\xe9,0\n", "line 3, column 'learner' is not UTF-8 text"),
    ],
)
@pytest.mark.parametrize("block", [3, 2**18])
def test_faulty_responses_are_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes, words: str, block: int
) -> None:
    monkeypatch.setattr(itembank.csv_blocks, "BLOCK", block)
    assert words in refusal(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("i1,i2\n1,0\n", {"items": ["i1"]}, "column 2: there is no item 'i2'"),
        ("i1,i2\n1,0\n", {"group": "land"}, "no column 'land'"),
        ("i1,i2\n1,0\n", {"counts": "freq"}, "no column 'freq'"),
        ("i1,i2\n1,0\n", {"ignored": ["age"]}, "no column 'age'"),
        ("i1,g\n1,a\n", {"group": "g", "ignored": ["g"]}, "used and left out"),
        ("i1,g\n1,a\n1, \n", {"group": "g"}, "line 3, column 'g': there is no group"),
        ("i1,n\n1,2\n1,-3\n", {"counts": "n"}, "line 3, column 'n': '-3' is not a number of learners"),
        ("i1,n\n1,2.5\n", {"counts": "n"}, "'2.5' is not a number of learners"),
        ("i1,n\n1,0\n", {"counts": "n"}, "counts 0 learners"),
        ("i1,n\n1,999999999\n", {"counts": "n"}, "counts 999,999,999 learners; there are 1 to 10,000,000"),
        ("g\na\n", {"group": "g"}, "no item column"),
    ],
)
def test_options_that_do_not_suit_the_file(tmp_path: Path, text: str, options: dict[str, object], words: str) -> None:
    assert words in refusal(write(tmp_path, text), **options)


def test_a_column_says_one_thing(tmp_path: Path) -> None:
    path = write(tmp_path, "learner,i1,g\nana,1,2\n")
    for options in ({"group": "g", "counts": "g"}, {"group": "learner"}):
        with pytest.raises(BankError, match="says one thing only"):
            read_responses(path, **options)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "absent.csv")
    assert "cannot be read (Is a directory)" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("i1\n1\n" + "1" * 600, "line 3 is too long"),
        ('i1\n1\n"1\n' + "1\n" * 300, "line 3 opens a quote that is not closed"),
    ],
)
def test_a_line_without_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setattr(itembank.csv_blocks, "BLOCK", 64)
    monkeypatch.setattr(itembank.csv_blocks, "LONGEST_LINE", 200)
    assert words in refusal(write(tmp_path, text))


def test_too_many_learners_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(itembank.learner_rows, "MOST_LEARNERS", 3)
    assert read_responses(write(tmp_path, "i1\n1\n1\n1\n")).learners == ("1", "2", "3")
    assert "more than 3 learners" in refusal(write(tmp_path, "i1\n1\n1\n1\n1\n"))


def test_a_pipe_is_read_and_hashed_in_one_pass(tmp_path: Path) -> None:
    content = b"i1,i2\n" + b"1,0\n,1\n" * 1000
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    table = read_responses(pipe)
    writer.join()
    assert table.responses.shape == (2000, 2)
    assert table.data_hash == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("cell", ["1", "", "S"])
def test_a_larger_file_takes_one_byte_a_cell_more(tmp_path: Path, cell: str) -> None:
    width, lines = 1000, 4000
    peaks = []
    for learners in (lines, 2 * lines):
        text = ",".join(f"i{number}" for number in range(width)) + "\n"
        path = write(tmp_path, text + (",".join([cell] * width) + "\n") * learners)
        tracemalloc.start()
        read_responses(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 1.2 * width * lines


def test_a_table_is_one_byte_a_cell_and_read_only() -> None:
    given = np.array([[1, SKIPPED]])
    table = ResponseTable(("ana",), ("i1", "i2"), given)
    assert table.responses.dtype == np.int8
    assert not table.responses.flags.writeable
    with pytest.raises(BankError, match="up to 99"):
        ResponseTable(("ana",), ("i1",), np.array([[300]]))
    with pytest.raises(BankError, match="one row for each learner"):
        ResponseTable(("ana",), ("i1",), np.zeros((2, 1), dtype=np.int8))
    with pytest.raises(BankError, match="groups of shape"):
        ResponseTable(("ana",), ("i1",), np.zeros((1, 1), dtype=np.int8), ("a",), np.zeros(2, dtype=np.int64))


def test_what_a_file_cannot_hold_is_not_written(tmp_path: Path) -> None:
    table = ResponseTable(("ana",), ("i1",), np.array([[TIMED_OUT]]))
    with pytest.raises(BankError, match="cannot hold the code -2"):
        write_responses(table, tmp_path / "x.csv")
    named = ResponseTable(("ana",), ("group",), np.array([[1]]), ("a",), np.array([0]))
    with pytest.raises(BankError, match="An item is called 'group'"):
        write_responses(named, tmp_path / "x.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_published_table_is_a_thousand_learners() -> None:
    table = lsat7()
    assert table.responses.shape == (1000, 5)
    assert table.responses.sum() == 3707
    # Bock and Lieberman (1970): right answers to the five questions of section 7.
    assert table.responses.sum(axis=0).tolist() == [828, 658, 772, 606, 843]
    assert len(np.unique(table.responses, axis=0)) == 32


def test_scores_are_written_in_full_precision(tmp_path: Path) -> None:
    write_scores(["ana", "bob"], [0.1 + 0.2, float("inf")], [0.5, float("nan")], tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text() == "learner,ability,se\nana,0.30000000000000004,0.5\nbob,,\n"
