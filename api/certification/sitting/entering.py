"""Coming in: the code of the session, and who one is."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from api.certification.happening import happen
from api.certification.records import Candidate, Session
from api.certification.repository import candidates_of_session, session_of_code
from api.certification.sitting.acting import act
from api.certification.sitting.seat import Seat, device_name
from api.certification.sitting.settle import seated
from api.certification.states import Kind, Phase
from api.context import Context
from api.identifiers import fingerprint, new_candidate_token, parsed_access_code
from api.organisations.registrations.names import compared
from api.problems import UNKNOWN_CANDIDATE, Problem


@dataclass(frozen=True)
class Entered:
    """A device on which a candidate said who they are: it waits for the invigilator."""

    candidate_id: str
    token: str
    device: str


async def enter(context: Context, code: str, first_name: str, last_name: str, birth_date: str, address: str) -> Entered:
    """Let a candidate in on a device, which then waits to be authorised; one that waited before waits no more.

    Parameters
    ----------
    context : Context
    code : str
        Of the session; case, spaces and dashes do not matter.
    first_name, last_name : str
        As enrolled; case, accents, dashes and repeated spaces do not matter.
    birth_date : str
        YYYY-MM-DD.
    address : str
        Where the request came from: so many that fail are allowed to each.

    Returns
    -------
    Entered

    Raises
    ------
    Problem
        404, the same whatever does not match; 409 when the session is not open or the test is over; 429.
    """
    who = (compared(first_name), compared(last_name), birth_date)
    with context.entry_limit.failures(address, UNKNOWN_CANDIDATE):
        candidate = await context.read(partial(_found, parsed_access_code(code), who))
    await seated(context, candidate.id)
    token = new_candidate_token()
    hashed = fingerprint(token)

    def store(connection: Connection, seat: Seat, at: datetime) -> Entered:
        data, changes = {"device": device_name(hashed)}, {"waiting_hash": hashed}
        happen(connection, seat.standing, Kind.ARRIVED, at, "candidate", data=data, changes=changes)
        return Entered(candidate.id, token, data["device"])

    return await act(context, candidate, store, opened=True)


def _found(code: str | None, who: tuple[str, str, str], connection: Connection) -> Candidate:
    """Return the one candidate of the session with this code who is that person."""
    session: Session | None = None if code is None else session_of_code(connection, code)
    found = [
        candidate
        for candidate in (candidates_of_session(connection, session.id) if session is not None else ())
        if (compared(candidate.first_name), compared(candidate.last_name), candidate.birth_date) == who
        and candidate.state != Phase.REMOVED
    ]
    if len(found) != 1:  # of two people of one name and birthday nobody knows which; the enrolment tells them apart
        raise Problem(
            UNKNOWN_CANDIDATE,
            "Nobody of this name and date of birth is expected under this code: check each of them, "
            "or ask the invigilator.",
        )
    return found[0]
