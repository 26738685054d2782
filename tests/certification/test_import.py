import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.certification.sessions.import_file import COLUMNS, REQUIRED, read_candidates
from tests.certification.school import School

Check = Callable[..., Any]
CSV = {"Content-Type": "text/csv"}


def send(school: School, session: Any, content: str | bytes, **headers: str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    path = f"/v1/sessions/{session['id']}/candidates/import"
    return school.call("POST", path, content=data, headers=CSV | headers)


def listed(school: School, session: Any) -> list[Any]:
    items: list[Any] = school.done("GET", f"/v1/sessions/{session['id']}/candidates")["items"]
    return items


def named_learner(school: School, external_id: str) -> str:
    learner_id: str = school.listed(external_id=external_id)
    school.position(learner_id)
    return learner_id


def places(faults: Any) -> list[tuple[int, str | None, str]]:
    return [(fault["line"], fault["column"], fault["code"]) for fault in faults]


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("cp1252", ";"), ("utf-8", "\t")]
)
def test_a_class_is_enrolled_from_a_file(school: School, encoding: str, delimiter: str) -> None:
    session = school.session()
    by_name, by_id, by_code = named_learner(school, "INE-1"), school.learner(), school.learner()
    code = school.as_platform("GET", f"/v1/learners/{by_code}/runs")["items"][0]["access_code"]
    stream = StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow(
        ["Nom*", "Prénom*", "Date de naissance", "learner", "code", "Temps majoré", "accessible", "Matériel"]
    )
    writer.writerow(["Çelik", "Chloé", "17/05/2009", "INE-1", "", "33,3 %", "", ""])
    writer.writerow([])
    writer.writerow(["Dupont", "Zoé", "2008-12-31", by_id, "", "", "blind colour-blind", "Écran\nlarge"])
    writer.writerow(["L’Hôte", "Noël", "2008-01-01", "", code.lower(), "", "", ""])
    response = send(school, session, stream.getvalue().encode(encoding))
    assert response.status_code == 201, response.text
    enrolled = response.json()["enrolled"]
    assert [one["learner_id"] for one in enrolled] == [by_name, by_id, by_code]
    assert [(one["last_name"], one["first_name"]) for one in enrolled] == [
        ("Çelik", "Chloé"),
        ("Dupont", "Zoé"),
        ("L’Hôte", "Noël"),
    ]
    assert [one["birth_date"] for one in enrolled] == ["2009-05-17", "2008-12-31", "2008-01-01"]
    assert [one["extra_time"] for one in enrolled] == [33.3, 0, 0]
    assert enrolled[1]["accessible"] == ["blind", "colour_blind"]
    assert enrolled[1]["equipment"].split() == ["Écran", "large"]
    assert sorted(one["id"] for one in listed(school, session)) == sorted(one["id"] for one in enrolled)


def test_everything_that_is_wrong_is_told_at_once_and_nobody_is_enrolled(school: School, problem: Check) -> None:
    session, other = school.session(), school.session()
    good, elsewhere = named_learner(school, "good"), named_learner(school, "elsewhere")
    school.listed(external_id="new")
    school.enrol(other, elsewhere)
    content = "\n".join(
        [
            "last_name,first_name,birth_date,learner,code,extra_time,accessible,equipment,locale",
            "Un,Ann,2009-05-17,good,,,,,",
            ",Ann,2009-02-30,good,,a lot,sign,,French",
            f"{'x' * 256},Ann,2009-05-17,,,,,,",
            "Quatre,Ann,2009-05-17,good,BCDFGHJKM,,,,",
            "",
            "Six,Ann,2009-05-17,nobody,,,,,",
            f"Sept,Ann,2009-05-17,{good},,,,,",
            "Huit,Ann,2009-05-17,elsewhere,,,,,",
            "Neuf,Ann,2009-05-17,new,,,,,xx",
            "Dix,Ann,2009-05-17,,BCDFGHJKM,,,,",
            "Onze,Ann,2027-05-17,good,,,,,,,more",
            "Douze,Ann,2027-05-17,nobody,,,,,",
        ]
    )
    found = problem(send(school, session, content), 422, "invalid-rows", "nobody was enrolled")
    assert places(found["errors"]) == [
        (3, "last_name", "FIELD_REQUIRED"),
        (3, "birth_date", "FIELD_DATE_FORMAT"),
        (3, "extra_time", "FIELD_BAD_VALUES"),
        (3, "accessible", "FIELD_BAD_VALUES"),
        (3, "locale", "FIELD_BAD_VALUES"),
        (3, "learner", "LEARNER_TWICE"),
        (4, "learner", "FIELD_REQUIRED"),
        (4, "last_name", "FIELD_MAX_LENGTH"),
        (5, "code", "FIELD_BAD_VALUES"),
        (7, "learner", "LEARNER_UNKNOWN"),
        (8, "learner", "LEARNER_TWICE"),
        (9, "learner", "LEARNER_ENROLLED"),
        (10, "locale", "FIELD_BAD_VALUES"),
        (10, "learner", "NOT_ELIGIBLE"),
        (11, "code", "LEARNER_UNKNOWN"),
        (12, None, "BAD_CSV_FORMAT"),
        (13, "birth_date", "FIELD_BAD_VALUES"),
        (13, "learner", "LEARNER_UNKNOWN"),
    ]
    assert all(error["sentence"].endswith(".") for error in found["errors"])
    by_code = {error["code"]: error for error in found["errors"]}
    assert by_code["FIELD_MAX_LENGTH"]["limit"] == 255
    assert by_code["LEARNER_TWICE"]["first"] == 2
    assert "1.1" in by_code["NOT_ELIGIBLE"]["words"]["fr"]
    assert listed(school, session) == []


def test_the_names_of_columns_in_errors_are_those_of_the_file(school: School, problem: Check) -> None:
    content = "Nom;Prénom;Date de naissance;Identifiant\n;Ann;2009;x\n"
    found = problem(send(school, school.session(), content), 422, "invalid-rows")
    assert places(found["errors"]) == [
        (2, "Nom", "FIELD_REQUIRED"),
        (2, "Date de naissance", "FIELD_DATE_FORMAT"),
        (2, "Identifiant", "LEARNER_UNKNOWN"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", [(1, None, "HEADER_REQUIRED")]),
        (b"\n\n", [(1, None, "HEADER_REQUIRED")]),
        (b"last_name,first_name,birth_date,learner\n", [(1, None, "FIELD_REQUIRED")]),
        (
            b"last_name,birth_date,Code MEF,birth_date\na,b,c,d\n",
            [
                (1, "Code MEF", "HEADER_UNKNOWN"),
                (1, "birth_date", "HEADER_TWICE"),
                (1, "first_name", "HEADER_REQUIRED"),
                (1, "learner", "HEADER_REQUIRED"),
                (2, "birth_date", "FIELD_DATE_FORMAT"),
            ],
        ),
        (b"\xff\xfel\x00a", [(1, None, "ENCODING_NOT_SUPPORTED")]),
        (b"last_name\x81", [(1, None, "ENCODING_NOT_SUPPORTED")]),
        (b'last_name,first_name,birth_date,learner\n"a"b,c,d,e\n', [(2, None, "BAD_CSV_FORMAT")]),
        (b'last_name,first_name,birth_date,learner\n\na,"\n\n', [(3, None, "BAD_CSV_FORMAT")]),
        (b"last_name,first_name,birth_date,learner,\na,b,2009-05-17,x,y\n", [(2, None, "BAD_CSV_FORMAT")]),
        (b"last_name,first_name,birth_date,learner\na\x07,b,2009-05-17,x\n", [(2, "last_name", "FIELD_BAD_VALUES")]),
    ],
)
def test_a_file_that_cannot_be_read(content: bytes, expected: list[Any]) -> None:
    _, faults = read_candidates(content)
    assert places(fault.told() for fault in faults) == expected


def test_lines_count_as_an_editor_counts_them() -> None:
    content = (
        'last_name,first_name,birth_date,learner,equipment\r\na,b,2009-05-17,x,"one\r\ntwo"\r\n\r\n,b,2009-05-17,x,\r\n'
    )
    entries, faults = read_candidates(content.encode())
    assert [entry.line for entry in entries] == [2, 5]
    assert [fault.line for fault in faults] == [5]


CELL = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(str.strip)


@given(
    rows=st.lists(st.tuples(CELL, CELL, st.dates().map(str), CELL), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read(rows: list[Any], delimiter: str, encoding: str, ending: str) -> None:
    stream = StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=ending)
    writer.writerow([*REQUIRED, "learner"])
    writer.writerows([(last, first, day, learner) for last, first, day, learner in rows])
    entries, faults = read_candidates(stream.getvalue().encode(encoding))
    assert faults == []
    assert [(one.last_name, one.first_name, one.birth_date, one.learner) for one in entries] == rows
    assert [one.line for one in entries] == list(range(2, len(rows) + 2))


@given(content=st.binary(max_size=200))
def test_whatever_comes_is_told_in_sentences(content: bytes) -> None:
    header = ",".join(COLUMNS).encode()
    for body in (content, header + b"\n" + content):
        entries, faults = read_candidates(body)
        assert entries or faults
        assert all(fault.sentence.endswith(".") and fault.line >= 1 for fault in faults)


def test_a_file_sent_again_with_its_key_enrols_once(school: School, problem: Check) -> None:
    session = school.session()
    learners = [school.learner() for _ in range(2)]
    content = "last_name,first_name,birth_date,learner\n" + "".join(
        f"{name},Ann,2009-05-17,{one}\n" for name, one in zip("ZA", learners, strict=True)
    )
    key = {"Idempotency-Key": "once"}
    first, again = (send(school, session, content, **key) for _ in range(2))
    assert first.json() == again.json()
    assert [one["learner_id"] for one in again.json()["enrolled"]] == learners
    problem(send(school, session, content + "\n", **key), 409, "idempotency-key-reused")
    assert len(listed(school, session)) == 2
    found = problem(send(school, session, content), 422, "invalid-rows")
    assert places(found["errors"]) == [(2, "learner", "LEARNER_ENROLLED"), (3, "learner", "LEARNER_ENROLLED")]


def test_only_csv_of_a_reasonable_size_to_a_session_that_takes_it(school: School, problem: Check) -> None:
    session = school.session()
    header = "last_name,first_name,birth_date,learner\n"
    problem(send(school, session, header, **{"Content-Type": "application/json"}), 422, "invalid-request", "text/csv")
    assert send(school, session, header + "x" * 70_000).status_code == 422
    problem(send(school, session, header + "x" * 21_000_000), 413, "body-too-large", "20971520 bytes")
    problem(send(school, {"id": "nobody"}, header), 404, "unknown-session")
    school.done("POST", f"/v1/sessions/{session['id']}/cancel", json={"why": "Grève"})
    problem(send(school, session, header), 409, "not-now", "cancelled")


def test_what_the_bank_cannot_serve_is_not_imported_into_an_open_session(
    school: School, problem: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = school.open_session()
    snapshot = type(school.world.context.served.bank("fr").snapshot)
    allowed = snapshot.allowed
    monkeypatch.setattr(
        snapshot,
        "allowed",
        lambda self, accessible=(), *rest, **named: (
            allowed(self, accessible, *rest, **named) & ("blind" not in accessible)
        ),
    )
    content = f"last_name,first_name,birth_date,learner,accessible\nA,Ann,2009-05-17,{school.learner()},blind\n"
    found = problem(send(school, session, content), 422, "invalid-rows")
    assert {(error["line"], error["column"], error["code"]) for error in found["errors"]} == {
        (2, "accessible", "NOT_FEASIBLE")
    }
