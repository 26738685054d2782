"""What people decide after a session: the jury's review, publication, revocation, scoring again."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from api.certification.callers import required_candidate, required_session
from api.certification.certificates.issue import SCORED_AGAIN, issue, withdraw_certificates
from api.certification.decisions.finalise import ATTEMPTS, named
from api.certification.decisions.judging import Sat, companions, copies, judge, outcome_of, result_of
from api.certification.decisions.repository import add_scoring, scorings_of
from api.certification.happening import happen, standing
from api.certification.records import Candidate, Scoring, Session
from api.certification.repository import candidates_of_session
from api.certification.session_states import SessionKind, SessionPhase
from api.certification.sessions.happening import session_happen
from api.certification.states import TO_REVIEW, VALIDATED, Kind, Phase
from api.context import Context
from api.organisations.callers import Staff, who
from api.problems import INVALID_REQUEST, NOT_NOW, UNAVAILABLE, Problem
from api.runs.pinned import Bank
from api.runs.repository import pin
from engine.designs import content_hash, to_dict
from engine.errors import BankError

DECIDED = frozenset({SessionPhase.FINALISED.value, SessionPhase.PUBLISHED.value})
_SCORED = frozenset({Phase.DECIDED, Phase.PUBLISHED})


async def review(context: Context, caller: Staff, session_id: str, candidate_id: str, outcome: str, why: str) -> None:
    """Decide as the jury on a test that is to be reviewed.

    Parameters
    ----------
    context, caller, session_id, candidate_id
    outcome : {"validated", "rejected", "cancelled"}
    why : str
        In words.

    Raises
    ------
    Problem
        404; 409 when there is nothing to review; 422 when a test is to be validated that certifies nothing.
    """

    def store(connection: Connection) -> None:
        session = required_session(connection, caller, session_id)
        candidate = required_candidate(connection, session, candidate_id)
        now = standing(connection, candidate.id, lock=True)
        data = {"outcome": outcome}
        if outcome == VALIDATED and now.state.outcome == TO_REVIEW:
            told = scorings_of(connection, candidate.id)[-1].result["competences"]
            if not any(entry["level"] > 0 for entry in told):
                raise Problem(
                    INVALID_REQUEST,
                    "No competence is certified: a certificate would be empty.",
                    reason="nothing-certified",
                )
        happen(connection, now, Kind.REVIEWED, context.clock(), who(caller), why, data)

    await context.write(store)


async def publish(context: Context, caller: Staff, session_id: str) -> Session:
    """Publish the outcomes of a session that are not published yet, and issue the certificates.

    Raises
    ------
    Problem
        404; 409 when the session is not finalised, a test is to be reviewed, or there is nothing new to publish.
    """

    def store(connection: Connection) -> Session:
        session = required_session(connection, caller, session_id, lock=True)
        at, by = context.clock(), who(caller)
        rules = context.pins.rules(connection, session.rules_hash)
        rows = [standing(connection, row.id, lock=True) for row in candidates_of_session(connection, session.id)]
        waiting = [row for row in rows if row.state.phase is Phase.DECIDED]
        open_ = [row.candidate for row in waiting if row.state.outcome == TO_REVIEW]
        if open_ and session.state in DECIDED:
            raise Problem(
                NOT_NOW,
                "The jury has not decided on every candidate yet: review those first.",
                candidates=[named(candidate) for candidate in open_],
                reason="jury-waits",
            )
        if session.state == SessionPhase.PUBLISHED.value and not waiting:
            raise Problem(
                NOT_NOW, "Everything is published already: score somebody again first.", reason="all-published"
            )
        changed = session_happen(connection, session, SessionKind.PUBLISHED, at, by)
        for row in waiting:
            now = happen(connection, row, Kind.PUBLISHED, at, by)
            if row.state.outcome == VALIDATED:
                assert row.state.scoring is not None
                moment = now.state.at
                issue(connection, context.keys.code, row.candidate, row.state.scoring, rules, moment)
            else:
                withdraw_certificates(connection, row.candidate.id, now.state.at, SCORED_AGAIN)
        return changed

    return await context.write(store)


async def revoke(context: Context, caller: Staff, session_id: str, candidate_id: str, why: str) -> None:
    """Revoke the certificate of a candidate; raise a 404 or 409 problem when there is none that stands."""

    def store(connection: Connection) -> None:
        session = required_session(connection, caller, session_id)
        candidate = required_candidate(connection, session, candidate_id)
        now = standing(connection, candidate.id, lock=True)
        now = happen(connection, now, Kind.REVOKED, context.clock(), who(caller), why)
        withdraw_certificates(connection, candidate.id, now.state.at, why)

    await context.write(store)


@dataclass(frozen=True, eq=False)
class _Rescored:
    """A new scoring on the ground on which it was made."""

    version: int
    scoring: Scoring
    bank: Bank
    test: Sat


async def rescore(context: Context, caller: Staff, session_id: str, candidate_id: str, why: str) -> None:
    """Score a candidate again: the same answers, under the calibration of the bank that is served now.

    The earlier scoring and its certificate stay on record; the new outcome counts once the session is published again.

    Raises
    ------
    Problem
        404; 409 when there is nothing to score again, that calibration was used already, or the bank lacks an item.
    """
    for _ in range(ATTEMPTS):
        made = await context.read(partial(_rescored, context, caller, session_id, candidate_id, why))

        def store(connection: Connection, made: _Rescored = made) -> bool:
            now = standing(connection, made.scoring.candidate_id, lock=True)
            if now.state.version != made.version:
                return False
            at = max(context.clock(), now.state.at)
            snapshot, design = made.bank.snapshot, made.test.test.design
            pin(connection, (snapshot.hash, snapshot.to_json), (content_hash(design), to_dict(design)), at)
            add_scoring(connection, Scoring(**{**vars(made.scoring), "at": at}))
            data = {"outcome": made.scoring.outcome, "scoring": made.scoring.version}
            happen(connection, now, Kind.RESCORED, at, who(caller), why, data)
            return True

        if await context.write(store):
            return
    raise Problem(UNAVAILABLE, "Several requests crossed: send the same one again.", headers={"Retry-After": "1"})


def _rescored(
    context: Context, caller: Staff, session_id: str, candidate_id: str, why: str, connection: Connection
) -> _Rescored:
    session = required_session(connection, caller, session_id)
    candidate = required_candidate(connection, session, candidate_id)
    now = standing(connection, candidate.id)
    erased = candidate.last_name == ""  # whose certificate would be nobody's
    if now.state.phase not in _SCORED or erased:
        phase = "erased" if erased else now.state.phase.value
        raise Problem(
            NOT_NOW,
            f"There is nothing to score again: the candidate is {phase}.",
            state=now.state.phase.value,
            reason="nothing-to-score",
        )
    before = scorings_of(connection, candidate.id)[-1]
    bank = _served(context, candidate)
    if bank.snapshot.hash == before.snapshot_hash:
        raise Problem(
            NOT_NOW,
            "This test was scored with the calibration of this bank: there is nothing new in it.",
            reason="same-calibration",
        )
    try:
        tests = companions(connection, context.pins, candidate, bank)
    except BankError as error:
        raise Problem(NOT_NOW, f"This bank cannot score the test: {error}", reason="bank-cannot-score") from None
    place = [test.candidate.id for test in tests].index(candidate.id)
    pair, test = copies(tests)[place], tests[place]
    said = judge(test, before.end, None if pair is None else pair["p"])
    scoring = Scoring(
        candidate_id=candidate.id,
        version=before.version + 1,
        run_id=test.run.id,
        snapshot_hash=bank.snapshot.hash,
        rules_hash=session.rules_hash,
        at=context.clock(),
        who=who(caller),
        why=why,
        end=before.end,
        copied=pair,
        outcome=outcome_of(said),
        result=result_of(test, said),
    )
    return _Rescored(now.state.version, scoring, bank, test)


def _served(context: Context, candidate: Candidate) -> Bank:
    """Bank that is served now in the language of a candidate."""
    try:
        return context.served.bank(candidate.locale)
    except BankError:
        raise Problem(
            NOT_NOW,
            f"The bank has no item in the language {candidate.locale!r}: score with one that has.",
            reason="bank-cannot-score",
        ) from None
