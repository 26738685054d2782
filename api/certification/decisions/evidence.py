"""Everything about one candidate in one document, for the jury."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection

from api.certification.callers import required_candidate, required_session
from api.certification.certificates.repository import certificates_of
from api.certification.decisions.judging import DECIMALS, Sat, sat
from api.certification.decisions.repository import scorings_of
from api.certification.decisions.results import (
    candidate_view,
    framework_of,
    outcome_view,
    scored_view,
    scoring_view,
    standing_view,
)
from api.certification.records import Candidate, Scoring
from api.certification.repository import candidate_events, candidate_of, session_events
from api.certification.session_states import SessionKind
from api.certification.states import Event, Kind, folded
from api.clock import iso
from api.context import Context
from api.organisations.callers import Staff
from api.organisations.repository import members_of_organisation
from api.problems import NOT_NOW, Problem
from api.runs.facts import ANSWERED, ASKED, Fact
from api.runs.repository import facts_of
from engine.adaptive import replay
from engine.arrays import Floats
from engine.certification import CertificationDesign
from engine.clock import used
from engine.profile import Knowledge
from engine.timing import expected_seconds

THRESHOLDS = ("person_fit", "sincerity", "too_fast", "times", "copied")
"""Statistics, by their names in the rules: p-values under the number there ask for a review."""
READ_FASTER = 0.1
"""Share of the median time of an item under which nobody can have read it, as the test of too fast answers counts."""


def evidence_view(
    context: Context, caller: Staff, session_id: str, candidate_id: str, connection: Connection
) -> dict[str, Any]:
    """Show a candidate's profile and certification, question by question, with the statistics and every fact.

    Raises
    ------
    Problem
        404; 409 as long as the candidate has not started.
    """
    session = required_session(connection, caller, session_id)
    candidate = required_candidate(connection, session, candidate_id)
    if candidate.run_id is None:
        raise Problem(
            NOT_NOW,
            "There is nothing to show: the candidate has not started.",
            state=candidate.state,
            reason="not-started",
        )
    events, at = candidate_events(connection, candidate.id), context.clock()
    state = folded(events)
    assert state is not None
    test, versions = sat(connection, context.pins, candidate), scorings_of(connection, candidate.id)
    last = versions[-1] if versions else None
    names = {
        f"member:{member.id}": member.name for member in members_of_organisation(connection, session.organisation_id)
    }
    started = state.started_at
    assert started is not None
    return {
        **candidate_view(candidate),
        "session_id": session.id,
        "date": session.date,
        "accommodations": {
            "extra_time": candidate.extra_time,
            "accessible": list(candidate.accessible),
            "equipment": candidate.equipment,
            "locale": candidate.locale,
        },
        **outcome_view(state, events),
        "started_at": iso(started),
        "seconds_used": used(started, state.standstills, state.ended_at or at).total_seconds(),
        "seconds_allowed": candidate.limit(test.rules.minutes).total_seconds(),
        **scored_view(last, None if last is None else framework_of(context, connection, last)),
        "scorings": [scoring_view(one) for one in versions],
        "statistics": _statistics(connection, test.rules, last),
        "profile": _profile(candidate, test),
        "questions": _questions(test, facts_of(connection, test.run.id)),
        "incidents": [_event(event, names) for event in events if event.kind == Kind.INCIDENT.value]
        + [
            _event(event, names)
            for event in session_events(connection, session.id)
            if event.kind == SessionKind.INCIDENT.value
        ],
        "facts": [_event(event, names) for event in events],
        "certificates": [standing_view(one, at) for one in certificates_of(connection, candidate.id)],
    }


def _statistics(connection: Connection, rules: CertificationDesign, scoring: Scoring | None) -> dict[str, Any]:
    """Show each statistic beside the p-value under which it asks for a review."""
    if scoring is None:
        return {}
    told: dict[str, Any] = {name: dict(scoring.result[name]) for name in THRESHOLDS if name in scoring.result}
    told["copied"] = {"p": None, "with": None, **(scoring.copied or {})}
    other = None if scoring.copied is None else candidate_of(connection, scoring.copied["with"])
    told["copied"]["name"] = None if other is None else f"{other.first_name} {other.last_name}"
    for name, statistic in told.items():
        statistic["threshold"] = getattr(rules, name)
        statistic["beyond"] = name in scoring.result["reasons"]
    return told | {"answered_share": scoring.result["answered_share"]}


def _profile(candidate: Candidate, test: Sat) -> dict[str, Any]:
    pinned, codes = candidate.profile or {}, test.test.snapshot.framework.codes
    return {
        "run_id": pinned["run_id"],
        "competences": [
            {
                "competence": code,
                "level": level,
                "knowledge": Knowledge(known).name.lower(),
                "certifiable": code in pinned["certifiable"],
            }
            for code, level, known in zip(codes, pinned["levels"], pinned["knowledge"], strict=True)
        ],
    }


def _questions(test: Sat, facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Show each question with its reply: the time beside the expected one, the credit beside its expectation.

    Both expectations are those of this candidate: at the pace, and at the abilities, that the whole test tells of.
    """
    snapshot, table = test.test.snapshot, test.test.table
    speed = replay(test.test.design, table, test.facts, np.ones(len(snapshot), dtype=bool)).speed
    expected = expected_seconds(table.time_intensity, table.time_discrimination, speed)
    credit = _expected_credit(test)
    replies = {fact.position: fact for fact in facts if fact.kind != ASKED}
    shown = []
    for asked in facts:
        if asked.kind != ASKED:
            continue
        row = snapshot.row(asked.item or "")
        item, reply = snapshot.items[row], replies.get(asked.position)
        best = int(table.categories_of[row]) - 1
        answered = reply is not None and reply.kind == ANSWERED
        seconds = None if reply is None else reply.seconds
        median = float(np.exp(table.time_intensity[row]))
        shown.append(
            {
                "position": asked.position,
                "item": item.id,
                "competence": item.competence,
                "topic": item.topic,
                "level": item.level,
                "stem": item.stem,
                "asked_at": iso(asked.at),
                "replied_at": None if reply is None else iso(reply.at),
                "reply": None if reply is None else reply.kind,
                "answer": None if reply is None else reply.answer,
                "credit": reply.response / best if answered and reply and reply.response is not None else None,
                "chance": round(float(credit[row]), DECIMALS),
                "seconds": seconds,
                "expected_seconds": round(float(expected[row]), 1),
                "too_fast": answered and seconds is not None and 0 < seconds < READ_FASTER * median,
                "relaxed": asked.reason,
            }
        )
    return shown


def _expected_credit(test: Sat) -> Floats:
    """Credit that each item would earn on average, as a share of its full credit, (I,)."""
    table = test.test.table
    p = np.exp(table.log_evidence[:, : table.categories])
    points = np.arange(table.categories)[:, None] / np.maximum(table.categories_of - 1, 1)[:, None, None]
    return np.asarray(np.einsum("ikg,ig->i", p * points, test.posterior[table.competence]))


def _event(event: Event, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "number": event.number,
        "kind": event.kind,
        "at": iso(event.at),
        "who": event.who,
        "name": names.get(event.who),
        "why": event.why,
        "data": dict(event.data),
    }
