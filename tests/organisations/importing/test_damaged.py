import csv
from datetime import date
from io import BytesIO

from api.organisations.importing.columns import FREGATA
from api.organisations.importing.faults import Fault
from api.organisations.importing.reader import Row, read
from tests.organisations.fregata import fregata_rows, written
from tests.organisations.importing.test_reader import change, codes, learner, read_rows

TODAY = date(2026, 11, 24)


def test_a_file_cut_in_its_last_row_is_told_unless_the_cut_is_in_the_last_cell() -> None:
    rows = [*fregata_rows(2), learner() | {"Division*": 'Première "É"'}]
    whole = written(rows).rstrip()
    start = whole.rindex(b"\r\n") + 2
    last_cell = whole.rindex(b";") + 1
    for end in range(start + 1, last_cell):
        *before, last = read_rows(whole[:end])
        assert [*codes(before), *codes([last])] == [2, 3, (4, None, "BAD_CSV_FORMAT")], end
        assert isinstance(last, Fault)
        assert "truncated" in last.sentence
    assert codes(read_rows(whole[:last_cell])) == [2, 3, (4, "Division*", "FIELD_REQUIRED")]
    for end in range(last_cell + 1, len(whole)):
        last = read_rows(whole[:end])[-1]  # nothing lacks but the end of the cell, which nobody can know
        assert isinstance(last, Fault) or 'Première "É"'.startswith(last.values.division or "?")


def test_a_file_cut_inside_a_character_is_told() -> None:
    whole = written([learner(), change("Division*", "2NDE É")]).rstrip()
    found = read_rows(whole[:-1])
    assert codes(found) == [2, (3, None, "BAD_CSV_FORMAT")]
    assert isinstance(found[1], Fault)
    assert "inside a character" in found[1].sentence


def test_rows_of_another_width_are_told() -> None:
    header, row, _ = written([learner()]).decode().split("\r\n")
    lines = [header, row, row + ";more", ";".join(row.split(";")[:9]), row]
    assert codes(read_rows("\n".join(lines).encode())) == [2, *((line, None, "BAD_CSV_FORMAT") for line in (3, 4)), 5]


def test_a_stray_quote_costs_its_row_and_a_quote_never_closed_the_rest() -> None:
    header, row, _ = written([learner()]).decode().split("\r\n")
    stray = row.replace("Code", "").replace(";ST;", ';"S"T;').replace(";AP;", ';"A"P;')
    found = read_rows("\n".join([header, row, stray, row]).encode())
    assert codes(found) == [2, (3, None, "BAD_CSV_FORMAT"), 4]
    never = row.replace(";ST;", ';"ST;').replace(";AP;", ';"AP;')
    found = read_rows("\n".join([header, row, never, row, row]).encode())
    assert codes(found) == [2, (3, None, "BAD_CSV_FORMAT")]
    found = read_rows("\n".join([header, row, never, *[row] * 10_000]).encode())
    assert codes(found) == [2, (3, None, "BAD_CSV_FORMAT")]
    assert isinstance(found[1], Fault)
    assert found[1].more == {"limit": 65_536}
    found = read_rows("\n".join([header, row, never, row, never, row]).encode())
    assert codes(found)[:2] == [2, (3, None, "BAD_CSV_FORMAT")]
    assert not any(isinstance(one, Row) for one in found[1:])


def test_a_very_long_cell_or_header_is_told_even_under_a_lower_global_limit() -> None:
    long = written([change("Code MEF*", "x" * 140_000), learner()])
    assert codes(read_rows(long)) == [(2, None, "BAD_CSV_FORMAT")]
    before = csv.field_size_limit(1_000)
    try:
        assert codes(read_rows(written([change("Code MEF*", "x" * 1_001), learner()]))) == [
            (2, None, "BAD_CSV_FORMAT"),
            3,
        ]
    finally:
        csv.field_size_limit(before)
    reading = read(BytesIO(b'"Premier' + b";" * 1_000_000), FREGATA, TODAY)
    assert codes(reading.faults) == [(1, None, "BAD_CSV_FORMAT")]
