"""Numbers as people type them in French: decimal comma, spaces between thousands, a unit after.

A point or a comma alone is decimal (``1.5`` is ``1,5``, ``1.234`` is a little more than one); when both are there, or
one is there several times, the first separates thousands (``1.234,5``, ``1.234.567``), in groups of three digits.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Final

MAX_LENGTH: Final = 40

_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)", re.ASCII)
_GROUPED: Final = re.compile(
    r"[+-]?\d{1,3}(?:(?: \d{3})+(?:[.,]\d+)?|(?:\.\d{3})+(?:,\d+)?|(?:,\d{3})+(?:\.\d+)?)", re.ASCII
)


def read_number(text: str, unit: str | None = None) -> Decimal | None:
    """Read the number that a text writes, or None when it writes none.

    Parameters
    ----------
    text : str
    unit : str, optional
        Accepted after the number, in any case, singular or plural.

    Examples
    --------
    >>> read_number("1 234,50"), read_number("−3"), read_number("12 Mo", unit="Mo")
    (Decimal('1234.50'), Decimal('-3'), Decimal('12'))
    >>> read_number("douze") is None
    True
    """
    if len(text) > MAX_LENGTH:
        return None
    line = _flat(text)
    if unit is not None:
        word = _flat(unit)
        ending = next((end for end in (word, word + "s", word.removesuffix("s")) if end and line.endswith(end)), "")
        line = line.removesuffix(ending).rstrip()
    if _PLAIN.fullmatch(line):
        return Decimal(line.replace(",", "."))
    if not _GROUPED.fullmatch(line):
        return None
    thousands = next(character for character in line if character in " .,")
    return Decimal(line.replace(thousands, "").replace(",", "."))


def _flat(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).replace("\u2212", "-").casefold()
    return re.sub(r"^([+-]) ", r"\1", re.sub(r"\s+", " ", folded).strip())
