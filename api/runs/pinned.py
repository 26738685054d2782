"""What runs are made of: a pinned bank under a pinned design, ready to ask and to mark."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from api.recent import Recent
from api.runs.repository import pinned_design, pinned_snapshot
from engine.adaptive import Design
from engine.certification import CertificationDesign
from engine.certification import from_dict as rules_from_dict
from engine.designs import content_hash, from_dict
from engine.table import Table
from itembank.bank import ItemBank
from itembank.items import public
from itembank.snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class Bank:
    """A snapshot with what is served of it."""

    snapshot: Snapshot

    @cached_property
    def views(self) -> tuple[Mapping[str, Any], ...]:
        """What a learner may see of each item, by row."""
        return tuple(public(item) for item in self.snapshot.items)

    @cached_property
    def competence_rows(self) -> tuple[int, ...]:
        """Competence of each item, by row, as the framework numbers them."""
        return tuple(int(row) for row in self.snapshot.competence)

    @cached_property
    def parameters(self) -> tuple[dict[str, Any], ...]:
        """Parameters of each item, by row, as the facts keep them."""
        return tuple(
            {
                "model": row.model,
                "discrimination": row.discrimination,
                "difficulty": row.difficulty,
                "guessing": row.guessing,
                "slipping": row.slipping,
                "thresholds": list(row.thresholds),
            }
            for row in self.snapshot.rows
        )


@dataclass(frozen=True, eq=False)
class PinnedTest:
    """A bank under a design."""

    bank: Bank
    design: Design
    design_hash: str
    table: Table

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot of the bank."""
        return self.bank.snapshot

    @classmethod
    def of(cls, bank: Bank, design: Design) -> "PinnedTest":
        """Prepare a bank for a design."""
        return cls(bank, design, content_hash(design), bank.snapshot.table(design))


class Pins:
    """The tests that stored runs pin, read from the database once and kept in memory."""

    def __init__(self) -> None:
        self._banks: Recent[str, Bank] = Recent(8)
        self._designs: Recent[str, Design] = Recent(128)
        self._rules: Recent[str, CertificationDesign] = Recent(32)
        self._ready: Recent[tuple[str, str], PinnedTest] = Recent(64)

    def ready(self, bank: Bank, design: Design) -> PinnedTest:
        """Return the test of a bank under a design."""
        key = (bank.snapshot.hash, content_hash(design))
        found = self._ready.get(key)
        if found is None:
            found = PinnedTest.of(bank, design)
            self._ready.put(key, found)
        return found

    def pinned(self, connection: Connection, snapshot_hash: str, design_hash: str) -> PinnedTest:
        """Return the test that a stored run pins."""
        found = self._ready.get((snapshot_hash, design_hash))
        if found is not None:
            return found
        return self.ready(self.pinned_bank(connection, snapshot_hash), self._pinned_design(connection, design_hash))

    def pinned_bank(self, connection: Connection, snapshot_hash: str) -> Bank:
        """Return the bank that a stored run pins; raise ``BankError`` when its content was altered."""
        found = self._banks.get(snapshot_hash)
        if found is None:
            found = Bank(Snapshot.from_json(pinned_snapshot(connection, snapshot_hash), expected=snapshot_hash))
            self.keep(found)
        return found

    def rules(self, connection: Connection, rules_hash: str) -> CertificationDesign:
        """Return the certification design that a stored run or session pins."""
        found = self._rules.get(rules_hash)
        if found is None:
            found = rules_from_dict(pinned_design(connection, rules_hash))
            self._rules.put(rules_hash, found)
        return found

    def keep(self, bank: Bank) -> None:
        """Keep a bank in memory."""
        self._banks.put(bank.snapshot.hash, bank)

    def _pinned_design(self, connection: Connection, design_hash: str) -> Design:
        found = self._designs.get(design_hash)
        if found is None:
            found = from_dict(pinned_design(connection, design_hash))
            self._designs.put(design_hash, found)
        return found


class Served:
    """What new runs may use: a bank, by locale.

    Parameters
    ----------
    bank : ItemBank
    pins : Pins
        Where the banks served are kept too, for the runs that will pin them.
    """

    def __init__(self, bank: ItemBank, pins: Pins) -> None:
        self.framework = bank.framework
        self._source = bank
        self._pins = pins
        self._by_locale: dict[str, Bank] = {}

    def bank(self, locale: str) -> Bank:
        """Return what is served in a locale; raise ``BankError`` when that is nothing."""
        if locale not in self._by_locale:
            bank = Bank(Snapshot.of(self._source, locale))
            self._by_locale[locale] = bank
            self._pins.keep(bank)
        return self._by_locale[locale]
