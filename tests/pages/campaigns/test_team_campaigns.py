import re
from typing import Any

import pytest

from tests.pages.campaigns.grounds import Grounds
from tests.pages.certification.people import Office, told
from tests.pages.server import HOSTILE
from tests.pages.visitor import Come

FORM = {
    "kind": "assessment",
    "title": "Numérique en 2A",
    "text": "Faites de votre mieux.",
    "opens": "2026-09-21",
    "closes": "2026-10-16",
    "target-1.1": "3",
    "target-3.1": "0",
    "skip": "unknown",
    "restricted": "yes",
}


def office_of(grounds: Grounds, come: Come, token: str) -> Office:
    visitor = come(grounds.site)
    response = visitor.post("/team", {"token": token})
    assert response.status_code == 303, response.text
    return Office(visitor)


@pytest.fixture
def office(grounds: Grounds, come: Come) -> Office:
    """The teacher, signed in."""
    return office_of(grounds, come, grounds.teacher.token)


def made(office: Office, **typed: Any) -> str:
    response = office.send("/campaigns/new", **(FORM | typed))
    assert response.status_code == 303, told(response)
    return str(response.headers["location"]).removeprefix("/team").split("?")[0]


def test_a_teacher_lands_on_campaigns_and_sees_no_administration(grounds: Grounds, come: Come) -> None:
    visitor = come(grounds.site)
    assert visitor.post("/team", {"token": grounds.teacher.token}).headers["location"] == "/team/campaigns"
    page = told(visitor.get("/team/campaigns"))
    assert "Campagnes" in page
    assert "équipe pédagogique" in page
    assert 'href="/team/members"' not in visitor.get("/team/campaigns").text
    assert visitor.get("/team/members").status_code == 403


def test_an_invigilator_has_no_campaigns(grounds: Grounds, come: Come) -> None:
    office = office_of(grounds, come, grounds.invigilator.token)
    for path in ("/campaigns", "/campaigns/new", "/campaigns/nonsense"):
        assert office.look(path).status_code == 403
    assert 'href="/team/campaigns"' not in office.look("").text


def test_a_campaign_is_made_changed_and_archived(grounds: Grounds, office: Office) -> None:
    path = made(office)
    sheet = told(office.look(f"{path}?said=created"))
    for words in ("Numérique en 2A", "La campagne est créée", "ouverte", "16 octobre 2026", "31 août 2027"):
        assert words in sheet
    campaign = grounds.done("GET", f"/v1{path}", grounds.teacher.token)
    assert campaign["targets"] == {"1.1": 3}
    assert campaign["competences"] == ["1.1", "3.1"]
    assert campaign["closes_at"] == "2026-10-16T22:00:00.000000Z"
    assert campaign["access_code"] in sheet
    assert office.send(f"{path}/edit", **(FORM | {"title": HOSTILE, "closes": ""})).status_code == 303
    assert HOSTILE not in office.look(path).text
    assert grounds.done("GET", f"/v1{path}", grounds.teacher.token)["closes_at"] is None
    assert office.send(path, act="archive").status_code == 303
    assert "archivée" in told(office.look(path))
    assert office.send(f"{path}/edit", **FORM).status_code == 409


def test_what_is_wrong_with_a_campaign_is_said_at_its_field(office: Office) -> None:
    wrong = {"title": " ", "opens": "2026-02-30", "closes": "soon", "target-1.1": "", "target-3.1": "", "kind": "x"}
    refused = office.send("/campaigns/new", **(FORM | wrong))
    assert refused.status_code == 422
    faults = re.findall(r'class="fault" id="([\w]+)-fault"', refused.text)
    assert faults == ["kind", "title", "opens", "closes", "competences"]
    assert 'value="soon"' in refused.text
    dates = office.send("/campaigns/new", **(FORM | {"closes": "2026-09-01"}))
    assert dates.status_code == 422
    assert "La fermeture doit venir après l'ouverture" in told(dates)


def test_a_course_fills_the_form_in(office: Office) -> None:
    page = office.look("/campaigns/new?course=seconde").text
    assert 'value="Parcours de rentrée de seconde"' in page
    assert '<option value="4" selected>Niveau visé 4</option>' in page.replace("\u00a0", " ")
    assert 'value="2026-09-21"' in page  # the course began on the 15th: the campaign begins today
    assert office.look("/campaigns/new?course=nonsense").status_code == 200


def test_a_form_that_is_sent_twice_makes_one_campaign(office: Office) -> None:
    key = re.findall(r'name="key" value="([^"]+)"', office.look("/campaigns/new").text)[0]
    assert made(office, key=key) == made(office, key=key)
    assert made(office, key=key, title="Autre") != made(office, key=key)


def test_once_somebody_entered_little_may_change(grounds: Grounds, office: Office) -> None:
    path = made(office)
    campaign = grounds.done("GET", f"/v1{path}", grounds.teacher.token)
    grounds.entered(campaign)
    assert "Des élèves ont commencé" in told(office.look(f"{path}/edit"))
    changed = {"title": "Nouveau titre", "closes": "2026-11-06", "target-1.1": "8", "kind": "exam"}
    assert office.send(f"{path}/edit", **(FORM | changed)).status_code == 303
    campaign = grounds.done("GET", f"/v1{path}", grounds.teacher.token)
    assert (campaign["title"], campaign["kind"], campaign["targets"]) == ("Nouveau titre", "assessment", {"1.1": 3})
    assert campaign["closes_at"] == "2026-11-06T23:00:00.000000Z"


def test_the_follow_up_tells_who_is_how_far(grounds: Grounds, office: Office) -> None:
    path = made(office)
    campaign = grounds.done("GET", f"/v1{path}", grounds.teacher.token)
    first, second, *_ = grounds.pupils
    participation = grounds.entered(campaign, first)
    grounds.done("POST", f"/v1/participations/{participation['id']}/start", participation["token"])
    sheet = told(office.look(path))
    assert re.search(r"2A \d 1 0 0", sheet), sheet
    assert "Nom Prénom0 2A en cours" in sheet
    absent = told(office.look(f"{path}?state=absent&division=2B"))
    assert f"Nom {second.first_name} 2B pas commencé" in absent
    assert "Prénom0" not in absent


def test_the_poster_spells_the_code(grounds: Grounds, office: Office) -> None:
    path = made(office)
    campaign = grounds.done("GET", f"/v1{path}", grounds.teacher.token)
    poster = told(office.look(f"{path}/poster"))
    assert ", ".join(campaign["access_code"].replace("-", "")) in poster
    picture = office.look(f"{path}/code.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "<svg xmlns=" in picture.text


def test_campaigns_of_others_are_unknown(grounds: Grounds, come: Come, office: Office) -> None:
    path = made(office)
    organisation = grounds.as_platform("POST", "/v1/organisations", json={"name": "Autre lycée"})
    body = {"name": "Eve", "role": "admin"}
    eve = grounds.as_platform("POST", f"/v1/organisations/{organisation['id']}/members", json=body)
    stranger = office_of(grounds, come, eve["token"])
    for rest in ("", "/edit", "/poster", "/code.svg"):
        assert stranger.look(f"{path}{rest}").status_code == 404
    assert stranger.send(path, act="archive").status_code == 404
    assert "Numérique en 2A" not in told(stranger.look("/campaigns"))
