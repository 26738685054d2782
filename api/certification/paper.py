"""Paper: PDF documents on A4 in a font that writes every European name."""

import logging
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont

FONT: Final = "DejaVu"
INK: Final = (22, 28, 45)
FAINT: Final = (96, 104, 120)
ACCENT: Final = (24, 84, 140)
_MARGIN: Final = 18.0

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table of a font that it makes smaller


def new_paper(title: str, language: str, at: datetime, landscape: bool = False) -> FPDF:
    """Begin a document of one empty page.

    Parameters
    ----------
    title : str
        Told by the reader's window.
    language : str
        Of its text, for those who have it read aloud.
    at : datetime
        Of its making: the same content at the same moment gives the same bytes.
    landscape : bool
    """
    paper = FPDF(orientation="landscape" if landscape else "portrait", format="A4")
    folder = _fonts()
    paper.add_font(FONT, "", folder / "DejaVuSans.ttf")
    paper.add_font(FONT, "B", folder / "DejaVuSans-Bold.ttf")
    paper.set_title(title)
    paper.set_lang(language)
    paper.set_creation_date(at)
    paper.set_producer("Jalon")
    paper.set_margins(_MARGIN, _MARGIN, _MARGIN)
    paper.set_auto_page_break(True, _MARGIN)
    paper.add_page()
    write(paper)
    return paper


def write(paper: FPDF, size: float = 10.0, bold: bool = False, ink: tuple[int, int, int] = INK) -> None:
    """Choose how the text that follows is written."""
    paper.set_font(FONT, "B" if bold else "", size)
    paper.set_text_color(*ink)


def readable(paper: FPDF, text: str) -> str:
    """Return text as the font can write it: what it cannot shows as squares, rather than as nothing."""
    font = paper.current_font
    assert isinstance(font, TTFFont)
    composed = unicodedata.normalize("NFC", text)
    return "".join(one if ord(one) in font.cmap or one == "\n" else "\u25a1" for one in composed)


def _fonts() -> Path:
    """Folder of the fonts that come with matplotlib."""
    import matplotlib  # only here: it is slow to import, and most processes print nothing

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
