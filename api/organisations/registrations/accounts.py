"""Which account a learner of a list has, and which accounts a caller may know of."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from api.identifiers import new_id, parsed_id
from api.learners.repository import Learner, add_learner, learner_by_external_id, learner_of_client
from api.learners.service import unknown_learner
from api.oauth.tokens import Platform
from api.organisations.callers import Staff
from api.organisations.records import Organisation
from api.organisations.registrations.records import Identity
from api.organisations.registrations.repository import (
    add_identity,
    identity_of,
    registration_by_key,
    registration_of_learner,
)


@dataclass(frozen=True)
class Account:
    """The account of a learner who is registered."""

    learner_id: str
    apart: bool
    """Whether the INE belongs to somebody of another birthday, so that this account was made apart."""


def account_for(
    connection: Connection, organisation: Organisation, ine: str | None, birth_date: str, at: datetime
) -> Account:
    """Find the account of a learner by their INE, or make one.

    The same INE with the same date of birth is the same person. With another date one of the two is a typing error, and
    nobody can tell which: the account is made apart. Without an INE nothing is reconciled.
    """
    known = None if ine is None else identity_of(connection, organisation.client_id, ine)
    if known is not None and known.birth_date == birth_date:
        return Account(known.learner_id, apart=False)
    learner = Learner(new_id(), organisation.client_id, None, at)
    add_learner(connection, learner)
    if ine is not None and known is None:
        add_identity(connection, Identity(organisation.client_id, ine, learner.id, birth_date, at))
    return Account(learner.id, apart=known is not None)


def required_account(connection: Connection, caller: Staff, learner_id: str) -> str:
    """Return the id of an account that the caller may know of; raise a 404 problem when there is none.

    A platform knows its own accounts; a member knows those on the list of their organisation.
    """
    if not _knows(connection, caller, learner_id):
        raise unknown_learner()
    known = parsed_id(learner_id)
    assert known is not None
    return known


def named_account(connection: Connection, caller: Staff, organisation: Organisation, name: str) -> str | None:
    """Find an account by what a person may write: the INE or the number on the list, or an identifier of the platform.

    Returns
    -------
    str or None
        None when nobody that the caller may know of is named so.
    """
    listed = registration_by_key(connection, organisation.id, name)
    if listed is not None:
        return listed.learner_id
    found = learner_by_external_id(connection, organisation.client_id, name)
    learner_id = name if found is None else found.id
    return learner_id if _knows(connection, caller, learner_id) else None


def _knows(connection: Connection, caller: Staff, learner_id: str) -> bool:
    known = parsed_id(learner_id)
    if known is None:
        return False
    if isinstance(caller, Platform):
        return learner_of_client(connection, caller.client_id, known) is not None
    return registration_of_learner(connection, caller.organisation_id, known) is not None
