"""What organisations store, as frozen records."""

from dataclasses import dataclass
from datetime import datetime

ADMIN, MEMBER, INVIGILATOR = ROLES = ("admin", "member", "invigilator")


@dataclass(frozen=True)
class Organisation:
    """Where sessions are held, of a platform."""

    id: str
    client_id: str
    name: str
    uai: str | None
    created_at: datetime


@dataclass(frozen=True)
class Member:
    """Somebody who works for an organisation."""

    id: str
    organisation_id: str
    name: str
    role: str
    """ADMIN; MEMBER, who makes campaigns and reads them; or INVIGILATOR, of the sessions that they are assigned to."""
    created_at: datetime
    revoked_at: datetime | None = None
