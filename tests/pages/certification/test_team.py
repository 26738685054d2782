import re
from typing import Any

import pytest

from tests.pages.certification.campus import Campus
from tests.pages.certification.people import Office, begun, seated, signed_in, told
from tests.pages.server import HOSTILE
from tests.pages.visitor import Come

PLAN = {"date": "2027-01-11", "time": "08:30", "place": "Lycée des Tests", "room": "B 12", "zone": "Europe/Paris"}


@pytest.fixture
def office(campus: Campus, come: Come) -> Office:
    return signed_in(campus, come)


def test_unknown_token_signs_nobody_in(campus: Campus, come: Come) -> None:
    visitor = come(campus.site)
    for token, status in (("", 422), ("jmt_forged", 403), (campus.platform, 403)):
        response = visitor.post("/team", {"token": token})
        assert response.status_code == status
        assert 'id="token-fault"' in response.text
        assert "set-cookie" not in response.headers
    assert visitor.get("/team/sessions/new").status_code == 403


def test_signing_out_forgets_the_member(office: Office) -> None:
    assert "Créer une session" in told(office.look(""))
    assert office.send("/leave").status_code == 303
    assert "jeton de membre" in told(office.look(""))


def test_members_are_made_and_lose_their_token(campus: Campus, come: Come, office: Office) -> None:
    assert office.send("/members", act="add", name=" ", role="invigilator").status_code == 422
    made = office.send("/members", act="add", name=HOSTILE, role="invigilator")
    assert HOSTILE not in made.text
    (token,) = re.findall(r"jmt_[\w-]+", made.text)
    own = signed_in(campus, come, token)
    assert own.look("/members").status_code == 403
    assert "jmt_" not in office.look("/members").text
    newest = re.findall(r'name="member" value="([\w-]+)"', office.look("/members").text)[-1]
    assert office.send("/members", act="remove", member=newest).status_code == 303
    assert "jeton de membre" in told(own.look(""))


def test_session_is_planned_changed_and_cancelled(campus: Campus, office: Office) -> None:
    refused = office.send("/sessions/new", **(PLAN | {"date": "2027-02-30", "room": " "}))
    assert refused.status_code == 422
    assert re.findall(r'class="fault" id="(\w+)-fault"', refused.text) == ["date", "room"]
    assert 'value="Lycée des Tests"' in refused.text
    assert office.send("/sessions/new", **(PLAN | {"date": "2027-06-20"})).status_code == 422
    made = office.send("/sessions/new", **PLAN, invigilators=[campus.invigilator.id])
    path = made.headers["location"].removeprefix("/team").split("?")[0]
    assert "La session est créée" in told(office.look(f"{path}?said=created"))
    assert "Ivo Invigilator" in told(office.look(path))
    assert office.send(f"{path}/edit", **(PLAN | {"room": HOSTILE})).status_code == 303
    assert HOSTILE not in office.look(path).text
    assert "surveillant" in told(office.send(path, act="open"))
    assert office.send(path, act="cancel").status_code == 422
    assert office.send(path, act="cancel", why="Grève").status_code == 303
    assert "annulée" in told(office.look(path))


def test_invigilator_sees_only_the_sessions_entrusted_to_them(campus: Campus, come: Come) -> None:
    own, other = campus.session(room="Salle confiée"), campus.session(invigilators=[], room="Salle d'un autre")
    office = signed_in(campus, come, campus.invigilator.token)
    listed = told(office.look(""))
    assert "Salle confiée" in listed
    assert "Salle d'un autre" not in listed
    assert "Créer une session" not in listed
    assert office.look(f"/sessions/{own['id']}").status_code == 200
    for path in (f"/sessions/{other['id']}", f"/sessions/{other['id']}/room", "/sessions/nonsense/room"):
        assert office.look(path).status_code == 404
    for path in ("/sessions/new", *(f"/sessions/{own['id']}/{name}" for name in ("edit", "finalise", "results"))):
        assert office.look(path).status_code == 403
    for path in (f"/sessions/{own['id']}", f"/sessions/{own['id']}/finalise"):
        assert office.send(path, act="cancel", why="x").status_code == 403


def test_other_organisations_are_unknown(campus: Campus, come: Come) -> None:
    session = campus.session()
    organisation = campus.as_platform("POST", "/v1/organisations", json={"name": "Autre lycée"})
    made = campus.as_platform(
        "POST", f"/v1/organisations/{organisation['id']}/members", json={"name": "Eve", "role": "admin"}
    )
    stranger = signed_in(campus, come, made["token"])
    for path in ("", "/room", "/edit", "/finalise", "/results", "/candidates/new", "/attendance.pdf"):
        assert stranger.look(f"/sessions/{session['id']}{path}").status_code == 404
    assert stranger.send(f"/sessions/{session['id']}/room", act="pause_all").status_code == 404


def enrolment(learner: str, **typed: Any) -> dict[str, Any]:
    values = {"first_name": "Zoé", "last_name": "Lefèvre", "birth_date": "2009-05-17", "extra_time": "33,34"}
    return {"learner": learner, "locale": "fr", "equipment": "", **values, **typed}


def test_one_is_enrolled_changed_and_taken_off(campus: Campus, office: Office) -> None:
    session = campus.session()
    path, learner = f"/sessions/{session['id']}", campus.learner()
    lacking = office.send(f"{path}/candidates/new", **enrolment("", first_name="", extra_time="beaucoup"))
    assert lacking.status_code == 422
    assert set(re.findall(r'class="fault" id="(\w+)-fault"', lacking.text)) >= {"learner", "extra_time"}
    novice = campus.listed()
    refused = office.send(f"{path}/candidates/new", **enrolment(novice))
    assert refused.status_code == 422
    assert "ne peut pas encore être certifiée" in told(refused)
    assert "1.1" in told(refused)
    assert office.send(f"{path}/candidates/new", **enrolment(learner, last_name=HOSTILE)).status_code == 303
    page = office.look(path)
    assert HOSTILE not in page.text
    assert "+33,3 %" in told(page)
    again = office.send(f"{path}/candidates/new", **enrolment(learner))
    assert again.status_code == 409
    candidate = campus.done("GET", f"/v1/sessions/{session['id']}/candidates")["items"][0]
    own = f"{path}/candidates/{candidate['id']}"
    assert office.send(own, **enrolment("", extra_time="50")).status_code == 303
    assert "+50 %" in told(office.look(path))
    assert office.send(own, act="remove", why="Absent").status_code == 303
    assert "Personne n'est inscrit" in told(office.look(path))


def test_every_error_of_a_file_is_told_with_its_line(campus: Campus, office: Office) -> None:
    session = campus.session()
    path, learner = f"/team/sessions/{session['id']}/candidates/import", campus.learner()

    def send(text: str) -> Any:
        files = {"file": ("liste.csv", text.encode("cp1252"), "text/csv")}
        return office.visitor.client.post(path, files=files, headers={"Origin": campus.url})

    head = "nom;prénom;date de naissance;identifiant\n"
    refused = send(f"{head}<b>;;31/02/2008;{learner}\nDurand;Max;12/11/2008;personne\n")
    assert refused.status_code == 422
    assert "Erreurs du fichier" in told(refused)
    lines = re.findall(r'<tr><th scope="row">(\d+)</th>', refused.text)
    assert lines == ["2", "2", "3"]
    assert "FIELD_REQUIRED" in told(refused)
    assert "La plateforme ne connaît pas cet apprenant" in told(refused)
    assert send("").status_code == 422
    assert send(f"{head}Lefèvre;Zoé;17/05/2009;{learner}\n").headers["location"].endswith("said=imported&count=1")
    assert "Lefèvre Zoé" in told(office.look(f"/sessions/{session['id']}"))


def test_opening_says_what_is_lacking(campus: Campus, office: Office) -> None:
    path = f"/sessions/{campus.session()['id']}"
    assert "Il manque des candidats" in told(office.look(path))
    assert office.send(path, act="open").status_code == 409
    assert "La banque suffit" in told(office.send(path, act="feasibility"))


def test_attendance_sheet_is_a_pdf(campus: Campus, office: Office) -> None:
    response = office.look(f"/sessions/{campus.session()['id']}/attendance.pdf")
    assert response.content.startswith(b"%PDF")


def test_room_authorises_the_device_that_was_seen(campus: Campus, come: Come) -> None:
    desk, office = seated(campus, come), signed_in(campus, come, campus.invigilator.token)
    desk.enter()
    first = campus.room(desk.session)[0]["waiting"]
    desk.enter()
    stale = office.act(desk.session, "authorise", desk.candidate, device=first)
    assert stale.status_code == 409
    assert "Un autre appareil attend" in told(stale)
    second = campus.room(desk.session)[0]["waiting"]
    assert "Autorisé : Camille Martin" in told(office.act(desk.session, "authorise", desk.candidate, device=second))
    overtaken = office.act(desk.session, "pause", desk.candidate)
    assert overtaken.status_code == 409
    assert "vient de changer" in told(overtaken)


def test_room_pauses_and_resumes_everybody(campus: Campus, come: Come) -> None:
    desk, office = begun(campus, come), signed_in(campus, come)
    assert "Changements : 1" in told(office.act(desk.session, "pause_all"))
    assert campus.room(desk.session)[0]["phase"] == "paused"
    assert "Changements : 0" in told(office.act(desk.session, "pause_all"))
    assert "Changements : 1" in told(office.act(desk.session, "resume_all"))


def test_room_notes_incidents_and_ends_tests_with_a_reason(campus: Campus, come: Come) -> None:
    desk, office = begun(campus, come), signed_in(campus, come)
    assert office.act(desk.session, "incident").status_code == 422
    assert office.act(desk.session, "incident", why="Alarme").status_code == 200
    assert "Incident noté" in told(office.act(desk.session, "incident", desk.candidate, why=HOSTILE))
    lacking = office.act(desk.session, "end", desk.candidate, why="J'ai tout écrit")
    assert lacking.status_code == 422
    assert "J'ai tout écrit" in told(lacking)
    assert "Choisissez une raison" in told(lacking)
    assert office.act(desk.session, "end", desk.candidate, end="invigilator").status_code == 422
    done = office.act(desk.session, "end", desk.candidate, end="invigilator", why="Téléphone")
    assert "Test terminé" in told(done)
    assert "Le surveillant a mis fin à votre test" in told(desk.look())
    file = office.look(f"/sessions/{desk.session['id']}/candidates/{desk.candidate['id']}/file")
    assert HOSTILE not in file.text
    assert "Alarme" in told(file)
    assert "Téléphone" in told(file)


def test_finalising_asks_why_unfinished_tests_ended(campus: Campus, come: Come) -> None:
    desk, office = begun(campus, come), signed_in(campus, come)
    path, id = f"/sessions/{desk.session['id']}", desk.candidate["id"]
    assert "Martin Camille" in told(office.look(f"{path}/finalise"))
    lacking = office.send(f"{path}/finalise", **{f"end-{id}": "technical"})
    assert lacking.status_code == 422
    assert 'value="technical" checked' in lacking.text
    assert "pas encore finalisée" in told(office.look(f"{path}/results"))
    assert office.send(f"{path}/finalise", **{f"end-{id}": "technical", f"why-{id}": "Panne"}).status_code == 303
    results = told(office.look(f"{path}/results"))
    assert "annulée" in results
    assert office.send(path, act="publish").status_code == 303
    assert "publiée" in told(office.look(path))
    assert office.send(path, act="publish").status_code == 409


def test_forms_of_other_sites_are_refused(campus: Campus, come: Come, office: Office) -> None:
    desk = begun(campus, come)
    path = f"/team/sessions/{desk.session['id']}"
    for form in ("", "/room", "/edit", "/finalise", "/candidates/new", "/candidates/import"):
        response = office.visitor.post(f"{path}{form}", {"act": "pause_all"}, Origin="https://elsewhere.example")
        assert response.status_code == 403
    assert office.visitor.post("/team/leave", {}, Origin="null").status_code == 403
    assert campus.room(desk.session)[0]["phase"] == "running"
