"""Every bad input gets a problem document with a sentence that helps (issue 2, section 5)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from api.app import create_app
from api.database import Database
from api.settings import Settings
from api.tables import snapshots
from api.writer import Writer
from tests.api.conftest import World
from tests.load.answers import answer_to

Check = Callable[..., Any]
UNKNOWN = "01890000-0000-7000-8000-000000000000"
WRONG_SHAPES = {
    "single_choice": [["a"], 3, "zz", {}, True],
    "multiple_choice": ["a", [], ["a", "a"], ["zz"], [1]],
    "short_text": [3, "", "  ", ["texte"], "x" * 5_000],
    "number": ["deux", [], "", True, {"a": 1}],
    "ordering": ["a", [], ["a"], [["a"]]],
    "matching": [["a"], {}, {"a": "zz"}, {"zz": "p"}, {"a": 1}],
}


@pytest.mark.parametrize("run_id", [UNKNOWN, "nonsense", "0", "%00", "é", "a" * 300])
def test_unknown_run(world: World, problem: Check, run_id: str) -> None:
    problem(world.call("GET", f"/v1/runs/{run_id}"), 404, "unknown-run", "check the id")
    body = {"position": 0, "item": "x", "skipped": True}
    problem(world.call("POST", f"/v1/runs/{run_id}/answers", json=body), 404, "unknown-run")


def test_another_item_than_the_pending_one(world: World, problem: Check) -> None:
    run = world.open()
    path = f"/v1/runs/{run['id']}/answers"
    wrong_item = world.call("POST", path, json={"position": 0, "item": "crcn-9.9-99", "skipped": True})
    assert problem(wrong_item, 409, "not-the-pending-item", "crcn-9.9-99")["pending"] == run["pending"]
    ahead = {"position": 3, "item": run["pending"]["item"]["id"], "skipped": True}
    assert problem(world.call("POST", path, json=ahead), 409, "not-the-pending-item")["pending"] == run["pending"]
    assert world.call("GET", f"/v1/runs/{run['id']}").json()["progress"]["answered"] == 0


def test_the_same_answer_twice_is_the_same_response(world: World) -> None:
    run = world.open()
    first = world.answer(run["id"], run["pending"])
    world.answer(run["id"], first.json()["pending"])
    again = world.answer(run["id"], run["pending"])
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert world.call("GET", f"/v1/runs/{run['id']}").json()["progress"]["answered"] == 2


def test_another_answer_to_an_answered_item(world: World, problem: Check) -> None:
    run = world.open()
    world.answer(run["id"], run["pending"])
    now_pending = world.call("GET", f"/v1/runs/{run['id']}").json()["pending"]
    told = problem(world.answer(run["id"], run["pending"], skipped=True), 409, "already-answered", "position 1")
    assert told["pending"] == now_pending


def test_an_answer_after_the_end(world: World, problem: Check) -> None:
    run = world.open(length=2)
    world.finish(run)
    body = {"position": 2, "item": "crcn-1.1-01", "skipped": True}
    problem(world.call("POST", f"/v1/runs/{run['id']}/answers", json=body), 409, "run-finished", "result")
    told = problem(world.answer(run["id"], run["pending"], skipped=True), 409, "already-answered", "finished")
    assert told["pending"] is None


def test_answers_malformed_for_the_kind(world: World, problem: Check) -> None:
    """A whole run in which every item is first answered in every wrong shape."""
    run = world.open(competences=None, length=48, seed=4)
    seen, pending = set(), run["pending"]
    while pending is not None:
        kind = pending["item"]["kind"]
        for wrong in WRONG_SHAPES[kind] if kind not in seen else ():
            told = problem(world.answer(run["id"], pending, answer=wrong), 422, "invalid-answer")
            assert told["pending"] == pending
        seen.add(kind)
        pending = world.answer(run["id"], pending).json()["pending"]
    assert seen >= {"single_choice", "multiple_choice", "short_text", "number"}


def test_an_unknown_item_kind(world: World, problem: Check) -> None:
    run = world.open()
    answer = answer_to(run["pending"]["item"])
    told = world.answer(run["id"], run["pending"], answer=answer, kind="hologram")
    problem(told, 422, "unknown-item-kind", "hologram", "single_choice")
    other = "matching" if run["pending"]["item"]["kind"] != "matching" else "number"
    problem(world.answer(run["id"], run["pending"], answer=answer, kind=other), 422, "invalid-answer", other)
    kind = run["pending"]["item"]["kind"]
    assert world.answer(run["id"], run["pending"], answer=answer, kind=kind).status_code == 200


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/learners", "/v1/runs/{run}/answers", "/oauth/token"])
def test_a_body_too_large(world: World, problem: Check, path: str) -> None:
    path = path.format(run=UNKNOWN)
    large = b'{"external_id": "' + b"x" * 100_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    problem(world.call("POST", path, content=large, headers=headers), 413, "body-too-large", "65536 bytes")
    if path != "/oauth/token":
        pieces = world.call(
            "POST", path, content=(large[i : i + 999] for i in range(0, len(large), 999)), headers=headers
        )
        assert pieces.status_code in (413, 404)


def test_a_body_too_large_that_does_not_say_so(world: World, problem: Check) -> None:
    run = world.open()
    pieces = (b"x" * 1000 for _ in range(200))
    headers = {"Content-Type": "application/json"}
    problem(world.call("POST", f"/v1/runs/{run['id']}/answers", content=pieces, headers=headers), 413, "body-too-large")
    pieces = (b"x" * 1000 for _ in range(200))
    problem(world.call("POST", "/v1/learners", content=pieces, headers=headers), 413, "body-too-large")


@pytest.mark.parametrize(
    "content", [b"{", b"", b"\xff\xfe", b"{'a': 1}", b"nul", b"[" * 5_000, b'{"position": "\\ud800"}']
)
def test_invalid_json(world: World, problem: Check, content: bytes) -> None:
    run = world.open()
    headers = {"Content-Type": "application/json"}
    told = world.call("POST", f"/v1/runs/{run['id']}/answers", content=content, headers=headers)
    problem(told, 400, "invalid-json", "JSON")
    if content:
        told = world.call("POST", "/v1/learners", content=content, headers=headers)
        assert told.status_code in (400, 422)
        assert told.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"position": -1}, "position"),
        ({"position": "first"}, "position"),
        ({"position": 2**40}, "position"),
        ({"item": ""}, "item"),
        ({"item": None}, "item"),
        ({"seconds": -1}, "seconds"),
        ({"seconds": 1e9}, "seconds"),
        ({"seconds": "long"}, "seconds"),
        ({"skipped": "perhaps"}, "skipped"),
        ({"skipped": True, "answer": "a"}, "exactly one"),
        ({"skipped": False}, "exactly one"),
        ({"skipped": True, "timed_out": True}, "exactly one"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_malformed_reply(world: World, problem: Check, change: dict[str, Any], where: str) -> None:
    run = world.open()
    body = {"position": 0, "item": run["pending"]["item"]["id"], "skipped": True} | change
    problem(world.call("POST", f"/v1/runs/{run['id']}/answers", json=body), 422, "invalid-request", where)


def test_numbers_that_json_does_not_have(world: World, problem: Check) -> None:
    run = world.open()
    for number in ("NaN", "Infinity", "-1e999"):
        body = json.dumps({"position": 0, "item": run["pending"]["item"]["id"], "skipped": True})
        content = body[:-1] + f', "seconds": {number}}}'
        headers = {"Content-Type": "application/json"}
        told = world.call("POST", f"/v1/runs/{run['id']}/answers", content=content, headers=headers)
        assert told.status_code in (400, 422)
        assert told.headers["content-type"] == "application/problem+json"


def test_a_time_out_needs_a_timed_item(world: World, problem: Check) -> None:
    run = world.open()
    if "limit" not in run["pending"]["item"]:
        problem(world.answer(run["id"], run["pending"], timed_out=True), 422, "invalid-answer", "time limit")


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"learner_id": UNKNOWN}, "unknown-learner", "POST /v1/learners"),
        ({"learner_id": "nonsense"}, "unknown-learner", "check the id"),
        ({"competences": ["9.9"]}, "unknown-competence", "1.1"),
        ({"competences": []}, "invalid-request", "competences"),
        ({"competences": ["1.1", "1.1"]}, "invalid-request", "once"),
        ({"competences": "1.1"}, "invalid-request", "competences"),
        ({"locale": "xx"}, "nothing-to-ask", "xx"),
        ({"locale": "français"}, "invalid-request", "locale"),
        ({"accessible": ["invisible"]}, "invalid-request", "accessible"),
        ({"length": 0}, "invalid-request", "length"),
        ({"competences": ["1.1", "1.2", "1.3"], "length": 2}, "invalid-request", "longer"),
        ({"seed": -1}, "invalid-request", "seed"),
        ({"seed": 2**63}, "invalid-request", "seed"),
        ({"surprise": 1}, "invalid-request", "surprise"),
    ],
)
def test_a_run_that_cannot_be_opened(
    world: World, problem: Check, change: dict[str, Any], kind: str, words: str
) -> None:
    body = {"learner_id": world.learner()["id"]} | change
    status = 404 if kind == "unknown-learner" else 422
    problem(world.call("POST", "/v1/runs", json=body), status, kind, words)


@pytest.mark.parametrize("external_id", ["", "a\x00b", "x" * 256, 7, "line\nbreak"])
def test_a_learner_that_cannot_be_created(world: World, problem: Check, external_id: Any) -> None:
    problem(
        world.call("POST", "/v1/learners", json={"external_id": external_id}), 422, "invalid-request", "external_id"
    )


def test_a_body_that_is_not_announced_as_json(world: World, problem: Check) -> None:
    run = world.open()
    headers = {"Content-Type": "text/plain"}
    told = world.call("POST", f"/v1/runs/{run['id']}/answers", content=b"{}", headers=headers)
    problem(told, 422, "invalid-request", "application/json")


def test_an_address_where_nothing_is(world: World, problem: Check) -> None:
    for path in ("/nothing", "/v1", "/v1/runs/", "/v2/runs"):
        problem(world.call("GET", path), 404, "not-found", "openapi.json")


def test_a_method_that_is_not_allowed(world: World, problem: Check) -> None:
    response = world.call("DELETE", "/v1/learners")
    problem(response, 405, "method-not-allowed", "DELETE", "GET, POST")
    assert response.headers["allow"] == "GET, POST"


def test_a_length_that_is_not_a_number(world: World, problem: Check) -> None:
    response = world.call("POST", "/v1/learners", content=b"{}", headers={"Content-Length": "many"})
    problem(response, 400, "bad-request", "Content-Length")


def test_a_failure_of_ours_tells_nothing_of_the_inside(settings: Settings, problem: Check) -> None:
    """The pinned bank was altered behind the server's back, so a run that pins it cannot go on."""
    with TestClient(create_app(settings)) as client:
        run = World(client, settings).open()
    with Database(settings.database) as database, database.writing() as connection:
        connection.execute(update(snapshots).values(content="a secret of the inside"))
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        world = World(client, settings)
        response = world.call("GET", f"/v1/runs/{run['id']}", run["learner_token"])
    problem(response, 500, "internal", "tell the operator")
    assert "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_server_that_stops_says_that_nothing_was_written(world: World, problem: Check) -> None:
    run = world.open()
    assert world.client.portal is not None
    world.client.portal.call(world.context.writer.close)
    response = world.answer(run["id"], run["pending"])
    problem(response, 503, "unavailable", "nothing was written")
    assert response.headers["retry-after"] == "1"


def test_a_database_that_cannot_be_written_is_told_in_the_log(
    world: World, problem: Check, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(*_: Any) -> None:
        raise OperationalError("INSERT ...", {"secret": "s3cret"}, Exception("database or disk is full"))

    monkeypatch.setattr(Writer, "submit", full)
    problem(world.call("POST", "/v1/learners", json={}), 503, "unavailable", "again")
    assert "POST /v1/learners: database or disk is full" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_client_that_is_cut_off_is_no_failure_of_ours(world: World) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 400) == 400

    form = (b"content-type", b"application/x-www-form-urlencoded")
    scope = {"type": "http", "method": "POST", "path": "/oauth/token", "query_string": b"", "headers": [form]}
    assert world.client.portal is not None
    world.client.portal.call(world.client.app, scope, receive, send)
