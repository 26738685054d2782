"""Learners put on a list by hand: who they are, whose account they have, and who may see them."""

from collections.abc import Callable
from typing import Any

from tests.campaigns.classroom import Classroom

Check = Callable[..., Any]
ONE = {"last_name": "Lefèvre", "first_name": "Zoé", "birth_date": "2009-03-02"}
INE = "080012345HK"


def learners(classroom: Classroom, organisation: Any = None) -> str:
    return f"/v1/organisations/{(organisation or classroom.organisation)['id']}/learners"


def put(classroom: Classroom, organisation: Any = None, **body: Any) -> Any:
    path = learners(classroom, organisation)
    return classroom.done("POST", path, classroom.platform, json=ONE | body)


def another(classroom: Classroom) -> Any:
    """Another organisation of the same platform."""
    return classroom.as_platform("POST", "/v1/organisations", json={"name": "Collège voisin"})


def test_a_learner_is_put_on_the_list_changed_and_taken_off(classroom: Classroom) -> None:
    path = learners(classroom)
    made = classroom.call("POST", path, json=ONE | {"ine": INE, "division": "2C"})
    one = made.json()
    assert made.headers["Location"] == f"{path}/{one['id']}"
    assert (one["ine"], one["division"], one["active"], one["apart"]) == (INE, "2C", True, False)
    changed = classroom.done("PATCH", f"{path}/{one['id']}", json={"division": "2D", "usual_name": "Martin"})
    assert (changed["division"], changed["usual_name"], changed["last_name"]) == ("2D", "Martin", "Lefèvre")
    off = classroom.done("PATCH", f"{path}/{one['id']}", json={"active": False})
    assert off["deactivated_at"] is not None
    assert one["id"] not in {row["id"] for row in classroom.done("GET", path)["items"]}
    assert [row["id"] for row in classroom.done("GET", path, params={"active": False})["items"]] == [one["id"]]
    back = classroom.done("PATCH", f"{path}/{one['id']}", json={"active": True})
    assert (back["deactivated_at"], back["learner_id"]) == (None, one["learner_id"])
    audit = classroom.done("GET", f"/v1/organisations/{classroom.organisation['id']}/audit")["items"]
    kinds = [deed["kind"] for deed in audit]
    assert kinds[:4] == ["learner_changed"] * 3 + ["learner_registered"]


def test_classes_are_counted_and_listed_page_by_page(classroom: Classroom) -> None:
    path = learners(classroom)
    teams = classroom.done("GET", path.replace("learners", "teams"), classroom.teacher.token)["items"]
    assert teams == [{"division": "2A", "learners": 2}, {"division": "2B", "learners": 2}]
    first = classroom.done("GET", path, classroom.teacher.token, params={"division": "2A", "limit": 1})
    second = classroom.done("GET", path, params={"division": "2A", "limit": 1, "cursor": first["next"]})
    assert {row["division"] for row in first["items"] + second["items"]} == {"2A"}
    assert (first["items"] != second["items"], second["next"]) == (True, None)


def test_an_account_follows_the_ine_from_one_organisation_to_another(classroom: Classroom) -> None:
    here, there = put(classroom, ine=INE), put(classroom, another(classroom), ine=INE)
    assert (there["learner_id"], there["apart"]) == (here["learner_id"], False)


def test_an_ine_of_another_birthday_is_an_account_apart(classroom: Classroom) -> None:
    here = put(classroom, ine=INE)
    there = put(classroom, another(classroom), ine=INE, birth_date="2009-02-03")
    assert there["learner_id"] != here["learner_id"]
    assert there["apart"]


def test_homonyms_without_an_ine_are_never_merged(classroom: Classroom) -> None:
    here, twin = put(classroom, external_id="7"), put(classroom, external_id="8")
    there = put(classroom, another(classroom), external_id="7")
    assert len({here["learner_id"], twin["learner_id"], there["learner_id"]}) == 3


def test_accounts_do_not_follow_to_another_platform(classroom: Classroom) -> None:
    here = put(classroom, ine=INE)
    stranger = classroom.world.another_platform()
    organisation = classroom.done("POST", "/v1/organisations", stranger, json={"name": "Ailleurs"})
    there = classroom.done("POST", learners(classroom, organisation), stranger, json=ONE | {"ine": INE})
    assert there["learner_id"] != here["learner_id"]


def test_what_cannot_be_registered_is_refused(classroom: Classroom, problem: Check) -> None:
    path = learners(classroom)
    told = problem(classroom.call("POST", path, json=ONE), 422, "invalid-request")
    assert told["reason"] == "lacks-number"
    told = problem(
        classroom.call("POST", path, json=ONE | {"ine": INE, "birth_date": "2030-01-01"}), 422, "invalid-request"
    )
    assert told["reason"] == "birth-date"
    one = put(classroom, ine=INE)
    told = problem(classroom.call("POST", path, json=ONE | {"ine": INE}), 409, "not-now")
    assert told["reason"] == "listed"
    body = ONE | {"ine": "1", "learner_id": one["learner_id"]}
    told = problem(classroom.call("POST", path, json=body), 422, "invalid-request")
    assert told["reason"] == "account"  # or a member could take hold of anybody's results
    told = problem(classroom.call("PATCH", f"{path}/{one['id']}", json={"last_name": None}), 422, "invalid-request")
    assert told["reason"] == "lacks-names"


def test_a_registration_that_is_sent_twice_is_one(classroom: Classroom) -> None:
    body, headers = ONE | {"ine": INE}, {"Idempotency-Key": "once"}
    first, second = (classroom.done("POST", learners(classroom), json=body, headers=headers) for _ in range(2))
    assert first == second


def test_learners_are_found_by_name(classroom: Classroom) -> None:
    path = f"/v1/organisations/{classroom.organisation['id']}/learners"
    for first, last in (("Zoé", "L’Hœste"), ("Jean-Noël", "Martin"), ("Noël", "Marty")):
        classroom.registered(first, last)

    def found(name: str, **more: Any) -> list[str]:
        params = {"name": name} | more
        return [
            one["first_name"] for one in classroom.done("GET", path, classroom.teacher.token, params=params)["items"]
        ]

    assert found("hoeste") == ["Zoé"]
    assert found("noel MART") == ["Jean-Noël", "Noël"]
    assert found("noel mart", limit=1) == ["Jean-Noël"]
    assert found("%") == found("") == found("", limit=50)
    assert found("oel") == []
