"""What became of the candidates of a session, for its organisation and its platform."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.certification.callers import required_session
from api.certification.certificates.issue import status_of
from api.certification.certificates.repository import certificates_of_session
from api.certification.decisions.repository import scorings_of_session
from api.certification.decisions.words import (
    end_words,
    level_words,
    meaning_words,
    outcome_words,
    reason_words,
    status_words,
)
from api.certification.records import Candidate, Certificate, Scoring
from api.certification.repository import candidate_events, candidate_of_run, candidates_of_session, events_of_candidates
from api.certification.states import UNDER_WAY, CandidateState, Event, Kind, Phase, folded
from api.clock import iso
from api.context import Context
from api.organisations.callers import Staff
from itembank.framework import Framework


def results_view(context: Context, caller: Staff, session_id: str, connection: Connection) -> dict[str, Any]:
    """Show the outcome of every candidate of a session; raise a 404 problem."""
    session, at = required_session(connection, caller, session_id), context.clock()
    events, scorings = events_of_candidates(connection, session.id), scorings_of_session(connection, session.id)
    certificates = certificates_of_session(connection, session.id)
    shown = []
    for candidate in candidates_of_session(connection, session.id):
        state = folded(events[candidate.id])
        assert state is not None
        versions = scorings.get(candidate.id, [])
        framework = None if not versions else framework_of(context, connection, versions[-1])
        shown.append(
            {
                **candidate_view(candidate),
                **outcome_view(state, events[candidate.id]),
                "scorings": [scoring_view(one) for one in versions],
                **scored_view(versions[-1] if versions else None, framework),
                "certificates": [standing_view(one, at) for one in certificates.get(candidate.id, [])],
            }
        )
    return {"session_id": session.id, "state": session.state, "candidates": shown}


def candidate_view(candidate: Candidate) -> dict[str, Any]:
    """Name a candidate."""
    return {
        "candidate_id": candidate.id,
        "learner_id": candidate.learner_id,
        "first_name": candidate.first_name,
        "last_name": candidate.last_name,
        "birth_date": candidate.birth_date,
        "run_id": candidate.run_id,
    }


def outcome_view(state: CandidateState, events: Sequence[Event]) -> dict[str, Any]:
    """Show why a test ended and what was decided, by whom."""
    reviews = [event for event in events if event.kind == Kind.REVIEWED.value]
    return {
        "state": state.phase.value,
        "ended_at": None if state.ended_at is None else iso(state.ended_at),
        "end": state.end,
        "end_words": None if state.end is None else end_words(state.end),
        "end_why": state.end_why,
        "outcome": state.outcome,
        "outcome_words": None if state.outcome is None else outcome_words(state.outcome),
        "reviews": [
            {"at": iso(event.at), "who": event.who, "outcome": event.data["outcome"], "why": event.why}
            for event in reviews
        ],
        "revoked": state.revoked,
    }


def scored_view(scoring: Scoring | None, framework: Framework | None) -> dict[str, Any]:
    """Show the scoring in force: reasons and competences, in words."""
    if scoring is None or framework is None:
        return {"scoring": None, "reasons": [], "competences": []}
    return {
        "scoring": scoring.version,
        "reasons": [{"reason": reason, "words": reason_words(reason)} for reason in scoring.result["reasons"]],
        "competences": [_competence(told, framework) for told in scoring.result["competences"] if _examined(told)],
    }


def scoring_view(scoring: Scoring) -> dict[str, Any]:
    """Show a version of a scoring in a list."""
    return {
        "version": scoring.version,
        "at": iso(scoring.at),
        "who": scoring.who,
        "why": scoring.why,
        "outcome": scoring.outcome,
        "snapshot": scoring.snapshot_hash,
    }


def standing_view(certificate: Certificate, at: datetime) -> dict[str, Any]:
    """Show what became of a certificate."""
    return {
        "id": certificate.id,
        "scoring": certificate.scoring_version,
        "status": status_of(certificate, at).value,
        "issued_at": iso(certificate.issued_at),
        "expires_at": iso(certificate.expires_at),
    }


def framework_of(context: Context, connection: Connection, scoring: Scoring) -> Framework:
    """Framework by which a scoring is told."""
    return context.pins.pinned_bank(connection, scoring.snapshot_hash).snapshot.framework


def _examined(told: Mapping[str, Any]) -> bool:
    return bool(told["status"] != "not_examined")


def _competence(told: Mapping[str, Any], framework: Framework) -> dict[str, Any]:
    return {
        **told,
        "title": dict(framework.competence(told["competence"]).title),
        "profile_words": level_words(framework, told["profile_level"]),
        "level_words": level_words(framework, told["level"]),
        "meaning": meaning_words(framework, told["level"]),
        "status_words": status_words(told["status"]),
    }


def own_outcome(connection: Connection, run_id: str) -> dict[str, Any]:
    """Show the holder of a run how far its test is; the outcome once it is published, and never before."""
    candidate = candidate_of_run(connection, run_id)
    assert candidate is not None
    state = folded(candidate_events(connection, candidate.id))
    assert state is not None
    published = state.phase is Phase.PUBLISHED
    return {
        "under_way": state.phase in UNDER_WAY,
        "published": published,
        "outcome": state.outcome if published else None,
        "outcome_words": outcome_words(state.outcome) if published and state.outcome else None,
    }
