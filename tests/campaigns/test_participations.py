from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.campaigns.classroom import TWO, Classroom


def test_a_learner_enters_starts_finishes_and_sends(classroom: Classroom) -> None:
    campaign = classroom.campaign()
    entered = classroom.entered(campaign)
    assert (entered["state"], entered["run_id"], entered["attempt"]) == ("entered", None, 1)
    finished = classroom.took(entered)
    assert finished["state"] == "finished"
    sent = classroom.done("POST", f"/v1/participations/{entered['id']}/send", entered["token"])
    assert sent["state"] == "sent"
    snapshot = sent["snapshot"]
    assert (snapshot["kind"], snapshot["asked"], snapshot["answered"], snapshot["skipped"]) == ("assessment", 4, 4, 0)
    assert [one["competence"] for one in snapshot["own"]] == [one["competence"] for one in snapshot["competences"]]
    assert sum(one["asked"] for one in snapshot["topics"]) == 4
    result = classroom.as_platform("GET", f"/v1/runs/{finished['run_id']}")["result"]
    assert snapshot["competences"] == result


def test_coming_again_finds_the_same_participation(classroom: Classroom) -> None:
    campaign = classroom.campaign()
    first, second = classroom.entered(campaign), classroom.enter(campaign, first_name="PRENOM0 ", last_name="nom")
    assert second.status_code == 200
    assert second.json() == first
    begun = [classroom.done("POST", f"/v1/participations/{first['id']}/start", first["token"]) for _ in range(2)]
    assert begun[0] == begun[1]


def test_somebody_who_is_not_on_the_list_is_not_let_in(classroom: Classroom, problem: Callable[..., Any]) -> None:
    campaign = classroom.campaign()
    problem(classroom.enter(campaign, last_name="Autre"), 404, "not-on-the-list")
    problem(classroom.enter(campaign, birth_date="2010-05-18"), 404, "not-on-the-list")
    problem(classroom.enter({"access_code": "BCD-FGH-JKM"}), 404, "unknown-code")


def test_homonyms_are_told_apart_by_their_ine_alone(classroom: Classroom, problem: Callable[..., Any]) -> None:
    campaign = classroom.campaign()
    twins = [classroom.registered("Zoé", "Petit", ine=f"12345678{letter}") for letter in "AB"]
    problem(classroom.enter(campaign, twins[0]), 409, "several-match", "INE")
    ids = [classroom.entered(campaign, twin, ine=twin.ine)["id"] for twin in twins]
    assert len(set(ids)) == 2
    problem(classroom.enter(campaign, twins[0], ine="999"), 404, "not-on-the-list")


def test_nothing_is_visible_before_it_is_sent(classroom: Classroom) -> None:
    campaign = classroom.campaign()
    participation = classroom.took(classroom.entered(campaign))
    path = f"/v1/campaigns/{campaign['id']}"
    listed = classroom.done("GET", f"{path}/participations", classroom.teacher.token)["items"]
    assert [(one["state"], one["sent_at"]) for one in listed] == [("finished", None)]
    assert not {"snapshot", "run_id", "learner_id", "levels"} & set(listed[0])
    for person in (classroom.teacher, classroom.admin):
        assert classroom.call("GET", f"/v1/participations/{participation['id']}", person.token).status_code == 401
        assert classroom.call("GET", f"/v1/runs/{participation['run_id']}", person.token).status_code == 401


def test_what_was_sent_does_not_change(classroom: Classroom) -> None:
    campaign = classroom.campaign()
    sent = classroom.sent(campaign, level=2)
    with classroom.ago(days=-3):
        classroom.position(classroom.pupils[0].learner_id, level=8, competences=TWO)
        again = classroom.done("POST", f"/v1/participations/{sent['id']}/send", classroom.entered(campaign)["token"])
    assert again["snapshot"] == sent["snapshot"]
    assert again["sent_at"] == sent["sent_at"]


def test_an_unfinished_test_is_not_sent(classroom: Classroom, problem: Callable[..., Any]) -> None:
    participation = classroom.entered(classroom.campaign())
    path = f"/v1/participations/{participation['id']}"
    told = problem(classroom.call("POST", f"{path}/send", participation["token"]), 409, "not-now")
    assert told["reason"] == "not-finished"
    classroom.done("POST", f"{path}/start", participation["token"])
    problem(classroom.call("POST", f"{path}/send", participation["token"]), 409, "not-now")


def test_a_campaign_opens_closes_and_is_archived(classroom: Classroom, problem: Callable[..., Any]) -> None:
    campaign = classroom.campaign(opens_at="2026-09-22T00:00:00+02:00", closes_at="2026-09-30T00:00:00+02:00")
    assert campaign["phase"] == "planned"
    assert campaign["archives_at"] == "2027-08-31T22:00:00.000000Z"
    assert problem(classroom.enter(campaign), 409, "not-now")["reason"] == "campaign-planned"
    with classroom.ago(days=-2):
        participation = classroom.entered(campaign)
        classroom.done("POST", f"/v1/participations/{participation['id']}/start", participation["token"])
    with classroom.ago(days=-20):
        assert problem(classroom.enter(campaign, classroom.pupils[1]), 409, "not-now")["reason"] == "campaign-closed"
        finished = classroom.took(classroom.entered(campaign))  # who has begun may go on
        assert classroom.done("POST", f"/v1/participations/{finished['id']}/send", finished["token"])["sent_at"]
    with classroom.ago(days=-400):
        assert problem(classroom.enter(campaign), 409, "not-now")["reason"] == "campaign-archived"


def test_nothing_is_sent_to_an_archived_campaign(classroom: Classroom, problem: Callable[..., Any]) -> None:
    campaign = classroom.campaign()
    participation = classroom.took(classroom.entered(campaign))
    classroom.done("POST", f"/v1/campaigns/{campaign['id']}/archive", classroom.teacher.token)
    response = classroom.call("POST", f"/v1/participations/{participation['id']}/send", participation["token"])
    assert problem(response, 409, "not-now")["reason"] == "campaign-archived"
    change = classroom.call("PATCH", f"/v1/campaigns/{campaign['id']}", classroom.teacher.token, json={"title": "X"})
    problem(change, 409, "not-now")


def test_another_attempt_where_the_campaign_allows_it(classroom: Classroom, problem: Callable[..., Any]) -> None:
    once, several = classroom.campaign(), classroom.campaign(several=True)
    for campaign in (once, several):
        first = classroom.took(classroom.entered(campaign))
        response = classroom.call("POST", f"/v1/participations/{first['id']}/attempts", first["token"])
        if campaign is once:
            assert problem(response, 409, "not-now")["reason"] == "campaign-once"
            continue
        second = response.json()
        assert (second["attempt"], second["state"]) == (2, "entered")
        assert second["id"] != first["id"]
        assert classroom.entered(several)["id"] == second["id"]
        assert classroom.took(second)["state"] == "finished"


def test_an_exam_neither_reads_the_profile_nor_changes_it(classroom: Classroom) -> None:
    pupil = classroom.pupils[0]
    with classroom.ago(days=10):
        classroom.position(pupil.learner_id, level=6, competences=TWO)
    profile = f"/v1/learners/{pupil.learner_id}/profile"
    before = classroom.as_platform("GET", profile)
    exam = classroom.sent(classroom.campaign(kind="exam"), pupil, level=1)
    assert classroom.as_platform("GET", profile) == before
    with classroom.world.context.database.reading() as connection:
        from api.runs.repository import run_of

        run = run_of(connection, exam["run_id"])
    assert run is not None
    assert (run.counts, run.earlier, run.excluded) == (False, (), ())
    assert [one["competence"] for one in exam["snapshot"]["own"] if one["sd"] is not None] == TWO


def test_own_answers_are_apart_from_earlier_ones(classroom: Classroom) -> None:
    pupil = classroom.pupils[0]
    with classroom.ago(days=10):
        classroom.position(pupil.learner_id, level=8, competences=TWO)
    snapshot = classroom.sent(classroom.campaign(), pupil, level=1)["snapshot"]
    place = [one["competence"] for one in snapshot["own"]].index("1.1")
    assert snapshot["own"][place]["mean"] < snapshot["competences"][place]["mean"] - 0.3


def test_a_collection_sends_the_profile_as_it_is(classroom: Classroom, problem: Callable[..., Any]) -> None:
    pupil = classroom.pupils[0]
    campaign = classroom.campaign(kind="collection")
    entered = classroom.entered(campaign, pupil)
    path = f"/v1/participations/{entered['id']}"
    assert problem(classroom.call("POST", f"{path}/send", entered["token"]), 409, "not-now")["reason"] == "no-profile"
    started = classroom.call("POST", f"{path}/start", entered["token"])
    assert problem(started, 409, "not-now")["reason"] == "campaign-collects"
    classroom.position(pupil.learner_id, competences=TWO)
    sent = classroom.done("POST", f"{path}/send", entered["token"])
    profile = classroom.as_platform("GET", f"/v1/learners/{pupil.learner_id}/profile")
    assert sent["snapshot"]["competences"] == profile["competences"]
    assert sent["snapshot"]["own"] is None


def test_an_open_campaign_takes_anybody(classroom: Classroom, problem: Callable[..., Any]) -> None:
    campaign = classroom.campaign(restricted=False, external_id_label="Numéro d'étudiant")
    someone = {"code": campaign["access_code"].lower(), "first_name": "Nina", "last_name": "Simone"}
    lacking = classroom.world.client.post("/v1/participations", json=someone)
    assert problem(lacking, 422, "invalid-request", "Numéro d'étudiant")["reason"] == "lacks-external-id"
    entries = [
        classroom.world.client.post("/v1/participations", json=someone | {"external_id": "E1"}).json() for _ in range(2)
    ]
    assert entries[0]["id"] != entries[1]["id"]  # nobody knows whether they are the same person
    listed = classroom.done("GET", f"/v1/campaigns/{campaign['id']}/participations", classroom.teacher.token)
    assert [one["external_id"] for one in listed["items"]] == ["E1", "E1"]


def test_follow_up_counts_by_class(classroom: Classroom) -> None:
    campaign = classroom.campaign()
    one, two, three, _ = classroom.pupils
    classroom.sent(campaign, one)
    classroom.took(classroom.entered(campaign, two))
    third = classroom.entered(campaign, three)
    classroom.done("POST", f"/v1/participations/{third['id']}/start", third["token"])
    told = classroom.done("GET", f"/v1/campaigns/{campaign['id']}/follow-up", classroom.teacher.token)
    assert told["divisions"] == [
        {"division": "2A", "registered": 2, "started": 2, "finished": 1, "sent": 1},
        {"division": "2B", "registered": 2, "started": 1, "finished": 1, "sent": 0},
    ]
    assert {name: told[name] for name in ("registered", "started", "finished", "sent")} == {
        "registered": 4,
        "started": 3,
        "finished": 2,
        "sent": 1,
    }
    path = f"/v1/campaigns/{campaign['id']}/participations"
    by_state = {
        state: [
            person["first_name"]
            for person in classroom.done("GET", f"{path}?state={state}", classroom.teacher.token)["items"]
        ]
        for state in ("absent", "entered", "started", "finished", "sent")
    }
    assert by_state == {
        "absent": ["Prénom3"],
        "entered": [],
        "started": ["Prénom2"],
        "finished": ["Prénom1"],
        "sent": ["Prénom0"],
    }


@pytest.mark.parametrize("kind", ["assessment", "exam"])
def test_runs_of_campaigns_replay(classroom: Classroom, kind: str) -> None:
    from api.runs.replay import prove

    sent = classroom.sent(classroom.campaign(kind=kind, skip="incorrect"))
    proof = prove(classroom.world.context.database, sent["run_id"])
    assert proof.ok, proof.difference


def test_the_platform_lets_its_own_learners_in(classroom: Classroom, problem: Callable[..., Any]) -> None:
    campaign, pupil = classroom.campaign(), classroom.pupils[0]
    path = f"/v1/campaigns/{campaign['id']}/participations"
    entry = classroom.as_platform("POST", path, json={"learner_id": pupil.learner_id})
    assert entry["id"] == classroom.entered(campaign, pupil)["id"]
    stranger = classroom.as_platform("POST", "/v1/learners", json={})["id"]
    response = classroom.call("POST", path, classroom.platform, json={"learner_id": stranger})
    problem(response, 404, "not-on-the-list")


def test_who_has_the_code_and_is_on_the_list_is_not_counted(
    classroom: Classroom, settings: Settings, problem: Callable[..., Any]
) -> None:
    rates = dict.fromkeys(("code_rate", "entry_rate", "start_rate"), "3/minute")
    campaign, anybody = classroom.campaign(), classroom.campaign(restricted=False)
    with TestClient(create_app(settings.model_copy(update=rates), classroom.world.clock)) as client:

        def enter(campaign: Any, last_name: str = "Nom") -> Any:
            who = {"first_name": "Prénom0", "last_name": last_name, "birth_date": "2010-05-17"}
            return client.post("/v1/participations", json={"code": campaign["access_code"]} | who)

        doors = [client.get(f"/v1/campaign-codes/{campaign['access_code']}") for _ in range(5)]
        assert {one.status_code for one in doors} == {200}
        assert [enter(campaign).status_code for _ in range(5)] == [201, 200, 200, 200, 200]
        assert [enter(campaign, "Autre").status_code for _ in range(4)] == [404, 404, 404, 429]
        unknown = [client.get("/v1/campaign-codes/BCD-FGH-JKM").status_code for _ in range(4)]
        assert unknown == [404, 404, 404, 429]
    with TestClient(create_app(settings.model_copy(update=rates), classroom.world.clock)) as client:
        made = [enter(anybody) for _ in range(4)]  # each makes an account
        assert [one.status_code for one in made] == [201, 201, 201, 429]
        problem(made[-1], 429, "too-many-requests")
