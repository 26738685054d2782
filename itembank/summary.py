"""What a bank holds, competence by competence, for whoever wants to look at it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from itembank.bank import ItemBank
from itembank.items import FLAGS


@dataclass(frozen=True)
class CompetenceSummary:
    """Counts of the items of one competence.

    Parameters
    ----------
    code : str
    title : mapping of locale to text
    items : int
        All of them, whatever their status.
    served : int
        Operational, with parameters.
    provisional : int
        Served with provisional parameters.
    topics : int
    levels : mapping of level to count
    kinds, statuses, accessible : mapping of name to count
    """

    code: str
    title: Mapping[str, str]
    items: int
    served: int
    provisional: int
    topics: int
    levels: Mapping[int, int]
    kinds: Mapping[str, int]
    statuses: Mapping[str, int]
    accessible: Mapping[str, int]


@dataclass(frozen=True)
class CalibrationSummary:
    """One calibration of the history of a bank.

    Parameters
    ----------
    number : int
        From 1, the oldest.
    id, date, source, model : str
        As in itembank.calibrations.CalibrationRecord.
    learners : int, optional
        None for an imported table.
    items : tuple of str
        Ids of the items that got parameters.
    in_force : tuple of str
        Those for which no later calibration speaks.
    """

    number: int
    id: str
    date: str
    source: str
    model: str
    learners: int | None
    items: tuple[str, ...]
    in_force: tuple[str, ...]


def calibration_summary(bank: ItemBank) -> tuple[CalibrationSummary, ...]:
    """History of the parameters of a bank, oldest first."""
    return tuple(
        CalibrationSummary(
            number=number,
            id=record.id,
            date=record.date,
            source=record.source,
            model=record.model,
            learners=record.learners,
            items=tuple(record.by_id),
            in_force=tuple(id for id in record.by_id if bank.in_force(id) is record),
        )
        for number, record in enumerate(bank.calibrations, 1)
    )


def summary(bank: ItemBank, locale: str = "fr") -> tuple[CompetenceSummary, ...]:
    """Summaries of the C competences, in the order of the framework."""
    served = {item.id for item in bank.served(locale)}
    rows = []
    for competence in bank.framework.competences:
        items = bank.of_competence(competence.code)
        asked = [item.id for item in items if item.id in served]
        levels = Counter(item.level for item in items)
        rows.append(
            CompetenceSummary(
                code=competence.code,
                title=competence.title,
                items=len(items),
                served=len(asked),
                provisional=sum(bank.parameters[id].provisional for id in asked),
                topics=len({item.topic for item in items}),
                levels={level: levels[level] for level in range(1, bank.framework.levels + 1)},
                kinds=Counter(item.kind for item in items),
                statuses=Counter(item.status.value for item in items),
                accessible={flag: sum(getattr(item.accessible, flag) for item in items) for flag in FLAGS},
            )
        )
    return tuple(rows)
