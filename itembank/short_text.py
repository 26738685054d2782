"""Comparison of short texts: what marking forgives, and what it never does.

Forgiven: case, accents, ligatures, spaces, punctuation, and as many typing errors as the item allows.
Never forgiven: another digit. Between two digits a separator counts (``3,14`` is not ``314``), whichever it is
(``3.14`` is ``3,14``), but a space does not (``1 000`` is ``1000``).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

MAX_LENGTH: Final = 200
"""Characters; a longer answer is not a short text."""

LETTERS_PER_TYPO: Final = 4
"""An accepted text of n characters forgives at most n // 4 typing errors, whatever the item allows."""

_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l"})
_SEPARATOR: Final = "."
_MARKS: Final = ("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sk")


def _is_ignored(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "PZC" or category in ("Sk", "Mn")


def _folded(text: str) -> str:
    for _ in range(3):  # folding and decomposing may each make work for the other; three rounds reach the fixed point
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()).translate(_LIGATURES)
    return "".join(character for character in text if unicodedata.category(character) != "Mn")


def normalise(text: str) -> str:
    """Form in which two texts are compared. Applying it twice changes nothing.

    Examples
    --------
    >>> normalise("  L'Été  à la Ferme. ")
    'letealaferme'
    >>> normalise("192.168.1.1"), normalise("3,14"), normalise("1 000")
    ('192.168.1.1', '3.14', '1000')
    >>> normalise("#")
    '#'
    """
    folded = _folded(text)
    kept: list[str] = []
    pending = False
    for character in folded:
        if not _is_ignored(character):
            if pending and character.isdigit() and kept and kept[-1].isdigit():
                kept.append(_SEPARATOR)
            kept.append(character)
            pending = False
        elif unicodedata.category(character)[0] == "P":
            pending = True
    return "".join(kept) or "".join(mark for mark in folded if unicodedata.category(mark) in _MARKS)


def accepts(accepted: Iterable[str], answer: str, typos: int) -> bool:
    """Whether an answer is one of the accepted texts, but for what is forgiven.

    The edit distance is the optimal string alignment: insertions, deletions, substitutions and transpositions of
    neighbours count one each.

    Examples
    --------
    >>> accepts(["pare-feu"], "Parre feu", typos=1)
    True
    >>> accepts(["port 80"], "port 81", typos=1)
    False
    """
    given = normalise(answer)
    for text in accepted:
        key = _key(text)
        allowed = min(typos, len(key) // LETTERS_PER_TYPO)
        near = OSA.distance(key, given, score_cutoff=allowed) <= allowed
        if near and _digits(given) == _digits(key):
            return True
    return False


@lru_cache(maxsize=16_384)
def _key(text: str) -> str:
    """Normalised text of a key: the same few thousand are compared with every answer."""
    return normalise(text)


def _digits(text: str) -> list[str]:
    return re.findall(r"\d(?:[\d.]*\d)?", text)
