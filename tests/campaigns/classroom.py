"""An organisation with learners on its list and a campaign, on a real server seen through HTTP."""

from datetime import UTC, datetime
from typing import Any

from api.identifiers import new_id
from api.learners.repository import Learner, add_learner
from api.organisations.records import MEMBER
from api.organisations.registrations.records import Registration
from api.organisations.registrations.repository import add_registration
from tests.api.conftest import World
from tests.certification.school import Person, School

SEPTEMBER = datetime(2026, 9, 21, 8, 0, tzinfo=UTC)
"""A Monday of the start of the year."""
TWO = ["1.1", "3.1"]


class Classroom(School):
    """What a teacher and their learners do."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.teacher: Person = self.member("Tess Teacher", MEMBER)
        self.pupils = [
            self.registered(f"Prénom{number}", "Nom", division=f"2{'AB'[number % 2]}") for number in range(4)
        ]

    def registered(self, first_name: str, last_name: str, birth_date: str = "2010-05-17", **more: Any) -> Registration:
        """Somebody on the list of the organisation, put straight into the database."""
        at = self.world.context.clock()
        pupil = Registration(
            new_id(), self.organisation["id"], new_id(), last_name, first_name, birth_date, True, at, at, **more
        )
        with self.world.context.database.writing() as connection:
            add_learner(connection, Learner(pupil.learner_id, self.world.client_id, None, at))
            add_registration(connection, pupil)
        return pupil

    def campaign(self, **body: Any) -> Any:
        """A campaign of two competences and four questions, made by the teacher."""
        body = {"title": "Rentrée", "competences": TWO, "targets": {"1.1": 3}, "length": 4} | body
        path = f"/v1/organisations/{self.organisation['id']}/campaigns"
        return self.done("POST", path, self.teacher.token, json=body)

    def entered(self, campaign: Any, pupil: Registration | None = None, **body: Any) -> Any:
        """The participation of a pupil of the list, the first one unless said otherwise."""
        response = self.enter(campaign, pupil, **body)
        assert response.is_success, response.text
        return response.json()

    def enter(self, campaign: Any, pupil: Registration | None = None, **body: Any) -> Any:
        pupil = pupil or self.pupils[0]
        who = {"first_name": pupil.first_name, "last_name": pupil.last_name, "birth_date": pupil.birth_date}
        return self.world.client.post("/v1/participations", json={"code": campaign["access_code"]} | who | body)

    def took(self, participation: Any, level: int = 4) -> Any:
        """The participation once its test is finished by somebody who knows whatever is of this level or below."""
        path = f"/v1/participations/{participation['id']}"
        run = self.done("POST", f"{path}/start", participation["token"])["run"]
        pending = run["pending"]
        while pending is not None:
            reply = {"position": pending["position"], "item": pending["item"]["id"], "seconds": 30.0}
            reply |= self.reply(pending["item"], level)
            pending = self.done("POST", f"/v1/runs/{run['id']}/answers", run["learner_token"], json=reply)["pending"]
        return self.done("GET", path, participation["token"]) | {"token": participation["token"]}

    def sent(self, campaign: Any, pupil: Registration | None = None, level: int = 4) -> Any:
        """What a pupil sent after the test."""
        participation = self.took(self.entered(campaign, pupil), level)
        return self.done("POST", f"/v1/participations/{participation['id']}/send", participation["token"])
