"""Who may call what: every endpoint, without a token, with each scope, as a learner, as another platform."""

from collections.abc import Callable
from typing import Any

import pytest

from api.clock import now
from api.oauth.scopes import SCOPES
from api.oauth.tokens import sign
from tests.api.conftest import World

UNKNOWN = "01890000-0000-7000-8000-000000000000"

MATRIX = [
    ("POST", "/v1/learners", "learners:write", {}),
    ("GET", "/v1/learners", "learners:read", None),
    ("GET", "/v1/learners/{learner}", "learners:read", None),
    ("GET", "/v1/learners/{learner}/profile", "learners:read", None),
    ("GET", "/v1/learners/{learner}/runs", "learners:read", None),
    ("POST", "/v1/runs", "runs:write", {"learner_id": "{learner}", "competences": ["1.1"]}),
    ("GET", "/v1/runs/{run}", "runs:read", None),
    ("POST", "/v1/runs/{run}/answers", "runs:write", {"position": 0, "item": "{item}", "skipped": True}),
]
OPEN = ["/v1/health", "/v1/framework", "/openapi.json", "/docs"]


def filled(world: World, path: str, body: Any) -> tuple[str, Any]:
    run = world.open()
    names = {"learner": run["learner_id"], "run": run["id"], "item": run["pending"]["item"]["id"]}
    if body is not None:
        body = {key: value.format(**names) if isinstance(value, str) else value for key, value in body.items()}
    return path.format(**names), body


@pytest.mark.parametrize("path", OPEN)
def test_open_endpoints_need_no_token(world: World, path: str) -> None:
    assert world.client.get(path).status_code == 200


@pytest.mark.parametrize(("method", "path", "scope", "body"), MATRIX)
def test_the_matrix_of_scopes(
    world: World, problem: Callable[..., Any], method: str, path: str, scope: str, body: Any
) -> None:
    path, body = filled(world, path, body)
    problem(world.client.request(method, path, json=body), 401, "unauthenticated", "/oauth/token")
    for other in SCOPES:
        response = world.call(method, path, world.token_for(world.client_id, other), json=body)
        if other == scope:
            assert response.status_code in (200, 201), response.text
        else:
            problem(response, 403, "not-allowed", scope)
            assert "insufficient_scope" in response.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path", "scope", "body"), [row for row in MATRIX if "{" in row[1]])
def test_what_belongs_to_another_platform_looks_unknown(
    world: World, problem: Callable[..., Any], method: str, path: str, scope: str, body: Any
) -> None:
    path, body = filled(world, path, body)
    kind = "unknown-run" if "/runs/" in path else "unknown-learner"
    problem(world.call(method, path, world.another_platform(), json=body), 404, kind)


@pytest.mark.parametrize(("method", "path", "scope", "body"), MATRIX)
def test_a_learner_reaches_the_own_run_only(
    world: World, problem: Callable[..., Any], method: str, path: str, scope: str, body: Any
) -> None:
    run = world.open()
    names = {"learner": run["learner_id"], "run": run["id"]}
    if body is not None and "item" in body:
        body = body | {"item": run["pending"]["item"]["id"]}
    token = run["learner_token"]
    response = world.call(method, path.format(**names), token, json=body)
    if "{run}" in path:
        assert response.status_code == 200
        other = world.open()
        names = {"learner": other["learner_id"], "run": other["id"]}
        problem(world.call(method, path.format(**names), token, json=body), 404, "unknown-run")
    else:
        problem(response, 403, "not-allowed", "learner's token")


def test_a_learner_of_another_platform_cannot_be_given_a_run(world: World, problem: Callable[..., Any]) -> None:
    body = {"learner_id": world.learner()["id"]}
    problem(world.call("POST", "/v1/runs", world.another_platform(), json=body), 404, "unknown-learner")


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer nonsense", "Bearer jlt_nonsense", "Basic abc", "Bearer a.b.c", "bearer é"],
)
def test_a_wrong_token_is_told_so(world: World, problem: Callable[..., Any], authorization: str) -> None:
    run = world.open()
    headers = {"Authorization": authorization.encode()}
    problem(world.client.get(f"/v1/runs/{run['id']}", headers=headers), 401, "unauthenticated", "/oauth/token")


def test_a_token_signed_by_somebody_else_is_refused(world: World, problem: Callable[..., Any]) -> None:
    forged = sign(b"x" * 32, world.client_id, SCOPES, 3600, now())
    problem(world.call("GET", "/v1/learners", forged), 401, "unauthenticated")


def test_an_old_token_is_refused(world: World, problem: Callable[..., Any]) -> None:
    old = sign(world.context.keys.access, world.client_id, SCOPES, -1, now())
    problem(world.call("GET", "/v1/learners", old), 401, "unauthenticated", "expired")
    brief = sign(world.context.keys.access, world.client_id, SCOPES, 1, now())
    world.call("GET", "/v1/learners", brief)
    held = world.context.platforms.get(brief)
    assert held is not None
    assert held.expires_at.timestamp() > 0


def test_every_response_carries_security_headers(world: World) -> None:
    for path in ("/v1/health", "/nothing", "/v1/learners", "/docs"):
        headers = world.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
