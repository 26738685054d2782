"""The public check: whether a certificate holds, and what its holder chose to show."""

from typing import Any

from sqlalchemy import Connection

from api.certification.certificates.held import check_view, held, unknown_certificate
from api.certification.certificates.repository import certificate_of_code
from api.context import Context
from api.identifiers import fingerprint, parsed_certificate_code


async def check(context: Context, typed: str, address: str) -> dict[str, Any]:
    """Check a certificate by its code.

    Whatever was typed, a code is looked for and the answer to an unknown one is the same, so that nothing tells which
    codes are possible; there are 24^12 of them, and each address may try but a few.

    Parameters
    ----------
    context : Context
    typed : str
        Case, spaces and dashes do not matter.
    address : str
        Where the request came from.

    Raises
    ------
    Problem
        404 when no certificate has the code; 429 after too many tries.
    """
    context.check_limit.try_once(address)
    hashed = fingerprint(parsed_certificate_code(typed) or typed)

    def read(connection: Connection) -> dict[str, Any] | None:
        found = certificate_of_code(connection, hashed)
        return None if found is None else check_view(held(connection, context, found), context.clock())

    shown = await context.read(read)
    if shown is None:
        raise unknown_certificate()
    return shown
