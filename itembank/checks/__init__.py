"""What is wrong with a bank, as a list of findings: never an exception, so that all of it is seen at once."""

from collections.abc import Sequence

from engine.adaptive import Design
from itembank.bank import ItemBank
from itembank.checks.content import content_findings
from itembank.checks.courses import course_findings
from itembank.checks.coverage import coverage_findings
from itembank.checks.feasibility import feasibility_findings
from itembank.checks.finding import Expectations as Expectations
from itembank.checks.finding import Finding as Finding
from itembank.checks.finding import Severity as Severity
from itembank.checks.history import history_findings
from itembank.checks.precision import precision_findings
from itembank.courses import Course
from itembank.positioning import positioning_design


def findings(
    bank: ItemBank,
    designs: Sequence[Design] | None = None,
    expectations: Expectations | None = None,
    courses: Sequence[Course] = (),
) -> list[Finding]:
    """Everything that is wrong with a bank, errors first.

    Parameters
    ----------
    bank : ItemBank
    designs : sequence of Design, optional
        Tests that the bank must be able to serve; the positioning over all competences when left out.
    expectations : Expectations, optional
        What is enough.
    courses : sequence of Course
        Ready-made courses that the bank must be able to serve, e.g. of :func:`itembank.courses.load_courses`.

    Returns
    -------
    list of Finding
        Empty for a bank that can be served.
    """
    expected = expectations if expectations is not None else Expectations()
    tests = designs if designs is not None else (positioning_design(bank.framework),)
    found = [
        *content_findings(bank),
        *precision_findings(bank, expected),
        *history_findings(bank),
        *coverage_findings(bank, expected),
        *feasibility_findings(bank, tests),
        *course_findings(bank, courses, expected),
    ]
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)
