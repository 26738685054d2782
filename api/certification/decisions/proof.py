"""The proof of decisions: every scoring is derived again from the answers, and told by the facts as it is stored."""

from collections.abc import Sequence

from sqlalchemy import Connection

from api.certification.decisions.judging import companions, copies, judge, outcome_of, result_of, sat
from api.certification.decisions.repository import scorings_of
from api.certification.records import Candidate, Scoring
from api.certification.states import CandidateState, Event, Kind
from api.runs.difference import DifferenceError, first_difference
from api.runs.facts import Run
from api.runs.pinned import Pins
from engine.errors import BankError

SCORED = (Kind.DECIDED.value, Kind.RESCORED.value)


def check_scorings(
    connection: Connection,
    pins: Pins,
    candidate: Candidate,
    state: CandidateState,
    events: Sequence[Event],
    run: Run,
    whole: bool,
) -> None:
    """Check every version of a candidate's scoring.

    Parameters
    ----------
    connection, pins, candidate, state, events, run
    whole : bool
        Whether the other candidates of the session are there: what was found in comparing answers is then derived again
        too, else it is taken as it is stored.

    Raises
    ------
    DifferenceError
    """
    scorings = scorings_of(connection, candidate.id)
    decided = [event for event in events if event.kind in SCORED]
    if [one.version for one in scorings] != list(range(1, len(decided) + 1)):
        raise DifferenceError(f"There are {len(scorings)} scorings where the facts tell of {len(decided)}.")
    for scoring, event in zip(scorings, decided, strict=True):
        where = f"Scoring {scoring.version}"
        told = (event.data.get("scoring"), event.data.get("outcome"), event.at, event.who)
        if told != (scoring.version, scoring.outcome, scoring.at, scoring.who):
            raise DifferenceError(f"{where}: the fact of the decision tells of another version, outcome or moment.")
        if scoring.end != state.end:
            raise DifferenceError(f"{where}: the test ended by {state.end}, and was judged as ended by {scoring.end}.")
        if (scoring.run_id, scoring.rules_hash) != (run.id, run.rules_hash):
            raise DifferenceError(f"{where}: it is of another run, or by other rules.")
        if scoring.version == 1 and scoring.snapshot_hash != run.snapshot_hash:
            raise DifferenceError(f"{where}: the first one is by another calibration than that of the run.")
        _check_scoring(connection, pins, candidate, scoring, whole)


def _check_scoring(connection: Connection, pins: Pins, candidate: Candidate, scoring: Scoring, whole: bool) -> None:
    where = f"Scoring {scoring.version}"
    try:
        bank = pins.pinned_bank(connection, scoring.snapshot_hash)
        test, pair = sat(connection, pins, candidate, bank), scoring.copied
        if whole:
            tests = companions(connection, pins, candidate, bank)
            pair = copies(tests)[[one.candidate.id for one in tests].index(candidate.id)]
    except BankError as error:
        raise DifferenceError(f"{where}: the bank that it pins cannot be used: {error}") from error
    difference = first_difference(scoring.copied, pair, "copied")
    if difference is None:
        said = judge(test, scoring.end, None if pair is None else pair["p"])
        stored = {"outcome": scoring.outcome, **scoring.result}
        difference = first_difference(stored, {"outcome": outcome_of(said), **result_of(test, said)})
    if difference is not None:
        raise DifferenceError(f"{where}: {difference}.")
