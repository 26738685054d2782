"""An organisation with its people, a session and eligible learners, on a real server seen through HTTP."""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from api.oauth.scopes import SCOPES
from api.organisations.records import ADMIN, INVIGILATOR
from itembank.items import Item
from tests.api.conftest import World
from tests.itembank.examples import right_answer
from tests.load.answers import answer_to

MONDAY = datetime(2027, 1, 11, 7, 0, tzinfo=UTC)
"""Eight o'clock in Paris, on a day of the window of the final-year classes."""

SIX = ("1.1", "1.2", "2.1", "3.1", "4.1", "5.1")
"""Competences of a positioning that makes eligible."""


@dataclass(frozen=True)
class Person:
    """A member of the organisation, and their token."""

    id: str
    token: str


class School:
    """What an organisation does; every call goes through HTTP, as its administrator unless said otherwise.

    Attributes
    ----------
    world : World
        The server and the platform that owns the organisation; ``world.clock`` is stopped at ``MONDAY``.
    organisation : dict
        As the API shows it.
    admin, invigilator : Person
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._seed = 0
        self._items: dict[str, Item] = {item.id: item for item in world.context.served._source.items}
        self.organisation = self.as_platform(
            "POST", "/v1/organisations", json={"name": "Lycée des Tests", "uai": "0370001A"}
        )
        self.admin = self.member("Ada Admin", ADMIN)
        self.invigilator = self.member("Ivo Invigilator", INVIGILATOR)

    def call(self, method: str, path: str, token: str | None = None, **kwargs: Any) -> Any:
        """Answer of a request, whatever its status."""
        return self.world.call(method, path, token or self.admin.token, **kwargs)

    def done(self, method: str, path: str, token: str | None = None, **kwargs: Any) -> Any:
        """Body of a request that must succeed."""
        response = self.call(method, path, token, **kwargs)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def as_platform(self, method: str, path: str, **kwargs: Any) -> Any:
        """Body of a request of the platform that must succeed."""
        return self.done(method, path, self.platform, **kwargs)

    @property
    def platform(self) -> str:
        """A token of the platform that is valid now."""
        return self.world.token_for(self.world.client_id, *SCOPES)

    def member(self, name: str = "Somebody", role: str = INVIGILATOR) -> Person:
        """Somebody new who works for the organisation."""
        made = self.as_platform(
            "POST", f"/v1/organisations/{self.organisation['id']}/members", json={"name": name, "role": role}
        )
        return Person(made["id"], made["token"])

    def session(self, **body: Any) -> Any:
        """A new session today at nine, with the invigilator, still a draft."""
        body = {
            "date": "2027-01-11",
            "time": "09:00",
            "place": "Tours",
            "room": "B 12",
            "window": "final-year classes",
            "invigilators": [self.invigilator.id],
        } | body
        return self.done("POST", f"/v1/organisations/{self.organisation['id']}/sessions", json=body)

    def learner(self, level: int = 4, competences: Sequence[str] | None = SIX, length: int | None = None) -> str:
        """Id of a learner who was positioned three days ago, and knows whatever is of this level or below."""
        learner_id = self.listed()
        with self.ago(days=3):
            self.position(learner_id, level, competences, length)
        return learner_id

    def listed(self, **body: Any) -> str:
        """Id of a new learner of the platform who is on the organisation's list."""
        learner_id: str = self.as_platform("POST", "/v1/learners", json=body)["id"]
        told = {"last_name": "Nom", "first_name": "Prénom", "birth_date": "2009-05-17", "learner_id": learner_id}
        self.as_platform("POST", f"/v1/organisations/{self.organisation['id']}/learners", json=told)
        return learner_id

    def position(
        self, learner_id: str, level: int = 4, competences: Sequence[str] | None = SIX, length: int | None = None
    ) -> Any:
        """Take a positioning to its end; the run as it is read then."""
        token = self.platform
        self._seed += 1  # the same questions in every run of the tests
        items = length or (9 * len(competences) if competences else None)
        body = {"learner_id": learner_id, "competences": competences and list(competences), "length": items}
        body["seed"] = self._seed
        run = self.done("POST", "/v1/runs", token, json={name: value for name, value in body.items() if value})
        pending = run["pending"]
        while pending is not None:
            reply = {"position": pending["position"], "item": pending["item"]["id"], "seconds": 30.0}
            reply |= self.reply(pending["item"], level)
            pending = self.done("POST", f"/v1/runs/{run['id']}/answers", token, json=reply)["pending"]
        return self.done("GET", f"/v1/runs/{run['id']}", token)

    def reply(self, view: Any, level: int = 4) -> dict[str, Any]:
        """Right answer to an item of this level or below, else any answer."""
        item = self._items[view["id"]]
        return {"answer": right_answer(item) if item.level <= level else answer_to(view)}

    def enrol(self, session: Any, learner_id: str | None = None, **body: Any) -> Any:
        """Candidate just enrolled: a new eligible learner unless one is given."""
        body = {
            "learner_id": learner_id or self.learner(),
            "first_name": "Camille",
            "last_name": "Martin",
            "birth_date": "2009-05-17",
        } | body
        return self.done("POST", f"/v1/sessions/{session['id']}/candidates", json=body)

    def opened(self, session: Any) -> Any:
        """The session once it is open."""
        return self.done("POST", f"/v1/sessions/{session['id']}/open")

    def open_session(self, candidates: int = 1, **body: Any) -> tuple[Any, list[Any]]:
        """An open session and its candidates."""
        session = self.session(**body)
        enrolled = [self.enrol(session, last_name=f"Martin {number}") for number in range(1, candidates + 1)]
        return self.opened(session), enrolled

    @contextmanager
    def ago(self, **by: float) -> Any:
        """Do something earlier."""
        self.world.clock.moved -= timedelta(**by)
        try:
            yield
        finally:
            self.world.clock.moved += timedelta(**by)
