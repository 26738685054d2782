from collections.abc import Callable
from typing import Any

from tests.api.conftest import World


def test_an_external_id_names_one_learner_of_a_platform(world: World) -> None:
    first = world.call("POST", "/v1/learners", json={"external_id": "pupil-7"})
    again = world.call("POST", "/v1/learners", json={"external_id": "pupil-7"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert first.headers["location"] == f"/v1/learners/{first.json()['id']}"
    other = world.call("POST", "/v1/learners", world.another_platform(), json={"external_id": "pupil-7"})
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]


def test_learners_without_external_id_are_different(world: World) -> None:
    assert world.learner()["id"] != world.learner()["id"]


def test_an_idempotency_key_creates_once(world: World, problem: Callable[..., Any]) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = world.call("POST", "/v1/learners", json={}, headers=key)
    again = world.call("POST", "/v1/learners", json={}, headers=key)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = world.call("POST", "/v1/learners", json={"external_id": "another"}, headers=key)
    problem(other, 409, "idempotency-key-reused")


def test_the_list_goes_on_by_cursor(world: World) -> None:
    made = [world.learner(external_id=f"pupil-{number}") for number in range(7)]
    seen, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = world.call("GET", "/v1/learners", params=query).json()
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made


def test_a_learner_is_found_by_external_id(world: World) -> None:
    made = world.learner(external_id="pupil 7 é")
    world.learner(external_id="pupil-8")
    page = world.call("GET", "/v1/learners", params={"external_id": "pupil 7 é"}).json()
    assert page == {"items": [made], "next": None}


def test_a_bad_cursor_is_refused(world: World, problem: Callable[..., Any]) -> None:
    for cursor in ("nonsense", "é", "", "0" * 33):
        problem(world.call("GET", "/v1/learners", params={"cursor": cursor}), 422, "invalid-request", "cursor")


def test_nothing_is_known_of_a_new_learner(world: World) -> None:
    learner = world.learner()
    profile = world.call("GET", f"/v1/learners/{learner['id']}/profile").json()
    assert profile["run_id"] is None
    assert len(profile["competences"]) == 16
    assert all(entry["state"] == "unknown" and entry["level"] is None for entry in profile["competences"])


def test_runs_are_listed_the_latest_first(world: World) -> None:
    learner = world.learner()
    opened = [world.open(learner["id"])["id"] for _ in range(3)]
    page = world.call("GET", f"/v1/learners/{learner['id']}/runs", params={"limit": 2}).json()
    rest = world.call("GET", f"/v1/learners/{learner['id']}/runs", params={"cursor": page["next"]}).json()
    assert [run["id"] for run in (*page["items"], *rest["items"])] == opened[::-1]
    assert rest["next"] is None
