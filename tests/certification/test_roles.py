"""No one reads or writes what is not theirs: every endpoint against every role, at their own school and others.

A caller is let in when the answer is anything but 401, 403 and 404: what they ask for may still be impossible just now.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Route

from api.app import create_app
from api.oauth.scopes import CAMPAIGNS_READ, CERTIFICATION_READ, LEARNERS_READ, ORGANISATIONS_READ, RUNS_READ
from api.organisations.local import create_organisation
from api.settings import Settings
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.certification.decided import certified, holder, seated
from tests.certification.school import MONDAY, School

PUBLIC, PLATFORM, READER, FOREIGN_PLATFORM = "public", "platform", "reading platform", "foreign platform"
ADMIN, FOREIGN_ADMIN, INVIGILATOR, UNASSIGNED = "admin", "foreign admin", "invigilator", "unassigned invigilator"
CANDIDATE, OTHER_CANDIDATE, LEARNER, OTHER_LEARNER = "candidate", "other candidate", "learner", "other learner"
ROLES = (
    *(PUBLIC, PLATFORM, READER, FOREIGN_PLATFORM, ADMIN, FOREIGN_ADMIN, INVIGILATOR, UNASSIGNED),
    *(CANDIDATE, OTHER_CANDIDATE, LEARNER, OTHER_LEARNER),
)
EVERYBODY = set(ROLES)
STAFF_READS = {PLATFORM, READER, ADMIN, INVIGILATOR}
STAFF_ACTS = {PLATFORM, ADMIN, INVIGILATOR}
ORGANISATION_READS, ORGANISATION_ACTS = {PLATFORM, READER, ADMIN}, {PLATFORM, ADMIN}
HOLDS = {PLATFORM, READER, ADMIN, LEARNER}
OWN_PLATFORMS = {PLATFORM, READER}
ANY_PLATFORM = {PLATFORM, READER, FOREIGN_PLATFORM}
WHY = {"why": "Because."}

ALLOWED: dict[str, set[str]] = {
    "GET /v1/health": EVERYBODY,
    "GET /v1/framework": EVERYBODY,
    "POST /oauth/token": EVERYBODY,
    "GET /v1/checks/{code}": EVERYBODY,
    "GET /.well-known/jwks.json": EVERYBODY,
    "GET /v1/keys/{thumbprint}": EVERYBODY,
    "POST /v1/session-entries": EVERYBODY,  # with the code and the name of somebody enrolled
    "POST /v1/learners": {PLATFORM, FOREIGN_PLATFORM},
    "GET /v1/learners": ANY_PLATFORM,  # their own
    "GET /v1/learners/{learner_id}": OWN_PLATFORMS,
    "GET /v1/learners/{learner_id}/profile": OWN_PLATFORMS,
    "GET /v1/learners/{learner_id}/runs": OWN_PLATFORMS,
    "GET /v1/learners/{learner_id}/eligibility": ORGANISATION_READS,
    "POST /v1/runs": {PLATFORM},
    "GET /v1/runs/{run_id}": {PLATFORM, READER, OTHER_LEARNER},
    "POST /v1/runs/{run_id}/answers": {PLATFORM, OTHER_LEARNER},
    "POST /v1/organisations": {PLATFORM, FOREIGN_PLATFORM},
    "GET /v1/organisations": ANY_PLATFORM,  # their own
    "GET /v1/organisations/{organisation_id}": {PLATFORM, READER, ADMIN, INVIGILATOR, UNASSIGNED},
    "POST /v1/organisations/{organisation_id}/members": ORGANISATION_ACTS,
    "GET /v1/organisations/{organisation_id}/members": ORGANISATION_READS,
    "DELETE /v1/organisations/{organisation_id}/members/{member_id}": ORGANISATION_ACTS,
    "POST /v1/organisations/{organisation_id}/sessions": ORGANISATION_ACTS,
    "GET /v1/organisations/{organisation_id}/sessions": {
        PLATFORM,
        READER,
        ADMIN,
        INVIGILATOR,
        UNASSIGNED,
    },  # assigned ones only
    "GET /v1/sessions/{session_id}": STAFF_READS,
    "PATCH /v1/sessions/{session_id}": ORGANISATION_ACTS,
    "POST /v1/sessions/{session_id}/open": ORGANISATION_ACTS,
    "POST /v1/sessions/{session_id}/cancel": ORGANISATION_ACTS,
    "GET /v1/sessions/{session_id}/feasibility": STAFF_READS,
    "GET /v1/sessions/{session_id}/attendance.pdf": STAFF_READS,
    "POST /v1/sessions/{session_id}/incidents": STAFF_ACTS,
    "GET /v1/sessions/{session_id}/incidents": STAFF_READS,
    "POST /v1/sessions/{session_id}/candidates": ORGANISATION_ACTS,
    "POST /v1/sessions/{session_id}/candidates/import": ORGANISATION_ACTS,
    "GET /v1/sessions/{session_id}/candidates": STAFF_READS,
    "GET /v1/sessions/{session_id}/candidates/{candidate_id}": STAFF_READS,
    "PATCH /v1/sessions/{session_id}/candidates/{candidate_id}": ORGANISATION_ACTS,
    "DELETE /v1/sessions/{session_id}/candidates/{candidate_id}": ORGANISATION_ACTS,
    "GET /v1/sessions/{session_id}/room": STAFF_READS,
    **{
        f"POST /v1/sessions/{{session_id}}/candidates/{{candidate_id}}/{what}": STAFF_ACTS
        for what in ("authorise", "pause", "resume", "accept", "dismiss", "end")
    },
    "POST /v1/sessions/{session_id}/finalise": ORGANISATION_ACTS,
    "POST /v1/sessions/{session_id}/publish": ORGANISATION_ACTS,
    "GET /v1/sessions/{session_id}/results": ORGANISATION_READS,
    "GET /v1/sessions/{session_id}/candidates/{candidate_id}/evidence": ORGANISATION_READS,
    **{
        f"POST /v1/sessions/{{session_id}}/candidates/{{candidate_id}}/{what}": ORGANISATION_ACTS
        for what in ("review", "revoke", "rescore")
    },
    "GET /v1/sitting": {CANDIDATE, OTHER_CANDIDATE},  # each their own
    **{
        f"POST /v1/sitting/{what}": {CANDIDATE, OTHER_CANDIDATE}
        for what in ("start", "return", "answers", "reports", "end")
    },
    "GET /v1/certificate": {LEARNER},
    "GET /v1/certificates/{certificate_id}": HOLDS,
    "GET /v1/certificates/{certificate_id}.pdf": HOLDS,
    "GET /v1/certificates/{certificate_id}/credential": HOLDS,
    "GET /v1/certificates/{certificate_id}/audit": HOLDS,
    "PATCH /v1/certificates/{certificate_id}": {LEARNER},
}
"""Who is let in; every other role is turned away with 401, 403 or 404."""

DECIDED = ("results", "evidence", "review", "revoke", "rescore", "finalise", "publish")
"""What is tried on the session that is published already; drafts and the open session serve the rest."""
DRAFT = ("open", "cancel", "feasibility", "import", "PATCH /v1/sessions", "DELETE /v1/sessions", "/candidates ")


@dataclass(frozen=True)
class Place:
    """Everything that the endpoints are about."""

    world: World
    school: School
    tokens: dict[str, str | None]
    bodies: dict[str, Callable[[], Any]]
    names: Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("roles")
    settings = Settings(
        database=f"sqlite:///{folder / 'jalon.db'}",
        code_rate="10000/minute",
        entry_rate="10000/minute",
        token_rate="10000/minute",
    )
    clock = MovableClock(MONDAY)
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as client:
        yield made(World(client, settings, clock))


def made(world: World) -> Place:
    school = School(world)
    published, result, sat = certified(school)
    open_, (one, two) = school.open_session(2)
    draft = school.session()
    drafted = school.enrol(draft)
    sitting, other = seated(school, open_, one), seated(school, open_, two)
    learner_id = school.learner()
    run = school.done("POST", "/v1/runs", school.platform, json={"learner_id": learner_id, "competences": ["1.1"]})
    foreign = world.another_platform()
    pending = sitting.view["pending"]
    throwaways = count(1)
    held = {CAMPAIGNS_READ, CERTIFICATION_READ, LEARNERS_READ, ORGANISATIONS_READ, RUNS_READ}
    tokens: dict[str, str | None] = {
        PUBLIC: None,
        PLATFORM: school.platform,
        READER: world.token_for(world.client_id, *held),
        FOREIGN_PLATFORM: foreign,
        ADMIN: school.admin.token,
        FOREIGN_ADMIN: create_organisation(world.context.database, "Another school"),
        INVIGILATOR: school.invigilator.token,
        UNASSIGNED: school.member("Una Unassigned").token,
        CANDIDATE: sitting.token,
        OTHER_CANDIDATE: other.token,
        LEARNER: holder(school, sat),
        OTHER_LEARNER: run["learner_token"],
    }

    (key,) = world.client.get("/.well-known/jwks.json").json()["keys"]
    thumbprint = key["kid"].rpartition("/")[2]

    def names(route: str) -> dict[str, str]:
        decided = route.endswith(DECIDED)
        drawn = not decided and any(part in f"{route} " for part in DRAFT)
        session = published if decided else draft if drawn else open_
        candidate = sat.candidate if decided else drafted if drawn else one
        member = school.member(f"Leaving {next(throwaways)}").id if "{member_id}" in route else ""
        certificate = result["certificates"][-1]["id"] if "{certificate_id}" in route else ""
        return {
            "session_id": session["id"],
            "candidate_id": candidate["id"],
            "organisation_id": school.organisation["id"],
            "learner_id": learner_id,
            "run_id": run["id"],
            "member_id": member,
            "certificate_id": certificate,
            "code": "BCDFGHJKMPQR",
            "thumbprint": thumbprint,
        }

    person = {"first_name": "New", "last_name": "Person", "birth_date": "2009-01-01"}
    session_body = {
        "date": "2027-01-12",
        "time": "10:00",
        "place": "Tours",
        "room": "1",
        "window": "final-year classes",
    }
    at = {"position": 0, "item": pending["item"]["id"]}
    bodies: dict[str, Callable[[], Any]] = {
        "POST /v1/learners": dict,
        "POST /v1/runs": lambda: {"learner_id": learner_id, "competences": ["1.2"]},
        "POST /v1/runs/{run_id}/answers": lambda: {"position": 0, "item": "x", "skipped": True},
        "POST /v1/organisations": lambda: {"name": "One more"},
        "POST /v1/organisations/{organisation_id}/members": lambda: {"name": "New", "role": "invigilator"},
        "POST /v1/organisations/{organisation_id}/sessions": lambda: session_body,
        "PATCH /v1/sessions/{session_id}": lambda: {"room": "B 13"},
        "POST /v1/sessions/{session_id}/cancel": lambda: WHY,
        "POST /v1/sessions/{session_id}/incidents": lambda: WHY,
        "POST /v1/sessions/{session_id}/candidates": lambda: {**person, "learner_id": learner_id},
        "PATCH /v1/sessions/{session_id}/candidates/{candidate_id}": lambda: {"extra_time": 33.0},
        "DELETE /v1/sessions/{session_id}/candidates/{candidate_id}": lambda: WHY,
        "POST /v1/sessions/{session_id}/finalise": dict,
        "POST /v1/session-entries": lambda: {
            "code": draft["access_code"],
            **{name: drafted[name] for name in ("first_name", "last_name", "birth_date")},
        },
        "POST /v1/sitting/answers": lambda: {**at, "skipped": True},
        "POST /v1/sitting/reports": lambda: {**at, **WHY},
        "POST /v1/sitting/end": lambda: {"confirm": True},
        "PATCH /v1/certificates/{certificate_id}": lambda: {"shows_name": True},
    }
    for what in ("accept", "dismiss", "revoke", "rescore"):
        bodies[f"POST /v1/sessions/{{session_id}}/candidates/{{candidate_id}}/{what}"] = lambda: WHY
    acts = "POST /v1/sessions/{session_id}/candidates/{candidate_id}/"
    bodies |= {acts + "authorise": dict, acts + "pause": dict, acts + "resume": dict}
    bodies[acts + "end"] = lambda: {"end": "technical", **WHY}
    bodies[acts + "review"] = lambda: {"outcome": "validated", **WHY}
    return Place(world, school, tokens, bodies, names)


def called(place: Place, route: str, role: str) -> Any:
    method, path = route.split(" ", 1)
    kwargs: dict[str, Any] = {}
    if route == "POST /oauth/token":
        form = {"grant_type": "client_credentials", "client_id": place.world.client_id}
        kwargs["data"] = form | {"client_secret": place.world.secret}
    elif route.endswith("/import"):
        kwargs |= {"content": "last_name;first_name;birth_date;learner\n", "headers": {"Content-Type": "text/csv"}}
    elif route in place.bodies:
        kwargs["json"] = place.bodies[route]()
    token = place.tokens[role]
    headers = kwargs.pop("headers", {}) | ({} if token is None else {"Authorization": f"Bearer {token}"})
    return place.world.client.request(method, path.format(**place.names(route)), headers=headers, **kwargs)


def test_the_matrix_names_every_endpoint() -> None:
    app = create_app(Settings())
    served = {
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, Route) and re.match(r"/(v1|oauth|\.well-known)", route.path)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert served == set(ALLOWED)


@pytest.mark.parametrize("route", ALLOWED)
def test_who_is_turned_away(place: Place, route: str) -> None:
    known = {"POST /v1/session-entries", "GET /v1/checks/{code}"}
    for role in sorted(EVERYBODY - ALLOWED[route]):
        response = called(place, route, role)
        assert response.status_code in (401, 403, 404), f"{role}: {response.status_code} {response.text[:200]}"
        assert response.headers["content-type"] == "application/problem+json"
    for role in sorted(ALLOWED[route], key=ROLES.index) if route not in known else ():
        response = called(place, route, role)
        assert response.status_code not in (401, 403, 404, 500), f"{role}: {response.status_code} {response.text[:200]}"


def test_a_candidate_sees_only_their_own_sitting(place: Place) -> None:
    one, other = (called(place, "GET /v1/sitting", role).json() for role in (CANDIDATE, OTHER_CANDIDATE))
    assert one["access_code"] != other["access_code"]


def test_lists_hold_nothing_of_others(place: Place) -> None:
    assert called(place, "GET /v1/organisations", FOREIGN_PLATFORM).json()["items"][1:] == []
    assert called(place, "GET /v1/organisations/{organisation_id}/sessions", UNASSIGNED).json()["items"] == []
    own = called(place, "GET /v1/organisations/{organisation_id}/sessions", INVIGILATOR).json()["items"]
    assert len(own) == 3
