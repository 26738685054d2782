"""Whether the bank can serve the test to everybody enrolled: proved for each locale and accommodation among them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.certification.records import Candidate
from api.certification.repository import candidates_of_session
from api.certification.states import Phase
from api.context import Context
from api.problems import NOT_FEASIBLE, Problem
from engine.certification import CertificationDesign
from engine.errors import BankError
from itembank.checks.certification import feasibility
from itembank.checks.finding import Finding, Severity
from itembank.items import FLAGS


@dataclass(frozen=True, order=True)
class Need:
    """What some candidates have in common: all that the feasibility of their tests depends on."""

    locale: str
    accessible: tuple[str, ...]
    extra_time: float
    """Per cent."""

    @classmethod
    def of(cls, candidate: Candidate) -> "Need":
        """Need of a candidate."""
        flags = tuple(flag for flag in FLAGS if flag in candidate.accessible)
        return cls(candidate.locale, flags, candidate.extra_time)


def needs_of(connection: Connection, session_id: str) -> dict[Need, list[str]]:
    """Return the ids of the enrolled candidates of a session by what they need."""
    found: dict[Need, list[str]] = {}
    for candidate in candidates_of_session(connection, session_id):
        if candidate.state != Phase.REMOVED:
            found.setdefault(Need.of(candidate), []).append(candidate.id)
    return dict(sorted(found.items()))


def findings_of(context: Context, rules: CertificationDesign, need: Need) -> tuple[Finding, ...]:
    """Prove that the bank can serve the test to candidates with a need, or say what fails."""
    try:
        snapshot = context.served.bank(need.locale).snapshot
    except BankError as error:
        return (Finding(Severity.ERROR, f"certification ({need.locale})", str(error)),)
    return feasibility(snapshot, rules, need.accessible, need.extra_time / 100.0)


def told_findings(
    context: Context, rules: CertificationDesign, needs: Mapping[Need, Sequence[str]]
) -> list[dict[str, Any]]:
    """Prove it for several needs, and show what was found with the ids of the candidates concerned."""
    return [
        {
            "severity": finding.severity.value,
            "where": finding.where,
            "sentence": finding.sentence,
            "locale": need.locale,
            "accessible": list(need.accessible),
            "extra_time": need.extra_time,
            "candidates": list(ids),
        }
        for need, ids in needs.items()
        for finding in findings_of(context, rules, need)
    ]


def required_feasible(found: Iterable[Mapping[str, Any]]) -> None:
    """Raise a 422 problem with the constraints that fail, if one does; warnings do not."""
    errors = [finding for finding in found if finding["severity"] == Severity.ERROR]
    if errors:
        raise Problem(
            NOT_FEASIBLE,
            f"The bank cannot serve the test to everybody: {errors[0]['where']}: {errors[0]['sentence']}",
            findings=errors,
            reason="not-feasible",
        )
