"""The item bank: a framework, its items and their parameters. Changing a bank gives a new bank."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from engine.errors import BankError
from itembank.calibrations import CalibrationRecord, InForce, in_force
from itembank.framework import Framework
from itembank.items import Item, Status
from itembank.parameters import Parameters


@dataclass(frozen=True)
class ItemBank:
    """A framework, items and parameters.

    The bank may be imperfect (an item without parameters, a topic without items ...): itembank.checks says so. Only an
    identifier used twice is refused, because nothing can be said of such a bank.

    Parameters
    ----------
    framework : Framework
    items : tuple of Item
        Kept in the order of competence, then id.
    parameters : mapping of item id to Parameters
    calibrations : tuple of CalibrationRecord
        The history of the parameters, oldest first.
    """

    framework: Framework
    items: tuple[Item, ...]
    parameters: Mapping[str, Parameters]
    calibrations: tuple[CalibrationRecord, ...] = ()

    def __post_init__(self) -> None:
        """Put the items in order and refuse an identifier used twice."""
        rank = {code: row for row, code in enumerate(self.framework.codes)}
        ordered = tuple(sorted(self.items, key=lambda item: (rank.get(item.competence, len(rank)), item.id)))
        object.__setattr__(self, "items", ordered)
        object.__setattr__(self, "parameters", dict(sorted(self.parameters.items())))
        twice = [id for id, count in Counter(item.id for item in ordered).items() if count > 1]
        if twice:
            raise BankError(f"There are several items {', '.join(twice)}; give each an id of its own.")

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        """Items by id."""
        return {item.id: item for item in self.items}

    def item(self, id: str) -> Item:
        """Item of that id."""
        if id not in self.by_id:
            raise BankError(f"There is no item {id!r} in the bank; `jalon bank show` lists the items.")
        return self.by_id[id]

    def of_competence(self, code: str) -> tuple[Item, ...]:
        """Items of a competence, in the order of their ids."""
        self.framework.index(code)
        return tuple(item for item in self.items if item.competence == code)

    def served(self, locale: str = "fr") -> tuple[Item, ...]:
        """Items that a test in that locale may ask: operational, with parameters, of a known competence."""
        return tuple(
            item
            for item in self.items
            if item.status is Status.OPERATIONAL
            and item.locale == locale
            and item.id in self.parameters
            and item.competence in self.framework.codes
        )

    def with_item(self, item: Item, parameters: Parameters | None = None) -> "ItemBank":
        """Bank with this item, new or in place of the one of that id.

        Parameters
        ----------
        item : Item
        parameters : Parameters, optional
            Those that the bank has for that id are kept when none are given.
        """
        others = tuple(other for other in self.items if other.id != item.id)
        known = dict(self.parameters) | ({item.id: parameters} if parameters is not None else {})
        return replace(self, items=(*others, item), parameters=known)

    def retire(self, ids: Iterable[str]) -> "ItemBank":
        """Bank in which these items are retired: kept for the record, never served again."""
        gone = {self.item(id).id for id in ids}
        items = tuple(
            item.model_copy(update={"status": Status.RETIRED}) if item.id in gone else item for item in self.items
        )
        return replace(self, items=items)

    def with_calibration(self, record: CalibrationRecord) -> "ItemBank":
        """Bank in which a calibration is in force: its parameters, and its loadings when it has some.

        Time parameters that the calibration does not give stay as they were.

        Raises
        ------
        BankError
            When the bank holds the record already, or does not have an item of it.
        """
        if record.id in {earlier.id for earlier in self.calibrations}:
            raise BankError(f"The bank holds the calibration {record.id} already; there is nothing to add.")
        estimates = {
            self.item(entry.id).id: entry.parameters.timed_as(self.parameters.get(entry.id)) for entry in record.items
        }
        framework = self.framework
        if record.loadings is not None:
            domains = {code: loading.value for code, loading in record.loadings.domains.items()}
            competences = {code: loading.value for code, loading in record.loadings.competences.items()}
            framework = framework.with_loadings(domains, competences, f"the loadings of the calibration {record.id}")
        return replace(
            self,
            framework=framework,
            parameters=dict(self.parameters) | estimates,
            calibrations=(*self.calibrations, record),
        )

    @cached_property
    def history(self) -> Mapping[str, InForce]:
        """Calibration in force and the parameters that it gives, by item."""
        return in_force(self.calibrations)

    def in_force(self, id: str) -> CalibrationRecord | None:
        """Last calibration that speaks of an item, None when there is none."""
        known = self.history.get(id)
        return None if known is None else known.record
