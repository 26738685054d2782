"""The certificate on paper: one page, in the language of the test, with the code and its QR code."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import segno
from fpdf import FPDF

from api.certification.certificates.held import Held
from api.certification.certificates.issue import Status, status_of
from api.certification.decisions.words import uncertainty_words
from api.certification.paper import ACCENT, FAINT, INK, new_paper, write
from api.identifiers import written_access_code
from itembank.framework import title

_QR: Final = 30.0
"""Side of the QR code, in millimetres."""
_WIDTHS: Final = (13.0, 89.0, 46.0, 26.0)
_RED: Final = (160, 30, 30)


def certificate_pdf(read: Held, at: datetime) -> bytes:
    """Print a certificate as it stands at a moment."""
    locale = read.candidate.locale if read.candidate.locale in _WORDS else "en"
    words, certificate = _WORDS[locale], read.certificate
    paper = new_paper(f"{words['certificate']} · {read.name}", locale, certificate.issued_at)
    _head(paper, read, words, locale)
    status = status_of(certificate, at)
    if status is not Status.VALID:
        write(paper, 11, bold=True, ink=_RED)
        paper.multi_cell(0, 6, words[status.value], align="C", new_x="LMARGIN", new_y="NEXT")
    _levels(paper, read.levels, words, locale)
    _meanings(paper, read, words, locale)
    _foot(paper, read, words)
    return bytes(paper.output())


def _head(paper: FPDF, read: Held, words: Mapping[str, str], locale: str) -> None:
    paper.set_fill_color(*ACCENT)
    paper.rect(0, 0, paper.w, 5, style="F")
    paper.set_y(14)
    write(paper, 21, bold=True, ink=ACCENT)
    _line(paper, words["certificate"], 11)
    write(paper, 10, ink=FAINT)
    _line(paper, title(read.framework.title, locale), 6)
    paper.ln(4)
    write(paper, 10)
    _line(paper, words["holder"], 6)
    size = _fitting(paper, read.name, 19, 11)
    write(paper, size, bold=True)
    paper.multi_cell(0, size / 2, read.name, align="C", new_x="LMARGIN", new_y="NEXT")
    write(paper, 9.5)
    day = _day(datetime.fromisoformat(read.session.date), locale)
    text = words["text"].format(day=day, organisation=read.organisation.name, place=read.session.place)
    paper.multi_cell(0, 5, text, align="C", new_x="LMARGIN", new_y="NEXT")
    zone = ZoneInfo(read.session.zone)
    issued, until = (
        _day(moment.astimezone(zone), locale) for moment in (read.certificate.issued_at, read.certificate.expires_at)
    )
    paper.ln(1)
    write(paper, 10.5, bold=True)
    _line(paper, words["dates"].format(issued=issued, until=until), 7)
    paper.ln(1)


def _levels(paper: FPDF, levels: list[dict[str, Any]], words: Mapping[str, str], locale: str) -> None:
    certified = [told for told in levels if told["level"] > 0]
    write(paper, 8, bold=True, ink=FAINT)
    for width, name in zip(_WIDTHS, ("", "competence", "level", "probability"), strict=True):
        paper.cell(width, 6, words[name] if name else "", border="B")
    paper.ln()
    for told in certified:
        share = f"{round(100 * told['probability'])}"
        write(paper, 8.5, bold=True)
        paper.cell(_WIDTHS[0], 5.6, told["competence"], border="B")
        write(paper, 8.5)
        paper.cell(_WIDTHS[1], 5.6, title(told["title"], locale), border="B")
        write(paper, 8.5, bold=True)
        said = told["words"][locale]
        paper.cell(_WIDTHS[2], 5.6, f"{said[:1].upper()}{said[1:]}", border="B")
        write(paper, 8.5)
        paper.cell(_WIDTHS[3], 5.6, words["share"].format(share=share), border="B", new_x="LMARGIN", new_y="NEXT")
    others = [told["competence"] for told in levels if told["level"] == 0]
    if others:
        write(paper, 8, ink=FAINT)
        paper.multi_cell(0, 5, words["others"].format(codes=", ".join(others)), new_x="LMARGIN", new_y="NEXT")
    paper.ln(2)


def _meanings(paper: FPDF, read: Held, words: Mapping[str, str], locale: str) -> None:
    """Say what each band that was reached means, and how sure a level is."""
    reached = {told["level"] for told in read.levels}
    write(paper, 9, bold=True, ink=ACCENT)
    _line(paper, words["meanings"], 5.5, align="L")
    for band in read.framework.bands:
        if reached & set(band.levels):
            write(paper, 8)
            name = words["band"].format(
                band=title(band.title, locale),
                low=band.levels[0],
                high=band.levels[-1],
                meaning=title(band.meaning, locale),
            )
            paper.multi_cell(0, 4.4, name, new_x="LMARGIN", new_y="NEXT")
    paper.ln(1.5)
    write(paper, 9, bold=True, ink=ACCENT)
    _line(paper, words["sure"], 5.5, align="L")
    write(paper, 8)
    sure = uncertainty_words(read.rules.probability)[locale]
    paper.multi_cell(0, 4.4, sure, new_x="LMARGIN", new_y="NEXT")
    if read.framework.provisional:
        paper.multi_cell(0, 4.4, words["provisional"], new_x="LMARGIN", new_y="NEXT")


def _foot(paper: FPDF, read: Held, words: Mapping[str, str]) -> None:
    """Put the code where it is looked for: at the bottom of the page, or of the next when there is no room."""
    top = paper.h - paper.b_margin - _QR
    if paper.get_y() > top - 3:
        paper.add_page()
    _qr(paper, read.address, paper.l_margin, top)
    paper.link(paper.l_margin, top, _QR, _QR, read.address)
    paper.set_xy(paper.l_margin + _QR + 6, top + 2)
    write(paper, 8, ink=FAINT)
    width = paper.w - paper.get_x() - paper.r_margin
    paper.multi_cell(width, 4.4, words["check"], new_x="LEFT", new_y="NEXT")
    write(paper, 14, bold=True)
    paper.cell(width, 9, written_access_code(read.code), new_x="LEFT", new_y="NEXT")
    write(paper, 8, ink=ACCENT)
    paper.cell(width, 5, read.address, link=read.address, new_x="LEFT", new_y="NEXT")
    write(paper, 7, ink=FAINT)
    paper.multi_cell(width, 3.8, words["revocable"], new_x="LEFT", new_y="NEXT")


def _qr(paper: FPDF, address: str, x: float, y: float) -> None:
    """Draw a QR code as squares, sharp at any size."""
    matrix = segno.make(address, error="m", micro=False).matrix
    side = _QR / len(matrix)
    paper.set_fill_color(*INK)
    for row, line in enumerate(matrix):
        start = None
        for column, dark in enumerate([*line, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                paper.rect(x + start * side, y + row * side, (column - start) * side, side, style="F")
                start = None


def _line(paper: FPDF, text: str, height: float, align: str = "C") -> None:
    paper.cell(0, height, text, align=align, new_x="LMARGIN", new_y="NEXT")


def _fitting(paper: FPDF, text: str, size: float, least: float) -> float:
    """Size at which a text fits the width, from ``size`` down to ``least``."""
    while size > least:
        write(paper, size, bold=True)
        if paper.get_string_width(text) <= paper.epw:
            return size
        size -= 0.5
    return least


def _day(moment: datetime, locale: str) -> str:
    month = _MONTHS[locale][moment.month - 1]
    first = "er" if locale == "fr" and moment.day == 1 else ""
    return f"{moment.day}{first} {month} {moment.year}"


_MONTHS: Final[Mapping[str, tuple[str, ...]]] = {
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août"),
        *("septembre", "octobre", "novembre", "décembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June", "July", "August"),
        *("September", "October", "November", "December"),
    ),
}
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "fr": {
        "certificate": "Certificat de compétences numériques",
        "holder": "Ce certificat est décerné à",
        "text": "qui a passé le test de certification sous surveillance le {day} ({organisation}, {place}). "
        "Les niveaux ci-dessous ont été confirmés par ses réponses.",
        "dates": "Délivré le {issued}, valable jusqu'au {until}",
        "competence": "Compétence",
        "level": "Niveau certifié",
        "probability": "Probabilité",
        "share": "{share} %",
        "others": "Évaluées et non certifiées : {codes}.",
        "meanings": "Ce que signifient les niveaux",
        "band": "{band} (niveaux {low} et {high}) : {meaning}",
        "sure": "Ce que vaut cette mesure",
        "provisional": "Les seuils des niveaux sont des jugements d'experts, à titre provisoire.",
        "check": "Pour vérifier ce certificat, flashez le code ou saisissez à cette adresse :",
        "revocable": "Un certificat peut être révoqué ou remplacé : seule la vérification en ligne fait foi.",
        "revoked": "CERTIFICAT RÉVOQUÉ",
        "replaced": "CERTIFICAT REMPLACÉ PAR UN PLUS RÉCENT",
        "expired": "CERTIFICAT EXPIRÉ",
    },
    "en": {
        "certificate": "Certificate of digital competences",
        "holder": "This certificate is awarded to",
        "text": "who sat the certification test under supervision on {day} ({organisation}, {place}). "
        "The levels below were confirmed by the answers given.",
        "dates": "Issued on {issued}, valid until {until}",
        "competence": "Competence",
        "level": "Certified level",
        "probability": "Probability",
        "share": "{share}%",
        "others": "Examined and not certified: {codes}.",
        "meanings": "What the levels mean",
        "band": "{band} (levels {low} and {high}): {meaning}",
        "sure": "How sure this is",
        "provisional": "The cuts between the levels are expert judgement, for the time being.",
        "check": "To check this certificate, scan the code, or type this one at the address below:",
        "revocable": "A certificate may be revoked or replaced: only the online check is authoritative.",
        "revoked": "REVOKED CERTIFICATE",
        "replaced": "REPLACED BY A LATER CERTIFICATE",
        "expired": "EXPIRED CERTIFICATE",
    },
}
