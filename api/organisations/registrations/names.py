"""Names as people write them: compared without what they leave out."""

import unicodedata
from collections.abc import Iterable
from typing import Final

_LETTERS: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
"""Letters that Unicode does not take apart."""


def compared(name: str) -> str:
    """Write a name for comparison: without case, accents, dashes, apostrophes and repeated spaces.

    >>> compared("  Jean-Noël  L’Hœste ")
    'jean noel l hoeste'
    """
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    kept = (" " if not letter.isalnum() else letter for letter in plain if not unicodedata.combining(letter))
    return " ".join("".join(kept).split())


def is_called(names: Iterable[str], sought: str) -> bool:
    """Tell whether each word of ``sought`` begins a word of somebody's names.

    >>> is_called(("L’Hœste", "Jean-Noël"), "noel lh"), is_called(("L’Hœste", "Jean-Noël"), "noel hoes")
    (False, True)
    """
    words = [word for name in names for word in compared(name).split()]
    return all(any(word.startswith(begun) for word in words) for begun in compared(sought).split())
