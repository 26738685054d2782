"""Every problem that the API may answer with, and the exception that carries one (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException


@dataclass(frozen=True)
class ProblemKind:
    """A kind of problem: its name inside the ``type`` URN, its HTTP status and its title."""

    slug: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """URI that identifies the kind."""
        return f"urn:jalon:problem:{self.slug}"


BAD_REQUEST = ProblemKind("bad-request", 400, "Bad request")
INVALID_JSON = ProblemKind("invalid-json", 400, "The body is not JSON")
UNAUTHENTICATED = ProblemKind("unauthenticated", 401, "A valid token is needed")
NOT_ALLOWED = ProblemKind("not-allowed", 403, "The token does not allow this")
SELF_SERVICE_OFF = ProblemKind("self-service-off", 403, "Self-service is switched off")
NOT_FOUND = ProblemKind("not-found", 404, "Nothing is here")
UNKNOWN_LEARNER = ProblemKind("unknown-learner", 404, "Unknown learner")
UNKNOWN_RUN = ProblemKind("unknown-run", 404, "Unknown run")
UNKNOWN_CODE = ProblemKind("unknown-code", 404, "Unknown access code")
UNKNOWN_ORGANISATION = ProblemKind("unknown-organisation", 404, "Unknown organisation")
UNKNOWN_MEMBER = ProblemKind("unknown-member", 404, "Unknown member")
UNKNOWN_SESSION = ProblemKind("unknown-session", 404, "Unknown session")
UNKNOWN_CANDIDATE = ProblemKind("unknown-candidate", 404, "Unknown candidate")
UNKNOWN_INVITATION = ProblemKind("unknown-invitation", 404, "Unknown invitation")
UNKNOWN_REGISTRATION = ProblemKind("unknown-registration", 404, "Unknown learner of the organisation")
UNKNOWN_IMPORT = ProblemKind("unknown-import", 404, "Unknown import")
UNKNOWN_CAMPAIGN = ProblemKind("unknown-campaign", 404, "Unknown campaign")
UNKNOWN_PARTICIPATION = ProblemKind("unknown-participation", 404, "Unknown participation")
NOT_ON_THE_LIST = ProblemKind("not-on-the-list", 404, "Nobody of this name is on the list")
UNKNOWN_KEY = ProblemKind("unknown-key", 404, "Unknown key")
UNKNOWN_CERTIFICATE = ProblemKind("unknown-certificate", 404, "Unknown certificate")
METHOD_NOT_ALLOWED = ProblemKind("method-not-allowed", 405, "Method not allowed")
NOT_PENDING = ProblemKind("not-the-pending-item", 409, "Another item is pending")
ALREADY_ANSWERED = ProblemKind("already-answered", 409, "The item was already answered differently")
RUN_FINISHED = ProblemKind("run-finished", 409, "The run is finished")
NOT_NOW = ProblemKind("not-now", 409, "The state does not allow this")
TIME_IS_UP = ProblemKind("time-is-up", 409, "The time of the test is up")
SEVERAL_MATCH = ProblemKind("several-match", 409, "Several learners match")
CONFIRMATION_NEEDED = ProblemKind("confirmation-needed", 409, "This asks for a confirmation")
CLOCK_STANDS = ProblemKind("clock-stands", 409, "The test is paused")
BODY_TOO_LARGE = ProblemKind("body-too-large", 413, "The body is too large")
INVALID_REQUEST = ProblemKind("invalid-request", 422, "The request is malformed")
INVALID_ANSWER = ProblemKind("invalid-answer", 422, "The answer does not suit the item")
UNKNOWN_KIND = ProblemKind("unknown-item-kind", 422, "Unknown item kind")
UNKNOWN_COMPETENCE = ProblemKind("unknown-competence", 422, "Unknown competence")
NOTHING_TO_ASK = ProblemKind("nothing-to-ask", 422, "No item suits this run")
NOT_ELIGIBLE = ProblemKind("not-eligible", 422, "The learner may not be certified yet")
NOT_FEASIBLE = ProblemKind("not-feasible", 422, "The bank cannot serve this session")
INVALID_ROWS = ProblemKind("invalid-rows", 422, "Some lines cannot be used")
KEY_REUSED = ProblemKind("idempotency-key-reused", 409, "The idempotency key was used for another request")
TOO_MANY_REQUESTS = ProblemKind("too-many-requests", 429, "Too many requests")
INTERNAL = ProblemKind("internal", 500, "The server failed")
UNAVAILABLE = ProblemKind("unavailable", 503, "The server cannot write just now")


class Problem(HTTPException):
    """An error to be told to the client.

    Parameters
    ----------
    kind : ProblemKind
        What went wrong, as a member of this module.
    detail : str
        One sentence that says what is wrong here and what to do.
    headers : mapping, optional
        HTTP headers of the response.
    **members
        Extension members of the problem document, for instance ``pending``.
    """

    def __init__(
        self, kind: ProblemKind, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(status_code=kind.status, detail=detail, headers=headers)
        self.kind = kind
        self.members = members
