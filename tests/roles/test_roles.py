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
from tests.campaigns.classroom import Classroom
from tests.certification.decided import certified, holder, seated
from tests.certification.school import MONDAY
from tests.organisations.fregata import fregata_file
from tests.roles.matrix import (
    ADMIN,
    ALLOWED,
    CANDIDATE,
    EVERYBODY,
    FOREIGN_ADMIN,
    FOREIGN_PLATFORM,
    INVIGILATOR,
    LEARNER,
    MEMBER,
    NEIGHBOUR,
    OTHER_CANDIDATE,
    OTHER_LEARNER,
    OTHER_PARTICIPANT,
    PARTICIPANT,
    PLATFORM,
    PUBLIC,
    READER,
    ROLES,
    UNASSIGNED,
)

WHY = {"why": "Because."}
DECIDED = ("results", "evidence", "review", "revoke", "rescore", "finalise", "publish")
"""What is tried on the session that is published already; drafts and the open session serve the rest."""
CAMPAIGNS = "GET /v1/organisations/{organisation_id}/campaigns"
DRAFT = ("open", "cancel", "feasibility", "import", "PATCH /v1/sessions", "DELETE /v1/sessions", "/candidates ")


@dataclass(frozen=True)
class Place:
    """Everything that the endpoints are about."""

    world: World
    school: Classroom
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
    school = Classroom(world)
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
        MEMBER: school.teacher.token,
        NEIGHBOUR: neighbour(school),
    }
    campaign = school.campaign(several=True)
    participation = school.sent(campaign)
    tokens[PARTICIPANT] = school.entered(campaign)["token"]
    tokens[OTHER_PARTICIPANT] = school.entered(campaign, school.pupils[1])["token"]

    (key,) = world.client.get("/.well-known/jwks.json").json()["keys"]
    thumbprint = key["kid"].rpartition("/")[2]

    def names(route: str) -> dict[str, str]:
        decided = route.endswith(DECIDED)
        drawn = not decided and any(part in f"{route} " for part in DRAFT)
        session = published if decided else draft if drawn else open_
        candidate = sat.candidate if decided else drafted if drawn else one
        member = school.member(f"Leaving {next(throwaways)}").id if "{member_id}" in route else ""
        certificate = result["certificates"][-1]["id"] if "{certificate_id}" in route else ""
        asked = school.campaign() if route.endswith("/archive") else campaign
        return {
            "campaign_id": asked["id"],
            "participation_id": participation["id"],
            "registration_id": school.pupils[2].id,
            "import_id": read_list(school)["id"] if "{import_id}" in route else "",
            "invitation_id": invited(school)["id"] if "{invitation_id}" in route else "",
            "session_id": session["id"],
            "candidate_id": candidate["id"],
            "organisation_id": school.organisation["id"],
            "learner_id": throwaway(school) if route.startswith("DELETE /v1/learners") else learner_id,
            "run_id": run["id"],
            "member_id": member,
            "certificate_id": certificate,
            "code": campaign["access_code"] if "campaign-codes" in route else "BCDFGHJKMPQR",
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
        "PATCH /v1/organisations/{organisation_id}/members/{member_id}": lambda: {"name": "Another"},
        "POST /v1/organisations/{organisation_id}/invitations": lambda: {"name": "Guest", "role": "member"},
        "POST /v1/invitation-answers": lambda: {"code": invited(school)["code"]},
        "POST /v1/organisations/{organisation_id}/learners": lambda: {**person, "ine": f"INE{next(throwaways)}"},
        "PATCH /v1/organisations/{organisation_id}/learners/{registration_id}": lambda: {"division": "2X"},
        "POST /v1/organisations/{organisation_id}/learner-imports/{import_id}/apply": lambda: {"confirm": True},
        "POST /v1/organisations/{organisation_id}/campaigns": lambda: {"course": "seconde"},
        "PATCH /v1/campaigns/{campaign_id}": lambda: {"title": "Another title"},
        "POST /v1/campaigns/{campaign_id}/participations": lambda: {"learner_id": school.pupils[3].learner_id},
        "POST /v1/participations": lambda: {
            "code": campaign["access_code"],
            **{name: getattr(school.pupils[3], name) for name in ("first_name", "last_name", "birth_date")},
        },
        "POST /v1/participations/{participation_id}/start": dict,
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


def neighbour(school: Classroom) -> str:
    """Token of an administrator of another organisation of the same platform, who has a campaign of their own."""
    other = school.as_platform("POST", "/v1/organisations", json={"name": "Next door"})
    body = {"name": "Nia Neighbour", "role": "admin"}
    nia = school.as_platform("POST", f"/v1/organisations/{other['id']}/members", json=body)
    school.done("POST", f"/v1/organisations/{other['id']}/campaigns", nia["token"], json={"course": "seconde"})
    token: str = nia["token"]
    return token


def throwaway(school: Classroom) -> str:
    """A learner of the platform whom nobody will miss."""
    learner_id: str = school.as_platform("POST", "/v1/learners", json={})["id"]
    return learner_id


def read_list(school: Classroom) -> Any:
    """A list that was read and waits."""
    path = f"/v1/organisations/{school.organisation['id']}/learner-imports"
    return school.done("POST", path, files={"file": ("list.csv", fregata_file(3), "text/csv")})


def invited(school: Classroom) -> Any:
    """An invitation that is open."""
    path = f"/v1/organisations/{school.organisation['id']}/invitations"
    return school.done("POST", path, json={"name": "Guest", "role": "member"})


def called(place: Place, route: str, role: str) -> Any:
    method, path = route.split(" ", 1)
    kwargs: dict[str, Any] = {}
    if route == "POST /oauth/token":
        form = {"grant_type": "client_credentials", "client_id": place.world.client_id}
        kwargs["data"] = form | {"client_secret": place.world.secret}
    elif route.endswith("/import"):
        kwargs |= {"content": "last_name;first_name;birth_date;learner\n", "headers": {"Content-Type": "text/csv"}}
    elif route.endswith("/learner-imports"):
        kwargs["files"] = {"file": ("list.csv", fregata_file(3), "text/csv")}
    elif route.endswith("/progress"):
        kwargs["params"] = {"since": place.school.campaign()["id"]}
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


def test_a_neighbour_sees_nothing_of_the_organisation(place: Place) -> None:
    mine = {campaign["id"] for campaign in called(place, CAMPAIGNS, MEMBER).json()["items"]}
    own = place.world.client.get("/v1/organisations", headers={"Authorization": f"Bearer {place.tokens[PLATFORM]}"})
    other = next(one for one in own.json()["items"] if one["name"] == "Next door")
    headers = {"Authorization": f"Bearer {place.tokens[NEIGHBOUR]}"}
    for what in ("campaigns", "learners", "sessions", "members", "invitations", "teams", "audit"):
        listed = place.world.client.get(f"/v1/organisations/{other['id']}/{what}", headers=headers).json()["items"]
        assert not mine & {one.get("id") for one in listed}
        assert len(listed) <= (3 if what == "audit" else 1)
