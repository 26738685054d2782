"""A whole session in real browsers: the team at one, candidates at others."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.certification.campus import Campus
from tests.pages.certification.people import BORN, authorise, begun, seated
from tests.pages.eyes import Open, faults, fits, small_targets
from tests.pages.reader import answer_by_keyboard, answer_by_pointer, answer_rightly, kind_of, tab_to
from tests.pages.visitor import Come

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
STARTS = 15_000
"""Milliseconds within which a page notices what the other browser did."""


class Inspector:
    """Looks for faults on every page of a walk, and tells them all at its end."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def look(self, page: Page) -> None:
        page.wait_for_load_state("load")
        self.found += faults(page) + small_targets(page)
        size = page.viewport_size
        page.set_viewport_size({"width": 360, "height": 740})
        if not fits(page):
            self.found.append(f"{page.url} is too wide for a phone")
        if size is not None:
            page.set_viewport_size(size)


def come_in(page: Page, campus: Campus, code: str, first_name: str, last_name: str) -> None:
    page.goto(f"{campus.url}/session?code={code}")
    for name, value in ({"first_name": first_name, "last_name": last_name} | BORN).items():
        page.locator(f"#{name}").fill(value)
    page.locator("main .primary").click()


def asked(page: Page) -> bool:
    """Whether a question waits, once the page that a form led to has come."""
    page.wait_for_load_state("load")
    expect(page.locator("form.question, #ended, h1")).not_to_have_count(0)
    return page.locator("form.question").count() > 0


def test_whole_session_from_its_creation_to_the_certificate(campus: Campus, opened: Open) -> None:
    eye, learner = Inspector(), campus.learner()
    staff = opened(f"{campus.url}/team")
    eye.look(staff)
    staff.locator("#token").fill(campus.admin.token)
    staff.get_by_role("button", name="Entrer").click()
    staff.get_by_role("link", name="Sessions de certification").click()
    staff.get_by_role("link", name="Créer une session").click()
    eye.look(staff)
    staff.locator("main .card .primary").click()
    eye.look(staff)
    for name, value in {"date": "2027-01-11", "time": "08:30", "place": "Tours", "room": "B 12"}.items():
        staff.locator(f"#{name}").fill(value)
    staff.get_by_label("Ivo Invigilator").first.check()
    staff.locator("main .card .primary").click()
    eye.look(staff)
    staff.get_by_role("link", name="Inscrire par un fichier CSV").click()
    eye.look(staff)
    wrong = b"nom;pr\xe9nom;date de naissance;identifiant\n;;31/02/2008;personne\n"
    staff.locator("#file").set_input_files({"name": "liste.csv", "mimeType": "text/csv", "buffer": wrong})
    staff.locator("form.card .primary").click()
    expect(staff.locator("#errors")).to_be_visible()
    eye.look(staff)
    staff.get_by_role("link", name="Session du 11 janvier 2027").click()
    staff.get_by_role("link", name="Inscrire une personne").click()
    eye.look(staff)
    told = {"learner": learner, "first_name": "Zoé", "last_name": "Lefèvre", "birth_date": "2009-05-17"}
    for name, value in (told | {"extra_time": "33,34"}).items():
        staff.locator(f"#{name}").fill(value)
    staff.locator("main .card .primary").click()
    expect(staff.locator("table.data")).to_contain_text("Lefèvre Zoé")
    staff.get_by_role("button", name="Vérifier que la banque suffit").click()
    expect(staff.locator("main")).to_contain_text("La banque suffit")
    staff.get_by_role("button", name="Ouvrir la session").click()
    eye.look(staff)
    sheet = staff.url.split("?")[0]
    code = staff.locator(".code-shown").inner_text()
    staff.get_by_role("link", name="Aller en salle").click()
    eye.look(staff)

    candidate = opened(f"{campus.url}/session")
    eye.look(candidate)
    candidate.locator("main .primary").click()
    eye.look(candidate)
    come_in(candidate, campus, code, "zoe", "LEFEVRE")
    expect(candidate.locator("h1")).to_have_text("Attendez le surveillant")
    eye.look(candidate)
    staff.locator("button[value=authorise]").click(timeout=STARTS)
    eye.look(staff)
    expect(candidate.locator("h1")).to_have_text("Vous pouvez commencer", timeout=STARTS)
    candidate.locator("summary").click()
    eye.look(candidate)
    candidate.get_by_role("button", name="Commencer le test").click()
    expect(candidate.locator("#clock-value")).to_contain_text("2 h 39 min")

    candidate.get_by_role("link", name="Signaler un problème").click()
    eye.look(candidate)
    candidate.locator("[name=kind]").nth(2).check()
    candidate.get_by_role("button", name="Envoyer au surveillant").click()
    expect(candidate.locator("h1")).to_have_text("Le surveillant regarde le problème")
    eye.look(candidate)
    expect(staff.locator(".report")).to_be_visible(timeout=STARTS)
    staff.locator(".report summary").click()
    note = staff.locator(".report textarea")
    note.fill("Deux réponses justes")
    updated = staff.locator(".seat-row .clock-value").inner_text()
    staff.wait_for_timeout(6_000)
    expect(note).to_have_value("Deux réponses justes")
    expect(staff.locator(".seat-row .clock-value")).to_have_text(updated)
    eye.look(staff)
    staff.locator("button[value=accept]").click()
    expect(candidate.locator("form.question")).to_be_visible(timeout=STARTS)

    item = candidate.locator("[name=item]").input_value()
    staff.locator("button[value=pause]").click()
    expect(candidate.locator("#stopped h1")).to_have_text("Le test est en pause", timeout=STARTS)
    expect(candidate.locator("form.question")).to_be_hidden()
    candidate.goto(f"{campus.url}/session")
    assert item not in candidate.content()
    eye.look(candidate)
    staff.locator("button[value=resume]").click(timeout=STARTS)
    expect(candidate.locator("form.question")).to_be_visible(timeout=STARTS)
    candidate.get_by_role("link", name="Terminer le test").click()
    eye.look(candidate)
    candidate.get_by_role("link", name="Non, continuer").click()
    seen: set[str] = set()
    while asked(candidate):
        kind = kind_of(candidate)
        if kind not in seen:
            eye.look(candidate)
        seen.add(kind)
        campus.world.clock.move(seconds=50)
        answer_rightly(candidate, campus.items[candidate.locator("[name=item]").input_value()])
    expect(candidate.locator("h1")).to_have_text("Votre test est terminé")
    eye.look(candidate)
    own = candidate.locator(".code-shown").inner_text()
    candidate.get_by_role("button", name="Quitter sur cet appareil").click()

    staff.goto(f"{sheet}/finalise")
    eye.look(staff)
    staff.get_by_role("button", name="Finaliser").click()
    expect(staff.locator("table.data")).to_contain_text("validée")
    eye.look(staff)
    staff.get_by_role("link", name="Examiner").click()
    expect(staff.locator("#proof")).to_be_visible()
    staff.locator("details").evaluate_all("all => all.forEach(folded => { folded.open = true; })")
    eye.look(staff)
    staff.get_by_role("link", name="Résultats").click()
    candidate.locator("#code").fill(own)
    candidate.get_by_role("button", name="Continuer").click()
    eye.look(candidate)
    staff.get_by_role("button", name="Publier les résultats").click()
    eye.look(staff)
    candidate.reload()
    expect(candidate.locator("main")).to_contain_text("Niveau 5, avancé")
    eye.look(candidate)
    candidate.get_by_label("Montrer mes niveaux").check()
    candidate.get_by_role("button", name="Enregistrer mes choix").click()
    shared = candidate.locator(".code-shown").inner_text()

    public = opened(f"{campus.url}/check")
    eye.look(public)
    public.locator("#code").fill(shared)
    public.get_by_role("button", name="Vérifier").click()
    expect(public.locator("h1")).to_have_text("Ce certificat est valable")
    eye.look(public)
    public.goto(f"{campus.url}/check/BCDFGHJKMPQR")
    eye.look(public)
    public.goto(f"{campus.url}/team/sessions/new")
    eye.look(public)
    assert eye.found == []


def test_candidate_needs_only_the_keyboard(campus: Campus, come: Come, opened: Open) -> None:
    desk = seated(campus, come)
    page = opened(f"{campus.url}/session")
    keys = page.keyboard
    typed = {"code": desk.session["access_code"], "first_name": "Camille", "last_name": "Martin"} | BORN
    for name, value in typed.items():
        tab_to(page, f"#{name}")
        keys.type(value)
    keys.press("Enter")
    page.wait_for_url("**/session")
    expect(page.locator(".code-shown")).to_be_visible()
    authorise(campus, desk)
    expect(page.locator("h1")).to_have_text("Vous pouvez commencer", timeout=STARTS)
    tab_to(page, "form[action='/session/start'] button")
    keys.press("Enter")
    for number in range(1, 5):
        expect(page.locator("h1")).to_contain_text(f"Question {number} ")
        answer_by_keyboard(page, kind_of(page))
    expect(page.locator("h1")).to_contain_text("Question 5 ")
    tab_to(page, "button[value=skip]")
    keys.press("Enter")
    expect(page.locator("h1")).to_contain_text("Question 6 ")
    tab_to(page, "a[href='/session/report']")
    keys.press("Enter")
    page.wait_for_url("**/session/report")
    tab_to(page, "[name=kind]")
    keys.press("Space")
    tab_to(page, "#more")
    keys.type("Rien ne s'affiche")
    tab_to(page, "form.card .primary")
    keys.press("Enter")
    expect(page.locator("blockquote")).to_contain_text("Rien ne s'affiche")
    path = f"/v1/sessions/{desk.session['id']}/candidates/{desk.candidate['id']}/dismiss"
    campus.done("POST", path, campus.invigilator.token, json={"why": "Tout s'affiche"})
    expect(page.locator("h1")).to_contain_text("Question 6 ", timeout=STARTS)
    tab_to(page, "a[href='/session/finish']")
    keys.press("Enter")
    page.wait_for_url("**/session/finish")
    tab_to(page, "form[action='/session/finish'] button")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Votre test est terminé")
    tab_to(page, "form[action='/session/leave'] button")
    keys.press("Enter")
    page.wait_for_url("**/?left=1")


@pytest.mark.parametrize("scripts", [True, False])
def test_candidate_needs_neither_a_wide_screen_nor_scripts(
    campus: Campus, come: Come, opened: Open, scripts: bool
) -> None:
    desk = seated(campus, come)
    page = opened(f"{campus.url}/session", java_script_enabled=scripts, **PHONE)

    def look(page: Page) -> None:
        page.wait_for_load_state("load")
        if scripts:
            assert (fits(page), small_targets(page)) == (True, [])

    look(page)
    come_in(page, campus, desk.session["access_code"], "Camille", "Martin")
    expect(page.locator("h1")).to_have_text("Attendez le surveillant")
    look(page)
    authorise(campus, desk)
    if not scripts:
        page.get_by_role("link", name="Actualiser").click()
    page.get_by_role("button", name="Commencer le test").click(timeout=STARTS)
    number = 0
    while asked(page):
        number += 1
        look(page)
        if number % 4:
            answer_by_pointer(page, kind_of(page))
        else:
            page.locator("button[value=skip]").click()
        assert page.locator("#fault").count() == 0
    assert number == 36
    expect(page.locator("h1")).to_have_text("Votre test est terminé")
    look(page)


def test_what_is_typed_survives_a_pause_and_the_clock_goes_to_zero(campus: Campus, come: Come, opened: Open) -> None:
    desk = begun(campus, come)
    page = opened(f"{campus.url}/session")
    page.context.add_cookies([{"name": "jalon-sitting", "value": token_of(desk), "url": campus.url}])
    page.goto(f"{campus.url}/session")
    while kind_of(page) not in ("short_text", "number", "single_choice"):
        page.locator("button[value=skip]").click()
    field = page.locator("[name=answer]").first
    if kind_of(page) == "single_choice":
        field.check()
    else:
        field.fill("12")
    act(campus, desk, "pause")
    expect(page.locator("#stopped")).to_be_visible(timeout=STARTS)
    expect(field).to_be_hidden()
    act(campus, desk, "resume")
    expect(field).to_be_visible(timeout=STARTS)
    assert field.is_checked() if kind_of(page) == "single_choice" else field.input_value() == "12"
    campus.world.clock.move(minutes=119.8)
    expect(page.locator("h1")).to_have_text("Votre test est terminé", timeout=30_000)
    expect(page.locator("main")).to_contain_text("Le temps est écoulé")


def token_of(desk: Any) -> str:
    return str(desk.visitor.client.cookies["jalon-sitting"])


def act(campus: Campus, desk: Any, what: str) -> None:
    path = f"/v1/sessions/{desk.session['id']}/candidates/{desk.candidate['id']}/{what}"
    campus.done("POST", path, campus.invigilator.token, json={})
