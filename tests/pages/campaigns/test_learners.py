import re
from pathlib import Path
from typing import Any

import pytest

from api.campaigns.repository import participations_of
from api.organisations.registrations.records import Registration
from tests.pages.campaigns.grounds import Grounds, grounds_in
from tests.pages.certification.people import right_fields, told
from tests.pages.server import HOSTILE
from tests.pages.visitor import Come, Visitor, question_of

BORN = {"day": "17", "month": "05", "year": "2010"}


def arrived(grounds: Grounds, come: Come, campaign: Any, pupil: Registration) -> Visitor:
    """A pupil of the list who typed the code of a campaign, and who they are."""
    visitor = come(grounds.site)
    response = visitor.post("/code", {"code": campaign["access_code"].lower()})
    assert response.status_code == 303
    who = {"first_name": pupil.first_name.upper(), "last_name": pupil.last_name} | BORN
    assert visitor.post(response.headers["location"], who).headers.get("location") == "/campaign"
    return visitor


def finished(grounds: Grounds, visitor: Visitor) -> None:
    """Begin the test and answer everything right."""
    assert visitor.post("/campaign", {"act": "start"}).headers["location"] == "/run"
    while 'class="question' in (page := visitor.get("/run")).text:
        question = question_of(page)
        assert visitor.answer(question, **right_fields(grounds._items[question.item])).status_code == 303


@pytest.fixture
def pupil(grounds: Grounds) -> Registration:
    """Somebody of the list whom no other test knows."""
    pupils = len(grounds.pupils)
    grounds.pupils.append(grounds.registered(f"Élève{pupils}", "Durand", division="2C"))
    return grounds.pupils[-1]


def test_a_learner_takes_part_and_sends(grounds: Grounds, come: Come, pupil: Registration) -> None:
    campaign = grounds.campaign(title="Rentrée <b>", text="Bonjour à tous.", skip="incorrect")
    door = told(come(grounds.site).get(f"/c/{campaign['access_code']}"))
    for words in ("Bonjour à tous.", "Passer compte comme une erreur", "4 questions", "Lycée des Tests ne voit rien"):
        assert words in door
    visitor = arrived(grounds, come, campaign, pupil)
    assert f"Vous êtes {pupil.first_name} Durand" in told(visitor.get("/campaign"))
    finished(grounds, visitor)
    profile = visitor.get("/profile")
    assert "Vos résultats ne sont pas encore envoyés" in told(profile)
    offered = told(visitor.get("/campaign"))
    assert "Mener une recherche" in offered
    assert "Envoyer mes résultats" in offered
    people = grounds.done("GET", f"/v1/campaigns/{campaign['id']}/participations", grounds.teacher.token)["items"]
    assert [one["state"] for one in people] == ["finished"]
    assert visitor.post("/campaign", {"act": "send"}).headers["location"] == "/campaign?said=sent"
    assert "Vos résultats sont envoyés" in told(visitor.get("/campaign?said=sent"))
    assert "Rentrée <b>" not in visitor.get("/campaign").text
    again = arrived(grounds, come, campaign, pupil)
    assert "Envoyé le 21 septembre 2026" in told(again.get("/campaign"))


def test_coming_back_on_another_machine_goes_on(grounds: Grounds, come: Come, pupil: Registration) -> None:
    campaign = grounds.campaign()
    first = arrived(grounds, come, campaign, pupil)
    first.post("/campaign", {"act": "start"})
    question = first.question()
    second = arrived(grounds, come, campaign, pupil)
    assert "Votre test est en cours" in told(second.get("/campaign"))
    second.post("/campaign", {"act": "start"})
    assert second.question().item == question.item


def test_leaving_forgets_the_campaign_too(grounds: Grounds, come: Come, pupil: Registration) -> None:
    visitor = arrived(grounds, come, grounds.campaign(), pupil)
    assert visitor.post("/leave", {}).status_code == 303
    assert visitor.get("/campaign").status_code == 403


def test_who_is_not_known_is_told_at_the_door(grounds: Grounds, come: Come, pupil: Registration) -> None:
    campaign = grounds.campaign()
    address = f"/c/{campaign['access_code']}"
    visitor = come(grounds.site)
    empty = visitor.post(address, {})
    assert empty.status_code == 422
    assert re.findall(r'class="fault" id="([\w]+)-fault"', empty.text) == ["first_name", "last_name", "birth_date"]
    nobody = visitor.post(address, {"first_name": HOSTILE, "last_name": "X"} | BORN)
    assert nobody.status_code == 404
    assert "n'est sur la liste" in told(nobody)
    assert HOSTILE not in nobody.text
    assert visitor.get("/c/BCDFGHJKM").status_code == 404
    assert "ine" not in re.findall(r'name="(\w+)"', empty.text)


def test_homonyms_are_asked_for_their_ine(grounds: Grounds, come: Come) -> None:
    campaign = grounds.campaign()
    twins = [grounds.registered("Léo", "Jumeau", ine=f"98765432{letter}") for letter in "AB"]
    address, who = f"/c/{campaign['access_code']}", {"first_name": "Léo", "last_name": "Jumeau"} | BORN
    visitor = come(grounds.site)
    asked = visitor.post(address, who)
    assert asked.status_code == 409
    assert 'name="ine"' in asked.text
    assert visitor.post(address, who | {"ine": twins[1].ine}).status_code == 303
    people = grounds.done("GET", f"/v1/campaigns/{campaign['id']}/participations", grounds.teacher.token)["items"]
    assert len(people) == 1


def test_a_collection_shows_what_will_be_sent(grounds: Grounds, come: Come, pupil: Registration) -> None:
    campaign = grounds.campaign(kind="collection")
    visitor = arrived(grounds, come, campaign, pupil)
    assert "Rien à envoyer pour l'instant" in told(visitor.get("/campaign"))
    grounds.position(pupil.learner_id, competences=["1.1", "3.1"])
    assert "Mener une recherche" in told(visitor.get("/campaign"))
    assert visitor.post("/campaign", {"act": "send"}).status_code == 303
    assert "Envoyé le" in told(visitor.get("/campaign"))


def test_an_open_campaign_asks_for_a_name_and_its_identifier(grounds: Grounds, come: Come) -> None:
    campaign = grounds.campaign(restricted=False, external_id_label="Numéro de carte", several=True)
    visitor, address = come(grounds.site), f"/c/{campaign['access_code']}"
    assert "Numéro de carte" in told(visitor.get(address))
    lacking = visitor.post(address, {"first_name": "Nina", "last_name": "Simone"})
    assert re.findall(r'class="fault" id="([\w]+)-fault"', lacking.text) == ["external_id"]
    assert visitor.post(address, {"first_name": "Nina", "last_name": "Simone", "external_id": "42"}).status_code == 303
    finished(grounds, visitor)
    visitor.post("/campaign", {"act": "send"})
    assert visitor.post("/campaign", {"act": "again"}).status_code == 303
    assert "Essai 2" in told(visitor.get("/campaign"))
    finished(grounds, visitor)
    assert "Envoyer mes résultats" in told(visitor.get("/campaign"))


def test_the_next_person_at_a_shared_computer_is_somebody_else(grounds: Grounds, come: Come) -> None:
    first, second = (grounds.campaign(restricted=False) for _ in range(2))
    visitor = come(grounds.site)
    nina = {"first_name": "Nina", "last_name": "Simone"}
    assert visitor.post(f"/c/{first['access_code']}", nina).status_code == 303
    finished(grounds, visitor)
    for who, same in (({"first_name": "Miles", "last_name": "Davis"}, False), (nina, True)):
        assert visitor.post(f"/c/{second['access_code']}", who).status_code == 303
        accounts = _accounts(grounds, first) & _accounts(grounds, second)
        assert bool(accounts) == same


def _accounts(grounds: Grounds, campaign: Any) -> set[str]:
    with grounds.world.context.database.reading() as connection:
        return {one.learner_id for one in participations_of(connection, campaign["id"], None, 100)}


def test_an_archived_campaign_lets_nobody_in(grounds: Grounds, come: Come, pupil: Registration) -> None:
    campaign = grounds.campaign()
    visitor = arrived(grounds, come, campaign, pupil)
    finished(grounds, visitor)
    grounds.done("POST", f"/v1/campaigns/{campaign['id']}/archive", grounds.teacher.token)
    assert "La campagne est archivée" in told(visitor.get("/campaign"))
    assert visitor.post("/campaign", {"act": "send"}).status_code == 409
    door = come(grounds.site).get(f"/c/{campaign['access_code']}")
    assert "La campagne est archivée" in told(door)
    assert "<form class" not in door.text


def test_a_class_comes_in_through_one_address(tmp_path: Path, come: Come) -> None:
    rates = dict.fromkeys(("code_rate", "entry_rate", "start_rate"), "2/minute")
    with grounds_in(tmp_path, **rates) as grounds:
        campaign = grounds.campaign()
        for pupil in grounds.pupils:
            assert arrived(grounds, come, campaign, pupil).get("/campaign").status_code == 200
        guesses = [come(grounds.site).post("/code", {"code": "BCDFGHJKM"}).status_code for _ in range(3)]
        assert guesses == [404, 404, 429]
