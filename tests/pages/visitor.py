"""A visitor without a browser: forms are filled in and sent as a browser without JavaScript does."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx


@dataclass(frozen=True)
class Question:
    """What a question's page shows to a program."""

    position: str
    item: str
    kind: str
    text: str


class Visitor:
    """One browser, with its cookies."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.client = httpx.Client(
            base_url=url, headers={"Accept": "text/html", "Accept-Language": "fr"} | headers, timeout=20
        )

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.client.get(path, **kwargs)

    def post(self, path: str, data: dict[str, Any], **headers: str) -> httpx.Response:
        return self.client.post(path, data=data, headers={"Origin": self.url} | headers)

    def start(self, *competences: str, length: str = "short", **more: Any) -> "Visitor":
        told = {"scope": "some" if competences else "all", "competence": list(competences), "length": length} | more
        response = self.post("/start", told)
        assert response.status_code == 303, response.text
        return self

    def question(self) -> Question:
        return question_of(self.get("/run"))

    def skip(self, question: Question) -> httpx.Response:
        return self.post("/run", {"position": question.position, "item": question.item, "action": "skip"})

    def answer(self, question: Question, **fields: Any) -> httpx.Response:
        told = {"position": question.position, "item": question.item, "action": "answer"}
        return self.post("/run", told | fields_of(question) | fields)

    def finish(self) -> "Visitor":
        """Skip to the end."""
        while self.skip(self.question()).status_code == 303 and self.get("/run").status_code == 200:
            pass
        return self

    def code(self) -> str:
        found = re.search(r'class="code-shown">([^<]+)<', self.get("/run/pause").text)
        assert found is not None
        return found[1]


def question_of(response: httpx.Response) -> Question:
    """Read the page of a question."""
    page = response.text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    kind = re.search(r'data-kind="(\w+)"', page)
    assert kind is not None, page
    return Question(hidden["position"], html.unescape(hidden["item"]), kind[1], page)


def fields_of(question: Question) -> dict[str, Any]:
    """Fill in a question's form with some answer of the right form."""
    if question.kind in ("single_choice", "multiple_choice"):
        values = re.findall(r'name="answer" value="([^"]+)"', question.text)
        return {"answer": values[0]}
    if question.kind == "short_text":
        return {"answer": "une réponse"}
    if question.kind == "number":
        return {"answer": "12,5"}
    names = list(dict.fromkeys(re.findall(r'<select id="[^"]+" name="([^"]+)"', question.text)))
    if question.kind == "ordering":
        return {name: str(place) for place, name in enumerate(names, 1)}
    option = re.findall(r'<option value="([^"]+)"', question.text)[0]
    return dict.fromkeys(names, option)


Come = Callable[..., Visitor]
