"""Candidates, members and holders without a browser: they fill in forms as a browser without JavaScript does."""

import html
import re
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

from itembank.items import Item
from tests.itembank.examples import right_answer
from tests.pages.certification.campus import Campus
from tests.pages.visitor import Come, Question, Visitor, fields_of, question_of

BORN = {"day": "17", "month": "5", "year": "2009"}


@dataclass
class Desk:
    """A candidate at a machine."""

    visitor: Visitor
    session: Any
    candidate: Any

    def enter(self, **typed: str) -> httpx.Response:
        who = {"first_name": self.candidate["first_name"], "last_name": self.candidate["last_name"]} | BORN
        return self.visitor.post("/session/enter", {"code": self.session["access_code"]} | who | typed)

    def look(self, path: str = "/session") -> httpx.Response:
        return self.visitor.get(path)

    def send(self, what: str, **typed: Any) -> httpx.Response:
        return self.visitor.post(f"/session/{what}", typed)

    def question(self) -> Question:
        return question_of(self.look())

    def reply(self, question: Question, **fields: Any) -> httpx.Response:
        told = {"position": question.position, "item": question.item, "action": "answer"}
        return self.send("answer", **(told | fields_of(question) | fields))

    def skip(self, question: Question) -> httpx.Response:
        return self.send("answer", position=question.position, item=question.item, action="skip")

    def report(self, question: Question, **typed: str) -> httpx.Response:
        return self.send("report", position=question.position, item=question.item, **({"kind": "2"} | typed))


@dataclass
class Office:
    """A member of the organisation, signed in."""

    visitor: Visitor

    def look(self, path: str) -> httpx.Response:
        return self.visitor.get(f"/team{path}")

    def send(self, path: str, **typed: Any) -> httpx.Response:
        return self.visitor.post(f"/team{path}", typed)

    def act(self, session: Any, act: str, candidate: Any | None = None, **typed: str) -> httpx.Response:
        """Send a form of the room."""
        who = {"candidate": "" if candidate is None else candidate["id"]}
        return self.send(f"/sessions/{session['id']}/room", act=act, **who, **typed)


def signed_in(campus: Campus, come: Come, token: str | None = None) -> Office:
    visitor = come(campus.site)
    response = visitor.post("/team", {"token": token or campus.admin.token})
    assert response.status_code == 303, response.text
    return Office(visitor)


def seated(campus: Campus, come: Come, time: str = "09:00", **body: Any) -> Desk:
    """A candidate of a new open session, who has not come in yet."""
    session = campus.session(time=time)
    candidate = campus.enrol(session, **body)
    campus.opened(session)
    return Desk(come(campus.site), session, candidate)


def begun(campus: Campus, come: Come, time: str = "09:00", **body: Any) -> Desk:
    """A candidate whose test has just started."""
    desk = seated(campus, come, time, **body)
    assert desk.enter().status_code == 303
    authorise(campus, desk)
    assert desk.send("start").status_code == 303
    return desk


def authorise(campus: Campus, desk: Desk) -> None:
    path = f"/v1/sessions/{desk.session['id']}/candidates/{desk.candidate['id']}/authorise"
    campus.done("POST", path, campus.invigilator.token, json={})


def told(response: httpx.Response) -> str:
    """Text of a page as people read it."""
    text = html.unescape(response.text).replace("\u00a0", " ").replace("\u2011", "-")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def right_fields(item: Item) -> dict[str, Any]:
    """Fields of a form that answer an item as its key wants it."""
    answer = right_answer(item)
    match item.kind:
        case "ordering":
            return {f"rank-{code}": str(place) for place, code in enumerate(answer, 1)}
        case "matching":
            return {f"match-{code}": option for code, option in answer.items()}
        case _:
            return {"answer": answer}


def complete(campus: Campus, desk: Desk, seconds: float = 50.0) -> str:
    """Answer everything right, taking so long for each; the code by which the holder finds the certificate."""
    while "form" in (page := desk.look()).text and 'class="question' in page.text:
        question = question_of(page)
        campus.world.clock.move(seconds=seconds)
        assert desk.reply(question, **right_fields(campus.items[question.item])).status_code == 303
    assert "Vous êtes au bout du test" in told(page)
    code = re.search(r'class="code-shown">([^<]+)<', page.text)
    assert code is not None
    return code[1]
