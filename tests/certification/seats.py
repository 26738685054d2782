"""A room with candidates, put straight into the database, and what is done there through HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Connection, insert, select

from api.app import create_app
from api.certification.happening import Standing
from api.certification.records import Candidate, Session
from api.certification.repository import (
    add_candidate,
    add_candidate_event,
    add_session,
    add_session_event,
    assign,
    candidate_events,
    candidate_of,
)
from api.certification.states import CandidateState, Event, Kind, folded
from api.database import Database
from api.identifiers import fingerprint, new_access_code, new_id, new_member_token
from api.oauth.scopes import SCOPES
from api.organisations.records import ADMIN, INVIGILATOR, Member, Organisation
from api.organisations.repository import add_member, add_organisation
from api.runs.facts import Fact
from api.runs.replay import prove
from api.runs.repository import facts_of
from api.settings import Settings
from api.storage import insert_missing, insert_rows
from api.tables import designs, facts, learners, runs
from engine.certification import CertificationDesign, content_hash, to_dict
from itembank.certification import load_certification
from itembank.files import shipped_bank
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.itembank.examples import right_answer
from tests.load.answers import answer_to

MONDAY = datetime(2027, 1, 11, 8, 0, tzinfo=UTC)
SIX = ("1.1", "1.2", "2.1", "3.1", "4.1", "5.1")
ITEMS = {item.id: item for item in shipped_bank().items}


@dataclass
class Device:
    """A candidate at a machine."""

    room: "Room"
    candidate_id: str
    token: str
    name: str

    def see(self) -> Any:
        return self.room.done("GET", "/v1/sitting", self.token)

    def call(self, what: str, **body: Any) -> Any:
        return self.room.call("POST", f"/v1/sitting/{what}", self.token, json=body)

    def do(self, what: str, **body: Any) -> Any:
        return self.room.done("POST", f"/v1/sitting/{what}", self.token, json=body)

    def reply(self, pending: Any, **body: Any) -> Any:
        body = body or {"answer": answer_to(pending["item"])}
        return self.call("answers", position=pending["position"], item=pending["item"]["id"], **body)

    def answer(self, pending: Any | None = None, **body: Any) -> Any:
        """Answer the pending item; what is told."""
        response = self.reply(pending or self.see()["pending"], **body)
        assert response.status_code == 200, response.text
        return response.json()

    def report(self, why: str = "The image is missing.") -> Any:
        pending = self.see()["pending"]
        return self.do("reports", position=pending["position"], item=pending["item"]["id"], why=why)


@dataclass
class Room:
    """An open session with its invigilator and some candidates, who may all sit."""

    world: World
    rules: CertificationDesign
    session: Session
    admin: str
    invigilator: str
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def clock(self) -> MovableClock:
        return self.world.clock

    @property
    def database(self) -> Database:
        return self.world.context.database

    @property
    def platform(self) -> str:
        """A token of the platform that is valid now."""
        return self.world.token_for(self.world.client_id, *SCOPES)

    def call(self, method: str, path: str, token: str, **kwargs: Any) -> Any:
        return self.world.call(method, path, token, **kwargs)

    def done(self, method: str, path: str, token: str, **kwargs: Any) -> Any:
        response = self.call(method, path, token, **kwargs)
        assert response.is_success, response.text
        return response.json()

    def entry(self, candidate: Candidate, **body: Any) -> Any:
        """What coming in answers."""
        who = {"first_name": candidate.first_name, "last_name": candidate.last_name, "birth_date": candidate.birth_date}
        return self.world.client.post("/v1/session-entries", json={"code": self.session.access_code} | who | body)

    def enter(self, candidate: Candidate | None = None) -> Device:
        candidate = candidate or self.candidates[0]
        response = self.entry(candidate)
        assert response.status_code == 201, response.text
        entered = response.json()
        return Device(self, candidate.id, entered["token"], entered["device"])

    def act(self, what: str, candidate: Candidate | None = None, token: str | None = None, **body: Any) -> Any:
        """What an action of the invigilator answers."""
        path = f"/v1/sessions/{self.session.id}/candidates/{(candidate or self.candidates[0]).id}/{what}"
        return self.call("POST", path, token or self.invigilator, json=body)

    def acted(self, what: str, candidate: Candidate | None = None, **body: Any) -> Any:
        """The candidate as the room shows them after an action that must succeed."""
        response = self.act(what, candidate, **body)
        assert response.status_code == 200, response.text
        return next(one for one in response.json()["candidates"] if one["id"] == (candidate or self.candidates[0]).id)

    def look(self, candidate: Candidate | None = None) -> Any:
        """The candidate as the room shows them."""
        seen = self.done("GET", f"/v1/sessions/{self.session.id}/room", self.invigilator)
        return next(one for one in seen["candidates"] if one["id"] == (candidate or self.candidates[0]).id)

    def begin(self, candidate: Candidate | None = None) -> Device:
        """A device on which the test has just started."""
        device = self.enter(candidate)
        self.acted("authorise", candidate)
        device.do("start")
        return device

    def state(self, candidate: Candidate | None = None) -> CandidateState:
        """What the stored facts of a candidate lead to."""
        state = folded(self.events(candidate))
        assert state is not None
        return state

    def events(self, candidate: Candidate | None = None) -> list[Event]:
        with self.database.reading() as connection:
            return candidate_events(connection, (candidate or self.candidates[0]).id)

    def standing(self, candidate: Candidate | None = None) -> Standing:
        with self.database.reading() as connection:
            stored = candidate_of(connection, (candidate or self.candidates[0]).id)
        assert stored is not None
        return Standing(stored, self.state(candidate))

    def facts(self, candidate: Candidate | None = None) -> list[Fact]:
        """Facts of the candidate's run, which must follow from each other."""
        run_id = self.standing(candidate).candidate.run_id
        assert run_id is not None
        proof = prove(self.database, run_id)
        assert proof.ok, proof.difference
        with self.database.reading() as connection:
            return facts_of(connection, run_id)

    def enrol(self, **values: Any) -> Candidate:
        """One more candidate, positioned three days ago."""
        at = self.clock()
        if "learner_id" not in values:
            self.clock.move(days=-3)
            values["learner_id"] = positioned(self.world)
            self.clock.move(days=3)
        number = len(self.candidates)
        candidate = Candidate(
            **{
                "id": new_id(),
                "session_id": self.session.id,
                "first_name": "Chloé",
                "last_name": f"Le Goff {number}",
                "birth_date": "2009-05-17",
                "extra_time": 0.0,
                "accessible": (),
                "equipment": "",
                "locale": "fr",
                "run_id": None,
                "profile": None,
                "device_hash": None,
                "waiting_hash": None,
                "state": "enrolled",
                "version": 1,
                "created_at": at,
                **values,
            }
        )
        with self.database.writing() as connection:
            add_candidate(connection, candidate)
            add_candidate_event(connection, candidate.id, Event(1, Kind.ENROLLED, at, "member:x"))
        self.candidates.append(candidate)
        return candidate


def positioned(world: World) -> str:
    """Id of a learner who answered a positioning right."""
    token = world.token_for(world.client_id, *SCOPES)
    learner_id: str = world.call("POST", "/v1/learners", token, json={}).json()["id"]
    body = {"learner_id": learner_id, "competences": list(SIX), "length": 54, "seed": 7}
    run = world.call("POST", "/v1/runs", token, json=body).json()
    pending = run["pending"]
    while pending is not None:
        reply = {"position": pending["position"], "item": pending["item"]["id"], "seconds": 30.0}
        reply["answer"] = right_answer(ITEMS[pending["item"]["id"]])
        pending = world.call("POST", f"/v1/runs/{run['id']}/answers", token, json=reply).json()["pending"]
    return learner_id


def copied(connection: Connection, learner_id: str) -> str:
    """Id of another learner with the same positioning, put straight into the database."""
    learner = connection.execute(select(learners).where(learners.c.id == learner_id)).one()._asdict()
    new = {"id": new_id(), "external_id": None}
    connection.execute(insert(learners).values(**learner | new))
    for run in connection.execute(select(runs).where(runs.c.learner_id == learner_id)).all():
        own = {"id": new_id(), "learner_id": new["id"], "access_code": new_access_code(), "token_hash": new_id()}
        connection.execute(insert(runs).values(**run._asdict() | own))
        stored = connection.execute(select(facts).where(facts.c.run_id == run.id)).all()
        insert_rows(connection, facts, [row._asdict() | {"run_id": own["id"]} for row in stored])
    return str(new["id"])


def furnished(world: World, candidates: int = 1, rules: CertificationDesign | None = None, **values: Any) -> Room:
    """Put an organisation, its people and an open session into the database."""
    rules = rules or load_certification()
    at = world.clock()
    organisation = Organisation(new_id(), world.client_id, "Lycée des Essais", "0370001A", at)
    admin, invigilator = new_member_token(), new_member_token()
    members = [
        Member(new_id(), organisation.id, "Ada", ADMIN, at),
        Member(new_id(), organisation.id, "Ivo", INVIGILATOR, at),
    ]
    session = Session(
        id=new_id(),
        organisation_id=organisation.id,
        rules_hash=content_hash(rules),
        date="2027-01-11",
        time="09:00",
        zone="Europe/Paris",
        place="Tours",
        room="B 12",
        window="final-year classes",
        access_code=new_access_code(),
        state="open",
        version=2,
        created_at=at,
    )
    with world.context.database.writing() as connection:
        row = {"hash": session.rules_hash, "content": to_dict(rules), "created_at": at}
        insert_missing(connection, designs, row)
        add_organisation(connection, organisation)
        for member, token in zip(members, (admin, invigilator), strict=True):
            add_member(connection, member, fingerprint(token))
        add_session(connection, session)
        for number, kind in enumerate(("created", "opened"), 1):
            add_session_event(connection, session.id, Event(number, kind, at, "member:x"))
        assign(connection, session.id, [members[1].id])
    room = Room(world, rules, session, admin, invigilator)
    for _ in range(candidates):
        room.enrol(**values)
    return room


@contextmanager
def another_server(room: Room, settings: Settings) -> Iterator[Room]:
    """The same room seen through a second server on the same database, with a memory of its own."""
    with TestClient(create_app(settings, room.clock), raise_server_exceptions=False) as client:
        other = World(client, settings, room.clock)
        yield replace(room, world=other)
