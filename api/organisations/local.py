"""An organisation on one's own server, made by the command line: no platform has to exist."""

from api.clock import now
from api.database import Database
from api.identifiers import fingerprint, new_id, new_member_token, new_secret
from api.oauth.repository import Client, add_client
from api.oauth.scopes import CERTIFICATION_READ, CERTIFICATION_WRITE, checked_scopes
from api.organisations.records import ADMIN, Member, Organisation
from api.organisations.repository import add_member, add_organisation
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
    title = name.strip()
    if not 1 <= len(title) <= LONGEST or not title.isprintable():
        raise SettingError("The name of an organisation has 1 to 255 printable characters; choose another name.")
    code = None if uai is None else uai.strip().upper()
    if code is not None and not (len(code) == 8 and code[:7].isdigit() and code[7].isalpha() and code.isascii()):
        raise SettingError("The UAI code of a school has seven digits and a letter, such as 0370001A; correct it.")
    token, at = new_member_token(), now()
    scopes = checked_scopes([CERTIFICATION_READ, CERTIFICATION_WRITE])
    client = Client(f"jc_{new_id()}", title, fingerprint(new_secret()), scopes)  # nobody knows the secret
    organisation = Organisation(new_id(), client.id, title, code, at)
    with database.writing() as connection:
        add_client(connection, client, at)
        add_organisation(connection, organisation)
        add_member(connection, Member(new_id(), organisation.id, title, ADMIN, at), fingerprint(token))
    return token
