"""Many requests at once, and many servers on one database: one fact for each reply, whoever comes first."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from api.app import create_app
from api.clock import now
from api.database import Database
from api.oauth.clients import create_client
from api.oauth.scopes import SCOPES
from api.oauth.tokens import sign
from api.runs.replay import prove
from api.settings import Settings
from api.tables import facts, learners, runs
from tests.api.conftest import World
from tests.load.answers import answer_to

TIMES = 20


def counted(settings: Settings, table: Any) -> int:
    with Database(settings.database) as database, database.reading() as connection:
        count: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return count


async def simultaneously(settings: Settings, path: str, bodies: list[Any], **prepared: Any) -> list[httpx.Response]:
    """Post all the bodies at once; ``{run}``, ``{item}`` and ``{learner}`` stand for those of a run opened before."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        context = app.state.context
        client_id, _ = create_client(context.database, "platform", SCOPES)
        headers = {"Authorization": f"Bearer {sign(context.keys.access, client_id, SCOPES, 600, now())}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://jalon", headers=headers) as client:
            learner = (await client.post("/v1/learners", json={})).json()
            run = (await client.post("/v1/runs", json={"learner_id": learner["id"], "length": 16})).json()
            pending = run["pending"]
            for body in bodies:
                if "position" in body:
                    body["item"] = pending["item"]["id"]
                if body.get("answer") == "any":
                    body["answer"] = answer_to(pending["item"])
                if "learner_id" in body:
                    body["learner_id"] = learner["id"]
            path = path.format(run=run["id"])
            return await asyncio.gather(*(client.post(path, json=body, headers=prepared) for body in bodies))


def test_twenty_identical_replies_are_one(settings: Settings) -> None:
    bodies = [{"position": 0, "answer": "any", "seconds": 5.0} for _ in range(TIMES)]
    responses = asyncio.run(simultaneously(settings, "/v1/runs/{run}/answers", bodies))
    assert [response.status_code for response in responses] == [200] * TIMES
    assert len({response.text for response in responses}) == 1
    assert counted(settings, facts) == 3


def test_of_contradictory_replies_the_first_holds(settings: Settings) -> None:
    bodies: list[Any] = [
        {"position": 0, "answer": "any"} if turn % 2 else {"position": 0, "skipped": True} for turn in range(TIMES)
    ]
    responses = asyncio.run(simultaneously(settings, "/v1/runs/{run}/answers", bodies))
    outcomes = {response.json()["outcome"] for response in responses if response.status_code == 200}
    assert len(outcomes) == 1
    assert sorted(response.status_code for response in responses) == [200] * 10 + [409] * 10
    assert counted(settings, facts) == 3


def test_twenty_requests_of_one_key_open_one_run(settings: Settings) -> None:
    bodies: list[Any] = [{"learner_id": "", "length": 16, "seed": 1} for _ in range(TIMES)]
    responses = asyncio.run(simultaneously(settings, "/v1/runs", bodies, **{"Idempotency-Key": "one"}))
    assert [response.status_code for response in responses] == [201] * TIMES
    assert len({response.text for response in responses}) == 1
    assert counted(settings, runs) == 2


def test_twenty_learners_of_one_external_id_are_one(settings: Settings) -> None:
    responses = asyncio.run(simultaneously(settings, "/v1/learners", [{"external_id": "pupil"} for _ in range(TIMES)]))
    assert sorted(response.status_code for response in responses) == [200] * (TIMES - 1) + [201]
    assert len({response.text for response in responses}) == 1
    assert counted(settings, learners) == 2


@pytest.fixture
def workers(settings: Settings) -> Iterator[tuple[World, World]]:
    """Two servers on one database, each with a memory of its own."""
    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as other:
        yield World(one, settings), World(other, settings)


def test_a_run_may_go_from_worker_to_worker(workers: tuple[World, World]) -> None:
    one, other = workers
    run = one.open(competences=None, length=16)
    other.token = one.token
    pending, turn = run["pending"], 0
    while pending is not None:
        worker = (one, other)[turn % 3 % 2]
        assert worker.call("GET", f"/v1/runs/{run['id']}").json()["pending"] == pending
        answered = worker.answer(run["id"], pending)
        late = (other, one)[turn % 3 % 2].answer(run["id"], pending)
        assert (answered.status_code, answered.json()) == (late.status_code, late.json())
        pending, turn = answered.json()["pending"], turn + 1
    for worker in workers:
        assert worker.call("GET", f"/v1/runs/{run['id']}").json()["state"] == "finished"
        assert worker.answer(run["id"], run["pending"], skipped=True).status_code == 409
    assert prove(one.context.database, run["id"]).ok


def test_a_stale_worker_is_told_the_pending_item(workers: tuple[World, World]) -> None:
    one, other = workers
    other.token = one.token
    run = one.open()
    assert other.call("GET", f"/v1/runs/{run['id']}").status_code == 200
    pending = one.answer(run["id"], run["pending"]).json()["pending"]
    refused = other.answer(run["id"], run["pending"], skipped=True)
    assert refused.status_code == 409
    assert refused.json()["pending"] == pending
