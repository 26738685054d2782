"""What is wrong with a page in a real browser."""

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Open = Callable[..., Page]
SMALLEST_TARGET = 24
"""Pixels of anything to be hit, as WCAG 2.2 asks at level AA."""
WAIT = 10_000


def faults(page: Page) -> list[str]:
    """Serious and critical findings of axe-core on the page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url} {violation['id']}: {node['html'][:200]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def fits(page: Page) -> bool:
    """Tell whether nothing reaches beyond the right edge."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide <= 0


def small_targets(page: Page) -> list[str]:
    """Buttons and fields too small for a finger."""
    found: list[str] = page.evaluate(
        """least => [...document.querySelectorAll("button, .button, input:not([type=hidden]), select, summary")]
          .map(element => element.closest("label.choice") ?? element)
          .filter(element => element.offsetParent !== null)
          .filter(element => element.offsetHeight < least || element.offsetWidth < least)
          .map(element => element.outerHTML.slice(0, 120))""",
        SMALLEST_TARGET,
    )
    return found
