"""Judging what was answered: the rows of the database become arrays, and the engine says what they certify.

The API decides with these functions and the proof re-derives with the same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import Connection

from api.certification.records import Candidate
from api.certification.repository import candidates_of_session
from api.runs.earlier import engine_facts, evidence
from api.runs.facts import NOT_REACHED, WITHDRAWN, Fact, Run
from api.runs.pinned import Bank, PinnedTest, Pins
from api.runs.repository import replies_of, run_of
from engine.adaptive import posterior, replay
from engine.arrays import Floats
from engine.assessment import Assessment, Profile, assess
from engine.certification import CertificationDesign
from engine.copies import copied
from engine.errors import BankError
from engine.responses import NONE
from engine.state import Facts
from engine.validation import End, Outcome, OutcomeReason, Status

DECIMALS = 6
"""Of the numbers stored: finer than anybody reads, coarser than what differs from machine to machine."""


@dataclass(frozen=True, eq=False)
class Sat:
    """A test that was sat, under the calibration that it is judged by."""

    candidate: Candidate
    run: Run
    rules: CertificationDesign
    test: PinnedTest
    replies: tuple[Fact, ...]
    """Those that were heard: neither withdrawn nor not reached."""
    position: int
    """Of the last question when they were read."""
    profile: Profile

    @cached_property
    def facts(self) -> Facts:
        """Replies as the engine reads them, (L,)."""
        return engine_facts(self.test.bank, self.replies)

    @cached_property
    def posterior(self) -> Floats:
        """What these answers alone say of the abilities, (C, G)."""
        about = self.profile.certifiable[self.test.table.competence]
        state = replay(self.test.design, self.test.table, self.facts, allowed=about)
        return posterior(self.test.design, self.test.table, state)


def sat(connection: Connection, pins: Pins, candidate: Candidate, bank: Bank | None = None) -> Sat:
    """Read a test.

    Parameters
    ----------
    connection : Connection
    pins : Pins
    candidate : Candidate
        Who started.
    bank : Bank, optional
        With the calibration to judge by; that of the day when left out.

    Raises
    ------
    BankError
        When the bank lacks an item that was asked, or is over other competences.
    """
    assert candidate.run_id is not None
    assert candidate.profile is not None
    run = run_of(connection, candidate.run_id)
    assert run is not None
    assert run.rules_hash is not None
    test = pins.pinned(connection, run.snapshot_hash, run.design_hash)
    if bank is not None and bank.snapshot.hash != run.snapshot_hash:
        test = recalibrated(pins, test, bank)
    replies = replies_of(connection, [run.id])[run.id]
    heard = tuple(fact for fact in replies if fact.kind not in (WITHDRAWN, NOT_REACHED))
    codes = test.snapshot.framework.codes
    pairs = [(run_id, weight) for run_id, weight in candidate.profile["earlier"]]
    known = evidence(connection, pins, test, pairs)
    profile = Profile(
        np.array(candidate.profile["levels"], dtype=np.int64),
        np.isin(codes, candidate.profile["certifiable"]),
        np.zeros((len(codes), test.table.nodes.size)) if known is None else known,
    )
    found = Sat(candidate, run, pins.rules(connection, run.rules_hash), test, heard, len(replies), profile)
    categories = test.table.categories_of[found.facts.item]
    if (found.facts.response >= categories).any():
        raise BankError(
            "An item that was asked has fewer response categories in this bank; give the earlier form back."
        )
    return found


def recalibrated(pins: Pins, test: PinnedTest, bank: Bank) -> PinnedTest:
    """Return the same test under another calibration of its bank, whose loadings come along."""
    framework = bank.snapshot.framework
    if framework.codes != test.snapshot.framework.codes or framework.levels != test.snapshot.framework.levels:
        raise BankError("The bank is over other competences or levels than the test; score with one over the same.")
    return pins.ready(bank, replace(test.design, latent=framework.tree()))


def companions(connection: Connection, pins: Pins, candidate: Candidate, bank: Bank) -> list[Sat]:
    """Read the tests of a session that can be compared with a candidate's under a calibration, this one included.

    They are those asked from the same snapshot; one that cannot be read under the calibration is left out.
    """
    assert candidate.run_id is not None
    own = run_of(connection, candidate.run_id)
    assert own is not None
    found: list[Sat] = []
    for other in candidates_of_session(connection, candidate.session_id):
        run = None if other.run_id is None else run_of(connection, other.run_id)
        if run is None or run.snapshot_hash != own.snapshot_hash:
            continue
        try:
            found.append(sat(connection, pins, other, bank))
        except BankError:
            if other.id == candidate.id:
                raise
    return found


def copies(tests: Sequence[Sat]) -> list[dict[str, Any] | None]:
    """Compare every candidate of a session with the others who were asked items of the same snapshot.

    Returns
    -------
    list of dict or None
        ``p, with, shared, alike`` for each test; None where it shares no answered item with another.
    """
    found: list[dict[str, Any] | None] = [None] * len(tests)
    by_snapshot: dict[str, list[int]] = {}
    for place, test in enumerate(tests):
        by_snapshot.setdefault(test.test.snapshot.hash, []).append(place)
    for places in by_snapshot.values():
        together = sorted(places, key=lambda place: tests[place].candidate.id)
        for place, told in zip(together, _compared([tests[place] for place in together]), strict=True):
            found[place] = told
    return found


def judge(test: Sat, end: str, copied_p: float | None) -> Assessment:
    """Judge a test that ended for the reason ``end``."""
    p = None if copied_p is None else np.float64(copied_p)
    return assess(
        test.rules, test.test.design, test.test.table, test.facts, test.profile, int(End[end.upper()]), copied_p=p
    )


def outcome_of(said: Assessment) -> str:
    """Name the outcome."""
    return Outcome(int(said.outcome)).name.lower()


def result_of(test: Sat, said: Assessment) -> dict[str, Any]:
    """Write an assessment as it is stored.

    Returns
    -------
    dict
        ``competences`` (code, profile_level, level, status, probability, answered), ``reasons``, ``answered_share``,
        and ``person_fit, sincerity, too_fast, times`` (statistic, p).
    """
    codes, validation, doubt = test.test.snapshot.framework.codes, said.validation, said.sincerity
    worst = int(doubt.worst)
    return {
        "competences": [
            {
                "competence": code,
                "profile_level": int(test.profile.levels[row]),
                "level": int(validation.level[row]),
                "status": Status(int(validation.status[row])).name.lower(),
                "probability": _told(validation.probability[row]),
                "answered": int(validation.answered[row]),
            }
            for row, code in enumerate(codes)
        ],
        "reasons": reasons_of(int(said.reasons)),
        "answered_share": _told(said.answered_share),
        "person_fit": {"statistic": _told(said.person_fit.statistic), "p": _told(said.person_fit.p)},
        "sincerity": {
            "statistic": _told(doubt.statistic),
            "p": _told(doubt.p),
            "overall": _told(doubt.overall),
            "by_competence": [_told(p) for p in doubt.by_competence],
            "worst": None if worst == NONE else codes[worst],
        },
        "too_fast": {"statistic": _told(said.too_fast.statistic), "p": _told(said.too_fast.p)},
        "times": {"statistic": _told(said.times.statistic), "p": _told(said.times.p)},
    }


def reasons_of(bits: int) -> list[str]:
    """Name the reasons of an outcome.

    >>> reasons_of(9)
    ['too_few_answers', 'technical']
    """
    return [reason.name.lower() for reason in OutcomeReason if bits & reason and reason.name]


def _compared(tests: Sequence[Sat]) -> list[dict[str, Any] | None]:
    """Compare tests of one snapshot, in the order of their candidates' ids."""
    longest = max((len(test.replies) for test in tests), default=0)
    if len(tests) < 2 or longest == 0:
        return [None] * len(tests)
    shape = (len(tests), longest)
    item, response, answer = (np.full(shape, NONE, dtype=np.int64) for _ in range(3))
    known: dict[tuple[str | None, str], int] = {}
    for row, test in enumerate(tests):
        length = len(test.replies)
        item[row, :length], response[row, :length] = test.facts.item, test.facts.response
        said = [(fact.item, _same(test, fact)) for fact in test.replies]
        answer[row, :length] = [known.setdefault(one, len(known)) for one in said]
    first = tests[0].test
    told = copied(first.table, item, response, answer, np.stack([test.posterior for test in tests]))
    return [
        None
        if int(told.partner[row]) == NONE
        else {
            "p": _told(told.p[row]),
            "with": tests[int(told.partner[row])].candidate.id,
            "shared": int(told.shared[row]),
            "alike": int(told.alike[row]),
        }
        for row in range(len(tests))
    ]


def _same(test: Sat, fact: Fact) -> str:
    """Write an answer so that two are equal when they say the same: choices are ticked in any order."""
    item = test.test.snapshot.items[test.test.snapshot.row(fact.item or "")]
    ticked = item.kind == "multiple_choice" and isinstance(fact.answer, list)
    said = sorted(fact.answer, key=str) if ticked else fact.answer
    return json.dumps(said, sort_keys=True, ensure_ascii=False)


def _told(number: Any) -> float | None:
    value = round(float(number), DECIMALS)
    return value if np.isfinite(value) else None
