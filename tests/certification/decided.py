"""Candidates who sat, a session that was finalised and published: what the tests of decisions begin with."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.identifiers import learner_token, parsed_access_code
from api.runs.replay import Proof, prove
from api.runs.repository import run_of_code
from tests.certification.school import School

Reply = Callable[[Any], dict[str, Any]]


@dataclass
class Sitting:
    """A candidate at their device."""

    school: School
    session: Any
    candidate: Any
    token: str

    @property
    def view(self) -> Any:
        return self.school.done("GET", "/v1/sitting", self.token)

    def do(self, what: str, **body: Any) -> Any:
        return self.school.done("POST", f"/v1/sitting/{what}", self.token, json=body)

    def act(self, what: str, **body: Any) -> Any:
        """Something that the invigilator does to the candidate."""
        path = f"/v1/sessions/{self.session['id']}/candidates/{self.candidate['id']}/{what}"
        return self.school.done("POST", path, self.school.invigilator.token, json=body)

    def answer(
        self, count: int | None = None, level: int = 4, seconds: float = 40.0, reply: Reply | None = None
    ) -> Any:
        """Answer so many items, or all there are; the pending item then."""
        pending = self.view["pending"]
        while pending is not None and count != 0:
            self.school.world.clock.move(seconds=seconds)
            said = self.school.reply(pending["item"], level) if reply is None else reply(pending["item"])
            body = {"position": pending["position"], "item": pending["item"]["id"], **said}
            pending = self.do("answers", **body)["pending"]
            count = None if count is None else count - 1
        return pending


def seated(school: School, session: Any, candidate: Any) -> Sitting:
    """A candidate whose test has just started."""
    who = {name: candidate[name] for name in ("first_name", "last_name", "birth_date")}
    entry = school.world.client.post("/v1/session-entries", json={"code": session["access_code"], **who})
    assert entry.status_code == 201, entry.text
    sitting = Sitting(school, session, candidate, entry.json()["token"])
    sitting.act("authorise")
    sitting.do("start")
    return sitting


def finalised(school: School, session: Any, **ends: Any) -> Any:
    """The session once it is finalised."""
    return school.done("POST", f"/v1/sessions/{session['id']}/finalise", json={"ends": ends})


def published(school: School, session: Any) -> Any:
    """The session once its outcomes are published."""
    return school.done("POST", f"/v1/sessions/{session['id']}/publish")


def results(school: School, session: Any) -> list[Any]:
    """What became of the candidates."""
    found: list[Any] = school.done("GET", f"/v1/sessions/{session['id']}/results")["candidates"]
    return found


def certified(school: School, level: int = 4) -> tuple[Any, Any, Sitting]:
    """A published session with one candidate whose test validates: session, result, sitting."""
    session, (candidate,) = school.open_session()
    sitting = seated(school, session, candidate)
    sitting.answer(level=level)
    finalised(school, session)
    (result,) = results(school, session)
    if result["outcome"] == "to_review":
        path = f"/v1/sessions/{session['id']}/candidates/{candidate['id']}/review"
        school.done("POST", path, json={"outcome": "validated", "why": "We know the candidate."})
    published(school, session)
    (result,) = results(school, session)
    return session, result, sitting


def holder(school: School, sitting: Sitting) -> str:
    """The holder's token, which the access code given at the end of the test opens."""
    code = parsed_access_code(sitting.view["access_code"])
    assert code is not None
    with school.world.context.database.reading() as connection:
        run = run_of_code(connection, code)
    assert run is not None
    return learner_token(school.world.context.keys.learner, run.id)


def proof(school: School, run_id: str) -> Proof:
    return prove(school.world.context.database, run_id)


def tamper(school: School, *statements: str) -> None:
    """Change what is stored, as a forger would who has the file."""
    if school.world.context.database.dialect != "sqlite":
        pytest.skip("the forger knows SQLite only")
    forge(Path(school.world.settings.database.removeprefix("sqlite:///")), *statements)


def forge(file: Path, *statements: str) -> None:
    """Change a database with SQLite's own tools, triggers out of the way."""
    with closing(sqlite3.connect(file)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
        connection.commit()
