"""The attendance sheet of a session: who is expected, with what, and a cell to sign. A PDF of as many pages as it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fpdf import FPDF
from sqlalchemy import Connection

from api.certification.callers import Staff, required_session
from api.certification.paper import ACCENT, FAINT, INK, new_paper, write
from api.certification.records import Candidate, Session
from api.certification.repository import (
    candidates_of_session,
    centre_of,
    invigilators_of,
    members_of_centre,
)
from api.certification.states import Phase
from api.context import Context
from api.identifiers import written_access_code

_WIDTHS: Final = (8.0, 62.0, 22.0, 48.0, 16.0, 17.0, 17.0, 77.0)
"""Of the columns, in millimetres: as wide as a sheet across."""
_LEAST: Final = 11.0
"""Height of a line: room for a signature."""
_STEP: Final = 4.0
_SIZE: Final = 8.5


@dataclass(frozen=True)
class Sheet:
    """What is printed."""

    centre: str
    session: Session
    invigilators: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    minutes: float


async def attendance_sheet(context: Context, caller: Staff, session_id: str) -> tuple[str, bytes]:
    """Print the attendance sheet of a session.

    Returns
    -------
    (str, bytes)
        A name for the file, and the PDF.
    """

    def read(connection: Connection) -> Sheet:
        session = required_session(connection, caller, session_id)
        centre = centre_of(connection, session.centre_id)
        assert centre is not None
        chosen = set(invigilators_of(connection, session.id))
        people = tuple(one.name for one in members_of_centre(connection, centre.id) if one.id in chosen)
        present = (one for one in candidates_of_session(connection, session.id) if one.state != Phase.REMOVED)
        ordered = sorted(present, key=lambda one: (one.last_name.casefold(), one.first_name.casefold(), one.id))
        rules = context.pins.rules(connection, session.rules_hash)
        return Sheet(centre.name, session, people, tuple(ordered), rules.minutes)

    sheet = await context.read(read)
    return f"attendance-{sheet.session.date}.pdf", await context.compute(lambda: attendance_pdf(sheet))


def attendance_pdf(sheet: Sheet) -> bytes:
    """Print a sheet, French with English below, for centres whose staff reads either."""
    paper = new_paper(f"{_TITLE} · {sheet.session.date}", "fr", sheet.session.created_at, across=True)
    _head(paper, sheet)
    _columns(paper)
    for number, candidate in enumerate(sheet.candidates, 1):
        cells = _cells(number, candidate, sheet.minutes)
        height = _height(paper, cells)
        if paper.will_page_break(height):
            paper.add_page()
            _columns(paper)
        _row(paper, cells, height)
    if paper.will_page_break(30):
        paper.add_page()
    _foot(paper, sheet)
    return bytes(paper.output())
