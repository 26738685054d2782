import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.context import Context
from api.oauth.clients import create_client
from api.oauth.scopes import SCOPES
from api.oauth.tokens import sign
from api.settings import Settings
from tests.api.movable_clock import MovableClock
from tests.databases import new_database
from tests.load.answers import answer_to


class World:
    """A server on an SQLite file of its own, seen through HTTP, and what a platform does with it."""

    def __init__(self, client: TestClient, settings: Settings, clock: MovableClock | None = None) -> None:
        self.client = client
        self.settings = settings
        self.clock = clock or MovableClock()
        self.client_id, self.secret = create_client(self.context.database, "A platform", SCOPES)
        self.token = self.token_for(self.client_id, *SCOPES)

    @property
    def context(self) -> Context:
        context: Context = self.client.app.state.context  # type: ignore[attr-defined]
        return context

    def token_for(self, client_id: str, *scopes: str) -> str:
        return sign(self.context.keys.access, client_id, scopes, 3600, self.context.clock())

    def another_platform(self) -> str:
        client_id, _ = create_client(self.context.database, "Another platform", SCOPES)
        return self.token_for(client_id, *SCOPES)

    def call(self, method: str, path: str, token: str | None = None, **kwargs: Any) -> Any:
        headers = {"Authorization": f"Bearer {token or self.token}"} | kwargs.pop("headers", {})
        return self.client.request(method, path, headers=headers, **kwargs)

    def learner(self, **body: Any) -> Any:
        return self.call("POST", "/v1/learners", json=body).json()

    def open(self, learner_id: str | None = None, **body: Any) -> Any:
        body = {"competences": ["1.1"], "length": 4} | body
        response = self.call("POST", "/v1/runs", json={"learner_id": learner_id or self.learner()["id"], **body})
        assert response.status_code == 201, response.text
        return response.json()

    def answer(self, run_id: str, pending: Any, **body: Any) -> Any:
        reply = {"position": pending["position"], "item": pending["item"]["id"], "seconds": 12.5}
        reply |= body or {"answer": answer_to(pending["item"])}
        return self.call("POST", f"/v1/runs/{run_id}/answers", json=reply)

    def finish(self, run: Any, reply: Callable[[Any], dict[str, Any]] = lambda pending: {}) -> Any:
        """Answer a run to its end; the run as it is read then."""
        pending = run["pending"]
        while pending is not None:
            response = self.answer(run["id"], pending, **reply(pending))
            assert response.status_code == 200, response.text
            pending = response.json()["pending"]
        return self.call("GET", f"/v1/runs/{run['id']}").json()


def chosen(url: str) -> Settings:
    return Settings(database=url, self_service=True, token_rate="1000/minute")


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with an empty, migrated database: every test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        file = tmp_path / "jalon.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
        yield chosen(f"sqlite:///{file}")
        return
    url, template = request.getfixturevalue("migrated_postgresql")
    with new_database(url, template) as (_, address):
        yield chosen(address)


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    clock = MovableClock()
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as client:
        yield World(client, settings, clock)


def check_problem(response: Any, status: int, slug: str, *words: str) -> Any:
    """Check the form of a problem document; what it says must name the words."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(problem)
    assert problem["type"] == f"urn:jalon:problem:{slug}"
    assert problem["status"] == status
    assert problem["detail"].endswith(".")
    for word in words:
        assert word in problem["detail"]
    return problem


@pytest.fixture
def problem() -> Callable[..., Any]:
    return check_problem
