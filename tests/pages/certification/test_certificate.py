import re

import pytest

from tests.pages.certification.campus import Campus
from tests.pages.certification.people import begun, complete, signed_in, told
from tests.pages.visitor import Come, Visitor


def holder(campus: Campus, come: Come, code: str) -> Visitor:
    visitor = come(campus.site)
    assert visitor.post("/code", {"code": code}).headers["location"] == "/certificate"
    return visitor


def verification(visitor: Visitor) -> str:
    code = re.search(r'class="code-shown">([^<]+)<', visitor.get("/certificate").text)
    assert code is not None
    return code[1]


def test_holder_gets_the_certificate_and_chooses_what_is_shown(campus: Campus, come: Come) -> None:
    desk, office = begun(campus, come), signed_in(campus, come)
    visitor = holder(campus, come, complete(campus, desk))
    path = f"/sessions/{desk.session['id']}"
    assert "n'est pas encore publié" in told(visitor.get("/certificate"))
    assert visitor.get("/certificate/certificate.pdf").status_code == 404
    office.send(f"{path}/finalise")
    assert "n'est pas encore publié" in told(visitor.get("/certificate"))
    assert office.send(path, act="publish").headers["location"].endswith("published")
    shown = told(visitor.get("/certificate"))
    assert "Délivré à Camille Martin le 11 janvier 2027" in shown
    assert "Certificat valable jusqu'au 11 janvier 2030" in shown
    assert shown.count("Probabilité d'être au moins à ce niveau") == 6
    assert visitor.get("/certificate/certificate.pdf").content.startswith(b"%PDF")
    assert visitor.get("/certificate/badge.jwt").text.count(".") == 2
    audit = visitor.get("/certificate/audit.json")
    assert "Camille Martin" not in audit.text
    (certificate,) = audit.json()["rows"]["certificates"]
    jury = office.look(f"{path}/candidates/{desk.candidate['id']}/file").text
    assert certificate["id"] in jury
    assert "pour information" in told(office.look(f"{path}/candidates/{desk.candidate['id']}/file"))
    assert "attendu 0 s" not in jury
    offered = f"{path}/candidates/{desk.candidate['id']}/audit/{certificate['id']}"
    assert f"/team{offered}" in jury
    assert office.look(offered).json().keys() == audit.json().keys()
    assert office.look(f"{path}/candidates/{desk.candidate['id']}/audit/{desk.candidate['id']}").status_code == 404
    code = verification(visitor)
    stranger = come(campus.site)
    asked = stranger.get("/check", params={"code": code.lower()})
    checked = told(stranger.get(asked.headers["location"]))
    assert "Ce certificat est valable" in checked
    assert "Martin" not in checked
    assert "a choisi de ne pas montrer ses niveaux" in checked
    assert visitor.post("/certificate", {"shows_name": "yes", "shows_levels": "yes"}).status_code == 303
    checked = told(stranger.get(f"/check/{code}"))
    assert "Camille Martin" in checked
    assert "Niveau 5, avancé" in checked
    visitor.post("/certificate", {})
    assert "Camille" not in told(stranger.get(f"/check/{code}"))
    file = f"{path}/candidates/{desk.candidate['id']}/file"
    assert office.send(file, act="revoke").status_code == 422
    assert office.send(file, act="revoke", why="Identité usurpée").status_code == 303
    assert "Ce certificat a été révoqué" in told(stranger.get(f"/check/{code}"))
    assert "Identité usurpée" not in told(stranger.get(f"/check/{code}"))
    assert "Raison : Identité usurpée" in told(visitor.get("/certificate"))


def test_jury_decides_on_what_looks_odd(campus: Campus, come: Come) -> None:
    desk, office = begun(campus, come), signed_in(campus, come)
    code = complete(campus, desk, seconds=0.5)
    path = f"/sessions/{desk.session['id']}"
    office.send(f"{path}/finalise")
    results = told(office.look(f"{path}/results"))
    assert "À examiner par le jury : 1" in results
    assert "Publier les résultats" not in results
    file = f"{path}/candidates/{desk.candidate['id']}/file"
    evidence = told(office.look(file))
    for words in ("Réponses trop rapides", "à examiner", "Question par question", "trop rapide", "Journal complet"):
        assert words in evidence
    assert office.send(path, act="publish").status_code == 409
    lacking = office.send(file, act="review", why="Sans décision")
    assert lacking.status_code == 422
    assert "Sans décision" in lacking.text
    assert office.send(file, act="review", outcome="rejected", why="Réponses impossibles").status_code == 303
    assert "Réponses impossibles" in told(office.look(file))
    assert office.send(file, act="review", outcome="validated", why="Encore").status_code == 409
    assert office.send(file, act="rescore", why="Encore").status_code == 409
    office.send(path, act="publish")
    visitor = holder(campus, come, code)
    assert "La certification est refusée" in told(visitor.get("/certificate"))


@pytest.mark.parametrize("code", ["BCDFGHJKMPQR", "x", "<script>", "é" * 30, "a/b"])
def test_unknown_codes_get_one_answer(campus: Campus, come: Come, code: str) -> None:
    visitor = come(campus.site)
    response = visitor.get(visitor.get("/check", params={"code": code}).headers["location"])
    assert response.status_code == 404
    assert "Aucun certificat ne porte ce code" in told(response)
    assert "<script>" not in response.text


def test_empty_code_is_told_beside_its_field(campus: Campus, come: Come) -> None:
    response = come(campus.site).get("/check?code=")
    assert response.status_code == 422
    assert 'id="code-fault"' in response.text


def test_holder_of_a_positioning_has_no_certificate(campus: Campus, come: Come) -> None:
    visitor = come(campus.site).start("1.1")
    assert visitor.get("/certificate").status_code == 403
