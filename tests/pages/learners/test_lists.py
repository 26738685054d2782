import re

import httpx2 as httpx
from playwright.sync_api import expect

from tests.organisations.fregata import fregata_file, fregata_rows, written
from tests.pages.campaigns.grounds import Grounds
from tests.pages.campaigns.test_team_campaigns import office_of
from tests.pages.certification.people import Office, told
from tests.pages.certification.test_walk import Inspector
from tests.pages.eyes import Open
from tests.pages.visitor import Come


def sent(office: Office, content: bytes, name: str = "liste.csv", **typed: str) -> httpx.Response:
    visitor = office.visitor
    return visitor.client.post(
        "/team/learners/import",
        data={"kind": "fregata"} | typed,
        files={"file": (name, content, "text/csv")},
        headers={"Origin": visitor.url},
    )


def test_the_difference_is_seen_before_it_is_applied(grounds: Grounds, come: Come) -> None:
    office = office_of(grounds, come, grounds.admin.token)
    rows = list(fregata_rows(30, seed=9))
    shown = sent(office, written(rows))
    assert shown.status_code == 303, told(shown)
    path = shown.headers["location"].removeprefix("/team")
    assert re.search(r"Nouveaux 30 Modifiés 0 De retour, avec leur historique 0 Désactivés", told(office.look(path)))
    assert rows[0]["Nom de famille*"] not in told(office.look("/learners"))
    assert office.send(path).status_code == 303
    assert "Cette liste a été appliquée le 21 septembre 2026" in told(office.look(path))
    assert rows[0]["Premier prénom*"] in told(office.look("/learners"))
    few = sent(office, written(rows[:5])).headers["location"].removeprefix("/team")
    refused = office.send(few)
    assert refused.status_code == 409
    assert "Cochez la case" in told(refused)
    assert office.send(few, confirm="yes").status_code == 303
    assert rows[20]["Premier prénom*"] in told(office.look("/learners?left=1"))


def test_what_is_wrong_is_told_by_line(grounds: Grounds, come: Come) -> None:
    office = office_of(grounds, come, grounds.admin.token)
    rows = [dict(row) for row in fregata_rows(3, seed=8)]
    rows[0]["Division*"], rows[1]["Date de naissance (jj/mm/aaaa)*"] = "", "31/02/2010"
    page = sent(office, written(rows))
    assert page.status_code == 422
    assert "Division* est vide." in told(page)
    assert "n'est pas une date qui existe" in told(page)
    assert office.send("/learners/import", kind="fregata").status_code == 422
    other = sent(office, fregata_file(2), name="0752744A.csv")
    assert "Le fichier porte le nom de l'établissement 0752744A" in told(other)
    mapped = sent(office, b"Nom;Prenom;Ne le\nA;B;01/02/2010\n", kind="other", last_name="Nom")
    assert mapped.status_code == 422
    columns = {"last_name": "Nom", "first_name": "Prenom", "birth_date": "Ne le", "external_id": "No"}
    assert sent(office, b"Nom;Prenom;Ne le;No\nA;B;01/02/2010;7\n", kind="other", **columns).status_code == 303


def test_a_teacher_reads_the_list_and_changes_nothing(grounds: Grounds, come: Come) -> None:
    office = office_of(grounds, come, grounds.teacher.token)
    assert "Nom Prénom0" in told(office.look("/learners?division=2A"))
    assert "Apporter la liste" not in told(office.look("/learners"))
    assert office.look("/learners/import").status_code == 403
    invigilator = office_of(grounds, come, grounds.invigilator.token)
    assert invigilator.look("/learners").status_code == 403


def test_a_learner_of_the_list_is_found_and_taken_off(grounds: Grounds, come: Come) -> None:
    teacher, admin = (office_of(grounds, come, one.token) for one in (grounds.teacher, grounds.admin))
    pupil = grounds.registered("Noël", "L’Hœste", division="2A")
    campaign = grounds.campaign(title="Une campagne")
    sent = grounds.sent(campaign, pupil)
    found = teacher.look("/learners?name=hoest")
    assert "L’Hœste Noël" in told(found)
    assert "Prénom0" not in told(found)
    path = f"/learners/{pupil.id}"
    card = teacher.look(path)
    assert "Une campagne envoyé" in told(card)
    assert f"/team/campaigns/{campaign['id']}/learners/{sent['id']}" in card.text
    assert "Télécharger" not in told(card)
    for act in (path, f"{path}/data"):
        assert teacher.send(act, act="off").status_code == 403
    given = admin.send(f"{path}/data")
    assert given.json()["participations"][0]["id"] == sent["id"]
    assert given.headers["content-disposition"] == 'attachment; filename="eleve.json"'
    assert admin.send(path, act="off").status_code == 303
    assert "N'est plus sur la liste depuis le 21 septembre 2026" in told(admin.look(path))
    assert "L’Hœste" in told(admin.look("/learners?left=1&name=noel"))
    assert admin.send(path, act="back").status_code == 303
    assert "N'est plus" not in told(admin.look(path))
    stranger = Grounds(grounds.site, grounds.world)
    assert office_of(grounds, come, stranger.admin.token).look(path).status_code == 404


def test_a_list_is_brought_in_a_browser(grounds: Grounds, opened: Open) -> None:
    eye = Inspector()
    page = opened(f"{grounds.url}/team")
    page.locator("#token").fill(grounds.admin.token)
    page.get_by_role("button", name="Entrer").click()
    page.get_by_role("link", name="Élèves").click()
    eye.look(page)
    page.get_by_label("Chercher un nom").fill("prenom0")
    page.get_by_role("button", name="Chercher").click()
    eye.look(page)
    page.get_by_role("link", name="Nom Prénom0").first.click()
    eye.look(page)
    page.get_by_role("link", name="Élèves").first.click()
    page.get_by_role("link", name="Apporter la liste des élèves").click()
    eye.look(page)
    wrong = fregata_file(2).replace(b"Masculin", b"?").replace("Féminin".encode(), b"?")
    page.locator("#file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": wrong})
    page.get_by_role("button", name="Lire le fichier").click()
    expect(page.locator("#errors")).to_be_visible()
    eye.look(page)
    page.locator("#file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": fregata_file(40, seed=5)})
    page.get_by_role("button", name="Lire le fichier").click()
    expect(page.locator("#counts")).to_be_visible()
    eye.look(page)
    page.get_by_role("link", name="Équipe", exact=True).click()
    eye.look(page)
    page.get_by_role("link", name="Ce qui a été fait").click()
    eye.look(page)
    assert eye.found == []
