"""Findings about courses: whether the bank can serve each of them, and has items where it aims."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.filters import Quotas
from itembank.bank import ItemBank
from itembank.checks.feasibility import feasibility_findings
from itembank.checks.finding import Expectations, Finding, Severity
from itembank.courses import Course
from itembank.items import FLAGS, Item


def course_findings(bank: ItemBank, courses: Sequence[Course], expected: Expectations) -> Iterator[Finding]:
    """Look for courses that the bank cannot serve, or serves without items near the levels aimed at."""
    for course in courses:
        where = f"course {course.name}"
        misfit = course.misfit(bank.framework)
        if misfit is not None:
            yield Finding(Severity.ERROR, where, f"{misfit[0].upper()}{misfit[1:]}.")
            continue
        for found in feasibility_findings(bank, [course.design(bank.framework)]):
            yield replace(found, where=f"{where}: {found.where}")
        yield from _aim(bank, course, where, expected)


def _aim(bank: ItemBank, course: Course, where: str, expected: Expectations) -> Iterator[Finding]:
    """Competences with fewer items near the level aimed at than the test asks there at least."""
    [quotas] = (rule for rule in course.design(bank.framework).filters if isinstance(rule, Quotas))
    for locale in sorted({item.locale for item in bank.items} or {"fr"}):
        for flag in (None, *FLAGS):
            served = [item for item in bank.served(locale) if flag is None or getattr(item.accessible, flag)]
            for code, level in course.levels.items():
                row = bank.framework.index(code)
                cut = bank.framework.cuts[row][level - 1]
                near = sum(_tells(bank, item, cut, expected.near) for item in served if item.competence == code)
                least = quotas.minimum[row]
                if near < least:
                    yield Finding(
                        Severity.WARNING,
                        f"{where} ({', '.join((locale, *([flag] if flag else [])))})",
                        f"It aims at level {level} of {code}, asks at least {least} items there, and {near} are within "
                        f"{expected.near} of its cut {cut}; write items there or aim elsewhere.",
                    )


def _tells(bank: ItemBank, item: Item, cut: float, near: float) -> bool:
    """Whether an item, or one of its steps, is near a cut."""
    known = bank.parameters[item.id]
    return any(abs(location - cut) <= near for location in known.thresholds or (known.location,))
