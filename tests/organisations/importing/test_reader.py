import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from io import BytesIO, StringIO
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.organisations.importing.columns import FREGATA
from api.organisations.importing.faults import Fault
from api.organisations.importing.mapping import Mapping, layout_of
from api.organisations.importing.reader import Reading, Row, read
from tests.organisations.fregata import HEADERS, fregata_file, fregata_rows, written

TODAY = date(2026, 11, 24)


def read_rows(content: bytes) -> list[Row | Fault]:
    reading = read(BytesIO(content), FREGATA, TODAY)
    assert reading.faults == ()
    return list(reading.rows)


def learner(**cells: str) -> dict[str, str]:
    row = next(fregata_rows(1))
    born = {"Code commune naissance**": "37261", "Code pays naissance*": "99100", "Code département naissance*": "37"}
    return row | born | {next(header for header in HEADERS if header.startswith(k)): v for k, v in cells.items()}


def change(header: str, value: str) -> dict[str, str]:
    return learner() | {header: value}


def only(found: Iterable[Row | Fault]) -> Row | Fault:
    (one,) = found
    return one


def value(header: str, cell: str, field: str) -> Any:
    found = only(read_rows(written([change(header, cell)])))
    assert isinstance(found, Row), found
    return getattr(found.values, field)


def fault(header: str, cell: str) -> dict[str, Any]:
    found = only(read_rows(written([change(header, cell)])))
    assert isinstance(found, Fault), found
    told = found.told()
    assert (told["line"], told["column"]) == (2, header)
    assert header in told["sentence"]
    return told


def codes(found: Iterable[Row | Fault]) -> list[tuple[int, str | None, str] | int]:
    return [(one.line, one.column, one.code) if isinstance(one, Fault) else one.line for one in found]


def test_a_line_becomes_a_learner() -> None:
    content = ";".join(HEADERS) + (
        "\r\n 0123456789A ; Zoé ;Ève;;Lefèvre;Noël;FÉMININ;05/11/2008;37261;Tours;37;99100;ST;27610;2NDE   A \r\n"
    )
    row = only(read_rows(content.encode()))
    assert isinstance(row, Row)
    assert row.line == 2
    assert asdict(row.values) == {
        "ine": "0123456789A",
        "external_id": None,
        "last_name": "Lefèvre",
        "usual_name": "Noël",
        "first_name": "Zoé",
        "second_name": "Ève",
        "third_name": None,
        "sex": "F",
        "birth_date": "2008-11-05",
        "birth_city_code": "37261",
        "birth_city": "Tours",
        "birth_department": "37",
        "birth_country": "99100",
        "status": "ST",
        "mef": "27610",
        "division": "2NDE A",
    }


def test_the_generator_of_files_makes_what_the_reader_accepts() -> None:
    rows = read_rows(fregata_file(500))
    assert len(rows) == len({row.values.ine for row in rows if isinstance(row, Row)}) == 500
    assert fregata_file(7) == fregata_file(500)[: len(fregata_file(7))]


@pytest.mark.parametrize(
    ("header", "cell", "field", "expected"),
    [
        ("Code sexe*", "féminin", "sex", "F"),
        ("Code sexe*", "MASCULIN", "sex", "M"),
        ("Code sexe*", "f", "sex", "F"),
        ("Code sexe*", "M", "sex", "M"),
        ("Date de naissance (jj/mm/aaaa)*", "29/02/2008", "birth_date", "2008-02-29"),
        ("Date de naissance (jj/mm/aaaa)*", "05/11/08", "birth_date", "2008-11-05"),
        ("Date de naissance (jj/mm/aaaa)*", "23/11/26", "birth_date", "2026-11-23"),
        ("Date de naissance (jj/mm/aaaa)*", "24/11/26", "birth_date", "1926-11-24"),
        ("Date de naissance (jj/mm/aaaa)*", "31/12/99", "birth_date", "1999-12-31"),
        ("Code commune naissance**", "2B033", "birth_city_code", "2B033"),
        ("Code département naissance*", "974", "birth_department", "974"),
        ("Statut*", "AP", "status", "AP"),
        ("Division*", "2NDE \t A", "division", "2NDE A"),
        ("Premier prénom*", "Jean\u00a0Noël", "first_name", "Jean\u00a0Noël"),
        ("Premier prénom*", "Noe\u0308l", "first_name", "Noël"),
        ("Premier prénom*", "é" * 255, "first_name", "é" * 255),
        ("Nom d'usage", "", "usual_name", None),
        ("Nom de famille*", 'dit "Le Grand"; aîné', "last_name", 'dit "Le Grand"; aîné'),
        ("Nom de famille*", "=1+1", "last_name", "=1+1"),
    ],
)
def test_cells_that_are_right(header: str, cell: str, field: str, expected: str | None) -> None:
    assert value(header, cell, field) == expected


@pytest.mark.parametrize(
    ("header", "cell", "code", "more"),
    [
        ("Code sexe*", "X", "FIELD_BAD_VALUES", {"accepted": ["Féminin", "Masculin", "F", "M"]}),
        (
            "Date de naissance (jj/mm/aaaa)*",
            "2008-11-05",
            "FIELD_DATE_FORMAT",
            {"accepted": ["DD/MM/YYYY", "DD/MM/YY"]},
        ),
        ("Date de naissance (jj/mm/aaaa)*", "5/11/2008", "FIELD_DATE_FORMAT", {}),
        ("Date de naissance (jj/mm/aaaa)*", "31/02/2008", "FIELD_DATE_FORMAT", {}),
        ("Date de naissance (jj/mm/aaaa)*", "29/02/2007", "FIELD_DATE_FORMAT", {}),
        ("Date de naissance (jj/mm/aaaa)*", "29/02/27", "FIELD_DATE_FORMAT", {}),
        ("Date de naissance (jj/mm/aaaa)*", "01/01/0000", "FIELD_DATE_FORMAT", {}),
        ("Date de naissance (jj/mm/aaaa)*", "٠٥/11/2008", "FIELD_DATE_FORMAT", {}),
        ("Date de naissance (jj/mm/aaaa)*", "24/11/2026", "FIELD_BAD_VALUES", {"limit": "2026-11-24"}),
        ("Code commune naissance**", "3726", "FIELD_LENGTH", {"limit": 5}),
        ("Code commune naissance**", "372610", "FIELD_LENGTH", {"limit": 5}),
        ("Code commune naissance**", "2C033", "INSEE_CODE_INVALID", {}),
        ("Code commune naissance**", "A7261", "INSEE_CODE_INVALID", {}),
        ("Code département naissance*", "7", "FIELD_MIN_LENGTH", {"limit": 2}),
        ("Code département naissance*", "0974", "FIELD_MAX_LENGTH", {"limit": 3}),
        ("Code pays naissance*", "9910", "FIELD_LENGTH", {"limit": 5}),
        ("Code pays naissance*", "99600", "INSEE_CODE_INVALID", {}),
        ("Code pays naissance*", "99000", "INSEE_CODE_INVALID", {}),
        ("Code pays naissance*", "98100", "INSEE_CODE_INVALID", {}),
        ("Statut*", "XX", "FIELD_BAD_VALUES", {"accepted": ["ST", "AP"]}),
        ("Premier prénom*", "Zo\x07", "FIELD_BAD_VALUES", {}),
        ("Premier prénom*", "Zo\ufffd", "FIELD_BAD_VALUES", {}),
        *((header, "", "FIELD_REQUIRED", {}) for header in HEADERS if header.endswith("*") and header[-2:] != "**"),
        *((header, "  ", "FIELD_REQUIRED", {}) for header in ("Identifiant unique*", "Division*")),
        *(
            (header, "x" * 256, "FIELD_MAX_LENGTH", {"limit": 255})
            for header in HEADERS
            if header not in ("Statut*", "Code sexe*", "Date de naissance (jj/mm/aaaa)*")
            and header not in ("Code commune naissance**", "Code département naissance*", "Code pays naissance*")
        ),
    ],
)
def test_cells_that_are_wrong(header: str, cell: str, code: str, more: dict[str, Any]) -> None:
    told = fault(header, cell)
    assert told["code"] == code
    assert {key: told[key] for key in more} == more


def test_the_commune_is_required_where_the_country_asks_for_it() -> None:
    code, label, country = "Code commune naissance**", "Libellé commune naissance**", "Code pays naissance*"
    assert fault(code, "")["code"] == "FIELD_REQUIRED"
    assert "99100" in fault(code, "")["sentence"]
    assert isinstance(only(read_rows(written([learner() | {label: ""}]))), Row)
    abroad = learner() | {country: "99351", code: "", label: ""}
    assert codes(read_rows(written([abroad]))) == [(2, label, "FIELD_REQUIRED")]
    assert isinstance(only(read_rows(written([abroad | {label: "Tunis"}]))), Row)
    nowhere = learner() | {country: "", code: "", label: ""}
    assert codes(read_rows(written([nowhere]))) == [(2, country, "FIELD_REQUIRED")]


def test_all_faults_come_together_and_in_order_with_the_rows_that_are_right() -> None:
    rows = [
        learner(),
        change("Statut*", "?") | {"Code sexe*": "?", "Division*": ""},
        learner(),
        change("Code MEF*", ""),
    ]
    assert codes(read_rows(written(rows))) == [
        2,
        (3, "Code sexe*", "FIELD_BAD_VALUES"),
        (3, "Statut*", "FIELD_BAD_VALUES"),
        (3, "Division*", "FIELD_REQUIRED"),
        4,
        (5, "Code MEF*", "FIELD_REQUIRED"),
    ]


def test_lines_are_physical_and_count_from_the_header() -> None:
    two_lines = written([change("Libellé commune naissance**", "Tours\r\nNord"), learner(), learner()])
    assert codes(read_rows(two_lines)) == [2, 4, 5]
    header, row, _ = written([learner()]).split(b"\r\n")
    blank = b"\r\n".join([b"", b" ;; ", header, b"", row, b";" * 14, row, b"", b""])
    assert codes(read_rows(blank)) == [3, 5]
    assert codes(read_rows(written([learner()] * 2).replace(b"\r\n", b"\r"))) == [2, 3]
    assert codes(read_rows(written([learner()] * 2).replace(b"\r\n", b"\n").rstrip())) == [2, 3]


def test_columns_may_come_in_any_order_and_a_spreadsheet_may_add_delimiters() -> None:
    row = learner()
    order = sorted(HEADERS)
    lines = [";".join(order) + ";;;", ";".join(row[header] for header in order) + ";", ""]
    found = only(read_rows("\n".join(lines).encode()))
    assert isinstance(found, Row)
    assert found.values.ine == row["Identifiant unique*"]


def with_header(*headers: str) -> Reading:
    return read(BytesIO(";".join(headers).encode() + b"\nx;y\n"), FREGATA, TODAY)


def test_faults_of_the_header_come_together_and_stop_there() -> None:
    headers = [header for header in HEADERS if header not in ("Statut*", "Nom d'usage", "Code MEF*")]
    reading = with_header(*headers, "Premier prénom*", "Nom", "Adresse")
    assert codes(reading.faults) == [
        (1, "Premier prénom*", "HEADER_UNKNOWN"),
        (1, "Nom", "HEADER_UNKNOWN"),
        (1, "Adresse", "HEADER_UNKNOWN"),
        (1, "Statut*", "HEADER_REQUIRED"),
        (1, "Code MEF*", "HEADER_REQUIRED"),
    ]
    assert "twice" in reading.faults[0].sentence
    assert all(fault.more["accepted"] for fault in reading.faults)
    assert list(reading.rows) == []


def test_headers_carry_their_stars_but_not_every_typist_their_apostrophe() -> None:
    without = with_header(*(header.replace("Division*", "Division") for header in HEADERS))
    assert codes(without.faults) == [(1, "Division", "HEADER_UNKNOWN"), (1, "Division*", "HEADER_REQUIRED")]
    assert with_header(*(header.replace("'", "’") for header in HEADERS)).faults == ()


def test_a_file_without_rows_is_told() -> None:
    assert codes(read(BytesIO(b""), FREGATA, TODAY).faults) == [(1, None, "HEADER_REQUIRED")]
    assert codes(read(BytesIO(b"\r\n\r\n"), FREGATA, TODAY).faults) == [(1, None, "HEADER_REQUIRED")]
    assert codes(read_rows(written([]))) == [(1, None, "FIELD_REQUIRED")]


def test_the_file_stays_open_and_may_be_a_spooled_one() -> None:
    content = fregata_file(200)
    with SpooledTemporaryFile(max_size=1_000) as file:
        file.write(content)
        first = list(read(file, FREGATA, TODAY).rows)
        assert len(first) == 200
        next(read(file, FREGATA, TODAY).rows)
        assert list(read(file, FREGATA, TODAY).rows) == first
    assert len(read_rows(content)) == 200


COLUMNS: Sequence[str] = ("Nom", "Prénom", "Né le", "N°", "Groupe")
MAPPING = Mapping(last_name="Nom", first_name="Prénom", birth_date="Né le", external_id="N°", division="Groupe")
LETTERS = "abcXYZ éèàçùêîôûëïüÉÀÇ'-;,|\t\"\r\n=+@ñßøæ"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(LETTERS, min_size=1).filter(str.strip),
            st.text(LETTERS, min_size=1).filter(str.strip),
            st.dates(date(1926, 11, 24), date(2026, 11, 23)),
            st.text("0123456789AB", min_size=1),
            st.text(LETTERS),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "mac-roman"]),
    st.sampled_from(";,\t|"),
    st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
)
def test_rows_written_are_read_back(rows: Any, encoding: str, delimiter: str, style: Any) -> None:
    out = StringIO(newline="")
    table = csv.writer(out, delimiter=delimiter, lineterminator=style[0], quoting=style[1])
    table.writerow(COLUMNS)
    table.writerows([last, first, f"{day:%d/%m/%Y}", key, group] for last, first, day, key, group in rows)
    reading = read(BytesIO(out.getvalue().encode(encoding)), layout_of(MAPPING), TODAY)
    assert reading.delimiter == delimiter
    found = [one.values if isinstance(one, Row) else one for one in reading.rows]
    assert [
        (one.last_name, one.first_name, one.birth_date, one.external_id, one.division)
        if not isinstance(one, Fault)
        else one
        for one in found
    ] == [
        (last.strip(), first.strip(), day.isoformat(), key, " ".join(group.split()) or None)
        for last, first, day, key, group in rows
    ]
