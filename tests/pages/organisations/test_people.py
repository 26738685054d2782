import re

from tests.pages.campaigns.grounds import Grounds
from tests.pages.campaigns.test_team_campaigns import office_of
from tests.pages.certification.people import told
from tests.pages.server import HOSTILE
from tests.pages.visitor import Come


def test_somebody_is_invited_and_comes(grounds: Grounds, come: Come) -> None:
    office = office_of(grounds, come, grounds.admin.token)
    made = office.send("/members", act="invite", name="Gus Guest", role="member")
    (code,) = re.findall(r'class="code-shown">([^<]+)<', made.text)
    assert code not in office.look("/members").text
    assert "Invitation ouverte jusqu'au 5 octobre 2026" in told(office.look("/members"))
    guest = come(grounds.site)
    door = guest.get(f"/team/invitation?code={code.replace('-', '')}")
    assert 'value="Gus Guest"' in door.text
    (key,) = re.findall(r'name="key" value="([^"]+)"', door.text)
    welcome = [guest.post("/team/invitation", {"code": code, "name": HOSTILE, "key": key}) for _ in range(2)]
    assert HOSTILE not in welcome[0].text
    tokens = [re.findall(r"jmt_[\w-]+", page.text)[0] for page in welcome]
    assert tokens[0] == tokens[1]  # sent twice, one member
    assert "Campagnes" in told(office_of(grounds, come, tokens[0]).look("/campaigns"))
    assert guest.get(f"/team/invitation?code={code}").status_code == 404
    assert "Ce code ne correspond" in told(guest.post("/team/invitation", {"code": "x", "name": "Y"}))


def test_roles_change_and_the_last_administrator_stays(grounds: Grounds, come: Come) -> None:
    office = office_of(grounds, come, grounds.admin.token)
    refused = office.send("/members", act="change", member=grounds.admin.id, role="member")
    assert refused.status_code == 409
    assert "dernier administrateur" in told(refused)
    assert office.send("/members", act="change", member=grounds.invigilator.id, role="member").status_code == 303
    assert office_of(grounds, come, grounds.invigilator.token).look("/campaigns").status_code == 200
    assert office.send("/members", act="change", member=grounds.invigilator.id, role="invigilator").status_code == 303


def test_the_audit_is_for_administrators(grounds: Grounds, come: Come) -> None:
    page = told(office_of(grounds, come, grounds.admin.token).look("/audit"))
    assert "a ajouté quelqu'un à l'équipe : Tess Teacher" in page
    assert office_of(grounds, come, grounds.teacher.token).look("/audit").status_code == 403
