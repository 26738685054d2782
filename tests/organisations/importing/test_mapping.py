from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pydantic import ValidationError

from api.organisations.importing.faults import Fault
from api.organisations.importing.mapping import Mapping, layout_of
from api.organisations.importing.reader import Reading, Row, read

TODAY = date(2026, 11, 24)
NAMES: dict[str, Any] = {"last_name": "Nom", "first_name": "Prénom", "birth_date": "Né le"}


def reading(text: str, **more: Any) -> Reading:
    return read(BytesIO(text.encode()), layout_of(Mapping(**NAMES, **more)), TODAY)


def told(found: Reading) -> list[tuple[int, str | None, str] | Row]:
    assert found.faults == ()
    return [(one.line, one.column, one.code) if isinstance(one, Fault) else one for one in found.rows]


def test_columns_that_are_not_mapped_are_left_alone() -> None:
    text = "Adresse,Nom,,Prénom,Né le,Code,Adresse\nTours,Noël,?,Zoé,05/11/2008,A1,Paris\n"
    (row,) = told(reading(text, external_id="Code"))
    assert isinstance(row, Row)
    assert (row.values.external_id, row.values.ine, row.values.last_name, row.values.division) == (
        "A1",
        None,
        "Noël",
        None,
    )


def test_every_mapped_column_must_be_there_once() -> None:
    found = reading("Nom,Prénom,Nom,Né le\n", external_id="Code", division="Classe")
    assert [(fault.column, fault.code) for fault in found.faults] == [
        ("Nom", "HEADER_UNKNOWN"),
        ("Code", "HEADER_REQUIRED"),
        ("Classe", "HEADER_REQUIRED"),
    ]


def test_one_of_the_identifiers_is_enough() -> None:
    text = "Nom,Prénom,Né le,INE,Code\nA,B,05/11/2008,1,\nA,B,05/11/2008,,2\nA,B,05/11/2008,,\n"
    first, second, third = told(reading(text, ine="INE", external_id="Code"))
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.values.ine, second.values.external_id) == ("1", "2")
    assert third == (4, "INE", "FIELD_REQUIRED")
    alone = told(reading("Nom,Prénom,Né le,Code\nA,B,05/11/2008,\n", external_id="Code"))
    assert alone == [(2, "Code", "FIELD_REQUIRED")]


def test_other_fields_follow_their_rules_and_may_be_empty() -> None:
    text = "Nom,Prénom,Né le,Code,Sexe,Ville,Pays\nA,B,05/11/2008,1,x,12,9\nA,B,05/11/2008,2,,,\n"
    found = told(reading(text, external_id="Code", sex="Sexe", birth_city_code="Ville", birth_country="Pays"))
    assert found[:3] == [(2, "Sexe", "FIELD_BAD_VALUES"), (2, "Ville", "FIELD_LENGTH"), (2, "Pays", "FIELD_LENGTH")]
    assert isinstance(found[3], Row)


@pytest.mark.parametrize(
    ("written", "formats"),
    [("05-11-2008", ["DD-MM-YYYY"]), ("05.11.2008", ["YYYY-MM-DD", "DD.MM.YYYY"]), ("2008-11-05", ["YYYY-MM-DD"])],
)
def test_dates_are_read_as_told(written: str, formats: list[str]) -> None:
    text = f"Nom,Prénom,Né le,Code\nA,B,{written},1\n"
    (row,) = told(reading(text, external_id="Code", date_formats=formats))
    assert isinstance(row, Row)
    assert row.values.birth_date == "2008-11-05"
    assert told(reading(text, external_id="Code")) == [(2, "Né le", "FIELD_DATE_FORMAT")]


def test_a_short_row_lacks_optional_cells_only_and_is_not_the_last() -> None:
    text = "Code,Nom,Prénom,Né le,Classe\n1,A,B,05/11/2008\n2,A,B\n3,A,B,05/11/2008,C\n"
    found = told(reading(text, external_id="Code", division="Classe"))
    assert [one.line if isinstance(one, Row) else one for one in found] == [2, (3, None, "BAD_CSV_FORMAT"), 4]
    last = told(reading("Code,Nom,Prénom,Né le,Classe\n1,A,B,05/11/2008\n", external_id="Code", division="Classe"))
    assert last == [(2, None, "BAD_CSV_FORMAT")]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"external_id": ""},
        {"external_id": "Nom"},
        {"external_id": " Nom "},
        {"external_id": 3},
        {"external_id": "Code", "address": "Adresse"},
        {"external_id": "Code", "date_formats": []},
        {"external_id": "Code", "date_formats": ["MM/DD/YYYY"]},
        {"external_id": "Code", "encoding": "utf-7"},
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Mapping(**NAMES, **wrong)


def test_a_layout_names_the_column_of_a_field() -> None:
    layout = layout_of(Mapping(**NAMES, ine="INE"))
    assert (layout.header_of("ine"), layout.header_of("external_id")) == ("INE", "external_id")
