import html
import re

import httpx2 as httpx
import pytest

from tests.pages.server import HOSTILE, SECRET, Site, every_kind
from tests.pages.visitor import Come, Question, Visitor, question_of


def questions(visitor: Visitor) -> list[Question]:
    """Skip through a run; what was asked."""
    asked = []
    while (response := visitor.get("/run")).status_code == 200:
        asked.append(question_of(response))
        assert visitor.skip(asked[-1]).status_code == 303
    return asked


def found(visitor: Visitor, kind: str) -> Question:
    """Skip until a question of that kind."""
    while (question := visitor.question()).kind != kind:
        visitor.skip(question)
    return question


@pytest.fixture
def tester(kinds: Site, come: Come) -> Visitor:
    return come(kinds).start("1.1", length="long")


def test_run_is_answered_to_the_end_without_a_script(visitor: Visitor) -> None:
    visitor.start("1.1", "2.2")
    for number in range(14):
        question = visitor.question()
        assert f"Question {number + 1} sur 14" in question.text
        assert visitor.answer(question).status_code == 303
    assert visitor.get("/run").headers["location"] == "/profile"
    profile = visitor.get("/profile").text
    assert "Vous avez vu toutes les questions prévues" in profile
    assert "avec 9 chances sur 10" in profile
    assert "Voir le profil" in visitor.get("/").text


def test_every_kind_is_asked_and_answered(tester: Visitor) -> None:
    kinds = set()
    while (response := tester.get("/run")).status_code == 200:
        question = question_of(response)
        kinds.add(question.kind)
        assert tester.answer(question).status_code == 303
    assert len(kinds) == 6
    profile = tester.get("/profile").text
    assert "Il ne reste plus de question" in profile
    assert "Pas encore connu" in profile


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("single_choice", {"answer": []}, "Choisissez une réponse"),
        ("single_choice", {"answer": "zz"}, "Choisissez une réponse"),
        ("multiple_choice", {"answer": []}, "Cochez au moins une réponse"),
        ("short_text", {"answer": "   "}, "Écrivez votre réponse"),
        ("short_text", {"answer": "mot " * 60}, "trop longue"),
        ("number", {"answer": "douze"}, "ne ressemble pas à un nombre"),
        ("number", {"answer": ""}, "Écrivez votre réponse"),
        ("ordering", {"rank-a": "1", "rank-b": "1"}, "le même rang"),
        ("ordering", {"rank-a": ""}, "Donnez un rang"),
        ("matching", {"match-a": ""}, "Choisissez une proposition"),
    ],
)
def test_unsuitable_answer_is_told_beside_its_field(
    tester: Visitor, kind: str, fields: dict[str, str], words: str
) -> None:
    question = found(tester, kind)
    response = tester.answer(question, **fields)
    assert response.status_code == 422
    fault = re.search(r'id="fault">([^<]+)<', response.text)
    assert fault is not None
    assert words in html.unescape(fault[1])
    assert "<title>Erreur" in response.text
    assert tester.question().position == question.position


def test_nothing_typed_is_lost(tester: Visitor, kinds: Site, come: Come) -> None:
    number = tester.answer(found(tester, "number"), answer='douze "><b>')
    assert 'value="douze &#34;&gt;&lt;b&gt;"' in number.text
    other = come(kinds).start("1.1", length="long")
    question = found(other, "matching")
    names = re.findall(r'name="(match-\w+)"', question.text)
    refused = other.answer(question, **{names[0]: ""})
    assert refused.text.count(" selected") == len(names) - 1


def test_answer_of_an_old_tab_never_counts_for_another_question(visitor: Visitor) -> None:
    visitor.start("1.1", "2.2")
    first = visitor.question()
    visitor.answer(first)
    second = visitor.question()
    late = visitor.skip(first)
    assert late.status_code == 409
    assert "Rien n&#39;est perdu" in late.text
    assert question_of(late).item == second.item
    mixed = visitor.post("/run", {"position": second.position, "item": first.item, "action": "skip"})
    assert mixed.status_code == 409
    assert visitor.question() == second


def test_same_answer_sent_twice_counts_once(visitor: Visitor) -> None:
    visitor.start("1.1", "2.2")
    first = visitor.question()
    assert [visitor.answer(first).status_code for _ in range(3)] == [303, 303, 303]
    assert visitor.question().position == "1"


@pytest.mark.parametrize("position", ["", "-1", "1e3", "99999999999999999999", "²", "77"])
def test_nonsense_in_the_hidden_fields_is_out_of_date(visitor: Visitor, position: str) -> None:
    visitor.start("1.1")
    question = visitor.question()
    for item in (question.item, "nothing", ""):
        response = visitor.post("/run", {"position": position, "item": item, "action": "skip"})
        assert response.status_code == 409
    assert visitor.question() == question


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(200)), 400),
        ("multipart/form-data; boundary=x", b"nonsense", 400),
        ("multipart/form-data", b"", 400),
        ("application/json", b"{}", 409),
        ("application/x-www-form-urlencoded", b"position=%ff&item=%00&action=\xff", 409),
    ],
)
def test_malformed_form_is_told_kindly(visitor: Visitor, kind: str, body: bytes, status: int) -> None:
    visitor.start("1.1")
    response = visitor.client.post("/run", content=body, headers={"Origin": visitor.url, "Content-Type": kind})
    assert response.status_code == status
    assert "Vos réponses déjà validées sont gardées" in response.text or "Rien n&#39;est perdu" in response.text


@pytest.mark.parametrize("typed", [b"%00", b"%ff", b"%ed%a0%80", b"%F0%9F%98%80"])
def test_strange_characters_are_an_answer_like_another(tester: Visitor, typed: bytes) -> None:
    question = found(tester, "short_text")
    body = f"position={question.position}&item={question.item}&action=answer&answer=a".encode() + typed
    headers = {"Origin": tester.url, "Content-Type": "application/x-www-form-urlencoded"}
    assert tester.client.post("/run", content=body, headers=headers).status_code == 303


def test_finished_run_takes_no_answer(visitor: Visitor) -> None:
    last = questions(visitor.start("1.1"))[-1]
    assert visitor.skip(last).status_code == 303
    response = visitor.answer(last)
    assert response.status_code == 409
    assert "déjà terminé" in response.text
    assert visitor.get("/profile").status_code == 200


def test_profile_waits_for_the_end(visitor: Visitor) -> None:
    visitor.start("1.1")
    assert visitor.get("/profile").headers["location"] == "/run"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "", "Referer": "https://elsewhere.example/run"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_forms_of_other_sites_are_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    visitor.start("1.1")
    question = visitor.question()
    hidden = {"position": question.position, "item": question.item, "action": "skip"}
    for path, data in (("/run", hidden), ("/start", {"scope": "all"}), ("/code", {"code": "B"}), ("/leave", {})):
        response = visitor.post(path, data, **headers)
        assert response.status_code == 403
        assert "vient d&#39;ailleurs" in response.text
    assert visitor.question() == question


def test_forms_of_our_pages_are_taken_from_old_browsers_too(visitor: Visitor) -> None:
    visitor.start("1.1")
    question = visitor.question()
    hidden = {"position": question.position, "item": question.item, "action": "skip"}
    assert visitor.post("/run", hidden, Origin="", Referer=f"{visitor.url}/run").status_code == 303


def test_cookie_is_out_of_reach(site: Site, guarded: Site, visitor: Visitor) -> None:
    response = visitor.post("/start", {"scope": "all", "length": "short"})
    cookie = response.headers["set-cookie"].lower()
    assert cookie.startswith("jalon-run=jlt_")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age" not in cookie
    left = httpx.post(f"{guarded.url}/leave", headers={"Origin": guarded.url})
    assert left.headers["set-cookie"].startswith("__Host-jalon-run=")
    assert "Secure" in left.headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "jlt_forged", "jlt_" + "0" * 64, "x" * 4000])
def test_forged_cookie_shows_nothing(site: Site, token: str, come: Come) -> None:
    stranger = come(site, Cookie=f"jalon-run={token}")
    for path in ("/run", "/run/pause", "/profile"):
        response = stranger.get(path)
        assert response.status_code == 403
        assert "Aucun test n'est ouvert" in html.unescape(response.text)
    assert stranger.get("/").status_code == 200


def test_hostile_item_is_only_text(tester: Visitor) -> None:
    page = next(question.text for question in questions(tester) if question.item == "hostile")
    assert "<script>document" not in page
    assert "<img src=x" not in page
    assert page.count("{{ 7*7 }}") == 3
    assert "&lt;/script&gt;&lt;script&gt;" in page
    assert HOSTILE not in page


def test_pages_never_tell_keys(tester: Visitor) -> None:
    asked = questions(tester)
    pages = [question.text for question in asked] + [tester.get("/profile").text]
    bank = every_kind()
    assert any(item.why for item in bank.items)
    assert SECRET not in "".join(pages)
    assert all(html.escape(item.why)[:40] not in "".join(pages) for item in bank.items if item.why)
