from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create_app
from api.oauth.clients import create_client, local_client
from api.oauth.scopes import SCOPES
from api.settings import Settings
from api.tables import clients
from engine.errors import SettingError
from tests.api.conftest import World

GRANT = {"grant_type": "client_credentials"}


def ask(world: World, form: dict[str, Any], **kwargs: Any) -> Any:
    return world.client.post("/oauth/token", data=form, **kwargs)


def test_a_client_gets_a_token_by_http_basic(world: World) -> None:
    response = ask(world, GRANT, auth=(world.client_id, world.secret))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert world.call("GET", "/v1/learners", body["access_token"]).status_code == 200


def test_a_client_gets_a_token_by_the_form_for_fewer_scopes(world: World) -> None:
    form = GRANT | {"client_id": world.client_id, "client_secret": world.secret, "scope": "runs:read"}
    body = ask(world, form).json()
    assert body["scope"] == "runs:read"
    assert world.call("GET", "/v1/learners", body["access_token"]).status_code == 403


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "é\x00"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"scope": " "}, 400, "invalid_scope"),
        ({"scope": ["runs:read", "runs:write"]}, 400, "invalid_request"),
    ],
)
def test_a_refusal_speaks_oauth(world: World, change: dict[str, Any], status: int, error: str) -> None:
    form = GRANT | {"client_id": world.client_id, "client_secret": world.secret} | change
    response = ask(world, form)
    assert response.status_code == status
    assert response.json()["error"] == error
    assert response.json()["error_description"].endswith(".")
    assert ("www-authenticate" in response.headers) == (status == 401)


def test_credentials_come_once(world: World) -> None:
    response = ask(world, GRANT | {"client_secret": world.secret}, auth=(world.client_id, world.secret))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("header", ["Basic ???", "Basic bm9jb2xvbg==", "Bearer abc", "Basic //8="])
def test_a_header_that_cannot_be_read_is_refused(world: World, header: str) -> None:
    response = ask(world, GRANT, headers={"Authorization": header})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_json_is_refused(world: World) -> None:
    response = world.client.post("/oauth/token", json=GRANT)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_secrets_are_kept_as_hashes(world: World) -> None:
    with world.context.database.reading() as connection:
        kept = connection.execute(select(clients)).all()
    assert world.secret not in str(kept)


def test_the_local_client_stays_and_its_secret_changes(world: World) -> None:
    first, second = (local_client(world.settings.database) for _ in range(2))
    assert first[0] == second[0]
    assert ask(world, GRANT, auth=first).status_code == 401
    assert ask(world, GRANT, auth=second).json()["scope"] == " ".join(sorted(SCOPES))


@pytest.mark.parametrize(("name", "scopes"), [("", ["runs:read"]), ("x" * 256, ["runs:read"]), ("x", []), ("x", ["?"])])
def test_a_client_needs_a_name_and_scopes_that_exist(world: World, name: str, scopes: list[str]) -> None:
    with pytest.raises(SettingError, match=r"choose|use one or more"):
        create_client(world.context.database, name, scopes)


def test_too_many_tries_are_refused(tmp_path: Path, problem: Callable[..., Any]) -> None:
    settings = Settings(database=f"sqlite:///{tmp_path / 'jalon.db'}", token_rate="3/minute")
    with TestClient(create_app(settings)) as client:
        responses = [
            client.post("/oauth/token", data=GRANT | {"client_id": "x", "client_secret": "y"}) for _ in range(4)
        ]
    assert [response.status_code for response in responses[:3]] == [401] * 3
    problem(responses[3], 429, "too-many-requests", "wait")
    assert int(responses[3].headers["retry-after"]) >= 1


def test_wrong_secrets_do_not_lock_a_client_out(tmp_path: Path) -> None:
    settings = Settings(database=f"sqlite:///{tmp_path / 'jalon.db'}", token_rate="3/minute")
    app = create_app(settings)
    with TestClient(app, client=("198.51.100.1", 1)) as stranger:
        own = TestClient(app, client=("198.51.100.2", 1))
        client_id, secret = create_client(app.state.context.database, "A platform", SCOPES)
        wrong = [stranger.post("/oauth/token", data=GRANT, auth=(client_id, "wrong")).status_code for _ in range(4)]
        assert wrong == [401, 401, 401, 429]
        assert own.post("/oauth/token", data=GRANT, auth=(client_id, secret)).status_code == 200
