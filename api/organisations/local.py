"""Organisations on one's own server, made by the command line: they belong to one platform, the server itself."""

from datetime import datetime

from sqlalchemy import Connection

from api.clock import now
from api.database import Database
from api.identifiers import fingerprint, new_id, new_member_token, parsed_id
from api.oauth.clients import LOCAL, own_client
from api.organisations.deeds import MEMBER_ADDED, ORGANISATION_CREATED, SERVER
from api.organisations.records import ADMIN, Member, Organisation
from api.organisations.repository import (
    add_deed,
    add_member,
    add_organisation,
    all_organisations,
    organisation_of,
)
from engine.errors import SettingError

LONGEST = 255


def create_organisation(database: Database, name: str, uai: str | None = None) -> str:
    """Create an organisation; the token of its administrator is told here and never again.

    Parameters
    ----------
    database : Database
        A migrated database.
    name : str
        For people, 1 to 255 characters.
    uai : str, optional
        Code of the school, 8 characters.

    Returns
    -------
    str

    Raises
    ------
    SettingError
        When the name or the code is not usable; the message says what to write.
    """
    title = _title(name)
    code = None if uai is None else uai.strip().upper()
    if code is not None and not (len(code) == 8 and code[:7].isdigit() and code[7].isalpha() and code.isascii()):
        raise SettingError("The UAI code of a school has seven digits and a letter, such as 0370001A; correct it.")
    token, at = new_member_token(), now()
    with database.writing() as connection:
        own_client(connection, at)
        organisation = Organisation(new_id(), LOCAL, title, code, at)
        add_organisation(connection, organisation)
        add_deed(connection, organisation.id, at, SERVER, ORGANISATION_CREATED, {"name": title, "uai": code})
        _add_admin(connection, organisation.id, title, token, at)
    return token


def add_administrator(database: Database, organisation_id: str, name: str) -> str:
    """Make an administrator of an organisation, for one that lost its tokens; the token is told here and never again.

    Raises
    ------
    SettingError
        When there is no such organisation, or the name is not usable.
    """
    title, known, token, at = _title(name), parsed_id(organisation_id), new_member_token(), now()
    with database.writing() as connection:
        if known is None or organisation_of(connection, known) is None:
            raise SettingError(f"There is no organisation {organisation_id!r}; jalon organisation list shows them.")
        _add_admin(connection, known, title, token, at)
    return token


def list_all(database: Database) -> list[Organisation]:
    """Return every organisation of a database, the oldest first."""
    with database.reading() as connection:
        return all_organisations(connection)


def _add_admin(connection: Connection, organisation_id: str, name: str, token: str, at: datetime) -> None:
    member = Member(new_id(), organisation_id, name, ADMIN, at)
    add_member(connection, member, fingerprint(token))
    told = {"member": member.id, "name": name, "role": ADMIN}
    add_deed(connection, organisation_id, at, SERVER, MEMBER_ADDED, told)


def _title(name: str) -> str:
    title = name.strip()
    if not 1 <= len(title) <= LONGEST or not title.isprintable():
        raise SettingError("A name has 1 to 255 printable characters; choose another name.")
    return title
