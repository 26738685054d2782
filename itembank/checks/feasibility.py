"""Findings about tests: whether the bank can serve a design to every learner, accommodations included."""

from collections.abc import Iterator, Sequence

from engine.adaptive import Design
from engine.filters import OnePerTopic, Quotas
from engine.stopping import longest
from itembank.bank import ItemBank
from itembank.checks.finding import Finding, Severity
from itembank.items import FLAGS, Item


def feasibility_findings(bank: ItemBank, designs: Sequence[Design]) -> Iterator[Finding]:
    """Look for tests that the bank cannot serve, for each locale and accessibility flag."""
    for locale in sorted({item.locale for item in bank.items} or {"fr"}):
        served = bank.served(locale)
        pools = [
            (f"test ({locale})", served),
            *(
                (f"test ({locale}, {flag})", tuple(item for item in served if getattr(item.accessible, flag)))
                for flag in FLAGS
            ),
        ]
        for design in designs:
            for where, pool in pools:
                yield from _quotas(bank, design, pool, where)


def _quotas(bank: ItemBank, design: Design, pool: tuple[Item, ...], where: str) -> Iterator[Finding]:
    codes = bank.framework.codes
    scope = [codes[row] for row in design.competences_in_scope if row < len(codes)]
    room = {code: _room(design, [item for item in pool if item.competence == code]) for code in scope}
    most = dict(room)
    for quotas in (rule for rule in design.filters if isinstance(rule, Quotas)):
        if len(quotas.minimum) != len(codes):
            yield Finding(
                Severity.ERROR,
                where,
                f"The quotas of the test are for {len(quotas.minimum)} competences, not {len(codes)}; make them again.",
            )
            return
        for code, least, top in zip(codes, quotas.minimum, quotas.maximum, strict=True):
            if least > room.get(code, 0):
                yield Finding(
                    Severity.ERROR,
                    where,
                    f"The test asks at least {least} items of {code} and can ask {room.get(code, 0)}; "
                    "write items there or lower the quota.",
                )
            most[code] = min(most.get(code, 0), top)
    length = longest(design.stop)
    if length is not None and sum(most.values()) < length:
        yield Finding(
            Severity.ERROR,
            where,
            f"The test has {length} items and the bank can give {sum(most.values())}; write items or shorten it.",
        )


def _room(design: Design, items: list[Item]) -> int:
    """Most items that a test can ask among these."""
    if OnePerTopic() in design.filters:
        return len({item.topic for item in items})
    return len(items)
