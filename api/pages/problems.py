"""Problems that only pages meet."""

from typing import Final

from api.problems import ProblemKind

NO_RUN: Final = ProblemKind("no-run", 403, "No run is open in this browser")
FOREIGN_FORM: Final = ProblemKind("foreign-form", 403, "The form was sent from another site")
SIGNED_OUT: Final = ProblemKind("signed-out", 403, "Nobody is signed in with this browser")
NO_SITTING: Final = ProblemKind("no-sitting", 403, "No test is open in this browser")
