"""Learners say who they are, as people write their own names."""

from typing import Any

import pytest

from api.organisations.records import Organisation
from api.organisations.registrations.identify import identify
from api.organisations.registrations.names import compared
from api.organisations.repository import organisation_of
from api.problems import Problem
from tests.campaigns.classroom import Classroom

BORN = "2009-05-02"


def found(classroom: Classroom, first: str, last: str, birth_date: str = BORN, ine: str | None = None) -> Any:
    with classroom.world.context.database.reading() as connection:
        organisation = organisation_of(connection, classroom.organisation["id"])
        assert isinstance(organisation, Organisation)
        return identify(connection, organisation, first, last, birth_date, ine)


def refused(classroom: Classroom, first: str, last: str, **more: Any) -> str:
    with pytest.raises(Problem) as caught:
        found(classroom, first, last, **more)
    return caught.value.kind.slug


@pytest.mark.parametrize(
    ("written", "same"),
    [("Jean-Noël", "JEAN NOEL"), ("d’Ormesson", "D'ORMESSON"), ("Lœuillet", "loeuillet"), ("  De  Staël ", "de stael")],
)
def test_names_are_compared_as_people_write_them(written: str, same: str) -> None:
    assert compared(written) == compared(same)


def test_a_learner_is_found_by_either_name_and_the_birthday(classroom: Classroom) -> None:
    one = classroom.registered("Anaïs", "Le Goff", BORN, usual_name="Martin")
    for name in ("le-goff", "MARTIN"):
        assert found(classroom, "anais", name).id == one.id
    assert refused(classroom, "Anaïs", "Le Goff", birth_date="2009-05-03") == "not-on-the-list"
    assert refused(classroom, "Anna", "Le Goff") == "not-on-the-list"


def test_homonyms_are_told_apart_by_their_ine_alone(classroom: Classroom) -> None:
    one = classroom.registered("Léa", "Petit", BORN, ine="080000001AA")
    classroom.registered("Lea", "PETIT", BORN, ine="080000002AB")
    assert refused(classroom, "Léa", "Petit") == "several-match"
    assert found(classroom, "Léa", "Petit", ine="08000 0001 aa").id == one.id
    assert refused(classroom, "Léa", "Petit", ine="080000003AC") == "not-on-the-list"


def test_who_left_or_learns_elsewhere_is_not_on_the_list(classroom: Classroom) -> None:
    one = classroom.registered("Léa", "Petit", BORN)
    path = f"/v1/organisations/{classroom.organisation['id']}/learners/{one.id}"
    classroom.done("PATCH", path, json={"active": False})
    assert refused(classroom, "Léa", "Petit") == "not-on-the-list"
