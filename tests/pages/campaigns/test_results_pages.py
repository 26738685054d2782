import re
from typing import Any

import numpy as np
import pytest

from tests.campaigns.results.sent import Sender, send_made_up, senders
from tests.pages.campaigns.grounds import Grounds
from tests.pages.campaigns.test_team_campaigns import office_of
from tests.pages.certification.people import Office, told
from tests.pages.server import HOSTILE
from tests.pages.visitor import Come


@pytest.fixture(scope="session")
def two(grounds: Grounds) -> tuple[Any, Any, list[str]]:
    """Two campaigns to which the same 40 learners sent results, the second 0.8 higher in 1.1; the ids of the second."""
    autumn = grounds.campaign(title="Automne", targets={"1.1": 4, "3.1": 3})
    spring = grounds.campaign(title="Printemps", targets={"1.1": 4, "3.1": 3})
    people = senders(grounds, 40)
    people[0] = Sender(people[0].learner_id, "Zoé", HOSTILE, "2A")
    abilities = np.random.default_rng(7).normal(0, 0.7, (40, 2))
    send_made_up(grounds, autumn, people, abilities, sd=0.25)
    ids = send_made_up(grounds, spring, people, abilities + np.array([0.8, 0.0]), sd=0.25, days=1 / 24)
    return autumn, spring, ids


@pytest.fixture
def office(grounds: Grounds, come: Come) -> Office:
    return office_of(grounds, come, grounds.teacher.token)


def test_a_group_in_words_and_pictures(office: Office, two: tuple[Any, Any, list[str]]) -> None:
    autumn, spring, _ = two
    response = office.look(f"/campaigns/{spring['id']}/results?since={autumn['id']}")
    page = told(response)
    for words in (
        "40 élèves ont envoyé",
        "sont au-dessous du niveau visé",
        "Classes comparées",
        "40 élèves ont envoyé leurs résultats aux deux campagnes",
        "En progrès",
        "Rien de sûr",
    ):
        assert words in page
    assert HOSTILE not in response.text
    assert response.text.count('class="levels-bar"') == 2
    assert response.text.count("<svg") == response.text.count('aria-hidden="true" focusable="false"')


def test_one_class_and_one_competence(office: Office, two: tuple[Any, Any, list[str]]) -> None:
    _, spring, _ = two
    page = told(office.look(f"/campaigns/{spring['id']}/results?division=2B&competence=3.1"))
    assert "Classe 2B. 10 élèves" in page
    assert "3.1 Développer des documents textuels Une petite classe" in page
    assert "Personne n'a encore envoyé" in told(office.look(f"/campaigns/{spring['id']}/results?division=nowhere"))


def test_one_learner_with_change_and_what_comes_next(office: Office, two: tuple[Any, Any, list[str]]) -> None:
    _, spring, ids = two
    response = office.look(f"/campaigns/{spring['id']}/learners/{ids[0]}")
    page = told(response)
    assert HOSTILE not in response.text
    for words in (
        "Changement depuis la campagne « Automne »",
        "Ces réponses ne permettent pas de dire",
        "Niveau visé 4",
    ):
        assert words in page
    verdicts = [
        re.findall(r'class="change (\w+)"', office.look(f"/campaigns/{spring['id']}/learners/{one}").text)
        for one in ids[:12]
    ]
    assert {verdict for each in verdicts for verdict in each} == {"rose", "noise"}


def test_the_files(office: Office, two: tuple[Any, Any, list[str]]) -> None:
    _, spring, _ = two
    path = f"/campaigns/{spring['id']}"
    assert office.look(f"{path}/results.csv?division=2A").text.count("\r\n") == 11
    assert len(office.look(f"{path}/results.json").json()["results"]) == 40
    assert office.look(f"{path}/report.pdf").content.startswith(b"%PDF")


def test_results_of_others_are_unknown(grounds: Grounds, come: Come, two: tuple[Any, Any, list[str]]) -> None:
    autumn, spring, ids = two
    organisation = grounds.as_platform("POST", "/v1/organisations", json={"name": "Autre lycée"})
    body = {"name": "Eve", "role": "admin"}
    eve = grounds.as_platform("POST", f"/v1/organisations/{organisation['id']}/members", json=body)
    invigilator = office_of(grounds, come, grounds.invigilator.token)
    stranger = office_of(grounds, come, eve["token"])
    for rest in ("results", f"learners/{ids[0]}", "results.csv", "results.json", "report.pdf"):
        assert stranger.look(f"/campaigns/{spring['id']}/{rest}").status_code == 404
        assert invigilator.look(f"/campaigns/{spring['id']}/{rest}").status_code == 403
    own = grounds.teacher.token
    assert office_of(grounds, come, own).look(f"/campaigns/{autumn['id']}/learners/{ids[0]}").status_code == 404


def test_what_was_not_sent_is_on_no_page(grounds: Grounds, office: Office) -> None:
    campaign = grounds.campaign(title="Pas envoyé")
    participation = grounds.took(grounds.entered(campaign))
    path = f"/campaigns/{campaign['id']}"
    assert "Personne n'a encore envoyé" in told(office.look(f"{path}/results"))
    assert office.look(f"{path}/learners/{participation['id']}").status_code == 404
    assert "/learners/" not in office.look(path).text


def test_somebody_who_was_erased_is_nobody_and_still_counts(grounds: Grounds, come: Come) -> None:
    campaign = grounds.campaign(title="Effacement")
    pupil = grounds.registered("Yann", "Disparu")
    ids = send_made_up(
        grounds, campaign, [Sender(pupil.learner_id, "Yann", "Disparu", "2C")], np.zeros((1, 2)), sd=0.25
    )
    assert grounds.call("DELETE", f"/v1/learners/{pupil.learner_id}", grounds.platform).status_code == 204
    office = office_of(grounds, come, grounds.teacher.token)
    for path in ("", f"/learners/{ids[0]}"):
        page = told(office.look(f"/campaigns/{campaign['id']}{path}"))
        assert "Élève effacé" in page
        assert "Disparu" not in page
