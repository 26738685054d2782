"""Somebody in front of a real browser, with nothing but a keyboard or a finger."""

from collections.abc import Callable

from playwright.sync_api import Page

from itembank.items import Item
from tests.itembank.examples import right_answer

LONGEST_WAY = 60
"""Presses of the Tab key within which everything must be reached."""

Answer = Callable[[Page, str], None]


def kind_of(page: Page) -> str:
    """Kind of the question on the page."""
    return page.locator("form.question").get_attribute("data-kind") or ""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on an element."""
    for _ in range(LONGEST_WAY):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key does not reach {selector} on {page.url}")


def answer_by_keyboard(page: Page, kind: str) -> None:
    """Answer the question on the page with the keyboard alone."""
    keys = page.keyboard
    if kind in ("single_choice", "multiple_choice"):
        tab_to(page, "[name=answer]")
        keys.press("Space")
    elif kind in ("short_text", "number"):
        tab_to(page, "#answer")
        keys.type("42")
        keys.press("Enter")
        return
    elif kind == "ordering":
        tab_to(page, "[data-move=down]")
        keys.press("Enter")
    else:
        for index in range(page.locator(".match select").count()):
            tab_to(page, f".match:nth-of-type({index + 1}) select")
            keys.press("ArrowDown")
    tab_to(page, "button[value=answer]")
    keys.press("Enter")


def answer_by_pointer(page: Page, kind: str) -> None:
    """Answer the question on the page by clicking, with or without scripts."""
    if kind in ("single_choice", "multiple_choice"):
        page.locator("label.choice").last.click()
    elif kind in ("short_text", "number"):
        page.locator("#answer").fill("42")
    elif kind == "ordering":
        if page.locator(".movable").count():
            page.locator("[data-move=up]").last.click()
        else:
            for place, choice in enumerate(page.locator(".ordering select").all(), 1):
                choice.select_option(str(place))
    else:
        for choice in page.locator(".match select").all():
            choice.select_option(index=1)
    page.locator("button[value=answer]").click()


def whole_run(page: Page, answer: Answer) -> int:
    """Answer, and skip every fourth question, until the profile; how many questions there were."""
    number = 0
    while page.url.endswith("/run"):
        number += 1
        if number % 4 == 0:
            page.locator("button[value=skip]").click()
        else:
            answer(page, kind_of(page))
        assert page.locator("#fault").count() == 0, page.locator("#fault").inner_text()
        assert number <= 48, "the run does not end"
    return number


def answer_rightly(page: Page, item: Item) -> None:
    """Answer a question as its key wants it."""
    answer = right_answer(item)
    match item.kind:
        case "single_choice":
            page.locator(f"[name=answer][value='{answer}']").check()
        case "multiple_choice":
            for code in answer:
                page.locator(f"[name=answer][value='{code}']").check()
        case "ordering":
            for place, code in enumerate(answer, 1):
                page.locator(f"#rank-{code}").evaluate("(select, value) => { select.value = value; }", str(place))
        case "matching":
            for code, option in answer.items():
                page.locator(f"#match-{code}").select_option(option)
        case _:
            page.locator("#answer").fill(str(answer))
    page.locator("button[value=answer]").click()
