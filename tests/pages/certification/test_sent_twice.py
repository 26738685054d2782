"""A form of the team that is sent twice, as by a double click, is carried out once."""

import re
from typing import Any

import pytest

from tests.pages.certification.campus import Campus
from tests.pages.certification.people import Office, signed_in
from tests.pages.certification.test_team import PLAN, enrolment
from tests.pages.visitor import Come


@pytest.fixture
def office(campus: Campus, come: Come) -> Office:
    return signed_in(campus, come)


def key_of(page: Any) -> str:
    (key,) = re.findall(r'name="key" value="([\w-]+)"', page.text)
    return str(key)


def test_one_session_for_a_form_sent_twice_and_another_for_other_words(office: Office) -> None:
    key = key_of(office.look("/sessions/new"))
    first, again, other = (office.send("/sessions/new", key=key, **(PLAN | {"room": room})) for room in ("A", "A", "B"))
    assert first.headers["location"] == again.headers["location"]
    assert first.headers["location"] != other.headers["location"]
    assert key_of(office.look("/sessions/new")) != key


def test_one_member_with_one_token(office: Office) -> None:
    key = key_of(office.look("/members"))
    before = office.look("/members").text.count('name="member"')
    made = [office.send("/members", act="add", name="Ida", role="invigilator", key=key).text for _ in range(2)]
    tokens = [re.findall(r"jmt_[\w-]+", text) for text in made]
    assert tokens[0] == tokens[1]
    assert office.look("/members").text.count('name="member"') == before + 1


def test_one_enrolment(campus: Campus, office: Office) -> None:
    path = f"/sessions/{campus.session()['id']}"
    key, person = key_of(office.look(f"{path}/candidates/new")), enrolment(campus.learner())
    sent = [office.send(f"{path}/candidates/new", key=key, **person) for _ in range(2)]
    assert [one.headers.get("location") for one in sent] == [f"/team{path}?said=enrolled"] * 2
    assert office.send(f"{path}/candidates/new", **person).status_code == 409


def test_one_import(campus: Campus, office: Office) -> None:
    path = f"/sessions/{campus.session()['id']}/candidates/import"
    content = f"nom;prénom;naissance;identifiant\nUn;Ann;17/05/2009;{campus.learner()}\n".encode()

    def send(key: str) -> Any:
        files = {"file": ("liste.csv", content, "text/csv")}
        return office.visitor.client.post(
            f"/team{path}", data={"key": key}, files=files, headers={"Origin": campus.url}
        )

    key = key_of(office.look(path))
    assert [send(key).headers.get("location", "").endswith("count=1") for _ in range(2)] == [True, True]
    assert send("").status_code == 422
