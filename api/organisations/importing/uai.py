"""The identifier of a school in France (UAI): seven digits and the letter that checks them."""

import re
from typing import Final

_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
_UAI: Final = re.compile(r"(?<![0-9])[0-9]{7}[A-Z](?![A-Z0-9])")


def is_uai(code: str) -> bool:
    """Tell whether a code is a UAI: the rest of its number by 23 gives its letter.

    >>> is_uai("0750655E"), is_uai("0750655F")
    (True, False)
    """
    return _UAI.fullmatch(code) is not None and _LETTERS[int(code[:7]) % len(_LETTERS)] == code[7]


def uai_of(file_name: str) -> str | None:
    """Return the UAI that the name of a file carries, when it carries exactly one.

    >>> uai_of("fregata_0750655e_2026-11-24.csv"), uai_of("export 1234567A.csv")
    ('0750655E', None)
    """
    found = {code for code in _UAI.findall(file_name.upper()) if is_uai(code)}
    return found.pop() if len(found) == 1 else None
