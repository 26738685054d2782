"""Findings about the content: items, topics, enemies, stems."""

import json
from collections import defaultdict
from collections.abc import Iterator

from itembank.bank import ItemBank
from itembank.checks.finding import Finding, Severity
from itembank.items import Item, Status
from itembank.short_text import normalise


def content_findings(bank: ItemBank) -> Iterator[Finding]:
    """Look at the content of a bank, whatever its parameters."""
    for item in bank.items:
        yield from _orphan(bank, item)
        yield from _enemies(bank, item)
    yield from _duplicates(bank)
    yield from _untranslated(bank)


def _orphan(bank: ItemBank, item: Item) -> Iterator[Finding]:
    framework = bank.framework
    if item.competence not in framework.codes:
        yield Finding(
            Severity.ERROR, item.id, f"There is no competence {item.competence} in {framework.code}; correct the item."
        )
        return
    if item.topic not in {topic.code for topic in framework.competence(item.competence).topics}:
        yield Finding(
            Severity.ERROR,
            item.id,
            f"Competence {item.competence} has no topic {item.topic!r}; correct the item or add the topic.",
        )
    if item.level > framework.levels:
        yield Finding(Severity.ERROR, item.id, f"There is no level {item.level}; use 1 to {framework.levels}.")


def _enemies(bank: ItemBank, item: Item) -> Iterator[Finding]:
    for enemy in item.enemies:
        if enemy not in bank.by_id:
            yield Finding(Severity.ERROR, item.id, f"Its enemy {enemy!r} is not in the bank; correct or remove it.")


def _duplicates(bank: ItemBank) -> Iterator[Finding]:
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in bank.items:
        if item.status is not Status.RETIRED:
            same[item.locale, _shown(item)].append(item.id)
    for ids in same.values():
        if len(ids) > 1:
            yield Finding(
                Severity.ERROR, ", ".join(ids), "These items ask the same question; retire or rewrite all but one."
            )


def _shown(item: Item) -> str:
    """Text read before answering, in the form in which short texts are compared."""
    material = item.model_dump(mode="json", include={"document", "table", "code"}, exclude_none=True)
    return normalise(item.stem) + "|" + normalise(json.dumps(material, ensure_ascii=False))


def _untranslated(bank: ItemBank) -> Iterator[Finding]:
    framework = bank.framework
    named = [
        (f"framework {framework.code}", framework.title),
        *((f"band {band.code}", titles) for band in framework.bands for titles in (band.title, band.meaning)),
        *((f"domain {domain.code}", domain.title) for domain in framework.domains),
        *((f"competence {competence.code}", competence.title) for competence in framework.competences),
        *(
            (f"topic {competence.code}/{topic.code}", topic.title)
            for competence in framework.competences
            for topic in competence.topics
        ),
    ]
    locales = set(framework.title) | {item.locale for item in bank.items}
    for where, titles in named:
        missing = sorted(locales - set(titles))
        if missing:
            yield Finding(Severity.WARNING, where, f"There is no title in {', '.join(missing)}; add it.")
