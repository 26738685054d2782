"""Finalising a session: every test has ended, for a reason that is known, and is decided on; all in one transaction.

What takes time, judging some dozens of tests, is done before that transaction, on what was read; when anything happened
meanwhile, nothing is stored and it is done again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from api.certification.callers import required_session
from api.certification.decisions.judging import copies, judge, outcome_of, result_of, sat
from api.certification.decisions.repository import add_scoring
from api.certification.happening import Standing, happen, standing
from api.certification.records import Candidate, Scoring, Session
from api.certification.repository import candidates_of_session
from api.certification.session_states import SessionKind, SessionPhase
from api.certification.sessions.happening import session_happen
from api.certification.sitting.settle import CANDIDATE as BY_CHOICE
from api.certification.sitting.settle import ON_THE_WAY, TECHNICAL, cut_off, settle
from api.certification.states import UNDER_WAY, Kind, Phase
from api.context import Context
from api.organisations.callers import Staff, who
from api.problems import INVALID_REQUEST, NOT_NOW, UNAVAILABLE, Problem
from api.runs.repository import last_position

ENDS = (TECHNICAL, BY_CHOICE)
"""Reasons that may be given for tests that nobody ended."""
ATTEMPTS = 5


@dataclass(frozen=True)
class GivenEnd:
    """Why an unfinished test ended, as whoever finalises says."""

    end: str
    """One of ENDS."""
    why: str


@dataclass(frozen=True, eq=False)
class _Decided:
    """What is to be stored of a candidate, on the ground on which it was decided."""

    candidate: Candidate
    version: int
    position: int | None
    """Of the last question of the run."""
    end: GivenEnd | None = None
    scoring: Scoring | None = None


class _CrossedError(Exception):
    """Something happened meanwhile."""


async def finalise(context: Context, caller: Staff, session_id: str, ends: Mapping[str, GivenEnd]) -> Session:
    """Finalise a session.

    Parameters
    ----------
    context : Context
    caller : Staff
        The platform, or an administrator of the organisation.
    session_id : str
    ends : mapping of candidate id to GivenEnd
        Of the tests that are still under way.

    Returns
    -------
    Session
        As it is now.

    Raises
    ------
    Problem
        404; 409 when the session is not open, or a test under way has no reason for its end: ``candidates`` names them;
        422 when a reason is given for somebody else.
    """
    await context.write(partial(_settle_all, context, caller, session_id))
    for _ in range(ATTEMPTS):
        decided = await context.read(partial(_decided, context, caller, session_id, ends))
        try:
            return await context.write(partial(_store, context, caller, session_id, decided))
        except _CrossedError:
            continue
    raise Problem(
        UNAVAILABLE,
        "Candidates were faster: end their tests first, then finalise again.",
        headers={"Retry-After": "1"},
    )


def _settle_all(context: Context, caller: Staff, session_id: str, connection: Connection) -> None:
    """Store the ends of the tests whose time is up, so that nobody has to give a reason for them."""
    session = required_session(connection, caller, session_id)
    at = context.clock()
    for candidate in candidates_of_session(connection, session.id):
        if Phase(candidate.state) in UNDER_WAY:
            settle(connection, context.pins, standing(connection, candidate.id, lock=True), at, ON_THE_WAY)


def _decided(
    context: Context, caller: Staff, session_id: str, ends: Mapping[str, GivenEnd], connection: Connection
) -> list[_Decided]:
    """Decide on every candidate, and store nothing."""
    session = required_session(connection, caller, session_id)
    if session.state != SessionPhase.OPEN.value:
        raise Problem(
            NOT_NOW,
            f"The session is {session.state}: only an open one can be finalised.",
            state=session.state,
            reason="session-not-open",
        )
    rows = [standing(connection, candidate.id) for candidate in candidates_of_session(connection, session.id)]
    _check_ends(rows, ends)
    found: list[_Decided] = []
    tests = [sat(connection, context.pins, row.candidate) for row in rows if row.candidate.run_id is not None]
    alike = dict(zip((test.candidate.id for test in tests), copies(tests), strict=True))
    by_id = {test.candidate.id: test for test in tests}
    for row in rows:
        candidate, test = row.candidate, by_id.get(row.candidate.id)
        if row.state.phase is Phase.REMOVED:
            continue
        if test is None:
            found.append(_Decided(candidate, row.state.version, None))
            continue
        given = ends.get(candidate.id)
        end = row.state.end if given is None else given.end
        assert end is not None
        pair = alike[candidate.id]
        said = judge(test, end, None if pair is None else pair["p"])
        scoring = Scoring(
            candidate_id=candidate.id,
            version=1,
            run_id=test.run.id,
            snapshot_hash=test.test.snapshot.hash,
            rules_hash=session.rules_hash,
            at=context.clock(),
            who=who(caller),
            why=None,
            end=end,
            copied=pair,
            outcome=outcome_of(said),
            result=result_of(test, said),
        )
        found.append(_Decided(candidate, row.state.version, test.position, given, scoring))
    return found


def _check_ends(rows: Sequence[Standing], ends: Mapping[str, GivenEnd]) -> None:
    """Raise a problem unless exactly the tests under way have a reason."""
    strangers = ends.keys() - {row.candidate.id for row in rows}
    if strangers:
        raise Problem(
            INVALID_REQUEST,
            f"There is no candidate {min(strangers)} in this session: check the id.",
            reason="unknown-candidate",
        )
    ended = [row for row in rows if row.candidate.id in ends and row.state.phase not in UNDER_WAY]
    if ended:
        raise Problem(
            NOT_NOW,
            "The tests of some of these candidates are not under way, and take no other reason: leave them out.",
            candidates=[named(row.candidate) for row in ended],
            reason="not-under-way",
        )
    open_ = [row for row in rows if row.state.phase in UNDER_WAY and row.candidate.id not in ends]
    if open_:
        raise Problem(
            NOT_NOW,
            "Some tests have not ended: end them, or say for each why it did, technical or candidate.",
            candidates=[named(row.candidate) for row in open_],
            reason="not-ended",
        )


def _store(
    context: Context, caller: Staff, session_id: str, decided: Sequence[_Decided], connection: Connection
) -> Session:
    session = required_session(connection, caller, session_id, lock=True)
    at, by = context.clock(), who(caller)
    present = candidates_of_session(connection, session.id)
    if {one.candidate.id for one in decided} != {row.id for row in present if row.state != Phase.REMOVED.value}:
        raise _CrossedError
    for one in decided:
        now = standing(connection, one.candidate.id, lock=True)
        run_id = now.candidate.run_id
        if now.state.version != one.version or (run_id and last_position(connection, run_id) != one.position):
            raise _CrossedError
        if one.scoring is None:
            happen(connection, now, Kind.ABSENT, at, by)
            continue
        if one.end is not None:
            now = cut_off(connection, now, at, one.end.end, by, one.end.why)
        add_scoring(connection, Scoring(**{**vars(one.scoring), "at": max(at, now.state.at)}))
        data = {"outcome": one.scoring.outcome, "scoring": one.scoring.version}
        happen(connection, now, Kind.DECIDED, at, by, data=data)
    return session_happen(connection, session, SessionKind.FINALISED, at, by)


def named(candidate: Candidate) -> dict[str, str]:
    """Name a candidate in a problem."""
    return {"id": candidate.id, "first_name": candidate.first_name, "last_name": candidate.last_name}
