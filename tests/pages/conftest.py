import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.pages.eyes import WAIT, Open
from tests.pages.server import Site, every_kind, serving, settings
from tests.pages.visitor import Visitor

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shipped bank, open to everybody."""
    with serving(settings(tmp_path_factory.mktemp("site"))) as running:
        yield running


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A small bank with every kind of item, one of them hostile."""
    with serving(settings(tmp_path_factory.mktemp("kinds"), every_kind())) as running:
        yield running


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server behind HTTPS where runs are opened by platforms, and where codes are not to be guessed."""
    folder = tmp_path_factory.mktemp("guarded")
    with serving(settings(folder, every_kind(), self_service=False, https=True, code_rate="3/minute")) as running:
        yield running


@pytest.fixture
def come() -> Iterator[Callable[..., Visitor]]:
    """Call it with a site and headers: somebody comes there, and is gone after the test."""
    with ExitStack() as leaving:

        def arrive(there: Site, **headers: str) -> Visitor:
            someone = Visitor(there.url, **headers)
            leaving.enter_context(someone.client)
            return someone

        yield arrive


@pytest.fixture
def visitor(site: Site, come: Callable[..., Visitor]) -> Visitor:
    """Somebody who just came to the site."""
    return come(site)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no browser: install Debian's chromium to test the pages in one")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Call it with an address and what the browser is like; a page that fails in the console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def come(address: str, locale: str = "fr-FR", **like: object) -> Page:
        context = browser.new_context(locale=locale, reduced_motion="reduce", **like)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if _is_ours(said.text, said.type) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield come
    for context in contexts:
        context.close()
    assert complaints == []


def _is_ours(text: str, type: str) -> bool:
    """Tell whether a line of the console is a fault of the page: a status of 4xx, which tests provoke, is none."""
    return type in ("error", "warning") and "Failed to load resource" not in text
