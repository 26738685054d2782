"""The proof of a stored certification: its times, its profile, its decisions and its certificates follow from facts.

That every question follows from the answers before it is proved by :mod:`api.runs.replay`, of the certification and of
the positionings that it rests on; here is the rest.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from api.certification.certificates.proof import check_certificates
from api.certification.decisions.proof import check_scorings
from api.certification.eligibility import profile_told, seen_before, year_began_at
from api.certification.records import Candidate, Session
from api.certification.repository import candidate_events, candidate_of_run, session_events, session_of
from api.certification.session_states import folded as session_folded
from api.certification.sessions.planning import starts_at
from api.certification.sitting.seat import TIME
from api.certification.sitting.settle import COMPLETED, CUT_OFF, end_of
from api.certification.states import UNDER_WAY, CandidateState, Event, IllegalFactError, Kind, folded
from api.clock import iso
from api.runs.difference import DifferenceError, first_difference
from api.runs.facts import ASKED, ENDED, NOT_REACHED, WITHDRAWN, Fact, Run
from api.runs.pinned import Pins
from api.runs.repository import facts_of, last_fact, run_of
from api.tables import REPLY
from engine.certification import CertificationDesign
from engine.clock import between, deadline
from itembank.certification import certification_test

ACCOMMODATIONS = ("extra_time", "accessible", "locale")
"""What the test depends on, as the facts of the candidate tell it."""


PLANNED = frozenset({"date", "time", "zone"})
"""What says when a session is."""


def earlier_runs(connection: Connection, run: Run) -> list[Run]:
    """Return the runs that a run rests on, and those that they rest on in turn, each once."""
    found: dict[str, Run] = {}
    waiting = [run_id for run_id, _ in run.earlier]
    while waiting:
        run_id = waiting.pop()
        if run_id in found:
            continue
        earlier = run_of(connection, run_id)
        if earlier is None:
            raise DifferenceError(f"The earlier run {run_id}, which counts in this one, is missing.")
        found[run_id] = earlier
        waiting += [before for before, _ in earlier.earlier]
    return list(found.values())


def check_certification(connection: Connection, pins: Pins, run: Run, whole: bool = True) -> None:
    """Check what a certification is besides its questions.

    Parameters
    ----------
    connection : Connection
    pins : Pins
    run : Run
        That certifies, its questions being proved.
    whole : bool
        Whether the other candidates of its session are there, with whom answers were compared.

    Raises
    ------
    DifferenceError
        At the first thing stored that does not follow from the rest.
    """
    assert run.rules_hash is not None
    candidate = candidate_of_run(connection, run.id)
    if candidate is None:
        raise DifferenceError("The run certifies, and no candidate sat it.")
    rules, events = pins.rules(connection, run.rules_hash), candidate_events(connection, candidate.id)
    state = _folded(candidate, events, rules)
    session = _session(connection, candidate, run)
    facts = facts_of(connection, run.id)
    _check_start(connection, pins, candidate, session, state, events, run, rules)
    _check_profile(connection, pins, candidate, session, run, rules)
    _check_reports(events, facts)
    _check_clock(candidate, state, rules, facts)
    _check_end(candidate, state, rules, run, facts)
    check_scorings(connection, pins, candidate, state, events, run, whole)
    check_certificates(connection, candidate, events, rules)


def _folded(candidate: Candidate, events: Sequence[Event], rules: CertificationDesign) -> CandidateState:
    """Fold the facts of the candidate, of which none may be missing or impossible."""
    if [event.number for event in events] != list(range(1, len(events) + 1)):
        raise DifferenceError("A fact of the candidate is missing: their numbers have a gap.")
    try:
        state = folded(events, rules.authorised_minutes)
    except (IllegalFactError, KeyError, ValueError) as error:
        raise DifferenceError(f"The facts of the candidate cannot have happened: {error}") from error
    if state is None or state.started_at is None:
        raise DifferenceError("The run certifies, and its candidate never started.")
    if (candidate.state, candidate.version) != (state.phase.value, state.version):
        raise DifferenceError(
            f"The candidate is stored as {candidate.state} after {candidate.version} facts where they say "
            f"{state.phase.value} after {state.version}."
        )
    return state


def _session(connection: Connection, candidate: Candidate, run: Run) -> Session:
    """Read the session, whose facts may not be altered either."""
    session = session_of(connection, candidate.session_id)
    assert session is not None
    events, told = session_events(connection, session.id), dict[str, str]()
    try:
        state = session_folded(events)
    except (IllegalFactError, KeyError, ValueError) as error:
        raise DifferenceError(f"The facts of the session cannot have happened: {error}") from error
    if [event.number for event in events] != list(range(1, len(events) + 1)) or state is None:
        raise DifferenceError("A fact of the session is missing: their numbers have a gap.")
    if (session.state, session.version) != (state.phase.value, state.version):
        raise DifferenceError(f"The session is stored as {session.state} where its facts say {state.phase.value}.")
    for event in reversed(events):  # the last fact that tells one says what it is
        for name in PLANNED - told.keys():
            if event.data and event.data.get(name) is not None:
                told[name] = event.data[name]
    for name, value in told.items():
        if getattr(session, name) != value:
            raise DifferenceError(f"The session has the {name} {getattr(session, name)} where its facts say {value}.")
    if session.rules_hash != run.rules_hash:
        raise DifferenceError("The run pins other rules than its session.")
    return session


def _check_start(
    connection: Connection,
    pins: Pins,
    candidate: Candidate,
    session: Session,
    state: CandidateState,
    events: Sequence[Event],
    run: Run,
    rules: CertificationDesign,
) -> None:
    if state.started_at != run.created_at:
        raise DifferenceError(f"The run began at {iso(run.created_at)}, and the candidate at another moment.")
    planned = starts_at(session)
    if rules.too_early(planned, run.created_at) or rules.too_late(planned, run.created_at):
        raise DifferenceError(f"The run began at {iso(run.created_at)} in a session planned for {iso(planned)}.")
    if rules.windows and not rules.open_on(date.fromisoformat(session.date)):
        raise DifferenceError(f"The session is planned for {session.date}, on which the rules allow none.")
    told: dict[str, object] = {}
    for event in events:
        if event.kind in (Kind.ENROLLED.value, Kind.CHANGED.value):
            told |= {name: event.data[name] for name in ACCOMMODATIONS if name in event.data}
    kept = {"extra_time": candidate.extra_time, "accessible": list(candidate.accessible), "locale": candidate.locale}
    for name, value in told.items():
        if kept[name] != value:
            raise DifferenceError(f"The candidate has {name} {kept[name]} where the facts say {value}.")
    if (run.learner_id, run.locale, run.accessible) != (candidate.learner_id, candidate.locale, candidate.accessible):
        raise DifferenceError("The run is another learner's, or not in the language or with the items arranged for.")
    test = pins.pinned(connection, run.snapshot_hash, run.design_hash)
    expected = certification_test(rules, test.snapshot.framework, candidate.limit(rules.minutes))
    if (test.design.assembly, test.design.stop) != (expected.assembly, expected.stop):
        raise DifferenceError("The pinned test is not the one that the rules give with the candidate's extra time.")


def _check_profile(
    connection: Connection, pins: Pins, candidate: Candidate, session: Session, run: Run, rules: CertificationDesign
) -> None:
    """Check that the profile is what the positioning told, and that the run is about it."""
    profile = candidate.profile
    if profile is None:
        raise DifferenceError("The candidate has no profile that the test could validate.")
    told = run_of(connection, profile["run_id"])
    if told is None or told.learner_id != run.learner_id or told.rules_hash is not None:
        raise DifferenceError("The profile is not told by a positioning of the same learner.")
    if told.finished_at is None or told.finished_at > run.created_at:
        raise DifferenceError("The positioning that tells the profile was not finished when the test began.")
    pairs = [(told.id, 1.0), *told.earlier]
    _check("The profile's earlier runs", profile["earlier"], [list(pair) for pair in pairs])
    _check(
        "The run's earlier runs",
        [list(pair) for pair in run.earlier],
        [[run_id, weight * rules.profile_weight] for run_id, weight in pairs],
    )
    framework = pins.pinned_bank(connection, run.snapshot_hash).snapshot.framework
    began = year_began_at(rules, run.created_at, session.zone)
    found, levels, knowledge = profile_told(rules, framework, last_fact(connection, told.id), began)
    certifiable = [code for code, yes in zip(framework.codes, found.certifiable.tolist(), strict=True) if yes]
    _check("The profile's levels", profile["levels"], levels.tolist())
    _check("The profile's knowledge", profile["knowledge"], knowledge.tolist())
    _check("What is certifiable in the profile", profile["certifiable"], certifiable)
    _check("The competences of the run", list(run.competences), certifiable)
    if not bool(found.eligible):
        raise DifferenceError("The profile does not make eligible, and the test was taken.")
    seen = seen_before(connection, run, rules.seen_runs)
    _check("The items seen lately", sorted(run.excluded), list(seen))


def _check_reports(events: Sequence[Event], facts: Sequence[Fact]) -> None:
    """Check that items were withdrawn where a report was accepted, and nowhere else."""
    accepted: list[tuple[int, str, datetime]] = []
    reported: Event | None = None
    asked = {fact.position: fact for fact in facts if fact.kind == ASKED}
    for event in events:
        if event.kind == Kind.REPORTED.value:
            reported = event
            position, item, at = (event.data.get(name) for name in ("position", "item", "asked_at"))
            question = None if position is None else asked.get(position)
            if question is None or (question.item, iso(question.at)) != (item, at):
                raise DifferenceError(f"Position {position}: a problem was reported with {item}, which was not asked.")
        elif event.kind == Kind.ACCEPTED.value and reported is not None:
            accepted.append((reported.data["position"], reported.data["item"], event.at))
    withdrawn = [(fact.position, fact.item or "", fact.at) for fact in facts if fact.kind == WITHDRAWN]
    for taken in withdrawn:
        if taken not in accepted:
            raise DifferenceError(f"Position {taken[0]}: {taken[1]} was withdrawn, and no report of it accepted then.")
    for kept in accepted:
        if kept not in withdrawn:
            raise DifferenceError(f"Position {kept[0]}: the report of {kept[1]} was accepted, and it was kept.")


def _check_clock(
    candidate: Candidate, state: CandidateState, rules: CertificationDesign, facts: Sequence[Fact]
) -> None:
    """Check that every answer came while the clock ran, before the deadline, and took the time that is stored."""
    assert state.started_at is not None
    due = deadline(state.started_at, candidate.limit(rules.minutes), state.standstills)
    if facts[0].at != state.started_at:
        raise DifferenceError("Position 0: the first item was asked at another moment than the start.")
    for asked, reply in _replied(facts):
        where = f"Position {reply.position}"
        if reply.kind in (WITHDRAWN, NOT_REACHED):
            continue
        if due is not None and reply.at >= due:
            raise DifferenceError(f"{where}: the reply came at {iso(reply.at)}, after the deadline {iso(due)}.")
        for still in state.standstills:
            if still.begin < reply.at and (still.end is None or reply.at < still.end):
                raise DifferenceError(f"{where}: the reply came at {iso(reply.at)}, while the clock stood still.")
        seconds = between(asked.at, reply.at, state.standstills).total_seconds()
        if reply.seconds != seconds:
            raise DifferenceError(f"{where}: the reply took {seconds} s of the clock where {reply.seconds} are stored.")


def _check_end(
    candidate: Candidate,
    state: CandidateState,
    rules: CertificationDesign,
    run: Run,
    facts: Sequence[Fact],
) -> None:
    """Check that the run ended when and why the candidate's facts say so."""
    ended = facts[-1] if facts[-1].kind == ENDED else None
    if ended is None:
        if state.phase not in UNDER_WAY:
            raise DifferenceError("The candidate's facts say that the test ended, and an item is pending.")
        return
    where = f"Position {ended.position}"
    if state.end is None:
        raise DifferenceError(f"{where}: the run ended, and the candidate's facts say nothing of it.")
    cut_off = len(facts) > 1 and facts[-2].kind == NOT_REACHED
    expected = ended.reason if cut_off else end_of(ended)
    if state.end != expected or state.end not in (CUT_OFF if cut_off else (COMPLETED, TIME)):
        raise DifferenceError(f"{where}: the run ended by {ended.reason}, and the candidate's facts say {state.end}.")
    if state.ended_at != ended.at:
        raise DifferenceError(f"{where}: the run ended at another moment than the candidate's facts say.")
    if cut_off and facts[-2].at != ended.at:
        raise DifferenceError(f"{where}: the run ended at another moment than its last item.")
    assert state.started_at is not None
    due = deadline(state.started_at, candidate.limit(rules.minutes), state.standstills)
    if cut_off and state.end == TIME and ended.at != due:
        when = "while the clock stood still" if due is None else f"at {iso(due)}"
        raise DifferenceError(f"{where}: the run ended by time at {iso(ended.at)} where time was up {when}.")
    if due is not None and ended.at > due:
        raise DifferenceError(f"{where}: the run ended at {iso(ended.at)}, after the deadline {iso(due)}.")


def _replied(facts: Sequence[Fact]) -> Iterator[tuple[Fact, Fact]]:
    for number, fact in enumerate(facts):
        if fact.part == REPLY:
            yield facts[number - 1], fact


def _check(what: str, stored: object, derived: object) -> None:
    difference = first_difference(stored, derived)
    if difference is not None:
        raise DifferenceError(f"{what} differ from what was positioned: {difference.removeprefix(': ')}.")
