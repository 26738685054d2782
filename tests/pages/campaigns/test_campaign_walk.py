"""A campaign in real browsers: a teacher makes it, a learner takes it by keyboard, the teacher reads it."""

from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from tests.campaigns.results.sent import send_made_up, senders
from tests.pages.campaigns.grounds import Grounds
from tests.pages.certification.test_walk import PHONE, Inspector
from tests.pages.eyes import Open, faults, fits
from tests.pages.reader import answer_by_keyboard, kind_of, tab_to


def signed_in(grounds: Grounds, opened: Open, **like: Any) -> Page:
    page = opened(f"{grounds.url}/team", **like)
    page.locator("#token").fill(grounds.teacher.token)
    page.get_by_role("button", name="Entrer").click()
    return page


def test_a_campaign_from_its_creation_to_its_results(grounds: Grounds, opened: Open) -> None:
    eye = Inspector()
    teacher = signed_in(grounds, opened)
    eye.look(teacher)
    teacher.get_by_role("link", name="Créer une campagne").click()
    teacher.get_by_role("link", name="Parcours de rentrée de seconde").click()
    eye.look(teacher)
    teacher.locator("#title").fill("Rentrée 2A")
    for code in ("1.1", "1.3", "2.2", "2.4", "3.4", "4.2"):
        teacher.locator(f"[id='target-{code}']").select_option("4" if code == "1.1" else "")
    teacher.get_by_role("button", name="Créer la campagne").click()
    expect(teacher.get_by_role("status")).to_contain_text("La campagne est créée")
    eye.look(teacher)
    code = teacher.locator(".code-shown").inner_text()
    teacher.get_by_role("link", name="Affiche pour la classe").click()
    eye.look(teacher)
    pupil = grounds.registered("Inès", "Haddad", division="2A")
    learner = opened(grounds.url, **PHONE)
    learner.locator("input[name=code]").fill(code)
    learner.keyboard.press("Enter")
    expect(learner.get_by_role("heading", name="Qui")).to_be_visible()
    eye.look(learner)
    for name, value in {"first_name": "ines", "last_name": "HADDAD", "day": "17", "month": "5", "year": "2010"}.items():
        tab_to(learner, f"#{name}")
        learner.keyboard.type(value)
    learner.keyboard.press("Enter")
    expect(learner.get_by_role("heading", name="Prêt à commencer ?")).to_be_visible()
    eye.look(learner)
    learner.get_by_role("button", name="Commencer").click()
    while learner.locator("form.question").count():
        before = learner.locator("input[name=position]").first.get_attribute("value")
        answer_by_keyboard(learner, kind_of(learner))
        expect(learner.locator(f"form.question input[name=position][value='{before}']")).to_have_count(0)
        learner.wait_for_load_state("load")
    expect(learner.get_by_role("heading", name="Vos résultats ne sont pas encore envoyés")).to_be_visible()
    eye.look(learner)
    learner.get_by_role("link", name="Envoyer mes résultats").click()
    eye.look(learner)
    learner.get_by_role("button", name="Envoyer mes résultats").click()
    expect(learner.get_by_role("status")).to_contain_text("Vos résultats sont envoyés")
    eye.look(learner)
    assert pupil.learner_id
    teacher.goto(f"{grounds.url}/team/campaigns")
    eye.look(teacher)
    teacher.get_by_role("link", name="Rentrée 2A").first.click()
    expect(teacher.locator("#learners ~ .scroll")).to_contain_text("Haddad Inès")
    eye.look(teacher)
    teacher.get_by_role("link", name="Haddad Inès").click()
    eye.look(teacher)
    assert eye.found == []


def test_the_group_reads_well_in_both_themes(grounds: Grounds, opened: Open) -> None:
    autumn = grounds.campaign(title="Avant", targets={"1.1": 4, "3.1": 3})
    spring = grounds.campaign(title="Après", targets={"1.1": 4, "3.1": 3})
    people = senders(grounds, 40)
    abilities = np.random.default_rng(8).normal(0, 0.7, (40, 2))
    send_made_up(grounds, autumn, people, abilities, sd=0.4)
    send_made_up(grounds, spring, people, abilities + 0.6, sd=0.4, days=1 / 24)
    address = f"{grounds.url}/team/campaigns/{spring['id']}/results?since={autumn['id']}"
    for theme in ("light", "dark"):
        teacher = signed_in(grounds, opened, color_scheme=theme)
        teacher.goto(address)
        expect(teacher.locator("#progress")).to_be_visible()
        assert faults(teacher) == []
        teacher.set_viewport_size({"width": 320, "height": 700})
        assert fits(teacher)
    teacher.locator("#competence").select_option("3.1")
    teacher.locator("form:has(#competence) button").click()
    expect(teacher.locator("h3", has_text="3.1")).to_be_visible()
