"""What can be wrong in a file: its kinds, and how one is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ENCODING_NOT_SUPPORTED: Final = "ENCODING_NOT_SUPPORTED"
BAD_CSV_FORMAT: Final = "BAD_CSV_FORMAT"
HEADER_REQUIRED: Final = "HEADER_REQUIRED"
HEADER_UNKNOWN: Final = "HEADER_UNKNOWN"
FIELD_REQUIRED: Final = "FIELD_REQUIRED"
FIELD_MIN_LENGTH: Final = "FIELD_MIN_LENGTH"
FIELD_MAX_LENGTH: Final = "FIELD_MAX_LENGTH"
FIELD_LENGTH: Final = "FIELD_LENGTH"
FIELD_DATE_FORMAT: Final = "FIELD_DATE_FORMAT"
FIELD_BAD_VALUES: Final = "FIELD_BAD_VALUES"
IDENTIFIER_UNIQUE: Final = "IDENTIFIER_UNIQUE"
INSEE_CODE_INVALID: Final = "INSEE_CODE_INVALID"


@dataclass(frozen=True)
class Fault:
    """Something that is wrong: where, which kind, and a sentence; ``more`` holds the limit or the accepted values."""

    line: int
    column: str | None
    code: str
    sentence: str
    more: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Plain data."""
        return {"line": self.line, "column": self.column, "code": self.code, "sentence": self.sentence, **self.more}


def truncated(line: int, why: str) -> Fault:
    """Build the fault of a file that stops too early, at ``line``."""
    sentence = f"The file looks truncated at line {line}: {why}. Export it again, or complete this line."
    return Fault(line, None, BAD_CSV_FORMAT, sentence)
