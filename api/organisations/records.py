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


@dataclass(frozen=True)
class Invitation:
    """A code that makes its holder a member, once, within its days."""

    id: str
    organisation_id: str
    name: str
    """For whom, as the administrator wrote it."""
    role: str
    created_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None = None
    member_id: str | None = None
    """Who came by it."""

    def state(self, at: datetime) -> str:
        """Tell where the invitation stands at a moment: answered, withdrawn, expired or open."""
        if self.member_id is not None:
            return "answered"
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "expired" if at >= self.expires_at else "open"
