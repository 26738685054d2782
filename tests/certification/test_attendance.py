from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from api.certification.records import Candidate, Session
from api.certification.sessions.attendance import Sheet, attendance_pdf
from tests.certification.school import MONDAY, School

Check = Callable[..., Any]
SESSION = Session(
    *("s", "c", "h", "2027-01-11", "09:00", "Europe/Paris", "Tours", "B 12", "w", "BCDFGHJKM", "open", 1), MONDAY
)
CANDIDATE = Candidate(
    *("c", "s", "l", "Camille", "Martin", "2009-05-17", 0.0, (), "", "fr", None, None, None, None, "enrolled", 1),
    MONDAY,
)


def pages(sheet: Sheet) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(attendance_pdf(sheet))).pages]


def sheet(*candidates: Candidate, **more: Any) -> Sheet:
    return Sheet(
        **{
            "organisation": "Lycée",
            "session": SESSION,
            "invigilators": ("Ivo",),
            "candidates": candidates,
            "minutes": 120.0,
        }
        | more
    )


def test_the_sheet_names_who_is_expected(school: School, problem: Check) -> None:
    session = school.session()
    school.enrol(session, last_name="Zola", extra_time=33, accessible=["deaf"], equipment="Casque")
    school.enrol(session, last_name="çelik", first_name="Łukasz")
    gone = school.enrol(session, last_name="Parti")
    school.call("DELETE", f"/v1/sessions/{session['id']}/candidates/{gone['id']}")
    path = f"/v1/sessions/{session['id']}/attendance.pdf"
    response = school.call("GET", path, school.invigilator.token)
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"] == 'attachment; filename="attendance-2027-01-11.pdf"'
    assert response.headers["cache-control"] == "no-store"
    (page,) = PdfReader(BytesIO(response.content)).pages
    text = page.extract_text()
    code = session["access_code"]
    for expected in (
        *("Lycée des Tests", "2027-01-11", "09:00", "Tours", "B 12", f"{code[:3]}-{code[3:6]}-{code[6:]}"),
        *("Zola Camille", "çelik Łukasz", "2009-05-17", "+ 33 %", "deaf", "Casque", "120 min", "160 min"),
        *("Ivo Invigilator", "Signature"),
    ):
        assert expected in text, expected
    assert "Parti" not in text
    assert text.index("çelik") < text.index("Zola")
    problem(school.call("GET", path, school.world.another_platform()), 404, "unknown-session")


@pytest.mark.parametrize("count", [0, 1, 11, 12, 13, 14, 40, 200])
def test_everybody_is_there_once_on_as_many_pages_as_it_takes(count: int) -> None:
    found = pages(sheet(*(replace(CANDIDATE, last_name=f"Nom-{number:03}-") for number in range(count))))
    together = "\n".join(found)
    assert all(together.count(f"Nom-{number:03}-") == 1 for number in range(count))
    assert together.count("Surveillants") == 1
    for number, text in enumerate(found, 1):
        assert f"page {number}" in text
        assert "Nom-" not in text or "Né(e) le" in text


@pytest.mark.parametrize("name", ["Παπαδόπουλος", "Дмитрий", "Þórsdóttir", "Nguyễn", "Ó\u0323 Súilleabháin"])
def test_names_of_many_scripts_are_written(name: str) -> None:
    (text,) = pages(sheet(replace(CANDIDATE, last_name=name)))
    assert "□" not in text
    assert name[-4:] in text


def test_what_the_font_has_not_shows() -> None:
    (text,) = pages(sheet(replace(CANDIDATE, last_name="王小明")))
    assert "□□□ Camille" in text


def test_long_texts_stay_on_the_sheet() -> None:
    long = replace(CANDIDATE, last_name="Interminable" * 20, equipment="mot " * 500)
    found = pages(sheet(long, long, invigilators=tuple(f"Personne {number} {'a' * 240}" for number in range(60))))
    together = "\n".join(found)
    assert together.count("…") >= 2
    assert all(f"Personne {number} " in together for number in range(60))


def test_the_same_sheet_has_the_same_bytes() -> None:
    assert attendance_pdf(sheet(CANDIDATE)) == attendance_pdf(sheet(CANDIDATE))
