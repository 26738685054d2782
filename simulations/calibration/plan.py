"""What each item of a response file is: its model and the competence that it measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.arrays import Ints
from engine.errors import BankError
from engine.latent import Independent, Latent, LatentTree
from engine.parameters import Model
from itembank.bank import ItemBank
from itembank.csv_text import Row, read_rows

COLUMNS = ("id", "model", "competence", "domain")
"""Columns of a structure table; the first is needed."""

START: tuple[float, float] = (0.8, 0.8)
"""Where the loadings of domains and of competences start when nothing is known of them."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Items of a calibration.

    Parameters
    ----------
    ids, models : tuple of I str
    competences : tuple of C str
        Codes.
    competence : (I,) int
        0 .. C - 1.
    latent : Independent or LatentTree
    domains : tuple of D str
        Codes of the domains of a tree; empty without one.
    """

    ids: tuple[str, ...]
    models: tuple[str, ...]
    competences: tuple[str, ...]
    competence: Ints
    latent: Latent
    domains: tuple[str, ...] = ()


def one_competence(ids: Sequence[str], model: str) -> Plan:
    """Plan in which all items have one model and measure one ability."""
    label = Model.named(model).label
    return Plan(tuple(ids), (label,) * len(ids), ("ability",), np.zeros(len(ids), dtype=np.int64), Independent(1))


def plan_of_structure(ids: Sequence[str], model: str, path: Path | str) -> Plan:
    """Plan of a structure table: CSV with a column ``id`` and any of ``model``, ``competence``, ``domain``.

    Competences without domains are independent; with domains they hang on a tree. An empty cell of the column ``model``
    stands for the model asked for. Items of the table that have no responses are left out.

    Raises
    ------
    BankError
        One sentence that names the file and the row.
    """
    header, rows = read_rows(path)
    if "id" not in header:
        raise BankError(f"{path} has no column 'id'; a structure table needs one.")
    foreign = [column for column in header if column not in COLUMNS]
    if foreign:
        raise BankError(f"{path} has a column {foreign[0]!r}; a structure table has {', '.join(COLUMNS)}.")
    known = _by_id(rows, path)
    missing = [id for id in ids if id not in known]
    if missing:
        raise BankError(f"{path} has no row for item {missing[0]!r}, which has responses; add it.")
    told = [known[id] for id in ids]
    models = tuple(Model.named(row.text("model") or model).label for row in told)
    codes = [_needed(row, "competence") if "competence" in header else "ability" for row in told]
    if "domain" not in header:
        competences = tuple(dict.fromkeys(codes))
        place = {code: number for number, code in enumerate(competences)}
        return Plan(
            tuple(ids), models, competences, np.array([place[code] for code in codes]), Independent(len(competences))
        )
    domain_of: dict[str, str] = {}
    for row, code in zip(told, codes, strict=True):
        domain = _needed(row, "domain")
        if domain_of.setdefault(code, domain) != domain:
            raise row.error(f"competence {code} is in the domains {domain_of[code]} and {domain}; correct one")
    domains = tuple(dict.fromkeys(domain_of.values()))
    competences = tuple(sorted(domain_of, key=lambda code: domains.index(domain_of[code])))
    place = {code: number for number, code in enumerate(competences)}
    tree = LatentTree(
        tuple(domains.index(domain_of[code]) for code in competences),
        (START[0],) * len(domains),
        (START[1],) * len(competences),
    )
    return Plan(tuple(ids), models, competences, np.array([place[code] for code in codes]), tree, domains)


def plan_of_bank(ids: Sequence[str], bank: ItemBank, model: str | None) -> Plan:
    """Plan of the items of a bank: its competences, its tree, and the model that each item has unless one is given."""
    framework = bank.framework
    unknown = [id for id in ids if id not in bank.parameters]
    if model is None and unknown:
        raise BankError(f"Item {unknown[0]!r} has no parameters, so that its model is unknown; give one with --model.")
    models = [bank.parameters[id].model if model is None else Model.named(model).label for id in ids]
    used = [code for code in framework.codes if any(bank.item(id).competence == code for id in ids)]
    place = {code: number for number, code in enumerate(used)}
    competence = np.array([place[bank.item(id).competence] for id in ids])
    if len(used) == 1:
        return Plan(tuple(ids), tuple(models), tuple(used), competence, Independent(1))
    whole = framework.tree()
    rows = [framework.index(code) for code in used]
    kept = sorted({whole.domain_of[row] for row in rows})
    tree = LatentTree(
        tuple(kept.index(whole.domain_of[row]) for row in rows),
        tuple(whole.domain_loadings[domain] for domain in kept),
        tuple(whole.competence_loadings[row] for row in rows),
    )
    domains = tuple(framework.domains[domain].code for domain in kept)
    return Plan(tuple(ids), tuple(models), tuple(used), competence, tree, domains)


def _by_id(rows: Sequence[Row], path: Path | str) -> Mapping[str, Row]:
    known: dict[str, Row] = {}
    for row in rows:
        id = _needed(row, "id")
        if id in known:
            raise BankError(f"{path} has two rows for item {id!r}; keep one.")
        known[id] = row
    return known


def _needed(row: Row, column: str) -> str:
    cell = row.text(column)
    if cell is None:
        raise row.error(f"the {column} is empty; write one")
    return cell
