"""The public check tells what the holder chose to share, and nothing to who guesses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from api.app import create_app
from api.clock import iso
from api.settings import Settings
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.certification.decided import Sitting, certified, holder
from tests.certification.school import MONDAY, School

Check = Callable[..., Any]


def check(school: School, code: str) -> Any:
    return school.world.client.get(f"/v1/checks/{code}")


def code_of(school: School, sitting: Sitting) -> str:
    code: str = school.done("GET", "/v1/certificate", holder(school, sitting))["code"]
    return code


def test_a_certificate_is_valid_and_shows_nothing_else(school: School) -> None:
    _, row, sitting = certified(school)
    (issued,) = row["certificates"]
    response = check(school, code_of(school, sitting))
    assert response.headers["cache-control"] == "no-store"
    shown = response.json()
    assert shown == {
        "status": "valid",
        "framework": shown["framework"],
        "issued_at": issued["issued_at"],
        "expires_at": issued["issued_at"].replace("2027", "2030"),
        "revoked_at": None,
        "holder": None,
        "levels": None,
    }


def test_what_the_holder_chose_is_shown(school: School) -> None:
    _, _, sitting = certified(school)
    code, token = code_of(school, sitting), holder(school, sitting)
    certificate = school.done("GET", "/v1/certificate", token)
    path = f"/v1/certificates/{certificate['id']}"
    school.done("PATCH", path, token, json={"shows_name": True})
    shown = check(school, code).json()
    assert (shown["holder"], shown["levels"]) == ("Camille Martin 1", None)
    school.done("PATCH", path, token, json={"shows_name": False, "shows_levels": True})
    shown = check(school, code).json()
    assert (shown["holder"], shown["levels"]) == (None, certificate["levels"])
    assert "Martin" not in check(school, code).text


def test_case_spaces_and_dashes_do_not_matter(school: School) -> None:
    _, _, sitting = certified(school)
    code = code_of(school, sitting)
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code} "):
        assert check(school, typed).json()["status"] == "valid"


def test_a_certificate_expires(school: School) -> None:
    _, _, sitting = certified(school)
    code = code_of(school, sitting)
    school.world.clock.stopped = MONDAY.replace(year=2030)
    school.world.clock.move(seconds=-1)
    assert check(school, code).json()["status"] == "valid"
    school.world.clock.move(seconds=1)
    assert check(school, code).json()["status"] == "expired"


def test_a_revoked_certificate_says_so_without_the_reason(school: School) -> None:
    session, row, sitting = certified(school)
    code = code_of(school, sitting)
    path = f"/v1/sessions/{session['id']}/candidates/{row['candidate_id']}/revoke"
    school.done("POST", path, json={"why": "Somebody else sat the test."})
    shown = check(school, code)
    assert (shown.json()["status"], shown.json()["revoked_at"]) == ("revoked", iso(school.world.clock()))
    assert "else" not in shown.text


def test_guessing_teaches_nothing(school: School, problem: Check) -> None:
    certified(school)
    shown = set()
    for code in (
        "BCDFGHJKM234",
        "bcd-fgh-jkm-234",
        "BCDF",
        "AEIOU",
        "0" * 12,
        "BCDFGHJKM2345",
        "%00",
        "é" * 12,
        "x" * 500,
    ):
        response = check(school, code)
        told = problem(response, 404, "unknown-certificate")
        shown.add((told["type"], told["title"], told["detail"], tuple(sorted(told))))
    assert len(shown) == 1


@contextmanager
def statements(school: School) -> Iterator[list[str]]:
    """What the server asks of its database meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    engine = school.world.context.database._reading
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def test_an_impossible_code_costs_the_same_work(school: School) -> None:
    asked = []
    for code in ("BCDFGHJKM234", "nonsense", "A"):
        with statements(school) as found:
            check(school, code)
        asked.append([one for one in found if "certificates" in one])
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == 1


def test_each_address_may_try_but_a_few(settings: Settings, problem: Check) -> None:
    few = settings.model_copy(update={"check_rate": "3/minute"})
    clock = MovableClock(MONDAY)
    with TestClient(create_app(few, clock), raise_server_exceptions=False) as client:
        school = School(World(client, few, clock))
        for code in ("BCDFGHJKM234", "A", "BCDFGHJKM236"):
            assert check(school, code).status_code == 404
        for code in ("BCDFGHJKM234", "A"):
            refused = check(school, code)
            problem(refused, 429, "too-many-requests", "wait")
            assert int(refused.headers["retry-after"]) >= 1


@pytest.mark.parametrize("rate", ["", "often", "3/fortnight"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="check_rate"):
        Settings(database="sqlite:///x.db", check_rate=rate)
