"""Every item of the shipped bank on the screen of a small phone."""

from importlib.resources import files

import pytest
from playwright.sync_api import Browser

from api.pages.answer_form import Typed
from api.pages.page import templates
from api.pages.words import words_of
from itembank.files import load_bank
from itembank.items import Item, public
from tests.pages.eyes import fits, small_targets

STATIC = files("api.pages") / "static"
MAYBE = dict.fromkeys(("document", "table", "code", "unit", "limit"))


def drawn(item: Item) -> str:
    """The form of an item, with the style and the script that its page has."""
    asked = templates.get_template("asked.html").module.asked  # type: ignore[attr-defined]
    form = asked(words_of("fr"), {**MAYBE, **public(item)}, 0, Typed(), None, "/session/answer", "session.skip_hint")
    style, script = ((STATIC / name).read_text(encoding="utf-8") for name in ("page.css", "ordering.js"))
    ordering = f"<script>{script}</script>" if item.kind == "ordering" else ""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{style}</style>'
    return f'<!doctype html><html lang="fr"><head>{head}</head><body><main class="frame narrow">{form}</main>{ordering}'


@pytest.mark.parametrize("width", [360, 320])
def test_every_item_fits_a_small_phone(browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740}, is_mobile=True, has_touch=True)
    page = context.new_page()
    wrong: list[str] = []
    for item in load_bank(str(files("itembank") / "crcn")).items:
        page.set_content(drawn(item))
        if not fits(page) or small_targets(page):
            wrong.append(item.id)
    context.close()
    assert wrong == []
