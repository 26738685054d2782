"""Findings about the history: the parameters and loadings of a bank are those of its calibrations, and no others."""

from collections.abc import Iterator

from itembank.bank import ItemBank
from itembank.checks.finding import Finding, Severity


def history_findings(bank: ItemBank) -> Iterator[Finding]:
    """Look for parameters and loadings that differ from the calibration in force."""
    for id, known in bank.history.items():
        if id in bank.by_id and bank.parameters.get(id) != known.parameters.timed_as(bank.parameters.get(id)):
            yield Finding(
                Severity.ERROR,
                id,
                f"Parameters of item {id} differ from calibration {known.record.id}, which is in force; restore "
                "parameters.csv, or calibrate again.",
            )
    for id, parameters in bank.parameters.items():
        if id in bank.by_id and not parameters.provisional and id not in bank.history:
            yield Finding(
                Severity.WARNING,
                id,
                "Its parameters are not provisional and no calibration of the bank gives them; import them from a "
                "table, so that the bank knows their origin.",
            )
    yield from _loadings(bank)


def _loadings(bank: ItemBank) -> Iterator[Finding]:
    framework = bank.framework
    domains = {domain.code: domain.loading for domain in framework.domains}
    competences = {competence.code: competence.loading for competence in framework.competences}
    said: dict[tuple[str, str], tuple[str, float]] = {}
    for record in bank.calibrations:
        if record.loadings is not None:
            said |= {("domain", code): (record.id, value.value) for code, value in record.loadings.domains.items()}
            said |= {
                ("competence", code): (record.id, value.value) for code, value in record.loadings.competences.items()
            }
    for (what, code), (calibration, loading) in said.items():
        known = (domains if what == "domain" else competences).get(code)
        if known is not None and known != loading:
            yield Finding(
                Severity.ERROR,
                f"{what} {code}",
                f"Its loading {known} differs from the {loading} of calibration {calibration}, which is in force; "
                "restore framework.yaml, or calibrate again.",
            )
