"""What an operator does for data protection, by the command line."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

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
    """Forget everything whose time is over; with ``dry_run``, only count it."""

    def ago(days: int) -> datetime:
        return at - timedelta(days=days)

    left, named = ago(settings.keep_registrations_days), ago(settings.keep_participations_days)
    logs = (ago(settings.keep_accesses_days), ago(settings.keep_deeds_days), at)
    with database.reading() if dry_run else database.writing() as connection:
        gone = left_before(connection, left)
        idle = [
            one for one in idle_since(connection, ago(settings.keep_learners_days), at) if _erasable(connection, one)
        ]
        found = Retained(len(gone), named_before(connection, named), len(idle), *count_logs(connection, *logs))
        if not dry_run:
            forget_registrations(connection, gone)
            unname_before(connection, named)
            for one in idle:
                forget(connection, one, at, SERVER)
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
