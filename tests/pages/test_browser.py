import pytest
from playwright.sync_api import Page, expect

from tests.pages.eyes import Open, faults, fits, small_targets
from tests.pages.reader import answer_by_keyboard, answer_by_pointer, kind_of, tab_to, whole_run
from tests.pages.server import Site


def test_whole_run_by_keyboard_alone(site: Site, opened: Open) -> None:
    page = opened(site.url)
    keys = page.keyboard
    keys.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    expect(page.locator(".skip-link")).to_be_in_viewport()
    keys.press("Enter")
    tab_to(page, "a[href='/start']")
    keys.press("Enter")
    page.wait_for_url("**/start")
    tab_to(page, "[name=scope]")
    keys.press("ArrowDown")
    for code in ("1.1", "2.2"):
        tab_to(page, f"[name=competence][value='{code}']")
        keys.press("Space")
    tab_to(page, "[name=length]")
    expect(page.locator(".estimate").first).to_contain_text("14 questions")
    tab_to(page, ".actions button")
    keys.press("Enter")
    page.wait_for_url("**/run")
    for number in range(1, 15):
        expect(page.locator("h1")).to_have_text(f"Question {number} sur 14")
        if number == 3:
            tab_to(page, "button[value=skip]")
            keys.press("Enter")
        else:
            answer_by_keyboard(page, kind_of(page))
    page.wait_for_url("**/profile")
    expect(page.locator("h1")).to_have_text("Votre profil")
    tab_to(page, "details summary")
    keys.press("Enter")
    expect(page.locator(".guessed .lines-told").first).to_be_visible()


def test_every_kind_by_keyboard_alone(kinds: Site, opened: Open) -> None:
    page = opened(f"{kinds.url}/start?competence=1.1")
    page.locator("[value=long]").check()
    page.locator(".actions button").click()
    seen: set[str] = set()
    for number in range(1, 11):
        expect(page.locator("h1")).to_have_text(f"Question {number} sur 10")
        seen.add(kind_of(page))
        answer_by_keyboard(page, kind_of(page))
    page.wait_for_url("**/profile")
    assert len(seen) == 6


def test_whole_run_without_javascript(kinds: Site, opened: Open) -> None:
    page = opened(kinds.url, java_script_enabled=False)
    page.get_by_role("link", name="Commencer").click()
    page.get_by_text("Quelques compétences").click()
    page.get_by_label("Mener une recherche").check()
    page.get_by_text("Complet", exact=True).click()
    page.get_by_role("button", name="Commencer le test").click()
    assert whole_run(page, answer_by_pointer) == 10
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre profil")
    expect(page.get_by_role("button", name="Imprimer")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 320])
def test_whole_run_on_a_phone(kinds: Site, opened: Open, width: int) -> None:
    page = opened(kinds.url, viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
    assert fits(page)
    page.goto(f"{kinds.url}/start?competence=1.1")
    page.locator("[value=long]").check()
    assert (fits(page), small_targets(page)) == (True, [])
    page.locator(".actions button").tap()
    page.wait_for_url("**/run")

    def look_and_answer(page: Page, kind: str) -> None:
        assert (fits(page), small_targets(page)) == (True, [])
        answer_by_pointer(page, kind)

    assert whole_run(page, look_and_answer) == 10
    assert (fits(page), small_targets(page)) == (True, [])
    page.goto(f"{kinds.url}/run/pause")
    assert fits(page)


@pytest.mark.parametrize(("language", "scheme"), [("fr", "light"), ("en", "dark")])
def test_no_serious_fault_anywhere(kinds: Site, opened: Open, language: str, scheme: str) -> None:
    page = opened(f"{kinds.url}/?lang={language}", color_scheme=scheme, viewport={"width": 360, "height": 740})
    found = faults(page)
    page.locator("#code").fill("BCD")
    page.locator(".code-row button").click()
    found += faults(page)
    page.goto(f"{kinds.url}/start?competence=1.1")
    page.locator("[value=long]").check()
    page.locator("summary").click()
    found += faults(page)
    page.locator(".actions button").click()
    seen: set[str] = set()
    while page.url.endswith("/run"):
        kind = kind_of(page)
        found += faults(page)
        if kind not in seen | {"ordering"}:
            page.locator("button[value=answer]").click()
            expect(page.locator("#fault")).to_be_visible()
            found += faults(page)
        seen.add(kind)
        page.locator("button[value=skip]").click()
    assert len(seen) == 6
    page.locator("details").evaluate_all("all => all.forEach(folded => { folded.open = true; })")
    found += faults(page)
    for path in ("/", "/run/pause", "/nowhere"):
        page.goto(kinds.url + path)
        found += faults(page)
    assert found == []


def test_faults_are_found_where_there_are_some(site: Site, opened: Open) -> None:
    page = opened(site.url)
    page.evaluate("document.querySelector('label[for=code]').remove()")
    assert faults(page) != []


def test_lines_move_and_are_told(kinds: Site, opened: Open) -> None:
    page = opened(f"{kinds.url}/start?competence=1.1")
    page.locator("[value=long]").check()
    page.locator(".actions button").click()
    while kind_of(page) != "ordering":
        page.locator("button[value=skip]").click()
    texts = page.locator(".lines-to-order .text").all_inner_texts()
    page.locator("[data-move=down]").first.click()
    assert page.locator(".lines-to-order .text").all_inner_texts()[:2] == [texts[1], texts[0]]
    expect(page.locator("[data-move=down]").nth(1)).to_be_focused()
    expect(page.locator("fieldset [role=status]")).to_contain_text(f"rang 2 sur {len(texts)}")
    ranks = page.locator(".ordering select").evaluate_all("all => all.map(select => select.value)")
    assert ranks == [str(place) for place in range(1, len(texts) + 1)]


def test_stale_tab_shows_the_question_that_waits(site: Site, opened: Open) -> None:
    page = opened(f"{site.url}/start?competence=1.1")
    page.locator(".actions button").click()
    other = page.context.new_page()
    other.goto(f"{site.url}/run")
    other.locator("button[value=skip]").click()
    expect(other.locator("h1")).to_have_text("Question 2 sur 10")
    answer_by_pointer(page, kind_of(page))
    expect(page.locator("[role=status]").first).to_contain_text("Rien n'est perdu")
    expect(page.locator("h1")).to_have_text("Question 2 sur 10")


def test_the_documentation_of_the_api_needs_no_other_host(kinds: Site, opened: Open) -> None:
    page = opened(f"{kinds.url}/v1/health")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{kinds.url}/docs")
    expect(page.get_by_text("/v1/runs/{run_id}/answers")).to_be_visible()
    assert asked
    assert all(url.startswith((kinds.url, "data:", "blob:")) for url in asked)
