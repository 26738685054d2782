"""A bank on disk, and the front door to everything that is read from files.

A bank is a folder::

    framework.yaml       domains, competences, bands, cuts, loadings
    items/X.Y.yaml       the topics and items of one competence
    calibrations/        the history of the parameters: NNNN-ID.json, in order (itembank.calibrations)
    parameters.csv       one row for each item with parameters (an item table): those in force

Saving is canonical: the same bank always gives the same bytes, so that a diff shows what changed and nothing else.
Every file is written whole or not at all, calibrations before the parameters that they give: a crash in between leaves
a calibration that is not in force yet, never parameters of unknown origin. ``jalon bank check`` finds it.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from engine.errors import BankError
from itembank.bank import ItemBank
from itembank.calibrations import CalibrationRecord, calibration_from, read_calibration, this_software
from itembank.estimates import ItemEstimates, StandardErrors
from itembank.framework import Competence, Framework, framework_from
from itembank.item_rows import StatedErrors
from itembank.items import Item, item_from, plain
from itembank.parameters import Parameters
from itembank.provisional import with_provisional
from itembank.responses import ResponseTable as ResponseTable
from itembank.responses import read_responses as read_responses
from itembank.responses import write_responses as write_responses
from itembank.responses import write_scores as write_scores
from itembank.tables import ItemTable as ItemTable
from itembank.tables import bank_table, item_table_text
from itembank.tables import read_item_table as read_item_table
from itembank.tables import write_item_table as write_item_table
from itembank.text_files import file_hash, read_text
from itembank.text_files import write_text as write_text
from itembank.times import TimesTable as TimesTable
from itembank.times import read_times as read_times
from itembank.yaml_text import read_yaml, write_yaml

CALIBRATIONS: Final = "calibrations"
FRAMEWORK: Final = "framework.yaml"
ITEMS: Final = "items"
NUMBER: Final = 4
"""Digits of the number of a calibration."""
PARAMETERS: Final = "parameters.csv"

ORDER: Final = (
    *("id", "topic", "level", "kind", "status", "locale", "document", "table", "code", "stem", "choices", "options"),
    *("key", "typos", "tolerance", "unit", "credit", "time", "limit", "accessible", "enemies", "why"),
)
"""Order of the fields of an item in its file."""


def load_bank(path: Path | str) -> ItemBank:
    """Bank in a folder.

    Raises
    ------
    BankError
        One sentence that names the file and the item at fault.
    """
    folder = Path(path)
    if not (folder / FRAMEWORK).is_file():
        raise BankError(f"There is no {FRAMEWORK} in {folder}; give the folder of a bank.")
    framework = framework_from(_content(folder / FRAMEWORK), str(folder / FRAMEWORK))
    topics: dict[str, Any] = {}
    items: list[Item] = []
    for file in sorted((folder / ITEMS).glob("*.yaml")):
        content = _content(file)
        code = _competence_of(content, framework, file)
        if code in topics:
            raise BankError(f"{file} is a second file of competence {code}; keep all its items in one file.")
        topics[code] = content["topics"]
        items += [_item(entry, number, code, file) for number, entry in enumerate(content["items"], 1)]
    framework = framework.with_topics(topics, f"the topics in {folder / ITEMS}")
    bank = ItemBank(framework, tuple(items), {}, _history(folder / CALIBRATIONS))
    if not (folder / PARAMETERS).is_file():
        return bank
    return replace(bank, parameters=_agreed(bank, read_item_table(folder / PARAMETERS)))


def _history(folder: Path) -> tuple[CalibrationRecord, ...]:
    """Calibrations of a bank, oldest first."""
    records: list[CalibrationRecord] = []
    for file in sorted(folder.glob("*.json"), key=lambda file: (len(file.name), file.name)):
        record = read_calibration(read_text(file), str(file))
        expected = _name(len(records) + 1, record)
        if not file.name.startswith(expected[: NUMBER + 1]):
            raise BankError(f"{folder} has no calibration {expected[:NUMBER]}; restore it from a backup.")
        if file.name != expected:
            raise BankError(f"{file} was altered: its content is that of {expected}; restore it from a backup.")
        records.append(record)
    return tuple(records)


def _name(number: int, record: CalibrationRecord) -> str:
    return f"{number:0{NUMBER}}-{record.id}.json"


def import_parameters(bank: ItemBank, path: Path | str, scale: float | None = None, *, date: str) -> ItemBank:
    """Bank with the parameters of an item table in place of those it had for these items.

    Parameters
    ----------
    bank : ItemBank
    path : Path or str
        An item table; every item of it must be in the bank.
    scale : float, optional
        D of the table: 1, 1.7 or 1.702; what its column ``D`` says when left out, else 1.
    date : str
        When, in UTC (ISO 8601).

    Notes
    -----
    The import is a calibration made elsewhere, and is kept in the history. Rows that the table calls provisional are
    not: they take the place of provisional parameters only. Time parameters that the table does not give stay as they
    were.
    """
    table = read_item_table(path, scale)
    given = {id: new.timed_as(bank.parameters.get(id)) for id, new in _agreed(bank, table).items()}
    for id, new in given.items():
        bank.item(id)
        if new.provisional and id in bank.parameters and not bank.parameters[id].provisional:
            raise BankError(f"{path} has provisional parameters for {id}, which is calibrated; leave its row out.")
    judged = {id: new for id, new in given.items() if new.provisional}
    bank = replace(bank, parameters=dict(bank.parameters) | judged)
    entries = [
        ItemEstimates.of(row.id, row.parameters, _known_errors(row.errors))
        for row in table.rows
        if not row.parameters.provisional
    ]
    if not entries:
        return bank
    record = {
        "date": date,
        "source": Path(path).name,
        "data_hash": file_hash(path),
        "software": this_software(),
        "model": "imported",
        "items": entries,
    }
    return bank.with_calibration(calibration_from(record, f"the import of {path}"))


def _known_errors(errors: StatedErrors) -> StatedErrors:
    """Name the parameter of each standard error; a table may have others, of what a bank does not keep."""
    names = {column: column.removeprefix("se_") for column in errors}
    return {names[column]: error for column, error in errors.items() if names[column] in StandardErrors.model_fields}


def fill_provisional(path: Path | str) -> ItemBank:
    """Give provisional parameters to the items of a bank on disk that have no estimates.

    Only the file of parameters is written, so that a bank not yet in the canonical form stays as its authors left it.
    """
    bank = with_provisional(load_bank(path))
    write_text(Path(path) / PARAMETERS, item_table_text(bank_table(bank)))
    return bank


def _agreed(bank: ItemBank, table: ItemTable) -> dict[str, Parameters]:
    """Parameters of a table that must agree with the items about competences and topics.

    Ids that the bank does not hold are kept, for itembank.checks to find.
    """
    for row in table.rows:
        item = bank.by_id.get(row.id)
        if item is None:
            continue
        for name, stated, real in (("competence", row.competence, item.competence), ("topic", row.topic, item.topic)):
            if stated is not None and stated != real:
                raise BankError(
                    f"{table.where} gives item {row.id} the {name} {stated!r} and its file gives {real!r}; correct one."
                )
    return {row.id: row.parameters for row in table.rows}


def export_bank(bank: ItemBank, path: Path | str) -> None:
    """Write a bank into a new folder, in its canonical form.

    Raises
    ------
    BankError
        When there is something at the path already: it could be a calibrated bank.
    """
    if Path(path).exists():
        raise BankError(f"{path} exists already; give the name of a new folder.")
    save_bank(bank, path)


def save_bank(bank: ItemBank, path: Path | str) -> None:
    """Write a bank into a folder, in its canonical form.

    Raises
    ------
    BankError
        When the folder holds items or calibrations that are not of this bank: they would be read back with it. So two
        people who calibrate the same bank at the same time do not overwrite each other's history.
    """
    folder = Path(path)
    texts = bank_texts(bank)
    found = [*sorted((folder / ITEMS).glob("*.yaml")), *sorted((folder / CALIBRATIONS).glob("*.json"))]
    foreign = [file for file in found if f"{file.parent.name}/{file.name}" not in texts]
    if foreign:
        raise BankError(f"{foreign[0]} is not a file of this bank; move it away, or save the bank elsewhere.")
    (folder / ITEMS).mkdir(parents=True, exist_ok=True)
    if bank.calibrations:
        (folder / CALIBRATIONS).mkdir(exist_ok=True)
    for name, text in texts.items():
        write_text(folder / name, text)


def bank_texts(bank: ItemBank) -> Mapping[str, str]:
    """Canonical content of each file of a bank, by its path in the folder, in the order of writing."""
    texts = {
        f"{CALIBRATIONS}/{_name(number, record)}": record.to_json()
        for number, record in enumerate(bank.calibrations, 1)
    }
    texts[FRAMEWORK] = write_yaml(_framework_content(bank.framework))
    for competence in bank.framework.competences:
        items = bank.of_competence(competence.code)
        if items or competence.topics:
            texts[f"{ITEMS}/{competence.code}.yaml"] = _competence_text(competence, items)
    strays = [item for item in bank.items if item.competence not in bank.framework.codes]
    if strays:
        raise BankError(f"Item {strays[0].id} is of no competence of the framework; correct it before saving the bank.")
    return texts | {PARAMETERS: item_table_text(bank_table(bank))}


@cache
def lsat7() -> ResponseTable:
    """Responses of 1,000 learners to five questions of section 7 of the Law School Admission Test.

    References
    ----------
    Bock and Lieberman (1970), Fitting a response model for n dichotomously scored items, Psychometrika 35, table 1.

    Examples
    --------
    >>> lsat7().responses.mean(axis=0).round(3).tolist()
    [0.828, 0.658, 0.772, 0.606, 0.843]
    """
    with as_file(files("itembank") / "examples" / "lsat7.csv") as path:
        return read_responses(path, counts="count")


@cache
def shipped_bank() -> ItemBank:
    """Bank of the CRCN that ships with Jalon."""
    with as_file(files("itembank") / "crcn") as folder:
        return load_bank(folder)


def _content(file: Path) -> Any:
    return read_yaml(read_text(file), str(file))


def _competence_of(content: Any, framework: Framework, file: Path) -> str:
    if not isinstance(content, dict) or set(content) != {"competence", "topics", "items"}:
        raise BankError(f"{file} must have the three fields competence, topics and items; correct it.")
    code = content["competence"]
    if code not in framework.codes:
        raise BankError(f"{file} is about a competence {code!r} that the framework does not have; quote or correct it.")
    if not isinstance(content["topics"], dict) or not isinstance(content["items"], list):
        raise BankError(f"{file} needs topics by code and a list of items; correct it.")
    return str(code)


def _item(entry: Any, number: int, competence: str, file: Path) -> Item:
    if not isinstance(entry, dict):
        raise BankError(f"{file}: item number {number} is not a mapping of fields; correct it.")
    return item_from(entry | {"competence": competence}, f"{file}, item {entry.get('id', f'number {number}')}")


def _framework_content(framework: Framework) -> dict[str, Any]:
    content = framework.model_dump(mode="json")
    for domain in content["domains"]:
        for competence in domain["competences"]:
            del competence["topics"]
    return content


def _competence_text(competence: Competence, items: tuple[Item, ...]) -> str:
    head = write_yaml(
        {
            "competence": competence.code,
            "topics": {topic.code: dict(topic.title) for topic in competence.topics},
            "items": [],
        }
    )
    if not items:
        return head
    entries = []
    for item in items:
        content = plain(item)
        lines = write_yaml({name: content[name] for name in ORDER if name in content}).rstrip("\n").split("\n")
        indented = (f"{'    ' if row else '  - '}{line}" if line else "" for row, line in enumerate(lines))
        entries.append("\n".join(indented) + "\n")
    return head.removesuffix("items: []\n") + "items:\n" + "\n".join(entries)
