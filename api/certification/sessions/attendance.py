"""The attendance sheet of a session: who is expected, with what, and a cell to sign; as many pages as it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fpdf import FPDF
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.certification.callers import required_session
from api.certification.paper import ACCENT, FAINT, new_paper, readable, write
from api.certification.records import Candidate, Session
from api.certification.repository import candidates_of_session, invigilators_of
from api.certification.states import Phase
from api.context import Context
from api.identifiers import written_access_code
from api.organisations.callers import Staff
from api.organisations.repository import members_of_organisation, organisation_of

_WIDTHS: Final = (8.0, 60.0, 22.0, 50.0, 16.0, 17.0, 17.0, 71.0)
"""Of the columns, in millimetres: as wide as a sheet across."""
_LEAST: Final = 11.0
"""Height of a line: room for a signature."""
_STEP: Final = 4.0
_MOST: Final = 10
"""Lines of text in a cell."""
_SIZE: Final = 8.5


@dataclass(frozen=True)
class Sheet:
    """What is printed."""

    organisation: str
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
        organisation = organisation_of(connection, session.organisation_id)
        assert organisation is not None
        chosen = set(invigilators_of(connection, session.id))
        people = tuple(one.name for one in members_of_organisation(connection, organisation.id) if one.id in chosen)
        present = tuple(one for one in candidates_of_session(connection, session.id) if one.state != Phase.REMOVED)
        rules = context.pins.rules(connection, session.rules_hash)
        return Sheet(organisation.name, session, people, present, rules.minutes)

    sheet = await context.read(read)
    return f"attendance-{sheet.session.date}.pdf", await run_in_threadpool(attendance_pdf, sheet)


def attendance_pdf(sheet: Sheet) -> bytes:
    """Print a sheet: French first and English below, for the staff of any organisation."""
    paper = _Paper(sheet)
    for number, candidate in enumerate(sheet.candidates, 1):
        paper.row(_cells(number, candidate, sheet.minutes))
    paper.foot()
    return bytes(paper.pdf.output())


class _Paper:
    """Pages that are being printed."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.pdf = new_paper(f"{_TITLE} · {sheet.session.date}", "fr", sheet.session.created_at, landscape=True)
        self.pdf.set_auto_page_break(False, self.pdf.t_margin)
        self._head()
        self._columns()

    def row(self, cells: Sequence[str]) -> None:
        """Print a line, on a new page when it does not fit."""
        pdf = self.pdf
        write(pdf, _SIZE)
        shown = [self._lines(width, text) for width, text in zip(_WIDTHS, cells, strict=True)]
        height = max(_LEAST, _STEP * max(map(len, shown)) + 2)
        if self._make_room(height):
            self._columns()
            write(pdf, _SIZE)
        top = pdf.get_y()
        for width, lines in zip(_WIDTHS, shown, strict=True):
            left = pdf.get_x()
            pdf.rect(left, top, width, height)
            for place, line in enumerate(lines):
                pdf.set_xy(left, top + 1 + place * _STEP)
                pdf.cell(width, _STEP, line)
            pdf.set_xy(left + width, top)
        pdf.set_xy(pdf.l_margin, top + height)

    def foot(self) -> None:
        """Print where the invigilators sign, and number the last page."""
        pdf = self.pdf
        self._make_room(2 * _LEAST + 10)
        pdf.ln(4)
        write(pdf, _SIZE, bold=True)
        pdf.cell(0, 6, "Surveillants / Invigilators", new_x="LMARGIN", new_y="NEXT")
        width = _WIDTHS[0] + _WIDTHS[1]
        for name in self.sheet.invigilators or ("",):
            self._make_room(_LEAST)
            write(pdf, _SIZE)
            pdf.cell(width, _LEAST, _fitting(pdf, name, width), border=1)
            pdf.cell(_WIDTHS[-1], _LEAST, "", border=1, new_x="LMARGIN", new_y="NEXT")
        self._number()

    def _lines(self, width: float, text: str) -> list[str]:
        """Break a text into the lines of a cell; one that is too long for a sheet is cut."""
        found = self.pdf.multi_cell(width, _STEP, readable(self.pdf, text), dry_run=True, output="LINES")
        assert isinstance(found, list)
        return found if len(found) <= _MOST else [*found[: _MOST - 1], "…"]

    def _make_room(self, height: float) -> bool:
        """Turn the page when there is no room for so much; tell whether it was turned."""
        pdf = self.pdf
        if pdf.get_y() + height <= pdf.h - pdf.b_margin:
            return False
        self._number()
        pdf.add_page()
        return True

    def _number(self) -> None:
        pdf, session = self.pdf, self.sheet.session
        write(pdf, 7.5, ink=FAINT)
        pdf.set_xy(pdf.l_margin, pdf.h - pdf.b_margin + 4)
        text = f"{session.date} {session.time} · {session.place} · {session.room} · page {pdf.page_no()}"
        pdf.cell(0, 4, _fitting(pdf, text, pdf.epw), align="R")

    def _head(self) -> None:
        pdf, session = self.pdf, self.sheet.session
        write(pdf, 15, bold=True, ink=ACCENT)
        pdf.cell(0, 9, _TITLE, new_x="LMARGIN", new_y="NEXT")
        for name, text in (
            ("Organisation", self.sheet.organisation),
            ("Date", f"{session.date} · {session.time} ({session.zone})"),
            ("Lieu / Place", f"{session.place} · {session.room}"),
            ("Code", written_access_code(session.access_code)),
            ("Candidats / Candidates", str(len(self.sheet.candidates))),
        ):
            write(pdf, 9.5, ink=FAINT)
            pdf.cell(46, 5.5, name)
            write(pdf, 9.5, bold=True)
            pdf.multi_cell(0, 5.5, readable(pdf, text), align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)

    def _columns(self) -> None:
        pdf = self.pdf
        pdf.set_draw_color(*FAINT)
        pdf.set_fill_color(232, 238, 245)
        top = pdf.get_y()
        for width, (french, english) in zip(_WIDTHS, _NAMES, strict=True):
            left = pdf.get_x()
            pdf.rect(left, top, width, 10, style="DF")
            write(pdf, 8, bold=True)
            pdf.set_xy(left, top + 1)
            pdf.cell(width, 4, french)
            write(pdf, 7, ink=FAINT)
            pdf.set_xy(left, top + 5)
            pdf.cell(width, 4, english)
            pdf.set_xy(left + width, top)
        pdf.set_xy(pdf.l_margin, top + 10)


def _cells(number: int, candidate: Candidate, minutes: float) -> tuple[str, ...]:
    extra = (f"+ {candidate.extra_time:g} %",) if candidate.extra_time else ()
    flags = (_FLAGS[flag] for flag in candidate.accessible)
    needs = "\n".join((*extra, *flags, *filter(None, (candidate.equipment,))))
    time = f"{candidate.limit(minutes).total_seconds() / 60:.0f} min"
    name = f"{candidate.last_name} {candidate.first_name}"
    return (str(number), name, candidate.birth_date, needs, time, "", "", "")


def _fitting(pdf: FPDF, text: str, width: float) -> str:
    """Cut a text so that it fits a width."""
    text = readable(pdf, text)
    if pdf.get_string_width(text) <= width - 2:
        return text
    while text and pdf.get_string_width(f"{text}…") > width - 2:
        text = text[:-1]
    return f"{text}…"


_TITLE: Final = "Feuille d'émargement / Attendance sheet"
_NAMES: Final = (
    ("", ""),
    ("Nom et prénom", "Name"),
    ("Né(e) le", "Born on"),
    ("Aménagements", "Accommodations"),
    ("Durée", "Time"),
    ("Arrivée", "Arrival"),
    ("Départ", "Leaving"),
    ("Signature", "Signature"),
)
_FLAGS: Final[Mapping[str, str]] = {
    "blind": "items sans image / blind",
    "colour_blind": "items sans couleur / colour-blind",
    "deaf": "items sans son / deaf",
}
