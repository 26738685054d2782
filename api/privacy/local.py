"""What an operator does for data protection, by the command line."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from api.clock import now
from api.database import Database
from api.identifiers import parsed_id
from api.organisations.deeds import SERVER
from api.privacy.repository import (
    count_logs,
    everything,
    forget_logs,
    forget_registrations,
    idle_since,
    is_known,
    left_before,
    named_before,
    unname_before,
)
from api.privacy.service import check_erasable, forget, plain
from api.problems import Problem
from api.settings import Settings
from engine.errors import SettingError

_AT_ONCE: Final = 100
"""People forgotten in one transaction."""


@dataclass(frozen=True)
class Retained:
    """How much is, or would be, forgotten because its time is over."""

    registrations: int
    participations: int
    learners: int
    accesses: int
    deeds: int
    rows: int

    def told(self) -> dict[str, int]:
        """Plain data."""
        return asdict(self)


def export_learner(database: Database, learner_id: str) -> dict[str, Any]:
    """Give everything that is kept of a learner.

    Raises
    ------
    SettingError
        When there is no such learner.
    """
    with database.reading() as connection:
        known = _known(connection, learner_id)
        told: dict[str, Any] = plain(everything(connection, known))
        return {"learner_id": known, **told}


def forget_learner(database: Database, learner_id: str) -> None:
    """Forget who a learner is; see :func:`api.privacy.service.erase_learner`.

    Raises
    ------
    SettingError
        When there is no such learner, or a session needs to know who they are.
    """
    with database.writing() as connection:
        known = _known(connection, learner_id)
        try:
            forget(connection, known, now(), SERVER)
        except Problem as problem:
            raise SettingError(problem.detail) from None


def apply_retention(database: Database, settings: Settings, at: datetime, dry_run: bool = False) -> Retained:
    """Forget everything whose time is over; with ``dry_run``, only count it.

    In portions, so that learners who answer meanwhile do not wait; stopped halfway, it is finished by running it again.
    """

    def ago(days: int) -> datetime:
        return at - timedelta(days=days)

    left, named = ago(settings.keep_registrations_days), ago(settings.keep_participations_days)
    silent = ago(settings.keep_learners_days)
    logs = (ago(settings.keep_accesses_days), ago(settings.keep_deeds_days), at)
    with database.reading() as connection:
        gone = left_before(connection, left)
        idle = [one for one in idle_since(connection, silent, at) if _erasable(connection, one)]
        found = Retained(len(gone), named_before(connection, named), len(idle), *count_logs(connection, *logs))
    if dry_run:
        return found
    for start in range(0, len(gone), _AT_ONCE):
        with database.writing() as connection:
            forget_registrations(connection, left_before(connection, left, gone[start : start + _AT_ONCE]))
    more = True
    while more:
        with database.writing() as connection:
            more = unname_before(connection, named, _AT_ONCE)
    for start in range(0, len(idle), _AT_ONCE):
        with database.writing() as connection:
            for one in idle_since(connection, silent, at, idle[start : start + _AT_ONCE]):
                if _erasable(connection, one):
                    forget(connection, one, at, SERVER)
    with database.writing() as connection:
        forget_logs(connection, *logs)
    return found


def _erasable(connection: Connection, learner_id: str) -> bool:
    try:
        check_erasable(connection, learner_id)
    except Problem:
        return False
    return True


def _known(connection: Connection, learner_id: str) -> str:
    known = parsed_id(learner_id)
    if known is None or not is_known(connection, known):
        raise SettingError(f"There is no learner {learner_id!r} in this database; check the id.")
    return known
