"""Schemathesis reads the OpenAPI document and tries to break every endpoint of a real server."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.app import create_app
from api.database import Database
from api.oauth.clients import create_client
from api.oauth.scopes import SCOPES
from api.settings import Settings
from itembank.files import shipped_bank
from tests.itembank.examples import right_answer
from tests.load.server import running
from tests.organisations.fregata import fregata_file

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


SIX = ["1.1", "1.2", "2.1", "3.1", "4.1", "5.1"]
ITEMS = {item.id: item for item in shipped_bank().items}


@dataclass
class Served:
    """A server with a learner, a run and an organisation, and the header that opens it."""

    url: str
    headers: dict[str, str]
    known: dict[str, str]

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        return httpx.request(method, f"{self.url}{path}", headers=self.headers, timeout=30, **kwargs)

    def made(self, path: str, **body: Any) -> Any:
        response = self.call("POST", path, json=body)
        assert response.is_success, response.text
        return response.json()

    def position(self, learner_id: str) -> None:
        """Answer a positioning, all right: the learner may be certified then."""
        run = self.made("/v1/runs", learner_id=learner_id, competences=SIX, length=54)
        pending = run["pending"]
        while pending is not None:
            item = pending["item"]["id"]
            reply = {"position": pending["position"], "item": item, "answer": right_answer(ITEMS[item])}
            pending = self.made(f"/v1/runs/{run['id']}/answers", **reply, seconds=30.0)["pending"]

    def campaign(self) -> None:
        """Make an open campaign with somebody in it, a learner on the list, a list that waits, and an invitation."""
        organisation = f"/v1/organisations/{self.known['organisation_id']}"
        campaign = self.made(f"{organisation}/campaigns", course="seconde", restricted=False, several=True)
        person = {"first_name": "Ann", "last_name": "Un", "birth_date": "2009-05-17"}
        entered = self.made("/v1/participations", code=campaign["access_code"], **person)
        files = {"file": ("list.csv", fregata_file(3), "text/csv")}
        waiting = self.call("POST", f"{organisation}/learner-imports", files=files).json()
        self.known |= {
            "campaign_id": campaign["id"],
            "participation_id": entered["id"],
            "code": campaign["access_code"],
            "registration_id": self.made(f"{organisation}/learners", ine="INE1", **person)["id"],
            "import_id": waiting["id"],
            "invitation_id": self.made(f"{organisation}/invitations", name="Guest", role="member")["id"],
        }

    def meet(self) -> None:
        """Make a session that is open, with a candidate; the one before is over."""
        if "session_id" in self.known:
            self.call("POST", f"/v1/sessions/{self.known['session_id']}/cancel", json={"why": "Another one"})
        organisation = f"/v1/organisations/{self.known['organisation_id']}"
        member = self.made(f"{organisation}/members", name="Ivo", role="invigilator")
        year = (datetime.now(UTC) + timedelta(days=321)).year  # the fifteenth of January that comes next
        order = {"date": f"{year}-01-15", "time": "09:00", "place": "Tours", "room": "1"}
        session = self.made(f"{organisation}/sessions", **order, invigilators=[member["id"]])
        person = {"first_name": "Ann", "last_name": "Un", "birth_date": "2009-05-17"}
        path = f"/v1/sessions/{session['id']}"
        candidate = self.made(f"{path}/candidates", learner_id=self.known["learner_id"], **person)
        self.made(f"{path}/open")
        self.known |= {"session_id": session["id"], "candidate_id": candidate["id"], "member_id": member["id"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'jalon.db'}"
    with Database(database) as opened:
        opened.migrate()
        credentials = create_client(opened, "schemathesis", SCOPES)
    environment = {"JALON_DATABASE": database, "JALON_TOKEN_RATE": "1000000/minute"}
    environment |= {f"JALON_{door}_RATE": "1000000/minute" for door in ("CODE", "ENTRY", "SIGN_IN")}
    with running("api.app:from_environment", "/v1/health", environment, factory=True) as port:
        url = f"http://127.0.0.1:{port}"
        form = {"grant_type": "client_credentials"}
        grant = httpx.post(f"{url}/oauth/token", data=form, auth=credentials).json()
        there = Served(url, {"Authorization": f"Bearer {grant['access_token']}"}, {})
        learner_id = there.made("/v1/learners")["id"]
        there.position(learner_id)
        run_id = there.made("/v1/runs", learner_id=learner_id)["id"]
        organisation_id = there.made("/v1/organisations", name="Lycée")["id"]
        (key,) = there.call("GET", "/.well-known/jwks.json").json()["keys"]
        thumbprint = key["kid"].rpartition("/")[2]
        there.known |= {
            "learner_id": learner_id,
            "run_id": run_id,
            "organisation_id": organisation_id,
            "thumbprint": thumbprint,
        }
        there.campaign()
        yield there


DESCRIPTION = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
OPERATIONS = [result.ok() for result in DESCRIPTION.get_all_operations()]


PARTICULAR = {
    "POST /v1/organisations/{organisation_id}/sessions",
    "PATCH /v1/sessions/{session_id}",
    "POST /v1/sessions/{session_id}/candidates",
    "PATCH /v1/sessions/{session_id}/candidates/{candidate_id}",
    "POST /v1/sessions/{session_id}/candidates/import",
    "POST /v1/organisations/{organisation_id}/learners",
    "PATCH /v1/organisations/{organisation_id}/learners/{registration_id}",
    "POST /v1/organisations/{organisation_id}/learner-imports",
    "POST /v1/organisations/{organisation_id}/campaigns",
    "PATCH /v1/campaigns/{campaign_id}",
    "POST /v1/campaigns/{campaign_id}/participations",
    "GET /v1/campaigns/{campaign_id}/progress",
    "POST /v1/participations",
}
"""Where the calendar, the people and the bank say what is right, which no schema can: right form may be 422."""


def try_to_break(operation: Any, mode: GenerationMode, served: Served, existing: dict[str, str] | None = None) -> None:
    excluded = [positive_data_acceptance] if operation.label in PARTICULAR else []

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=existing))
    def check(case: Any) -> None:
        case.call_and_validate(base_url=served.url, headers=served.headers, excluded_checks=excluded)

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
    if "certificate_id" in operation.path or "/checks/" in operation.path:
        pytest.skip("a certificate takes a whole certification: tests/certification/test_certificates.py")
    if operation.label == "DELETE /v1/learners/{learner_id}":
        pytest.skip("the learner is needed: tests/privacy")
    if "session_id" in operation.path or "member_id" in operation.path:
        served.meet()
    existing = {parameter.name: served.known[parameter.name] for parameter in operation.path_parameters}
    try_to_break(operation, mode, served, existing)
