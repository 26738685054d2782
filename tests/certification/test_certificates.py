"""A certificate on paper and on screen, who may read it, and what its holder shares."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from api.certification.certificates.held import Held, certificate_view, held
from api.certification.certificates.issue import Status, status_of, years_after
from api.certification.certificates.repository import certificate_of
from api.certification.certificates.sheet import certificate_pdf
from api.certification.records import Certificate
from api.identifiers import CODE_ALPHABET, certificate_code, parsed_certificate_code
from api.oauth.scopes import CERTIFICATION_READ, RUNS_READ
from tests.certification.decided import Sitting, certified, finalised, holder, seated
from tests.certification.school import School

Check = Callable[..., Any]


def own(school: School, sitting: Sitting) -> Any:
    return school.done("GET", "/v1/certificate", holder(school, sitting))


def read(school: School, certificate_id: str) -> Held:
    context = school.world.context
    with context.database.reading() as connection:
        found = certificate_of(connection, certificate_id)
        assert found is not None
        return held(connection, context, found)


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_the_holder_reads_their_certificate(school: School) -> None:
    _, row, sitting = certified(school)
    shown = own(school, sitting)
    assert shown["holder"] == {"first_name": "Camille", "last_name": "Martin 1", "birth_date": "2009-05-17"}
    assert (shown["status"], shown["organisation"], shown["date"]) == ("valid", "Lycée des Tests", "2027-01-11")
    assert [told["competence"] for told in shown["levels"]] == [told["competence"] for told in row["competences"]]
    for told in shown["levels"]:
        assert (told["probability"] is None) == (told["level"] == 0) == (told["meaning"] is None)
    assert "50 %" in shown["uncertainty"]["fr"]
    assert shown["check"] == f"http://localhost:8000/check/{shown['code'].replace('-', '')}"
    assert (shown["shows_name"], shown["shows_levels"]) == (False, False)
    assert shown == school.done("GET", f"/v1/certificates/{shown['id']}", holder(school, sitting))


def test_there_is_no_certificate_before_publication(school: School, problem: Check) -> None:
    session, (candidate,) = school.open_session()
    sitting = seated(school, session, candidate)
    sitting.answer()
    token = holder(school, sitting)
    problem(school.call("GET", "/v1/certificate", token), 404, "unknown-certificate")
    finalised(school, session)
    problem(school.call("GET", "/v1/certificate", token), 404, "unknown-certificate")


def test_the_holder_of_a_positioning_has_none(school: School, problem: Check) -> None:
    learner_id = school.as_platform("POST", "/v1/learners", json={})["id"]
    run = school.as_platform("POST", "/v1/runs", json={"learner_id": learner_id})
    problem(school.call("GET", "/v1/certificate", run["learner_token"]), 404, "unknown-certificate")


@pytest.mark.parametrize("what", ["", ".pdf", "/credential", "/audit"])
def test_who_may_read_a_certificate(school: School, problem: Check, what: str) -> None:
    _, _, sitting = certified(school)
    path = f"/v1/certificates/{own(school, sitting)['id']}{what}"
    organisation = school.as_platform("POST", "/v1/organisations", json={"name": "Collège Voisin"})
    body = {"name": "Anne", "role": "admin"}
    elsewhere = school.as_platform("POST", f"/v1/organisations/{organisation['id']}/members", json=body)
    _, _, other = certified(school)
    platform = school.world.client_id
    for token in (school.platform, school.admin.token, holder(school, sitting)):
        assert school.call("GET", path, token).status_code == 200
    assert school.call("GET", path, school.world.token_for(platform, CERTIFICATION_READ)).status_code == 200
    refused = [
        (school.invigilator.token, 403, "not-allowed"),
        (school.world.token_for(platform, RUNS_READ), 403, "not-allowed"),
        (elsewhere["token"], 404, "unknown-certificate"),
        (holder(school, other), 404, "unknown-certificate"),
        (school.world.another_platform(), 404, "unknown-certificate"),
        (sitting.token, 401, "unauthenticated"),
        ("jlt_nobody", 401, "unauthenticated"),
        ("jmt_nobody", 401, "unauthenticated"),
    ]
    for token, status, slug in refused:
        problem(school.call("GET", path, token), status, slug)
    assert school.world.client.get(path).status_code == 401


@pytest.mark.parametrize("certificate_id", ["nonsense", "01890000-0000-7000-8000-000000000000"])
def test_an_unknown_certificate_is_told_so(school: School, problem: Check, certificate_id: str) -> None:
    problem(school.call("GET", f"/v1/certificates/{certificate_id}"), 404, "unknown-certificate")


def test_the_paper_says_everything(school: School) -> None:
    _, _, sitting = certified(school)
    shown = own(school, sitting)
    response = school.call("GET", f"/v1/certificates/{shown['id']}.pdf", holder(school, sitting))
    assert response.headers["content-type"] == "application/pdf"
    (text,) = pages(response.content)
    for words in ("Camille Martin 1", shown["code"], shown["check"], "11 janvier 2027", "11 janvier 2030"):
        assert words in text, words
    for told in shown["levels"]:
        if told["level"]:
            assert told["title"]["fr"] in text
            assert f"Niveau {told['level']}" in text
            assert told["meaning"]["fr"] in text
            assert f"{round(100 * told['probability'])} %" in text
    assert "50 %" in text
    assert "RÉVOQUÉ" not in text
    again = school.call("GET", f"/v1/certificates/{shown['id']}.pdf", holder(school, sitting))
    assert again.content == response.content
    (link,) = {
        str(note.get_object()["/A"]["/URI"]) for note in PdfReader(io.BytesIO(response.content)).pages[0]["/Annots"]
    }
    assert link == shown["check"]


def test_the_paper_of_a_revoked_certificate_says_so(school: School) -> None:
    session, row, sitting = certified(school)
    school.done("POST", f"/v1/sessions/{session['id']}/candidates/{row['candidate_id']}/revoke", json={"why": "x"})
    content = school.call("GET", f"/v1/certificates/{own(school, sitting)['id']}.pdf", holder(school, sitting)).content
    assert "CERTIFICAT RÉVOQUÉ" in pages(content)[0]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Éloïse-Žofia", "Dvořák Lefèbvre"),
        ("Αλέξανδρος", "Παπαδόπουλος"),
        ("Марія", "Шевченко"),
        ("Maximiliane-Alexandra " * 6, "von und zu der Tann-Rathsamhausen " * 5),
        ("X", "Y"),
    ],
)
def test_any_name_fits_on_one_page(school: School, first: str, last: str) -> None:
    _, _, sitting = certified(school)
    whole = read(school, own(school, sitting)["id"])
    level = {"status": "confirmed", "probability": 0.8, "answered": 6, "profile_level": 8}
    everything = [{"competence": code, "level": 1 + row % 8, **level} for row, code in enumerate(whole.framework.codes)]
    named = replace(
        whole,
        candidate=replace(whole.candidate, first_name=first.strip(), last_name=last.strip()),
        scoring=replace(whole.scoring, result={**whole.scoring.result, "competences": everything}),
    )
    for locale in ("fr", "en", "de"):
        (text,) = pages(
            certificate_pdf(replace(named, candidate=replace(named.candidate, locale=locale)), school.world.clock())
        )
        assert first.split()[0] in text
        assert whole.framework.codes[-1] in text


def test_the_holder_alone_chooses_what_is_shown(school: School, problem: Check) -> None:
    _, _, sitting = certified(school)
    path = f"/v1/certificates/{own(school, sitting)['id']}"
    token = holder(school, sitting)
    assert school.done("PATCH", path, token, json={"shows_levels": True})["shows_levels"]
    shown = school.done("PATCH", path, token, json={"shows_name": True})
    assert (shown["shows_name"], shown["shows_levels"]) == (True, True)
    assert school.done("PATCH", path, token, json={}) == shown
    assert not school.done("PATCH", path, token, json={"shows_name": False})["shows_name"]
    for body in ({"shows_name": 1}, {"shows_name": "yes"}, {"revoked_at": None}):
        problem(school.call("PATCH", path, token, json=body), 422, "invalid-request")
    for other, status in ((school.platform, 403), (school.admin.token, 403), (school.invigilator.token, 403)):
        problem(school.call("PATCH", path, other, json={"shows_name": True}), status, "not-allowed")
    problem(
        school.call("PATCH", path, school.world.another_platform(), json={"shows_name": True}),
        404,
        "unknown-certificate",
    )


def test_a_certificate_lasts_three_calendar_years() -> None:
    assert years_after(datetime(2028, 2, 29, 8, 30, tzinfo=UTC), 3) == datetime(2031, 2, 28, 8, 30, tzinfo=UTC)
    assert years_after(datetime(2028, 2, 29, 8, 30, tzinfo=UTC), 4) == datetime(2032, 2, 29, 8, 30, tzinfo=UTC)
    assert years_after(datetime(2027, 1, 11, tzinfo=UTC), 3) == datetime(2030, 1, 11, tzinfo=UTC)


def test_what_a_certificate_is_worth(school: School) -> None:
    issued = datetime(2027, 1, 11, tzinfo=UTC)
    certificate = Certificate("a", "b", 1, "c", issued, years_after(issued, 3))
    until = certificate.expires_at
    assert status_of(certificate, issued) is Status.VALID
    assert status_of(certificate, until.replace(year=2029)) is Status.VALID
    assert status_of(certificate, until) is Status.EXPIRED
    assert status_of(replace(certificate, replaced_by="d"), until) is Status.REPLACED
    assert status_of(replace(certificate, replaced_by="d", revoked_at=issued), until) is Status.REVOKED
    _, _, sitting = certified(school)
    whole = read(school, own(school, sitting)["id"])
    assert certificate_view(whole, whole.certificate.expires_at)["status"] == "expired"


@given(st.binary(min_size=32, max_size=32), st.uuids())
def test_codes_are_read_as_they_are_written(key: bytes, certificate_id: Any) -> None:
    code = certificate_code(key, str(certificate_id))
    assert len(code) == 12
    assert set(code) <= set(CODE_ALPHABET)
    assert parsed_certificate_code(f" {code[:4].lower()}-{code[4:]} ") == code


def test_every_sign_of_a_code_is_as_frequent() -> None:
    codes = [certificate_code(b"key", str(number)) for number in range(4_000)]
    assert len(set(codes)) == len(codes)
    for place in range(12):
        counts = [sum(code[place] == sign for code in codes) for sign in CODE_ALPHABET]
        expected = len(codes) / len(CODE_ALPHABET)
        assert sum((count - expected) ** 2 / expected for count in counts) < 62  # chi2(23), p = 2e-5, 12 times
