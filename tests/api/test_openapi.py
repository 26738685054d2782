"""Schemathesis reads the OpenAPI document and tries to break every endpoint of a real server."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from api.app import create_app
from api.database import Database
from api.oauth.clients import create_client
from api.oauth.scopes import SCOPES
from api.settings import Settings
from tests.load.server import running

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Served:
    """A server with a learner and a run, and the header that opens it."""

    url: str
    headers: dict[str, str]
    learner_id: str
    run_id: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'jalon.db'}"
    with Database(database) as opened:
        opened.migrate()
        credentials = create_client(opened, "schemathesis", SCOPES)
    environment = {"JALON_DATABASE": database, "JALON_TOKEN_RATE": "1000000/minute"}
    with (
        running("api.app:from_environment", "/v1/health", environment, factory=True) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        grant = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials).json()
        client.headers["Authorization"] = f"Bearer {grant['access_token']}"
        learner_id = client.post("/v1/learners", json={}).json()["id"]
        run_id = client.post("/v1/runs", json={"learner_id": learner_id}).json()["id"]
        headers = {"Authorization": client.headers["Authorization"]}
        yield Served(f"http://127.0.0.1:{port}", headers, learner_id, run_id)


DESCRIPTION = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
OPERATIONS = [result.ok() for result in DESCRIPTION.get_all_operations()]


def try_to_break(operation: Any, mode: GenerationMode, served: Served, existing: dict[str, str] | None = None) -> None:
    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=existing))
    def check(case: Any) -> None:
        case.call_and_validate(base_url=served.url, headers=served.headers)

    try:
        check()
    except Unsatisfiable:
        pytest.skip(f"{operation.label} takes nothing that could be {mode}")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_an_endpoint_keeps_its_description(operation: Any, mode: GenerationMode, served: Served) -> None:
    try_to_break(operation, mode, served)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("operation", [one for one in OPERATIONS if "{" in one.path], ids=lambda one: one.label)
def test_an_endpoint_of_what_exists_keeps_its_description(operation: Any, mode: GenerationMode, served: Served) -> None:
    if mode is GenerationMode.NEGATIVE and not len(operation.body):
        pytest.skip(f"{operation.label} takes no body that could be wrong")
    known = {"learner_id": served.learner_id, "run_id": served.run_id}
    existing = {parameter.name: known[parameter.name] for parameter in operation.path_parameters}
    try_to_break(operation, mode, served, existing)
