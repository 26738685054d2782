"""Whether a learner may sit the test, and the profile that it is to validate: what their last positioning told.

A profile is told by the positioning run finished last, which took the earlier ones into account with the weights that
it pins; so its evidence is the run itself with weight 1, and the earlier runs with those weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, select

from api.clock import iso
from api.context import Context
from api.runs.facts import ENDED, Fact, Run
from api.runs.repository import finished_runs, last_fact
from api.tables import QUESTION, facts, runs
from engine.arrays import Ints
from engine.certification import CertificationDesign, Eligibility, eligibility
from engine.profile import Knowledge
from itembank.certification import eligibility_words
from itembank.framework import Framework

ZONE = "Europe/Paris"
"""Where days begin, unless a session says otherwise."""

LOCALES = ("fr", "en")


@dataclass(frozen=True, eq=False)
class LearnerProfile:
    """What a learner would sit the test with.

    Parameters
    ----------
    eligibility : Eligibility
        Over the C competences of the framework.
    words : mapping of locale to text
        The same in sentences, which name the competences.
    framework : Framework
    run_id : str or None
        The positioning that told the profile, None without any.
    finished_at : datetime or None
        When it ended.
    earlier : tuple of (run id, weight)
        Whose answers the profile rests on: that run's, and those of the earlier ones as it weighed them.
    levels : (C,) tuple of int
        0 where nothing is known.
    knowledge : (C,) tuple of int
        Codes of :class:`engine.profile.Knowledge`; measured only where that was since the school year began.
    seen : tuple of item ids
        Asked in the last ``rules.seen_runs`` runs of any kind, sorted.
    """

    eligibility: Eligibility
    words: Mapping[str, str]
    framework: Framework
    run_id: str | None = None
    finished_at: datetime | None = None
    earlier: tuple[tuple[str, float], ...] = ()
    levels: tuple[int, ...] = ()
    knowledge: tuple[int, ...] = ()
    seen: tuple[str, ...] = ()

    @property
    def eligible(self) -> bool:
        """Whether the learner may sit the test."""
        return bool(self.eligibility.eligible)

    @property
    def certifiable(self) -> tuple[str, ...]:
        """Codes of the competences that the test is about."""
        return self._codes(self.eligibility.certifiable)

    @property
    def measured(self) -> tuple[str, ...]:
        """Codes of the competences measured since the school year began."""
        return self._codes(self.eligibility.measured)

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """Codes of the others."""
        return self._codes(~self.eligibility.measured)

    @property
    def below(self) -> tuple[str, ...]:
        """Codes of the competences measured below the level that counts."""
        return self._codes(self.eligibility.measured & ~self.eligibility.certifiable)

    def pinned(self) -> dict[str, Any]:
        """Plain data that a candidate keeps from the start of the test on."""
        return {
            "run_id": self.run_id,
            "earlier": [list(pair) for pair in self.earlier],
            "levels": list(self.levels),
            "certifiable": list(self.certifiable),
            "knowledge": list(self.knowledge),
        }

    def told(self) -> dict[str, Any]:
        """Members of an answer of the API about it."""
        return {
            "eligible": self.eligible,
            "words": dict(self.words),
            "run_id": self.run_id,
            "finished_at": None if self.finished_at is None else iso(self.finished_at),
            "lacks_positioned": int(self.eligibility.lacks_positioned),
            "lacks_reached": int(self.eligibility.lacks_reached),
            "certifiable": list(self.certifiable),
            "measured": list(self.measured),
            "unmeasured": list(self.unmeasured),
            "below": list(self.below),
        }

    def _codes(self, mask: Any) -> tuple[str, ...]:
        return tuple(self.framework.codes[row] for row in np.flatnonzero(mask))


def profile_for(
    connection: Connection,
    context: Context,
    learner_id: str,
    rules: CertificationDesign,
    at: datetime,
    zone: str = ZONE,
) -> LearnerProfile:
    """Read what a learner would sit the test with.

    Parameters
    ----------
    connection : Connection
    context : Context
    learner_id : str
    rules : CertificationDesign
        Of the session.
    at : datetime
        Of the session: what was measured before its school year began does not count.
    zone : str
        Of the place, where the first day of that year begins.

    Returns
    -------
    LearnerProfile
    """
    framework = context.served.framework
    latest = _latest(connection, context, learner_id)
    if latest is None:
        nothing = np.zeros(len(framework.codes), dtype=np.int64)
        lacking = eligibility(rules, nothing, nothing, nothing.astype(bool))
        return LearnerProfile(
            lacking,
            _words(framework, rules, lacking),
            framework,
            levels=(0,) * nothing.size,
            knowledge=(0,) * nothing.size,
            seen=_seen(connection, learner_id, rules.seen_runs),
        )
    run, ended = latest
    found, levels, counted = profile_told(rules, framework, ended, year_began_at(rules, at, zone))
    return LearnerProfile(
        eligibility=found,
        words=_words(framework, rules, found),
        framework=framework,
        run_id=run.id,
        finished_at=run.finished_at,
        earlier=((run.id, 1.0), *run.earlier),
        levels=tuple(levels.tolist()),
        knowledge=tuple(counted.tolist()),
        seen=_seen(connection, learner_id, rules.seen_runs),
    )


def profile_told(
    rules: CertificationDesign, framework: Framework, ended: Fact, began: datetime
) -> tuple[Eligibility, Ints, Ints]:
    """Read the profile that a positioning told at its end: eligibility, levels (C,), and knowledge that counts (C,)."""
    told = {entry["competence"]: entry for entry in ended.result or ()}
    knowledge, levels, recent = (
        np.array([read(told.get(code, {})) for code in framework.codes])
        for read in (_knowledge, _level, lambda entry: _measured_since(entry, began))
    )
    found = eligibility(rules, knowledge, levels, recent)
    return found, levels, np.where((knowledge == Knowledge.MEASURED) & ~recent, Knowledge.ESTIMATED, knowledge)


def year_began_at(rules: CertificationDesign, at: datetime, zone: str = ZONE) -> datetime:
    """Moment at which the school year of a moment began, at a place."""
    place = ZoneInfo(zone)
    first = rules.year_began(at.astimezone(place).date())
    return datetime(first.year, first.month, first.day, tzinfo=place)


def seen_before(connection: Connection, run: Run, count: int) -> tuple[str, ...]:
    """Return the items that the learner of a run had seen lately when it began, as :func:`profile_for` tells them."""
    return _seen(connection, run.learner_id, count, run)


def runs_seen(connection: Connection, learner_id: str, count: int, before: Run | None = None) -> list[str]:
    """Return the last so many finished runs of a learner, and those begun since and never finished.

    Unfinished runs do not count towards the number: opening empty ones makes nothing forgotten.
    """
    query = select(runs.c.id, runs.c.finished_at).where(runs.c.learner_id == learner_id)
    if before is not None:
        query = query.where(runs.c.id < before.id)
    among: list[str] = []
    left = count
    for row in connection.execute(query.order_by(runs.c.id.desc())):
        if left == 0:
            break
        among.append(row.id)
        left -= row.finished_at is not None and (before is None or row.finished_at <= before.created_at)
    return among


def _seen(connection: Connection, learner_id: str, count: int, before: Run | None = None) -> tuple[str, ...]:
    """Return the items asked in the last runs."""
    among = runs_seen(connection, learner_id, count, before)
    asked = select(facts.c.item).where(facts.c.run_id.in_(among), facts.c.part == QUESTION, facts.c.kind != ENDED)
    if before is not None:
        asked = asked.where(facts.c.at <= before.created_at)
    return tuple(sorted(set(connection.scalars(asked))))


def _latest(connection: Connection, context: Context, learner_id: str) -> tuple[Run, Fact] | None:
    """Return the positioning finished last over the competences that are served, with the fact that ended it."""
    codes = context.served.framework.codes
    for run in finished_runs(connection, learner_id):
        if context.pins.pinned_bank(connection, run.snapshot_hash).snapshot.framework.codes == codes:
            return run, last_fact(connection, run.id)
    return None


def _words(framework: Framework, rules: CertificationDesign, found: Eligibility) -> dict[str, str]:
    """Say who may sit, or which competences are missing, in each language."""
    said = {locale: eligibility_words(framework, rules, found, locale) for locale in LOCALES}
    if int(found.lacks_positioned) == 0:
        return said
    missing = ", ".join(code for code, known in zip(framework.codes, found.measured, strict=True) if not known)
    return {locale: f"{text} {_MISSING[locale].format(codes=missing)}" for locale, text in said.items()}


_MISSING: Mapping[str, str] = {
    "fr": "À positionner, au choix : {codes}.",
    "en": "To be measured, of one's choice: {codes}.",
}


def _knowledge(entry: Mapping[str, Any]) -> int:
    return int(Knowledge[entry["state"].upper()]) if entry else int(Knowledge.UNKNOWN)


def _level(entry: Mapping[str, Any]) -> int:
    return int(entry.get("level") or 0)


def _measured_since(entry: Mapping[str, Any], began: datetime) -> bool:
    at = entry.get("measured_at")
    return at is not None and datetime.fromisoformat(at) >= began
