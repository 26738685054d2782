from collections.abc import Callable
from typing import Any

from tests.campaigns.classroom import Classroom

Check = Callable[..., Any]


def invited(classroom: Classroom, role: str = "member", **more: Any) -> Any:
    path = f"/v1/organisations/{classroom.organisation['id']}/invitations"
    return classroom.done("POST", path, json={"name": "Guest", "role": role}, **more)


def answered(classroom: Classroom, code: str, key: str | None = None, **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return classroom.world.client.post("/v1/invitation-answers", json={"code": code} | body, headers=headers)


def test_an_invitation_is_answered_once(classroom: Classroom, problem: Check) -> None:
    invitation = invited(classroom)
    assert invitation["link"].endswith(invitation["code"].replace("-", ""))
    made = answered(classroom, invitation["code"].lower(), name="Gus Guest").json()
    assert (made["name"], made["role"]) == ("Gus Guest", "member")
    organisation = f"/v1/organisations/{classroom.organisation['id']}"
    assert classroom.done("GET", f"{organisation}/teams", made["token"])["items"]
    problem(answered(classroom, invitation["code"]), 404, "unknown-invitation")
    listed = classroom.done("GET", f"{organisation}/invitations")["items"]
    assert [(one["state"], one["member_id"]) for one in listed] == [("answered", made["id"])]
    assert "code" not in listed[0]


def test_an_answer_that_was_lost_is_sent_again(classroom: Classroom, problem: Check) -> None:
    code = invited(classroom)["code"]
    first, second = (answered(classroom, code, "a-key") for _ in range(2))
    assert first.json() == second.json()
    problem(answered(classroom, code, "another-key"), 404, "unknown-invitation")


def test_an_invitation_expires_and_is_withdrawn(classroom: Classroom, problem: Check) -> None:
    old, gone = invited(classroom), invited(classroom)
    path = f"/v1/organisations/{classroom.organisation['id']}/invitations"
    for _ in range(2):
        assert classroom.call("DELETE", f"{path}/{gone['id']}").status_code == 204
    problem(answered(classroom, gone["code"]), 404, "unknown-invitation")
    with classroom.ago(days=-15):
        problem(answered(classroom, old["code"]), 404, "unknown-invitation")
        assert {one["state"] for one in classroom.done("GET", path)["items"]} == {"expired", "withdrawn"}
    answered(classroom, old["code"])
    told = problem(classroom.call("DELETE", f"{path}/{old['id']}"), 409, "not-now")
    assert told["reason"] == "invitation-answered"


def test_an_invitation_that_is_sent_twice_is_one(classroom: Classroom) -> None:
    key = {"Idempotency-Key": "once"}
    assert invited(classroom, headers=key) == invited(classroom, headers=key)


def test_the_audit_tells_who_did_what(classroom: Classroom, problem: Check) -> None:
    made = answered(classroom, invited(classroom)["code"]).json()
    classroom.campaign(title="Rentrée")
    path = f"/v1/organisations/{classroom.organisation['id']}/audit"
    deeds = classroom.done("GET", path)["items"]
    latest = [(deed["kind"], deed["name"]) for deed in deeds[:3]]
    assert latest == [
        ("campaign_created", "Tess Teacher"),
        ("invitation_answered", "Guest"),
        ("invitation_created", "Ada Admin"),
    ]
    assert deeds[-1]["kind"] == "organisation_created"
    problem(classroom.call("GET", path, made["token"]), 403, "not-allowed")
    pages, cursor = [], ""
    while cursor is not None:
        found = classroom.done("GET", f"{path}?limit=2{cursor and f'&cursor={cursor}'}")
        pages += found["items"]
        cursor = found["next"]
    assert pages == deeds


def test_learners_are_registered_by_hand(classroom: Classroom, problem: Check) -> None:
    path = f"/v1/organisations/{classroom.organisation['id']}/learners"
    body = {"last_name": "Dupont", "first_name": "Zoé", "birth_date": "2010-02-03", "ine": "1234567890A"}
    made = classroom.done("POST", path, json=body | {"division": "2B"})
    assert not made["apart"]
    assert problem(classroom.call("POST", path, json=body), 409, "not-now")["reason"] == "listed"
    told = problem(classroom.call("POST", path, json={**body, "ine": None}), 422, "invalid-request")
    assert told["reason"] == "lacks-number"
    one = f"{path}/{made['id']}"
    assert classroom.done("PATCH", one, json={"division": "2C", "active": False})["deactivated_at"]
    assert made["id"] not in {person["id"] for person in classroom.done("GET", path)["items"]}
    assert made["id"] in {person["id"] for person in classroom.done("GET", f"{path}?active=false")["items"]}
    back = classroom.done("PATCH", one, json={"active": True})
    assert (back["learner_id"], back["deactivated_at"], back["division"]) == (made["learner_id"], None, "2C")
    teams = classroom.done("GET", f"/v1/organisations/{classroom.organisation['id']}/teams", classroom.teacher.token)
    assert teams["items"] == [
        {"division": "2A", "learners": 2},
        {"division": "2B", "learners": 2},
        {"division": "2C", "learners": 1},
    ]


def test_a_member_knows_learners_of_their_own_list_only(classroom: Classroom, problem: Check) -> None:
    stranger = classroom.as_platform("POST", "/v1/learners", json={})["id"]
    path = f"/v1/learners/{stranger}/eligibility"
    problem(classroom.call("GET", path), 404, "unknown-learner")
    assert classroom.call("GET", path, classroom.platform).status_code == 200
    listed = classroom.pupils[0]
    assert classroom.call("GET", f"/v1/learners/{listed.learner_id}/eligibility").status_code == 200
    where = f"/v1/organisations/{classroom.organisation['id']}/learners/{listed.id}"
    classroom.done("PATCH", where, json={"active": False})
    problem(classroom.call("GET", f"/v1/learners/{listed.learner_id}/eligibility"), 404, "unknown-learner")
