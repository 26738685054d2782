"""Scopes: what a platform may be allowed to do."""

from collections.abc import Iterable

from engine.errors import SettingError

LEARNERS_READ, LEARNERS_WRITE = "learners:read", "learners:write"
RUNS_READ, RUNS_WRITE = "runs:read", "runs:write"
ORGANISATIONS_READ, ORGANISATIONS_WRITE = "organisations:read", "organisations:write"
CAMPAIGNS_READ, CAMPAIGNS_WRITE = "campaigns:read", "campaigns:write"
CERTIFICATION_READ, CERTIFICATION_WRITE = "certification:read", "certification:write"

SCOPES = {
    LEARNERS_READ: "Read learners, their profiles and the list of their runs.",
    LEARNERS_WRITE: "Create learners.",
    RUNS_READ: "Read runs.",
    RUNS_WRITE: "Open runs and post answers.",
    ORGANISATIONS_READ: "Read organisations, their members, learners, imports and audit.",
    ORGANISATIONS_WRITE: "Create organisations, invite members, import learners.",
    CAMPAIGNS_READ: "Read campaigns, who takes part, and what was sent.",
    CAMPAIGNS_WRITE: "Create and change campaigns, and take part for a learner.",
    CERTIFICATION_READ: "Read sessions, their results and certificates.",
    CERTIFICATION_WRITE: "Plan sessions, enrol candidates and decide, as administrators do.",
}


def checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes sorted, without repetition; raise ``SettingError`` when one does not exist or none is given.

    >>> checked_scopes(["runs:write", "runs:read"])
    ('runs:read', 'runs:write')
    """
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        named = f"The scope {unknown[0]!r} does not exist" if unknown else "No scope is given"
        raise SettingError(f"{named}; use one or more of {', '.join(SCOPES)}.")
    return tuple(wanted)
