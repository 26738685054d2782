"""Texts that people write about organisations, sessions and candidates, with their limits."""

from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST = 255
_VISIBLE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f\xa0][^\x00-\x1f\x7f]*$"
READABLE = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""With something to read in it: written out, for regular expressions differ in what they take for a space."""
_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Line = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=_VISIBLE), AfterValidator(str.strip)]
"""One line with something to read in it."""

Note = Annotated[str, Field(max_length=2_000, pattern=_PRINTABLE), AfterValidator(str.strip)]
"""Some lines, perhaps none."""

Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2_000,
        pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\x00-\x20\x7f\xa0][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    ),
    AfterValidator(str.strip),
]
"""Why, in some lines with something to read in them."""

Id = Annotated[str, Field(max_length=64)]
"""Of something that exists already."""

Moment = Annotated[str, Field(description="UTC, ISO 8601.")]
