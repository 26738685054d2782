"""The proof of a stored run: every question and the result follow from its facts, its pinned bank and its design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection

from api.certification.proof import check_certification, earlier_runs
from api.database import Database
from api.identifiers import parsed_id
from api.runs.beginning import Beginning
from api.runs.difference import DifferenceError, agree
from api.runs.facts import ANSWERED, ASKED, ENDED, NOT_REACHED, WITHDRAWN, Fact, Run, response_of
from api.runs.live import Live, softened
from api.runs.pinned import PinnedTest, Pins
from api.runs.replied import with_replies
from api.runs.repository import facts_of, run_of
from api.runs.results import told_result
from api.tables import QUESTION, REPLY
from engine.adaptive import Decision, decide, step
from engine.certification import content_hash as rules_hash
from engine.errors import AnswerError, SettingError
from engine.state import State, withdraw
from engine.stopping import Reason
from engine.uniform import uniform
from itembank.marking import mark


@dataclass(frozen=True)
class Proof:
    """What replaying a run showed."""

    run_id: str
    decisions: int
    """Decisions that were derived again and agree."""
    finished: bool
    difference: str | None = None
    """The first difference, as a sentence; None when there is none."""

    @property
    def ok(self) -> bool:
        """Whether everything follows."""
        return self.difference is None


def prove(database: Database, run_id: str) -> Proof:
    """Derive a stored run again, decision by decision; of a run that certifies, everything that follows from it too.

    Parameters
    ----------
    database : Database
    run_id : str

    Returns
    -------
    Proof

    Raises
    ------
    SettingError
        When there is no such run; the message says what to do.
    """
    with database.opened(), database.reading() as connection:
        return prove_stored(connection, run_id)


def prove_stored(connection: Connection, run_id: str, whole: bool = True) -> Proof:
    """Derive a run again from what a connection reads.

    Parameters
    ----------
    connection : Connection
    run_id : str
    whole : bool
        Whether the other candidates of its session are there: an audit file leaves them out.

    Raises
    ------
    SettingError
        When there is no such run.
    """
    known = parsed_id(run_id)
    run = None if known is None else run_of(connection, known)
    if run is None:
        raise SettingError(f"There is no run {run_id!r} in this database; check the id and the database.")
    pins = Pins()
    if run.rules_hash is None:
        return _proved(connection, pins, run)
    proof = Proof(run.id, 0, run.finished_at is not None)
    try:
        for earlier in earlier_runs(connection, run):
            before = _proved(connection, pins, earlier)
            if before.difference is not None:
                raise DifferenceError(f"In the run {earlier.id}, which counts in this one: {before.difference}")
        proof = _proved(connection, pins, run)
        if proof.ok:
            check_certification(connection, pins, run, whole)
    except DifferenceError as difference:
        return replace(proof, difference=str(difference))
    return proof


def _proved(connection: Connection, pins: Pins, run: Run) -> Proof:
    facts = facts_of(connection, run.id)
    decisions = 0
    try:
        before = _begun(connection, pins, run)
        test = before.test
        state, decision = before.first(run.seed)
        replies: list[Fact] = []
        for question, reply in _turns(facts):
            place = len(replies)
            if question.kind == ENDED:
                replied = with_replies(before.replied, test.design, test.bank, replies)
                live = Live(run, test, state, place, None, question.at, replied, question)
                _check_end(run, question, decision, told_result(live), replies)
                if question is not facts[-1]:
                    raise DifferenceError(f"Position {question.position}: a fact is stored after the end of the run.")
                return Proof(run.id, decisions + 1, finished=True)
            _check_question(test, question, decision)
            decisions += 1
            if reply is not None:
                state, decision = _after_reply(run, test, state, question, reply)
                replies.append(reply)
        _check_open(run, facts)
    except DifferenceError as difference:
        return Proof(run.id, decisions, run.finished_at is not None, str(difference))
    return Proof(run.id, decisions, finished=False)


def _begun(connection: Connection, pins: Pins, run: Run) -> Beginning:
    """Read the pinned bank and designs, which must have the hashes that the run pins."""
    try:
        test = pins.pinned(connection, run.snapshot_hash, run.design_hash)
        rules = None if run.rules_hash is None else pins.rules(connection, run.rules_hash)
        before = Beginning.of(connection, pins, run)
    except (LookupError, TypeError, ValueError) as error:  # BankError and DesignError are among them
        raise DifferenceError(f"What the run pins cannot be read: {error}") from error
    if test.design_hash != run.design_hash or (rules is not None and rules_hash(rules) != run.rules_hash):
        raise DifferenceError("The pinned design does not have its hash: its content was altered.")
    return before


def _turns(facts: Sequence[Fact]) -> list[tuple[Fact, Fact | None]]:
    """Pair every question with its reply, None for the last; nothing may be missing."""
    for number, fact in enumerate(facts):
        if (fact.position, fact.part) != (number // 2, QUESTION if number % 2 == 0 else REPLY):
            raise DifferenceError(f"A fact is missing before position {fact.position} ({fact.kind}).")
        if number and fact.at < facts[number - 1].at:
            raise DifferenceError(f"Position {fact.position}: the {fact.kind} fact is older than the one before it.")
    replies: list[Fact | None] = [*facts[1::2], None]
    return list(zip(facts[::2], replies, strict=False))


def _check_question(test: PinnedTest, question: Fact, decision: Decision) -> None:
    where = f"Position {question.position}"
    if decision.done:
        reason = Reason(int(decision.reason)).name.lower()
        raise DifferenceError(f"{where}: {question.item} was asked where the run should have ended ({reason}).")
    row = int(decision.item)
    if question.item != test.snapshot.ids[row]:
        expected = test.snapshot.ids[row]
        raise DifferenceError(f"{where}: {question.item} was asked where {expected} should have been.")
    if question.reason != softened(int(decision.relaxed)):
        raise DifferenceError(f"{where}: {question.item} was asked with other constraints given way than is stored.")
    if question.parameters != test.bank.parameters[row]:
        raise DifferenceError(f"{where}: the parameters of {question.item} are not those of the pinned bank.")


def _after_reply(run: Run, test: PinnedTest, state: State, question: Fact, reply: Fact) -> tuple[State, Decision]:
    where = f"Position {reply.position}"
    if reply.item != question.item:
        raise DifferenceError(f"{where}: {reply.item} was replied to where {question.item} was asked.")
    row = test.snapshot.row(question.item or "")
    response = response_of(reply)
    u = uniform(run.seed, reply.position + 1)
    if run.rules_hash is None and reply.kind in (WITHDRAWN, NOT_REACHED):
        raise DifferenceError(f"{where}: a reply {reply.kind} is stored in a run that does not certify.")
    if (reply.response is None) == (reply.kind == ANSWERED):
        raise DifferenceError(f"{where}: a reply {reply.kind} is stored with the category {reply.response}.")
    if reply.kind == ANSWERED:
        try:
            marked = mark(test.snapshot.items[row], reply.answer)
        except AnswerError as error:
            raise DifferenceError(f"{where}: the stored answer cannot be marked: {error}") from error
        if marked != response:
            raise DifferenceError(f"{where}: the stored category is {response} where marking gives {marked}.")
    if reply.kind == WITHDRAWN:
        state = withdraw(test.table, state, row)
        return state, decide(test.design, test.table, state, u)
    return step(test.design, test.table, state, row, response, np.float64(reply.seconds), u)


def _check_end(
    run: Run,
    ended: Fact,
    decision: Decision,
    expected: Sequence[Mapping[str, Any]] | None,
    replies: Sequence[Fact],
) -> None:
    where = f"Position {ended.position}"
    cut_off = bool(replies) and replies[-1].kind == NOT_REACHED
    if not decision.done and not cut_off:
        raise DifferenceError(f"{where}: the run ended where another item should have been asked.")
    reason = Reason(int(decision.reason)).name.lower()
    if ended.reason != reason and not cut_off:
        raise DifferenceError(f"{where}: the run ended by {ended.reason} where it should have by {reason}.")
    if run.finished_at != ended.at:
        raise DifferenceError(f"{where}: the run says that it finished at another moment than its last fact.")
    if expected is None:
        return
    told = ended.result or []
    if len(told) != len(expected):
        raise DifferenceError(f"{where}: the result has {len(told)} competences where there are {len(expected)}.")
    for was, should in zip(told, expected, strict=True):
        for name, value in should.items():
            if not agree(was.get(name), value):
                raise DifferenceError(
                    f"{where}: the result told {name} {was.get(name)} for competence {should['competence']} "
                    f"where it should be {value}."
                )


def _check_open(run: Run, facts: Sequence[Fact]) -> None:
    if not facts or facts[-1].kind != ASKED:
        raise DifferenceError("The run has no pending item: its last question is missing.")
    if run.finished_at is not None:
        raise DifferenceError("The run says that it is finished, and an item is pending.")
