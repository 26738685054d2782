"""Kinds of deeds about an organisation itself and its people, as its audit names them."""

from typing import Final

ORGANISATION_CREATED: Final = "organisation_created"
MEMBER_ADDED: Final = "member_added"
MEMBER_CHANGED: Final = "member_changed"
MEMBER_REMOVED: Final = "member_removed"
INVITATION_CREATED: Final = "invitation_created"
INVITATION_WITHDRAWN: Final = "invitation_withdrawn"
INVITATION_ANSWERED: Final = "invitation_answered"
LEARNER_EXPORTED: Final = "learner_exported"
LEARNER_ERASED: Final = "learner_erased"

SERVER: Final = "server"
"""Who did what the operator ordered by the command line."""
