import html
import re

import pytest

from tests.pages.certification.campus import Campus
from tests.pages.certification.people import Desk, authorise, begun, seated, signed_in, told
from tests.pages.server import HOSTILE
from tests.pages.visitor import Come


@pytest.fixture
def desk(campus: Campus, come: Come) -> Desk:
    return begun(campus, come)


def test_empty_fields_are_told_beside_each(campus: Campus, come: Come) -> None:
    response = come(campus.site).post(
        "/session/enter", {"first_name": "Zoé", "day": "31", "month": "2", "year": "2009"}
    )
    assert response.status_code == 422
    faults = re.findall(r'class="fault" id="(\w+)-fault"', response.text)
    assert faults == ["code", "last_name", "birth_date"]
    assert 'value="Zoé"' in response.text
    assert "<title>Erreur" in response.text


def test_same_words_meet_whatever_does_not_match(campus: Campus, come: Come) -> None:
    desk = seated(campus, come)
    pages = [desk.enter(**wrong) for wrong in ({"code": "BCDFGHJKM"}, {"last_name": "Durand"}, {"year": "2008"})]
    assert {page.status_code for page in pages} == {404}
    assert all("ne trouvons personne" in told(page) for page in pages)
    assert all("jalon-sitting" not in page.headers.get("set-cookie", "") for page in pages)


def test_hostile_texts_are_only_texts(campus: Campus, come: Come) -> None:
    response = come(campus.site).post("/session/enter", {"code": HOSTILE, "first_name": HOSTILE, "day": HOSTILE})
    assert HOSTILE not in response.text
    assert html.escape(HOSTILE[:17]) in response.text


def test_candidate_waits_then_starts_then_answers(campus: Campus, come: Come) -> None:
    desk = seated(campus, come)
    entered = desk.enter(first_name="CAMILLE", last_name="martin")
    cookie = entered.headers["set-cookie"].lower()
    assert cookie.startswith("jalon-sitting=jct_")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    waiting = desk.look()
    device = campus.room(desk.session)[0]["waiting"]
    assert "Attendez le surveillant" in told(waiting)
    assert device in told(waiting)
    assert '<noscript><meta http-equiv="refresh"' in waiting.text
    early = desk.send("start")
    assert early.status_code == 409
    assert "Attendez le surveillant" in told(early)
    authorise(campus, desk)
    ready = told(desk.look())
    assert "Vous avez 2 h 00 min" in ready
    assert "6 compétences" in ready
    assert desk.send("start").status_code == 303
    question = desk.question()
    assert "Question 1 sur 36 au plus" in told(desk.look())
    assert 'data-remaining="' in question.text
    assert "connect-src 'self'" in desk.look().headers["Content-Security-Policy"]
    assert desk.reply(question).status_code == 303
    assert desk.question().position == "1"
    assert desk.skip(desk.question()).status_code == 303
    assert desk.question().position == "2"


def test_lapsed_authorisation_is_told(campus: Campus, come: Come) -> None:
    with campus.ago(minutes=16):
        desk = seated(campus, come, "08:30")
        desk.enter()
        authorise(campus, desk)
    assert "n'est plus valable" in told(desk.look())


def test_refresh_shows_the_same_question_and_an_old_tab_changes_nothing(desk: Desk) -> None:
    first = desk.question()
    assert desk.question().item == first.item
    desk.reply(first)
    late = desk.skip(first)
    assert late.status_code == 409
    assert "Rien n'est perdu" in told(late)
    assert desk.question().position == "1"


def test_unsuitable_answer_is_told_beside_its_field(desk: Desk) -> None:
    question = desk.question()
    response = desk.send("answer", position=question.position, item=question.item, action="answer")
    assert response.status_code == 422
    assert 'id="fault"' in response.text
    assert 'href="/session?lang=en"' in response.text
    assert desk.question().position == "0"


def test_reported_problem_hides_the_item_until_it_is_decided(campus: Campus, come: Come) -> None:
    desk, office = begun(campus, come), signed_in(campus, come)
    question = desk.question()
    assert "question 1" in told(desk.look("/session/report"))
    assert desk.report(question, kind="").status_code == 422
    assert desk.report(question, kind="4").status_code == 422
    assert desk.report(question, more=HOSTILE).status_code == 303
    frozen = desk.look()
    assert "Le surveillant regarde le problème" in told(frozen)
    assert question.item not in frozen.text
    assert HOSTILE not in frozen.text
    assert desk.skip(question).status_code == 409
    room = office.look(f"/sessions/{desk.session['id']}/room")
    assert HOSTILE not in room.text
    assert html.escape(HOSTILE[:17]) in room.text
    lacking = office.act(desk.session, "accept", desk.candidate)
    assert lacking.status_code == 422
    assert "Écrivez quelques mots" in told(lacking)
    assert "Problème accepté" in told(office.act(desk.session, "accept", desk.candidate, why="Vu."))
    after = desk.question()
    assert (after.position, after.item == question.item) == ("1", False)


def test_pause_hides_the_item(campus: Campus, come: Come) -> None:
    desk, office = begun(campus, come), signed_in(campus, come)
    question = desk.question()
    office.act(desk.session, "pause", desk.candidate)
    paused = desk.look()
    assert "Le test est en pause" in told(paused)
    assert question.item not in paused.text
    assert desk.look("/session/report").headers["location"] == "/session"
    office.act(desk.session, "resume", desk.candidate)
    assert desk.question().item == question.item


def test_test_goes_on_at_the_same_question_on_another_device(campus: Campus, come: Come) -> None:
    desk = begun(campus, come)
    desk.reply(desk.question())
    item = desk.question().item
    other = Desk(come(campus.site), desk.session, desk.candidate)
    other.enter()
    assert "reprendre sur cet appareil" in told(other.look())
    authorise(campus, desk)
    assert "Vous pouvez reprendre" in told(other.look())
    assert other.send("return").status_code == 303
    assert other.question().item == item
    assert "Passer une certification" in told(desk.look())
    old = desk.send("answer", position="1", item=item, action="skip")
    assert old.status_code in (303, 403)
    assert other.question().position == "1"


def test_candidate_ends_only_after_a_question(desk: Desk) -> None:
    desk.reply(desk.question())
    asked = desk.look("/session/finish")
    assert "Questions vues jusqu'ici : 1" in told(asked)
    assert desk.question().position == "1"
    assert desk.send("finish").status_code == 303
    end = told(desk.look())
    assert "Vous avez terminé votre test" in end
    code = re.search(r'class="code-shown">([^<]+)<', desk.look().text)
    assert code is not None
    assert desk.look("/session/finish").headers["location"] == "/session"
    home = desk.visitor.post("/code", {"code": code[1]})
    assert home.headers["location"] == "/certificate"
    assert "n'est pas encore publié" in told(desk.look("/certificate"))
    assert "Voir ma certification" in told(desk.look("/"))
    assert desk.look("/run").status_code == 403


def test_time_that_is_up_ends_the_test(campus: Campus, come: Come) -> None:
    with campus.ago(hours=3):
        desk = begun(campus, come, "06:00")
        question = desk.question()
    late = desk.skip(question)
    assert late.status_code == 409
    assert "Le temps est écoulé" in told(late)
    assert "Le temps est écoulé" in told(desk.look())


@pytest.mark.parametrize("token", ["", "jct_forged", "jmt_forged", "x" * 3_000])
def test_forged_cookie_lets_nobody_in(campus: Campus, come: Come, token: str) -> None:
    stranger = come(campus.site, Cookie=f"jalon-sitting={token}; jalon-staff={token}; jalon-run={token}")
    assert "Passer une certification" in told(stranger.get("/session"))
    for path in ("/session/report", "/session/finish", "/certificate", "/team/sessions/new"):
        response = stranger.get(path)
        assert response.status_code == 403
        assert response.headers["content-type"].startswith("text/html")


def test_forms_of_other_sites_are_refused(desk: Desk) -> None:
    question = desk.question()
    typed = {"position": question.position, "item": question.item, "action": "skip"}
    for path in ("enter", "start", "return", "answer", "report", "finish", "leave"):
        response = desk.visitor.post(f"/session/{path}", typed, Origin="https://elsewhere.example")
        assert response.status_code == 403
    assert (desk.question().position, desk.question().item) == (question.position, question.item)


def test_what_is_too_large_is_told_on_a_page(campus: Campus, come: Come) -> None:
    visitor = come(campus.site)
    refused = visitor.post("/session/answer", {"answer": "x" * 70_000})
    assert refused.status_code == 413
    assert "L'envoi est trop grand" in told(refused)
