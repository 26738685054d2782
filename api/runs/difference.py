"""The difference that a proof finds, and how close two numbers have to be."""

from collections.abc import Mapping
from typing import Any

TOLERANCE = 2e-6
"""Of the numbers of a result: they were told with six decimals."""


class DifferenceError(Exception):
    """Something stored does not follow from the rest; the message is the sentence that says what."""


def agree(one: Any, other: Any) -> bool:
    """Whether what is stored is what follows, numbers within ``TOLERANCE``."""
    return first_difference(one, other) is None


def first_difference(stored: Any, derived: Any, where: str = "") -> str | None:
    """Name the first place at which what is stored differs from what follows, with both; None when there is none.

    >>> first_difference({"a": [1, 2.0]}, {"a": [1, 3.0]})
    'a.1: 2.0 instead of 3.0'
    """
    if isinstance(derived, Mapping) and isinstance(stored, Mapping) and stored.keys() == derived.keys():
        pairs = [(str(name), stored[name], derived[name]) for name in derived]
    elif isinstance(derived, list) and isinstance(stored, list) and len(stored) == len(derived):
        pairs = [(str(place), *both) for place, both in enumerate(zip(stored, derived, strict=True))]
    elif isinstance(derived, float) and isinstance(stored, int | float) and not isinstance(stored, bool):
        same = abs(stored - derived) <= TOLERANCE
        return None if same else f"{where}: {stored} instead of {derived}"
    else:
        return None if stored == derived else f"{where}: {stored} instead of {derived}"
    found = (first_difference(was, should, f"{where}.{name}" if where else name) for name, was, should in pairs)
    return next((difference for difference in found if difference is not None), None)
