import html
import re
from urllib.parse import urljoin

import httpx2 as httpx
import pytest

from tests.pages.server import HOSTILE, Site
from tests.pages.visitor import Come, Visitor


def test_home_says_what_this_is_in_the_visitors_language(visitor: Visitor) -> None:
    french = visitor.get("/")
    assert 'lang="fr"' in french.text
    assert "passez, ce n&#39;est pas grave" in french.text
    assert 'lang="en"' in visitor.get("/", headers={"Accept-Language": "de;q=0.9, en-US"}).text


def test_language_is_remembered_once_chosen(visitor: Visitor) -> None:
    assert "Skipping a question is normal" in visitor.get("/?lang=en").text
    assert "Skipping a question is normal" in visitor.get("/").text
    assert "?lang=fr" in visitor.get("/start").text
    assert "Commencer" in visitor.get("/?lang=fr").text
    assert visitor.get("/?lang=xx").status_code == 200


def test_code_resumes_the_same_question_on_another_device(site: Site, visitor: Visitor, come: Come) -> None:
    visitor.start("1.1", "2.2")
    visitor.skip(visitor.question())
    asked = visitor.question()
    other = come(site)
    response = other.post("/code", {"code": f" {visitor.code().lower().replace('-', ' ')} "})
    assert (response.status_code, response.headers["location"]) == (303, "/run")
    assert other.question() == asked


def test_link_with_a_code_fills_the_field_in(visitor: Visitor) -> None:
    assert 'value="BCD-FGH-JKM"' in visitor.get("/?code=BCD-FGH-JKM").text
    hostile = visitor.get("/", params={"code": HOSTILE}).text
    assert HOSTILE[:17] not in hostile
    assert html.escape(HOSTILE[:17]) in hostile


@pytest.mark.parametrize(("typed", "status"), [("BCDFGHJKM", 404), ("nonsense", 404), ("  ", 422), (HOSTILE, 404)])
def test_code_that_does_not_work_is_told_beside_the_field(visitor: Visitor, typed: str, status: int) -> None:
    response = visitor.post("/code", {"code": typed})
    assert response.status_code == status
    assert 'id="code-fault"' in response.text
    assert 'aria-invalid="true"' in response.text
    assert "<script>document" not in response.text


def test_codes_cannot_be_guessed_for_long(guarded: Site, come: Come) -> None:
    guesser = come(guarded)
    statuses = [guesser.post("/code", {"code": "BCDFGHJKM"}).status_code for _ in range(4)]
    assert statuses == [404, 404, 404, 429]
    last = guesser.post("/code", {"code": "BCDFGHJKM"})
    assert int(last.headers["Retry-After"]) > 0
    assert "Attendez une minute" in last.text


def test_without_self_service_only_codes_begin_a_test(guarded: Site, come: Come) -> None:
    visitor = come(guarded)
    assert 'href="/start"' not in visitor.get("/").text
    for response in (visitor.get("/start"), visitor.post("/start", {"scope": "all"})):
        assert response.status_code == 403
        assert "Il faut un code" in response.text


def test_home_offers_to_resume_and_to_leave(visitor: Visitor) -> None:
    visitor.start("1.1", "2.2")
    assert "Reprendre le test" in visitor.get("/").text
    left = visitor.post("/leave", {})
    assert left.status_code == 303
    assert "Reprendre le test" not in visitor.get(left.headers["location"]).text
    assert visitor.get("/run").status_code == 403


def test_start_needs_a_competence_when_some_are_wanted(visitor: Visitor) -> None:
    response = visitor.post("/start", {"scope": "some", "length": "long"})
    assert response.status_code == 422
    assert "Cochez au moins une compétence" in response.text
    assert 'value="long" checked' in response.text


def test_start_follows_the_choices(visitor: Visitor) -> None:
    assert "Question 1 sur 14" in visitor.start("1.1", "2.2").question().text
    assert "Question 1 sur 20" in visitor.start("1.1", "2.2", length="long").question().text
    assert "Question 1 sur 32" in visitor.start(accessible=["blind", "nonsense"]).question().text
    unknown = visitor.post("/start", {"scope": "some", "competence": ["9.9"]})
    assert unknown.status_code == 422


def test_pages_may_be_looked_at_but_not_framed_scripted_or_kept(visitor: Visitor) -> None:
    headers = visitor.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert visitor.get("/static/page.css?v=1").headers["Cache-Control"].endswith("immutable")


def test_errors_are_pages_for_people_and_documents_for_programs(site: Site, visitor: Visitor) -> None:
    for path, status, words in (("/nowhere", 404, "existe pas"), ("/fail", 500, "pas votre faute")):
        page = visitor.get(path)
        assert (page.status_code, words in page.text) == (status, True)
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        document = httpx.get(site.url + path)
        assert document.headers["content-type"] == "application/problem+json"
    assert visitor.client.put("/run").status_code == 405
    assert visitor.get("/v1/learners").headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "/%2F%2Felsewhere.example", "/%5Celsewhere.example"])
def test_language_switch_never_leads_to_another_server(site: Site, visitor: Visitor, path: str) -> None:
    page = visitor.get(f"{site.url}{path}")
    assert page.status_code == 404
    switch = re.search(r'class="switch" href="([^"]*)"', page.text)
    assert switch is not None
    assert urljoin(f"{site.url}/", html.unescape(switch[1]).replace("\\", "/")).startswith(f"{site.url}/")
