import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from api.identifiers import fingerprint
from api.organisations.tables import members
from tests.certification.school import School

Check = Callable[..., Any]


def test_a_organisation_is_read_by_its_people_and_its_platform(school: School, problem: Check) -> None:
    path = f"/v1/organisations/{school.organisation['id']}"
    assert school.organisation | {"name": "Lycée des Tests", "uai": "0370001A"} == school.organisation
    for token in (school.platform, school.admin.token, school.invigilator.token):
        assert school.done("GET", path, token) == school.organisation
    problem(school.call("GET", path, school.world.another_platform()), 404, "unknown-organisation")


def test_organisations_are_listed_the_latest_first_page_by_page(school: School) -> None:
    for number in range(3):
        school.as_platform("POST", "/v1/organisations", json={"name": f"Organisation {number}"})
    first = school.as_platform("GET", "/v1/organisations?limit=3")
    rest = school.as_platform("GET", f"/v1/organisations?limit=3&cursor={first['next']}")
    assert [one["name"] for one in first["items"]] == ["Organisation 2", "Organisation 1", "Organisation 0"]
    assert [one["name"] for one in rest["items"]] == ["Lycée des Tests"]
    assert rest["next"] is None
    other = school.world.another_platform()
    assert school.done("GET", "/v1/organisations", other) == {"items": [], "next": None}


def test_a_creation_sent_again_with_its_key_creates_nothing(school: School, problem: Check) -> None:
    key = {"Idempotency-Key": "once"}
    made = [school.as_platform("POST", "/v1/organisations", json={"name": "Un"}, headers=key) for _ in range(2)]
    assert made[0] == made[1]
    problem(
        school.call("POST", "/v1/organisations", school.platform, json={"name": "Deux"}, headers=key),
        409,
        "idempotency-key-reused",
    )
    path = f"/v1/organisations/{school.organisation['id']}/members"
    body = {"name": "Zoé", "role": "invigilator"}
    people = [school.done("POST", path, json=body, headers=key) for _ in range(2)]
    assert people[0] == people[1]
    assert (
        school.done("GET", "/v1/organisations/" + school.organisation["id"], people[1]["token"]) == school.organisation
    )
    by_platform = school.done("POST", path, school.platform, json=body, headers=key)
    assert by_platform["id"] != people[0]["id"]  # keys of two callers are apart


def test_a_token_is_told_once_and_only_its_hash_is_kept(school: School) -> None:
    path = f"/v1/organisations/{school.organisation['id']}/members"
    made = school.done("POST", path, json={"name": "Zoé", "role": "admin"})
    assert re.fullmatch(r"jmt_[0-9a-f]{64}", made["token"])
    listed = school.done("GET", path)["items"]
    assert [one["name"] for one in listed] == ["Ada Admin", "Ivo Invigilator", "Zoé"]
    assert all("token" not in one for one in listed)
    with school.world.context.database.reading() as connection:
        row = connection.execute(select(members).where(members.c.id == made["id"])).one()
    assert row.token_hash == fingerprint(made["token"])
    assert made["token"] not in str(row)


def test_a_revoked_member_is_let_in_no_more(school: School, problem: Check) -> None:
    path = f"/v1/organisations/{school.organisation['id']}"
    for _ in range(2):
        assert school.call("DELETE", f"{path}/members/{school.invigilator.id}").status_code == 204
    problem(school.call("GET", path, school.invigilator.token), 401, "unauthenticated")
    listed = school.done("GET", f"{path}/members")["items"]
    assert [one["revoked_at"] is None for one in listed] == [True, False]


def test_the_last_administrator_stays_whoever_asks(school: School, problem: Check) -> None:
    path = f"/v1/organisations/{school.organisation['id']}/members/{school.admin.id}"
    problem(school.call("DELETE", path), 409, "not-now", "last administrator")
    problem(school.call("DELETE", path, school.platform), 409, "not-now", "last administrator")
    problem(school.call("PATCH", path, json={"role": "member"}), 409, "not-now", "last administrator")
    another = school.member("Second Admin", "admin")
    assert school.done("PATCH", path, json={"role": "member", "name": "Ada Prof"})["role"] == "member"
    assert school.call("GET", path.rpartition("/")[0], school.admin.token).status_code == 403
    assert school.call("DELETE", path, another.token).status_code == 204
    problem(school.call("PATCH", path, another.token, json={"name": "Nobody"}), 409, "not-now", "removed")


def test_members_of_another_organisation_are_unknown(school: School, problem: Check) -> None:
    other = school.as_platform("POST", "/v1/organisations", json={"name": "Ailleurs"})
    path = f"/v1/organisations/{school.organisation['id']}/members"
    problem(school.call("GET", f"/v1/organisations/{other['id']}/members"), 404, "unknown-organisation")
    there = school.as_platform(
        "POST", f"/v1/organisations/{other['id']}/members", json={"name": "Zoé", "role": "invigilator"}
    )
    problem(school.call("DELETE", f"{path}/{there['id']}"), 404, "unknown-member")
    problem(school.call("DELETE", f"{path}/nobody"), 404, "unknown-member")


def test_an_invigilator_names_nobody(school: School, problem: Check) -> None:
    path = f"/v1/organisations/{school.organisation['id']}/members"
    for method, where in (("POST", path), ("GET", path), ("DELETE", f"{path}/{school.admin.id}")):
        json = {"json": {"name": "Zoé", "role": "admin"}} if method == "POST" else {}
        problem(school.call(method, where, school.invigilator.token, **json), 403, "not-allowed")


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "a\nb"},
        {"name": "x" * 256},
        {"name": "A", "uai": "123"},
        {"name": "A", "uai": "０370001A"},
        {"name": "A", "more": 1},
        {},
        [],
    ],
)
def test_a_organisation_that_cannot_be(school: School, problem: Check, body: Any) -> None:
    problem(school.call("POST", "/v1/organisations", school.platform, json=body), 422, "invalid-request")
