"""Recognising a learner on the list of an organisation, by what they know of themselves."""

from sqlalchemy import Connection

from api.organisations.records import Organisation
from api.organisations.registrations.names import compared
from api.organisations.registrations.records import Registration
from api.organisations.registrations.repository import born_on
from api.problems import NOT_ON_THE_LIST, SEVERAL_MATCH, Problem


def identify(
    connection: Connection,
    organisation: Organisation,
    first_name: str,
    last_name: str,
    birth_date: str,
    ine: str | None = None,
) -> Registration:
    """Find the one active learner of an organisation who is that person.

    Parameters
    ----------
    connection : Connection
    organisation : Organisation
    first_name, last_name : str
        Case, accents, dashes and repeated spaces do not matter; the usual name is a last name too.
    birth_date : str
        YYYY-MM-DD.
    ine : str, optional
        What tells homonyms apart; it must agree when it is given.

    Returns
    -------
    Registration

    Raises
    ------
    Problem
        404, the same whatever does not match; 409 when several do, who are told apart by their INE alone.
    """
    first, last = compared(first_name), compared(last_name)
    found = [
        one
        for one in born_on(connection, organisation.id, birth_date)
        if compared(one.first_name) == first
        and last in (compared(one.last_name), compared(one.usual_name or one.last_name))
        and (ine is None or (one.ine or "").casefold() == "".join(ine.split()).casefold())
    ]
    if not found:
        raise Problem(
            NOT_ON_THE_LIST,
            "Nobody of this name and date of birth is on the list: check each of them, or ask a teacher.",
        )
    if len(found) > 1:
        raise Problem(
            SEVERAL_MATCH, "Several learners have this name and date of birth: give your INE, or ask a teacher."
        )
    return found[0]
