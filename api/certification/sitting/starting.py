"""The start of a test: everything it depends on is pinned, its first item asked, its clock started, all at once."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from api.certification.callers import Sitter
from api.certification.eligibility import profile_for
from api.certification.happening import happen
from api.certification.sessions.planning import check_hour
from api.certification.sitting.acting import ATTEMPTS, CrossedError, act, crossed, require_authorised
from api.certification.sitting.seat import Seat, device_name, seat_of, time_is_up
from api.certification.sitting.settle import seated
from api.certification.states import UNDER_WAY, Kind
from api.context import Context
from api.identifiers import fingerprint, learner_token, new_access_code, new_id, new_seed
from api.organisations.repository import organisation_of
from api.problems import NOT_ELIGIBLE, NOTHING_TO_ASK, Problem
from api.runs.beginning import Beginning
from api.runs.facts import Run
from api.runs.live import Live, question
from api.runs.repository import add_facts, add_run, pin
from engine.designs import to_dict
from engine.errors import BankError
from itembank.certification import certification_test


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run that is decided and not stored yet, for a candidate as they were enrolled then."""

    live: Live
    version: int
    profile: dict[str, Any]


async def start(context: Context, sitter: Sitter) -> None:
    """Start the test of a candidate on a device that the invigilator authorised.

    Sent again from the device that has started it, nothing happens.

    Raises
    ------
    Problem
        409 when the device is not authorised, or not any more, or the state does not allow it; 422 when the learner is
        not eligible any more, or the bank has nothing to ask.
    """
    for _ in range(ATTEMPTS):
        seat = await seated(context, sitter.candidate.id)
        if _started_by(sitter, seat, context.clock()):
            return
        try:
            prepared = await context.read(partial(_prepared, context, sitter))
            live = await act(context, sitter.candidate, partial(_store, context, sitter, prepared), opened=True)
        except CrossedError:
            continue
        context.live_runs.put(live.run.id, live)
        return
    raise crossed()


def _started_by(sitter: Sitter, seat: Seat, at: datetime) -> bool:
    """Whether a test is under way on this very device."""
    return seat.shown(at).phase in UNDER_WAY and seat.candidate.device_hash == sitter.token_hash


def _prepared(context: Context, sitter: Sitter, connection: Connection) -> Prepared:
    """Decide on everything about the run, and store nothing."""
    seat = seat_of(connection, context.pins, sitter.candidate.id)
    candidate, rules, at = seat.candidate, seat.rules, context.clock()
    if _started_by(sitter, seat, at):
        raise CrossedError
    if seat.over(at):
        raise time_is_up()
    check_hour(rules, seat.session, at)
    require_authorised(seat, sitter, Kind.STARTED, at)
    profile = profile_for(connection, context, candidate.learner_id, rules, at, seat.session.zone)
    if not profile.eligible:
        words = profile.words.get(candidate.locale, profile.words["en"])
        raise Problem(NOT_ELIGIBLE, words, words=dict(profile.words))
    organisation = organisation_of(connection, seat.session.organisation_id)
    assert organisation is not None
    try:
        bank = context.served.bank(candidate.locale)
    except BankError:
        raise _nothing_to_ask() from None
    test = context.pins.ready(bank, certification_test(rules, bank.snapshot.framework, seat.limit))
    run = Run(
        id=new_id(),
        learner_id=candidate.learner_id,
        client_id=organisation.client_id,
        snapshot_hash=bank.snapshot.hash,
        design_hash=test.design_hash,
        seed=new_seed(),
        locale=candidate.locale,
        competences=profile.certifiable,
        accessible=candidate.accessible,
        earlier=tuple((run_id, weight * rules.profile_weight) for run_id, weight in profile.earlier),
        excluded=profile.seen,
        access_code=new_access_code(),
        created_at=at,
        rules_hash=seat.session.rules_hash,
    )
    before = Beginning.of(connection, context.pins, run)
    state, decision = before.first(run.seed)
    if decision.done:
        raise _nothing_to_ask()
    live = Live(run, test, state, 0, int(decision.item), at, before.replied, relaxed=int(decision.relaxed))
    return Prepared(live, seat.state.version, profile.pinned())


def _store(
    context: Context, sitter: Sitter, prepared: Prepared, connection: Connection, seat: Seat, at: datetime
) -> Live:
    """Store the run with its first question and the candidate's fact, at the moment at which the clock starts."""
    if seat.state.version != prepared.version:
        raise CrossedError
    check_hour(seat.rules, seat.session, at)
    require_authorised(seat, sitter, Kind.STARTED, at)
    live = replace(prepared.live, run=replace(prepared.live.run, created_at=at), asked_at=at)
    run, test = live.run, live.test
    pin(connection, (run.snapshot_hash, test.snapshot.to_json), (run.design_hash, to_dict(test.design)), at)
    add_run(connection, run, fingerprint(learner_token(context.keys.learner, run.id)))
    add_facts(connection, (question(live, at),))
    changes = {
        "run_id": run.id,
        "profile": prepared.profile,
        "device_hash": sitter.token_hash,
        "waiting_hash": None,
    }
    data = {"device": device_name(sitter.token_hash)}
    happen(connection, seat.standing, Kind.STARTED, at, "candidate", data=data, changes=changes)
    return live


def _nothing_to_ask() -> Problem:
    return Problem(
        NOTHING_TO_ASK, "The bank has no item for this test: ask the invigilator, who sees what the session lacks."
    )
