import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pypdf
import pytest

from tests.campaigns.classroom import TWO, Classroom
from tests.campaigns.results.sent import Sender, send_made_up, senders


def told(classroom: Classroom, campaign: Any, what: str = "results", **query: str) -> Any:
    return classroom.done("GET", f"/v1/campaigns/{campaign['id']}/{what}", classroom.teacher.token, params=query)


@pytest.fixture
def people(classroom: Classroom) -> list[Sender]:
    return senders(classroom, 24)


def test_a_group_is_told_with_its_uncertainty(classroom: Classroom, people: list[Sender]) -> None:
    campaign = classroom.campaign(targets={"1.1": 4, "3.1": 4})
    abilities = np.column_stack([np.full(24, -1.5), np.full(24, 2.0)])
    send_made_up(classroom, campaign, people, abilities)
    found = told(classroom, campaign)
    assert (found["learners"], found["needs"]) == (24, ["1.1", "3.1"])
    low, high = found["competences"]
    for entry in (low, high):
        assert sum(entry["levels"]) == pytest.approx(24, abs=0.1)
        assert entry["share"]["lower"] <= entry["share"]["estimate"] <= entry["share"]["upper"]
        product = entry["need"]["share_below"] * entry["need"]["missing_when_below"]
        assert entry["need"]["score"] == pytest.approx(product, abs=1e-3)
    assert low["share"]["upper"] < high["share"]["lower"]
    assert found["divisions"] == ["2A", "2B", "2C", "2D"]


def test_a_group_of_a_few_is_noted_as_seen(classroom: Classroom, people: list[Sender]) -> None:
    campaign = classroom.campaign()
    send_made_up(classroom, campaign, people[:4], np.zeros((4, 2)))
    told(classroom, campaign)
    path = f"/v1/learners/{people[0].learner_id}/accesses"
    assert [one["what"] for one in classroom.as_platform("GET", path)["items"]] == ["few"]
    send_made_up(classroom, campaign, people[4:], np.zeros((20, 2)))
    told(classroom, campaign)
    assert len(classroom.as_platform("GET", path)["items"]) == 1


def test_only_what_was_sent_is_in_the_sums(classroom: Classroom) -> None:
    campaign = classroom.campaign()
    sent = classroom.sent(campaign, classroom.pupils[0], level=2)
    classroom.took(classroom.entered(campaign, classroom.pupils[1]), level=8)
    found = told(classroom, campaign)
    assert found["learners"] == 1
    probabilities = next(one for one in sent["snapshot"]["competences"] if one["competence"] == "1.1")["probabilities"]
    assert found["competences"][0]["levels"] == [round(share, 2) for share in probabilities]


def test_the_last_attempt_that_was_sent_is_read(classroom: Classroom) -> None:
    campaign = classroom.campaign(several=True)
    first = classroom.sent(campaign, level=1)
    again = classroom.done("POST", f"/v1/participations/{first['id']}/attempts", classroom.entered(campaign)["token"])
    classroom.took(again, level=8)
    assert [one["attempt"] for one in _export(classroom, campaign)] == [1]
    classroom.done("POST", f"/v1/participations/{again['id']}/send", again["token"])
    assert [one["attempt"] for one in _export(classroom, campaign)] == [2]


def _export(classroom: Classroom, campaign: Any) -> list[Any]:
    found: list[Any] = told(classroom, campaign, "results.json")["results"]
    return found


def test_one_class_alone(classroom: Classroom, people: list[Sender]) -> None:
    campaign = classroom.campaign()
    send_made_up(classroom, campaign, people, np.zeros((24, 2)))
    found = told(classroom, campaign, division="2B")
    assert (found["learners"], found["division"]) == (6, "2B")
    assert told(classroom, campaign, division="nowhere")["learners"] == 0


def test_classes_are_compared_with_partial_pooling(classroom: Classroom) -> None:
    campaign = classroom.campaign(targets={"1.1": 3})
    people = senders(classroom, 62, divisions=3)
    small = [Sender(one.learner_id, one.first_name, one.last_name, "2Z") for one in people[60:]]
    everybody = [*people[:60], *small]
    abilities = np.zeros((62, 2))
    abilities[:60] = np.random.default_rng(4).normal(0, 0.6, (60, 2))
    abilities[60:] = 2.0
    send_made_up(classroom, campaign, everybody, abilities)
    found = told(classroom, campaign, "comparison")["competences"][0]
    classes = {one["division"]: one for one in found["classes"]}
    assert {name: one["learners"] for name, one in classes.items()} == {"2A": 20, "2B": 20, "2C": 20, "2Z": 2}
    few = classes["2Z"]
    assert few["mean"] < few["raw"]
    assert few["weight"] < classes["2A"]["weight"]
    assert few["upper"] - few["lower"] > classes["2A"]["upper"] - classes["2A"]["lower"]
    assert 0 < few["above"] < 1


def test_progress_between_two_campaigns(
    classroom: Classroom, people: list[Sender], problem: Callable[..., Any]
) -> None:
    autumn, spring = classroom.campaign(), classroom.campaign(title="Printemps")
    abilities = np.random.default_rng(5).normal(0, 0.5, (24, 2))
    send_made_up(classroom, autumn, people, abilities, sd=0.5)
    send_made_up(classroom, spring, people[:20], abilities[:20] + np.array([0.8, 0.0]), sd=0.5, days=120)
    found = told(classroom, spring, "progress", since=autumn["id"])
    assert found["learners"] == 20
    rose, same = found["competences"]
    assert rose["certain"]
    assert rose["lower"] > 0
    assert same["lower"] < 0 < same["upper"]
    assert not same["certain"]
    path = f"/v1/campaigns/{spring['id']}/progress?since={spring['id']}"
    problem(classroom.call("GET", path, classroom.teacher.token), 422, "invalid-request")


def test_a_change_that_is_noise_is_told_as_noise(classroom: Classroom, people: list[Sender]) -> None:
    autumn, spring = classroom.campaign(), classroom.campaign(title="Printemps")
    one = people[:1]
    send_made_up(classroom, autumn, one, np.array([[-1.0, 0.0]]), sd=0.25)
    (sent,) = send_made_up(classroom, spring, one, np.array([[0.8, 0.2]]), sd=0.25, days=120)
    found = classroom.done("GET", f"/v1/participations/{sent}/result", classroom.teacher.token)
    assert found["since"]["campaign_id"] == autumn["id"]
    changes = {entry["competence"]: entry["change"] for entry in found["competences"]}
    assert changes["1.1"]["verdict"] == "rose"
    assert changes["1.1"]["lower"] > 0
    assert changes["3.1"]["verdict"] == "noise"
    assert changes["3.1"]["lower"] < 0 < changes["3.1"]["upper"]
    assert changes["2.1"] is None


def test_one_learner_is_told_with_what_comes_next(classroom: Classroom) -> None:
    campaign = classroom.campaign(targets={"1.1": 6, "3.1": 1})
    sent = classroom.sent(campaign, level=3)
    path = f"/v1/participations/{sent['id']}/result"
    found = classroom.done("GET", path, classroom.teacher.token)
    assert (found["first_name"], found["division"], found["since"]) == ("Prénom0", "2A", None)
    assert [entry["target"] for entry in found["competences"] if entry["target"]] == [6, 1]
    assert found["next"][0]["competence"] == "1.1"
    assert found["next"][0]["topics"]
    learner = classroom.pupils[0].learner_id
    with classroom.world.context.database.reading() as connection:
        from sqlalchemy import select

        from api.organisations.tables import accesses

        rows = connection.execute(select(accesses).where(accesses.c.learner_id == learner)).all()
    assert [(row.what, row.who) for row in rows] == [("result", f"member:{classroom.teacher.id}")]


def test_what_was_not_sent_has_no_result(classroom: Classroom, problem: Callable[..., Any]) -> None:
    participation = classroom.took(classroom.entered(classroom.campaign()))
    path = f"/v1/participations/{participation['id']}/result"
    for person in (classroom.teacher, classroom.admin):
        problem(classroom.call("GET", path, person.token), 404, "unknown-participation")


def test_the_table_opens_in_a_french_spreadsheet(classroom: Classroom, people: list[Sender]) -> None:
    campaign = classroom.campaign(targets={"1.1": 4})
    hostile = Sender(people[0].learner_id, '=HYPERLINK("http://x")', "O'Neil; dit @Bob", "2A")
    send_made_up(classroom, campaign, [hostile, *people[1:]], np.zeros((24, 2)))
    path = f"/v1/campaigns/{campaign['id']}/results.csv"
    response = classroom.call("GET", path, classroom.teacher.token)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(rows) == 25
    assert rows[0][:3] == ["Nom", "Prénom", "Classe"]
    assert rows[0][8:12] == ["1.1 niveau", "1.1 probabilité du niveau", "1.1 état", "1.1 niveau visé"]
    assert rows[1][:3] == ["O'Neil; dit @Bob", '\'=HYPERLINK("http://x")', "2A"]
    assert "," in rows[1][9]
    assert rows[1][11] == "4"
    assert all(not cell.startswith(("=", "+", "@")) for row in rows[1:] for cell in row)


def test_exports_leave_a_trace(classroom: Classroom, people: list[Sender]) -> None:
    campaign = classroom.campaign()
    send_made_up(classroom, campaign, people, np.zeros((24, 2)))
    document = told(classroom, campaign, "results.json")
    assert document["campaign"]["id"] == campaign["id"]
    assert len(document["results"]) == 24
    with classroom.world.context.database.reading() as connection:
        from sqlalchemy import func, select

        from api.organisations.tables import accesses, deeds

        assert connection.scalar(select(func.count()).where(accesses.c.what == "export")) == 24
        kinds = connection.scalars(select(deeds.c.kind).where(deeds.c.kind == "results_exported")).all()
    assert len(kinds) == 1


def test_twenty_thousand_are_exported_in_pages(classroom: Classroom) -> None:
    campaign = classroom.campaign()
    people = senders(classroom, 20_000, divisions=20)
    send_made_up(classroom, campaign, people, np.zeros((20_000, 2)))
    response = classroom.call("GET", f"/v1/campaigns/{campaign['id']}/results.csv", classroom.teacher.token)
    names = {line.split(";")[0] for line in response.text.splitlines()[1:]}
    assert names == {one.last_name for one in people}
    assert len(_export(classroom, campaign)) == 20_000


def test_the_report_is_printed(classroom: Classroom, people: list[Sender]) -> None:
    campaign = classroom.campaign(title="Rentrée, « 2A »", targets={"1.1": 5, "3.1": 2})
    send_made_up(classroom, campaign, people, np.random.default_rng(6).normal(0, 1, (24, 2)))
    response = classroom.call("GET", f"/v1/campaigns/{campaign['id']}/report.pdf?division=2A", classroom.teacher.token)
    assert response.headers["content-type"] == "application/pdf"
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(response.content)).pages)
    for words in (
        "Rentrée, « 2A »",
        "Classe 2A",
        "6 élèves ont envoyé",
        "Besoins",
        "Niveau visé 5",
        "Au niveau 5 ou plus",
        "Sujets moins réussis",
        "6 points sur 24, 15 attendus",
    ):
        assert words in text.replace("\u00a0", " "), words
    assert response.headers["content-disposition"] == 'attachment; filename="campagne-2a-2026-09-21.pdf"'


def test_an_archived_campaign_keeps_its_results(classroom: Classroom, people: list[Sender]) -> None:
    campaign = classroom.campaign(competences=TWO)
    send_made_up(classroom, campaign, people, np.zeros((24, 2)))
    classroom.done("POST", f"/v1/campaigns/{campaign['id']}/archive", classroom.teacher.token)
    assert told(classroom, campaign)["learners"] == 24
    assert len(_export(classroom, campaign)) == 24


def test_a_change_is_since_the_day_before_even_when_the_earlier_campaign_was_tried_again_after(
    classroom: Classroom, people: list[Sender]
) -> None:
    autumn, winter = classroom.campaign(several=True), classroom.campaign(title="Hiver")
    one = people[:1]
    send_made_up(classroom, autumn, one, np.array([[-1.0, 0.0]]), sd=0.25)
    (sent,) = send_made_up(classroom, winter, one, np.array([[0.8, 0.2]]), sd=0.25, days=60)
    send_made_up(classroom, autumn, one, np.array([[2.0, 2.0]]), sd=0.25, days=120, attempt=2)
    found = classroom.done("GET", f"/v1/participations/{sent}/result", classroom.teacher.token)
    assert found["since"]["campaign_id"] == autumn["id"]
    assert found["competences"][0]["change"]["verdict"] == "rose"


@pytest.mark.parametrize("what", ["results", "results.csv", "report.pdf", "participations"])
def test_a_class_whose_name_cannot_be(classroom: Classroom, problem: Callable[..., Any], what: str) -> None:
    path = f"/v1/campaigns/{classroom.campaign()['id']}/{what}?division=2%00A"
    problem(classroom.call("GET", path, classroom.teacher.token), 422, "invalid-request")
