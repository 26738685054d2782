import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from api.organisations.tables import deeds, identities, learner_import_rows, registrations
from tests.campaigns.classroom import Classroom
from tests.organisations.fregata import fregata_file, fregata_rows, written

Check = Callable[..., Any]
HEADER = "Prénom;Nom;Né le;Numéro;Classe\n"
MAPPING = {
    "first_name": "Prénom",
    "last_name": "Nom",
    "birth_date": "Né le",
    "external_id": "Numéro",
    "division": "Classe",
}


def sent(
    classroom: Classroom,
    content: bytes,
    name: str = "liste.csv",
    mapping: dict[str, Any] | None = None,
    organisation: str | None = None,
    token: str | None = None,
) -> Any:
    path = f"/v1/organisations/{organisation or classroom.organisation['id']}/learner-imports"
    data = {} if mapping is None else {"mapping": json.dumps(mapping)}
    return classroom.call("POST", path, token, files={"file": (name, content, "text/csv")}, data=data)


def counted(view: Any) -> dict[str, int]:
    kinds = ("new", "changed", "back", "deactivated", "unchanged")
    return {kind: view["difference"][kind] for kind in kinds if view["difference"][kind]}


def applied(classroom: Classroom, view: Any, confirm: bool = True, organisation: str | None = None) -> Any:
    path = f"/v1/organisations/{organisation or classroom.organisation['id']}/learner-imports/{view['id']}/apply"
    return classroom.call("POST", path, json={"confirm": confirm})


def imported(classroom: Classroom, content: bytes, **more: Any) -> Any:
    read = sent(classroom, content, **more)
    assert read.status_code == 201, read.text
    response = applied(classroom, read.json())
    assert response.status_code == 200, response.text
    return response.json()


def active(classroom: Classroom) -> list[Any]:
    path = f"/v1/organisations/{classroom.organisation['id']}/learners?limit=200"
    return [one for one in classroom.done("GET", path)["items"] if one["ine"] or one["external_id"]]


def test_the_difference_comes_first_and_changes_nothing(classroom: Classroom) -> None:
    read = sent(classroom, fregata_file(30))
    assert read.status_code == 201, read.text
    view = read.json()
    assert (view["state"], view["rows"], counted(view)) == ("checked", 30, {"new": 30})
    assert len(view["difference"]["examples"]["new"]) == 20
    assert active(classroom) == []
    done = applied(classroom, view).json()
    assert done["state"] == "applied"
    assert len(active(classroom)) == 30
    assert applied(classroom, view).json() == done
    path = f"/v1/organisations/{classroom.organisation['id']}/learner-imports/{view['id']}"
    assert classroom.done("GET", path) == done
    with classroom.world.context.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(learner_import_rows)) == 0
        assert connection.scalar(select(func.count()).where(deeds.c.kind == "list_applied")) == 1
        assert connection.scalar(select(func.count()).select_from(identities)) == 30


def test_a_learner_is_taken_off_changed_and_brought_back_with_their_history(classroom: Classroom) -> None:
    rows = list(fregata_rows(20))
    imported(classroom, written(rows))
    before = {one["ine"]: one for one in active(classroom)}
    moved = [{**row, "Division*": "AUTRE  CLASSE"} if place == 0 else row for place, row in enumerate(rows[:18])]
    view = sent(classroom, written(moved)).json()
    assert counted(view) == {"changed": 1, "deactivated": 2, "unchanged": 17}
    assert view["difference"]["examples"]["changed"][0]["what"] == ["division"]
    assert applied(classroom, view, confirm=False).status_code == 200
    now = {one["ine"]: one for one in active(classroom)}
    assert len(now) == 18
    assert now[rows[0]["Identifiant unique*"]]["division"] == "AUTRE CLASSE"
    back = imported(classroom, written(rows))
    assert counted(back) == {"changed": 1, "back": 2, "unchanged": 17}
    again = {one["ine"]: one for one in active(classroom)}
    assert {ine: one["learner_id"] for ine, one in again.items()} == {
        ine: one["learner_id"] for ine, one in before.items()
    }
    assert all(one["deactivated_at"] is None for one in again.values())


def test_a_partial_file_asks_for_a_confirmation(classroom: Classroom, problem: Check) -> None:
    rows = list(fregata_rows(40))
    imported(classroom, written(rows))
    view = sent(classroom, written(rows[:10])).json()
    refused = problem(applied(classroom, view, confirm=False), 409, "confirmation-needed", "30 of 44")
    assert (refused["deactivated"], refused["active"]) == (30, 44)
    assert len(active(classroom)) == 40
    assert applied(classroom, view, confirm=True).status_code == 200
    assert len(active(classroom)) == 10


def test_everything_that_is_wrong_is_told_and_nothing_changes(classroom: Classroom, problem: Check) -> None:
    rows = [dict(row) for row in fregata_rows(6)]
    rows[1]["Identifiant unique*"] = rows[0]["Identifiant unique*"]
    rows[4]["Identifiant unique*"] = rows[0]["Identifiant unique*"]
    told = problem(sent(classroom, written(rows)), 422, "invalid-rows", "2 errors")
    assert [(one["code"], one["line"], one["first"]) for one in told["errors"]] == [
        ("IDENTIFIER_UNIQUE", 3, 2),
        ("IDENTIFIER_UNIQUE", 6, 2),
    ]
    rows[2]["Code sexe*"] = "?"
    rows[3]["Division*"] = ""
    told = problem(sent(classroom, written(rows)), 422, "invalid-rows", "2 errors")
    assert [(one["line"], one["column"], one["code"]) for one in told["errors"]] == [
        (4, "Code sexe*", "FIELD_BAD_VALUES"),
        (5, "Division*", "FIELD_REQUIRED"),
    ]
    assert active(classroom) == []
    with classroom.world.context.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(learner_import_rows)) == 0


def test_a_file_full_of_errors_is_told_in_part_with_their_number(classroom: Classroom, problem: Check) -> None:
    rows = [{**row, "Code sexe*": "?"} for row in fregata_rows(1_500)]
    told = problem(sent(classroom, written(rows)), 422, "invalid-rows", "1500 errors")
    assert (len(told["errors"]), told["total"]) == (1_000, 1_500)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "mac-roman"])
def test_encodings_of_schools_are_read(classroom: Classroom, encoding: str) -> None:
    rows = list(fregata_rows(50, seed=3))
    imported(classroom, written(rows, encoding))
    assert {one["first_name"] for one in active(classroom)} == {row["Premier prénom*"] for row in rows}


def test_a_file_of_another_school_is_refused(classroom: Classroom, problem: Check) -> None:
    told = problem(sent(classroom, fregata_file(2), name="export_0752744A.csv"), 422, "invalid-request", "0752744A")
    assert told["reason"] == "other-school"
    own = f"eleves-{classroom.organisation['uai']}.csv"
    assert sent(classroom, fregata_file(2), name=own).status_code == 201


def test_an_account_follows_its_learner_from_one_school_to_another(classroom: Classroom) -> None:
    rows = list(fregata_rows(3))
    imported(classroom, written(rows))
    here = {one["ine"]: one["learner_id"] for one in active(classroom)}
    other = classroom.as_platform("POST", "/v1/organisations", json={"name": "Lycée d'arrivée"})
    wrong = {**rows[2], "Date de naissance (jj/mm/aaaa)*": "01/01/2009"}
    body = {"name": "Bea", "role": "admin"}
    bea = classroom.as_platform("POST", f"/v1/organisations/{other['id']}/members", json=body)
    view = sent(classroom, written([*rows[:2], wrong]), organisation=other["id"], token=bea["token"]).json()
    assert view["difference"]["other_birth_date"] == [4]
    path = f"/v1/organisations/{other['id']}"
    classroom.done("POST", f"{path}/learner-imports/{view['id']}/apply", bea["token"], json={})
    there = {one["ine"]: one["learner_id"] for one in classroom.done("GET", f"{path}/learners", bea["token"])["items"]}
    same = [here[ine] == there[ine] for ine in (row["Identifiant unique*"] for row in rows)]
    assert same == [True, True, False]


def test_homonyms_stay_apart(classroom: Classroom) -> None:
    text = HEADER + "Léa;Martin;02/03/2010;1;2A\nLéa;Martin;02/03/2010;2;2A\n"
    imported(classroom, text.encode(), mapping=MAPPING)
    found = active(classroom)
    assert len({one["learner_id"] for one in found}) == 2


def test_a_plain_list_with_a_mapping(classroom: Classroom, problem: Check) -> None:
    imported(classroom, fregata_file(5))
    text = HEADER + "Léa;Martin;02/03/2010;E1;2A\nLéo;Petit;03/04/2010;E2;\n"
    view = imported(classroom, text.encode("cp1252"), mapping=MAPPING)
    assert counted(view) == {"new": 2}  # those known by their INE are another kind: nobody is deactivated
    assert len(active(classroom)) == 7
    changed = HEADER + "Léa;Martin;02/03/2010;E1;2B\n"
    assert counted(imported(classroom, changed.encode(), mapping=MAPPING)) == {"changed": 1, "deactivated": 1}
    by_number = {one["external_id"]: one for one in active(classroom) if one["external_id"]}
    assert {number: one["division"] for number, one in by_number.items()} == {"E1": "2B"}
    told = problem(sent(classroom, changed.encode(), mapping={"last_name": "Nom"}), 422, "invalid-request")
    assert told["reason"] == "mapping"


def test_what_a_list_does_not_say_stays(classroom: Classroom) -> None:
    rows = list(fregata_rows(3))
    imported(classroom, written(rows))
    told = io.StringIO()
    table = csv.writer(told, delimiter=";")
    table.writerow(["INE", "Prénom", "Nom", "Né le"])
    for row in rows:
        names = ("Identifiant unique*", "Premier prénom*", "Nom de famille*", "Date de naissance (jj/mm/aaaa)*")
        table.writerow([row[name] for name in names])
    mapping = {"ine": "INE", "first_name": "Prénom", "last_name": "Nom", "birth_date": "Né le"}
    before = {one["ine"]: one["division"] for one in active(classroom)}
    view = imported(classroom, told.getvalue().encode(), mapping=mapping)
    assert counted(view) == {"unchanged": 3}
    assert {one["ine"]: one["division"] for one in active(classroom)} == before


def test_an_old_difference_is_not_applied(classroom: Classroom, problem: Check) -> None:
    first, second = (sent(classroom, fregata_file(rows)).json() for rows in (5, 6))
    assert applied(classroom, second).status_code == 200
    assert problem(applied(classroom, first), 409, "not-now")["reason"] == "list-old"
    waits = sent(classroom, fregata_file(7)).json()
    with classroom.ago(days=-2):
        assert problem(applied(classroom, waits), 409, "not-now")["reason"] == "list-old"


def test_a_list_that_changed_since_is_looked_at_again(classroom: Classroom, problem: Check) -> None:
    imported(classroom, fregata_file(5))
    view = sent(classroom, fregata_file(6)).json()
    one = active(classroom)[0]
    path = f"/v1/organisations/{classroom.organisation['id']}/learners/{one['id']}"
    classroom.done("PATCH", path, json={"division": "AILLEURS"})
    problem(applied(classroom, view), 409, "not-now", "read the file again")


def test_twenty_thousand_learners(classroom: Classroom) -> None:
    imported(classroom, fregata_file(20_000))
    with classroom.world.context.database.reading() as connection:
        query = select(func.count()).where(registrations.c.ine.is_not(None), registrations.c.active)
        assert connection.scalar(query) == 20_000
    rows = list(fregata_rows(20_000))
    view = sent(classroom, written(rows[100:])).json()
    assert counted(view) == {"deactivated": 100, "unchanged": 19_900}


def test_only_administrators_read_and_apply_lists(classroom: Classroom, problem: Check) -> None:
    response = sent(classroom, fregata_file(2), token=classroom.teacher.token)
    problem(response, 403, "not-allowed")
    other = classroom.as_platform("POST", "/v1/organisations", json={"name": "Autre"})
    problem(sent(classroom, fregata_file(2), organisation=other["id"]), 404, "unknown-organisation")
