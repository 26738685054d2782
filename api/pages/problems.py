"""Problems that only pages meet."""

from typing import Final

from api.problems import ProblemKind

NO_RUN: Final = ProblemKind("no-run", 403, "No run is open in this browser")
FOREIGN_FORM: Final = ProblemKind("foreign-form", 403, "The form was sent from another site")
