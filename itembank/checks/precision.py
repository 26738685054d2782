"""Findings about the parameters: there, for items that exist, of the right shape and plausible."""

from collections.abc import Iterator
from math import exp

from itembank.bank import ItemBank
from itembank.checks.finding import Expectations, Finding, Severity
from itembank.items import Item, Status
from itembank.parameters import Parameters
from itembank.provisional import band


def precision_findings(bank: ItemBank, expected: Expectations) -> Iterator[Finding]:
    """Look at the parameters of a bank."""
    for id in bank.parameters:
        if id not in bank.by_id:
            yield Finding(Severity.ERROR, id, "There are parameters for an item that is not in the bank; remove them.")
    for item in bank.items:
        parameters = bank.parameters.get(item.id)
        if parameters is not None:
            yield from _shape(item, parameters)
            yield from _level(bank, item, parameters, expected)
            yield from _use(item, parameters, expected)
        elif item.status is Status.OPERATIONAL:
            yield Finding(
                Severity.ERROR,
                item.id,
                "The item is operational and has no parameters; calibrate it or change its status.",
            )


def _shape(item: Item, parameters: Parameters) -> Iterator[Finding]:
    if item.categories != parameters.categories:
        yield Finding(
            Severity.ERROR,
            item.id,
            f"Marking gives {item.categories} categories and the parameters know {parameters.categories}; "
            "change its credit or calibrate it again.",
        )


def _level(bank: ItemBank, item: Item, parameters: Parameters, expected: Expectations) -> Iterator[Finding]:
    if item.competence not in bank.framework.codes or item.level > bank.framework.levels:
        return
    low, high = band(bank.framework, item.competence, item.level)
    if not low - expected.drift <= parameters.location <= high + expected.drift:
        yield Finding(
            Severity.WARNING,
            item.id,
            f"Its difficulty {parameters.location:.2f} is far from its level {item.level} ({low:.2f} to {high:.2f}); "
            "check the key, then the level.",
        )


def _use(item: Item, parameters: Parameters, expected: Expectations) -> Iterator[Finding]:
    if parameters.discrimination < expected.discrimination or parameters.guessing > expected.guessing:
        yield Finding(
            Severity.WARNING,
            item.id,
            f"With discrimination {parameters.discrimination:.2f} and guessing {parameters.guessing:.2f} it says next "
            "to nothing about the learner; check the key, or retire it.",
        )
    if parameters.time_intensity is None:
        return
    seconds = exp(parameters.time_intensity)
    if not item.time / expected.pace <= seconds <= item.time * expected.pace:
        yield Finding(
            Severity.WARNING,
            item.id,
            f"Learners take {seconds:.0f} s and the item expects {item.time} s; correct the expected time.",
        )
