"""The two commands: calibrate a file of responses, and calibrate the items of a bank.

They work on one thread: threads of the linear algebra library that wait for a busy processor cost more than they gain.
"""

from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from engine.errors import BankError, JalonError
from itembank.bank import ItemBank
from itembank.files import load_bank, save_bank
from itembank.parameters import Parameters
from itembank.tables import item_table_text, read_item_table
from itembank.text_files import write_text
from simulations.calibration.outcome import item_table, record, summary_text
from simulations.calibration.plan import Plan, one_competence, plan_of_bank, plan_of_structure
from simulations.calibration.report import report_page
from simulations.calibration.study import Asked, Study, study


def calibrate_file(
    asked: Asked,
    out: Path,
    *,
    model: str = "2PL",
    structure: Path | None = None,
    fixed: Path | None = None,
    scale: float | None = None,
    report: Path | None = None,
) -> Study:
    """Calibrate a file of responses and write the item table.

    Parameters
    ----------
    asked : Asked
    out : Path
        Item table to write.
    model : str
        Of the items of which nothing else is said.
    structure : Path, optional
        See :func:`simulations.calibration.plan.plan_of_structure`.
    fixed : Path, optional
        Item table of parameters that are held; the other items come on their scale.
    scale : float, optional
        D of that table.
    report : Path, optional
        JSON file to write; the page for people goes beside it, with the ending ``.html``.

    Returns
    -------
    Study
    """
    _check(out, report)
    _apart(asked, out, report)
    table = asked.read()
    plan = one_competence(table.items, model) if structure is None else plan_of_structure(table.items, model, structure)
    held = {}
    if fixed is not None:
        held = {row.id: row.parameters for row in read_item_table(fixed, scale).rows if row.id in table.items}
        if not held:
            raise BankError(
                f"None of the items of {fixed} has responses in {asked.responses}; nothing gives the scale."
            )
    with threadpool_limits(1):
        found = study(asked, plan, table, held)
    _report(found, report)
    write_text(out, item_table_text(item_table(found)))
    return found


def calibrate_bank(
    asked: Asked,
    bank: Path,
    *,
    date: str,
    model: str | None = None,
    hold_calibrated: bool = False,
    report: Path | None = None,
) -> Study:
    """Calibrate the items of a bank from a file of responses, and keep the calibration in the bank.

    Parameters
    ----------
    asked : Asked
    bank : Path
        Folder of the bank, which is changed.
    date : str
        Now, in UTC, as ISO 8601 writes it.
    model : str, optional
        Of all items; the one that each has when left out.
    hold_calibrated : bool
        Hold the parameters of the items that have calibrated ones, and bring the others on their scale.
    report : Path, optional
        As for :func:`calibrate_file`.
    """
    _check(None, report)
    _apart(asked, None, report)
    content = load_bank(bank)
    table = asked.read([item.id for item in content.items])
    held = _calibrated(content, table.items) if hold_calibrated else {}
    if hold_calibrated and not held:
        raise BankError("No item with responses has calibrated parameters yet; calibrate without holding any first.")
    if len(held) == len(table.items):
        raise BankError(
            "All items with responses have calibrated parameters, so that holding them leaves none to estimate."
        )
    plan: Plan = plan_of_bank(table.items, content, model)
    with threadpool_limits(1):
        found = study(asked, plan, table, held)
    if any("@" in id for id in found.ids):
        raise BankError("A bank has one set of parameters for each item: use groups without anchors.")
    changed = content.with_calibration(record(found, date))
    _report(found, report)
    save_bank(changed, bank)
    return found


def _calibrated(content: ItemBank, ids: Sequence[str]) -> dict[str, Parameters]:
    return {
        id: content.parameters[id] for id in ids if id in content.parameters and not content.parameters[id].provisional
    }


def _check(out: Path | None, report: Path | None) -> None:
    """Refuse what could not be written, before the work and not after it."""
    for path in (out, report):
        if path is not None and path.is_dir():
            raise JalonError(f"{path} is a folder, not a file; give the name of a file.")
        if path is not None and not path.parent.is_dir():
            raise JalonError(f"There is no folder {path.parent}; make it first, or give another path.")
    if report is not None and report.suffix == ".html":
        raise JalonError("The report is written as JSON, and the page beside it; end its name in .json.")


def _apart(asked: Asked, out: Path | None, report: Path | None) -> None:
    """Refuse to write over what is read, or one output over another."""
    pages = [] if report is None else [report, report.with_suffix(".html")]
    written = [path.resolve() for path in (*([] if out is None else [out]), *pages)]
    read = [path.resolve() for path in (asked.responses, asked.times) if path is not None]
    if len(set(written)) < len(written) or set(written) & set(read):
        raise JalonError("The same file is named twice; give responses, --out and --report names of their own.")


def _report(found: Study, report: Path | None) -> None:
    if report is not None:
        write_text(report.with_suffix(".html"), report_page(found))
        write_text(report, summary_text(found))
