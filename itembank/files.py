"""A bank on disk, and the front door to everything that is read from files.

A bank is a folder::

    framework.yaml       domains, competences, bands, cuts, loadings
    items/X.Y.yaml       the topics and items of one competence
    parameters.csv       one row for each calibrated item (an item table)

Saving is canonical: the same bank always gives the same bytes, so that a diff shows what changed and nothing else.
Every file is written whole or not at all.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from engine.errors import BankError
from itembank.bank import ItemBank
from itembank.framework import Competence, Framework, framework_from
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
from itembank.text_files import read_text
from itembank.text_files import write_text as write_text
from itembank.yaml_text import read_yaml, write_yaml

FRAMEWORK: Final = "framework.yaml"
ITEMS: Final = "items"
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
    bank = ItemBank(framework.with_topics(topics, f"the topics in {folder / ITEMS}"), tuple(items), {})
    if not (folder / PARAMETERS).is_file():
        return bank
    return replace(bank, parameters=_agreed(bank, read_item_table(folder / PARAMETERS)))


def import_parameters(bank: ItemBank, path: Path | str, scale: float | None = None) -> ItemBank:
    """Bank with the parameters of an item table in place of those it had for these items.

    Parameters
    ----------
    bank : ItemBank
    path : Path or str
        An item table; every item of it must be in the bank.
    scale : float, optional
        D of the table: 1, 1.7 or 1.702; what its column ``D`` says when left out, else 1.

    Notes
    -----
    Time parameters that the table does not give stay as they were.
    """
    table = read_item_table(path, scale)
    return bank.with_calibration({id: _timed(row, bank.parameters.get(id)) for id, row in _agreed(bank, table).items()})


def _timed(new: Parameters, old: Parameters | None) -> Parameters:
    """Parameters with the time parameters of before where there are none."""
    if old is None:
        return new
    return replace(
        new,
        time_intensity=old.time_intensity if new.time_intensity is None else new.time_intensity,
        time_discrimination=(old.time_discrimination if new.time_discrimination is None else new.time_discrimination),
    )


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
        When the folder holds item files that are not of this bank: they would be read back with it.
    """
    folder = Path(path)
    texts = bank_texts(bank)
    foreign = [file for file in sorted((folder / ITEMS).glob("*.yaml")) if f"{ITEMS}/{file.name}" not in texts]
    if foreign:
        raise BankError(f"{foreign[0]} is not a file of this bank; move it away, or save the bank elsewhere.")
    (folder / ITEMS).mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_text(folder / name, text)


def bank_texts(bank: ItemBank) -> Mapping[str, str]:
    """Canonical content of each file of a bank, by its path in the folder."""
    texts = {FRAMEWORK: write_yaml(_framework_content(bank.framework))}
    for competence in bank.framework.competences:
        items = bank.of_competence(competence.code)
        if items or competence.topics:
            texts[f"{ITEMS}/{competence.code}.yaml"] = _competence_text(competence, items)
    strays = [item for item in bank.items if item.competence not in bank.framework.codes]
    if strays:
        raise BankError(f"Item {strays[0].id} is of no competence of the framework; correct it before saving the bank.")
    return texts | {PARAMETERS: item_table_text(bank_table(bank))}


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
