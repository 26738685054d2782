"""Findings about coverage: enough served items in each competence, topic and level, for every learner."""

from collections import Counter
from collections.abc import Iterator

from itembank.bank import ItemBank
from itembank.checks.finding import Expectations, Finding, Severity
from itembank.framework import Competence
from itembank.items import FLAGS, Item


def coverage_findings(bank: ItemBank, expected: Expectations) -> Iterator[Finding]:
    """Look at what a bank covers, for each locale in which it has items."""
    for locale in sorted({item.locale for item in bank.items} or {"fr"}):
        served = bank.served(locale)
        for competence in bank.framework.competences:
            items = [item for item in served if item.competence == competence.code]
            where = f"{competence.code} ({locale})"
            if not items:
                yield Finding(Severity.ERROR, where, "The competence has no item to serve; write some.")
                continue
            yield from _thin(competence, items, where, expected)
            yield from _levels(bank, competence, items, where, expected)
            yield from _accessible(items, where, expected)


def _thin(competence: Competence, items: list[Item], where: str, expected: Expectations) -> Iterator[Finding]:
    if len(items) < expected.items:
        yield Finding(
            Severity.WARNING,
            where,
            f"The competence is thin: {len(items)} items to serve, {expected.items} wanted; write some.",
        )
    counts = Counter(item.topic for item in items)
    if len(counts) < expected.topics:
        yield Finding(
            Severity.WARNING,
            where,
            f"Its items are on {len(counts)} topics, {expected.topics} wanted; write items on others.",
        )
    for topic in competence.topics:
        if counts[topic.code] < expected.items_of_topic:
            yield Finding(
                Severity.WARNING,
                f"{where} {topic.code}",
                f"The topic has {counts[topic.code]} items to serve, {expected.items_of_topic} wanted; write some.",
            )


def _levels(
    bank: ItemBank, competence: Competence, items: list[Item], where: str, expected: Expectations
) -> Iterator[Finding]:
    locations = [
        value for item in items for value in bank.parameters[item.id].thresholds or (bank.parameters[item.id].location,)
    ]
    for level, cut in enumerate(competence.cuts, 1):
        if min(abs(location - cut) for location in locations) > expected.reach:
            yield Finding(
                Severity.ERROR,
                where,
                f"Level {level} is out of reach: no item within {expected.reach} of its cut {cut}; write some there.",
            )


def _accessible(items: list[Item], where: str, expected: Expectations) -> Iterator[Finding]:
    for flag in FLAGS:
        count = sum(getattr(item.accessible, flag) for item in items)
        if count < expected.accessible:
            yield Finding(
                Severity.ERROR if count == 0 else Severity.WARNING,
                where,
                f"{count} items suit learners with the flag {flag}, {expected.accessible} wanted; write some.",
            )
