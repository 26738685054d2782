"""Finalising, the jury, publication, revocation, scoring again: all of it through HTTP."""

import csv
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import itembank
from api.app import create_app
from api.certification.audit import check_audit
from api.certification.decisions import finalise as finalising
from api.oauth.clients import create_client
from api.oauth.scopes import CERTIFICATION_READ, RUNS_READ
from tests.api.conftest import World
from tests.certification.decided import certified, finalised, holder, proof, published, results, seated
from tests.certification.school import School

Check = Callable[..., Any]
WHY = {"why": "The power went off."}


def finalise(school: School, session: Any, **ends: Any) -> Any:
    return school.call("POST", f"/v1/sessions/{session['id']}/finalise", json={"ends": ends})


def decide(school: School, session: Any, candidate_id: str, what: str, token: str | None = None, **body: Any) -> Any:
    path = f"/v1/sessions/{session['id']}/candidates/{candidate_id}/{what}"
    return school.call("POST", path, token, json=body)


def evidence(school: School, session: Any, candidate_id: str) -> Any:
    return school.done("GET", f"/v1/sessions/{session['id']}/candidates/{candidate_id}/evidence")


@contextmanager
def recalibrated(school: School, folder: Path, change: Callable[[dict[str, str]], None]) -> Iterator[School]:
    """The same school on a server whose bank has other parameters."""
    bank = folder / "bank"
    shutil.copytree(Path(itembank.__file__).parent / "crcn", bank)
    with (bank / "parameters.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        change(line)
    with (bank / "parameters.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(line for line in lines if line["id"])
    settings = school.world.settings.model_copy(update={"bank": bank})
    before = school.world
    with TestClient(create_app(settings, before.clock), raise_server_exceptions=False) as client:
        school.world = World(client, settings, before.clock)
        school.world.client_id = before.client_id
        yield school
    school.world = before


def shifted(by: float) -> Callable[[dict[str, str]], None]:
    def change(line: dict[str, str]) -> None:
        line["difficulty"] = f"{float(line['difficulty']) + by:.4f}"

    return change


def test_a_session_cannot_be_finalised_while_somebody_sits(school: School, problem: Check) -> None:
    session, candidates = school.open_session(4)
    for candidate in candidates[:2]:
        seated(school, session, candidate).answer(3)
    school.done("DELETE", f"/v1/sessions/{session['id']}/candidates/{candidates[3]['id']}")
    shown = problem(finalise(school, session), 409, "not-now", "technical")
    assert [row["id"] for row in shown["candidates"]] == [candidate["id"] for candidate in candidates[:2]]
    assert {row["outcome"] for row in results(school, session)} == {None}
    one, other = (candidate["id"] for candidate in candidates[:2])
    shown = problem(finalise(school, session, **{one: {"end": "technical", **WHY}}), 409, "not-now")
    assert [row["id"] for row in shown["candidates"]] == [other]
    ends = {one: {"end": "technical", **WHY}, other: {"end": "candidate", "why": "They went home."}}
    assert finalise(school, session, **ends).json()["state"] == "finalised"
    first, second, third, fourth = results(school, session)
    assert (first["end"], first["end_why"], first["outcome"]) == ("technical", "The power went off.", "cancelled")
    assert (second["end"], second["end_why"], second["outcome"]) == ("candidate", "They went home.", "rejected")
    assert (fourth["state"], fourth["outcome"]) == ("removed", None)
    assert (third["state"], third["end"], third["outcome"], third["scoring"]) == ("absent", None, None, None)
    for row in (first, second):
        shown = proof(school, row["run_id"])
        assert shown.ok, shown.difference
    problem(finalise(school, session), 409, "not-now", "finalised")


def test_reasons_are_for_tests_under_way_only(school: School, problem: Check) -> None:
    session, (candidate, absent) = school.open_session(2)
    sitting = seated(school, session, candidate)
    stranger = "01890000-0000-7000-8000-000000000000"
    given = {"end": "candidate", "why": "x"}
    problem(finalise(school, session, **{stranger: given}), 422, "invalid-request", stranger)
    problem(finalise(school, session, **{absent["id"]: given, candidate["id"]: given}), 409, "not-now", "not under way")
    for body in ({"end": "invigilator", "why": "x"}, {"end": "technical"}, {"end": "technical", "why": " "}):
        problem(finalise(school, session, **{candidate["id"]: body}), 422, "invalid-request")
    sitting.do("end", confirm=True)
    assert finalise(school, session).json()["state"] == "finalised"


def test_who_ran_out_of_time_needs_no_reason(school: School) -> None:
    session, (candidate,) = school.open_session()
    seated(school, session, candidate).answer(4)
    school.world.clock.move(hours=3)
    finalised(school, session)
    (row,) = results(school, session)
    assert (row["end"], row["ended_at"], row["outcome"]) == ("time", "2027-01-11T09:00:00.000000Z", "rejected")
    assert {told["reason"] for told in row["reasons"]} >= {"time", "too_few_answers"}
    assert proof(school, row["run_id"]).ok


def test_an_answer_that_crosses_finalisation_counts(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    session, (candidate,) = school.open_session()
    sitting = seated(school, session, candidate)
    sitting.answer(3)
    compared, late = finalising.copies, [1]

    def answering(*arguments: Any) -> Any:
        if late:
            late.pop()
            sitting.answer(1)
        return compared(*arguments)

    monkeypatch.setattr(finalising, "copies", answering)
    finalised(school, session, **{candidate["id"]: {"end": "technical", **WHY}})
    (row,) = results(school, session)
    assert sum(told["answered"] for told in row["competences"]) == 4
    assert proof(school, row["run_id"]).ok


def test_a_good_test_is_told_in_words_and_certified(school: School) -> None:
    _, row, _ = certified(school)
    assert (row["state"], row["outcome"], row["end"]) == ("published", "validated", "completed")
    assert row["outcome_words"] == {"fr": "Certification validée.", "en": "The certification is validated."}
    assert row["end_words"]["en"] == "test completed"
    assert {told["status"] for told in row["competences"]} <= {"confirmed", "lowered", "not_certified"}
    for told in row["competences"]:
        assert told["level"] <= told["profile_level"]
        assert 0.5 <= told["probability"] <= 1
        assert set(told["status_words"]) == {"fr", "en"}
    best = max(row["competences"], key=lambda told: told["level"])
    assert f"level {best['level']}, " in best["level_words"]["en"]
    assert best["meaning"]["fr"].startswith("Vous")
    (certificate,) = row["certificates"]
    assert (certificate["status"], certificate["scoring"]) == ("valid", 1)
    assert certificate["expires_at"] == certificate["issued_at"].replace("2027", "2030")


def test_the_jury_reads_everything_on_one_page(school: School) -> None:
    session, (candidate, other) = school.open_session(2)
    sitting = seated(school, session, candidate)
    sitting.answer(2)
    sitting.act("pause", why="A fire drill.")
    school.world.clock.move(minutes=20)
    sitting.act("resume")
    pending = sitting.view["pending"]
    sitting.do("reports", position=pending["position"], item=pending["item"]["id"], why="The table is cut off.")
    sitting.act("accept", why="It is.")
    sitting.answer(1, seconds=1.0)
    sitting.answer()
    seated(school, session, other).answer(level=3)
    finalised(school, session)
    shown = evidence(school, session, candidate["id"])
    assert shown["seconds_allowed"] == 7200
    assert shown["seconds_used"] == sum(told["seconds"] or 0 for told in shown["questions"])
    kinds = [told["reply"] for told in shown["questions"]]
    assert kinds.count("withdrawn") == 1
    assert kinds[2] == "withdrawn"
    assert shown["questions"][3]["too_fast"]
    for told in shown["questions"]:
        assert 0 < told["chance"] < 1
        assert told["expected_seconds"] > 5
        assert told["stem"]
    about = [told["competence"] for told in shown["profile"]["competences"] if told["certifiable"]]
    assert about == [told["competence"] for told in shown["competences"]]
    assert shown["statistics"].keys() == {
        *("person_fit", "sincerity", "too_fast", "times", "copied", "answered_share"),
    }
    assert shown["statistics"]["copied"]["with"] == other["id"]
    assert shown["statistics"]["copied"]["name"] == f"{other['first_name']} {other['last_name']}"
    assert shown["statistics"]["person_fit"]["threshold"] == 0.005
    told = {fact["kind"]: fact for fact in shown["facts"]}
    assert told["paused"]["why"] == "A fire drill."
    assert told["paused"]["name"] == "Ivo Invigilator"
    assert told["decided"]["data"]["scoring"] == 1
    assert proof(school, shown["run_id"]).ok


def test_an_incident_is_shown_to_the_jury(school: School) -> None:
    session, (candidate,) = school.open_session()
    seated(school, session, candidate).answer(1)
    path = f"/v1/sessions/{session['id']}/incidents"
    school.done("POST", path, school.invigilator.token, json={"why": "A telephone rang."})
    (incident,) = evidence(school, session, candidate["id"])["incidents"]
    assert (incident["why"], incident["name"]) == ("A telephone rang.", "Ivo Invigilator")


def test_nothing_is_shown_of_who_has_not_started(school: School, problem: Check) -> None:
    session, (candidate,) = school.open_session()
    path = f"/v1/sessions/{session['id']}/candidates/{candidate['id']}/evidence"
    problem(school.call("GET", path), 409, "not-now", "not started")


def test_what_the_invigilator_ended_goes_to_the_jury(school: School, problem: Check) -> None:
    session, (candidate,) = school.open_session()
    sitting = seated(school, session, candidate)
    sitting.answer(30)
    sitting.act("end", end="invigilator", why="A telephone was used.")
    finalised(school, session)
    (row,) = results(school, session)
    assert row["outcome"] == "to_review"
    assert "invigilator" in [told["reason"] for told in row["reasons"]]
    shown = problem(school.call("POST", f"/v1/sessions/{session['id']}/publish"), 409, "not-now", "review")
    assert [one["id"] for one in shown["candidates"]] == [candidate["id"]]
    for body in ({"outcome": "validated"}, {"outcome": "validated", "why": " "}, {"outcome": "to_review", "why": "x"}):
        problem(decide(school, session, candidate["id"], "review", **body), 422, "invalid-request")
    body = {"outcome": "validated", "why": "It was a watch."}
    assert decide(school, session, candidate["id"], "review", **body).status_code == 204
    problem(decide(school, session, candidate["id"], "review", **body), 409, "not-now", "nothing to review")
    assert published(school, session)["state"] == "published"
    (row,) = results(school, session)
    assert (row["outcome"], row["reviews"][0]["why"], len(row["certificates"])) == ("validated", "It was a watch.", 1)
    assert proof(school, row["run_id"]).ok


def test_what_is_rejected_or_cancelled_has_no_certificate(school: School) -> None:
    session, candidates = school.open_session(2)
    for candidate in candidates:
        sitting = seated(school, session, candidate)
        sitting.answer(2)
        sitting.act("end", end="invigilator", why="Talking.")
    finalised(school, session)
    for candidate, outcome in zip(candidates, ("rejected", "cancelled"), strict=True):
        assert decide(school, session, candidate["id"], "review", outcome=outcome, why="Seen.").status_code == 204
    published(school, session)
    assert [(row["outcome"], row["certificates"]) for row in results(school, session)] == [
        ("rejected", []),
        ("cancelled", []),
    ]


def test_an_empty_certificate_is_not_validated(school: School, problem: Check) -> None:
    session, (candidate,) = school.open_session()
    sitting = seated(school, session, candidate)
    sitting.answer(1)
    sitting.act("end", end="invigilator", why="Talking.")
    finalised(school, session)
    problem(
        decide(school, session, candidate["id"], "review", outcome="validated", why="x"),
        422,
        "invalid-request",
        "empty",
    )


def test_a_session_is_published_once(school: School, problem: Check) -> None:
    session, _, _ = certified(school)
    problem(school.call("POST", f"/v1/sessions/{session['id']}/publish"), 409, "not-now", "already")
    draft = school.session()
    problem(school.call("POST", f"/v1/sessions/{draft['id']}/publish"), 409, "not-now")
    problem(finalise(school, draft), 409, "not-now", "draft")


def test_a_certificate_is_revoked(school: School, problem: Check) -> None:
    session, row, sitting = certified(school)
    problem(decide(school, session, row["candidate_id"], "revoke"), 422, "invalid-request")
    assert decide(school, session, row["candidate_id"], "revoke", why="Another sat the test.").status_code == 204
    problem(decide(school, session, row["candidate_id"], "revoke", why="x"), 409, "not-now", "no certificate")
    shown = school.done("GET", "/v1/certificate", holder(school, sitting))
    assert (shown["status"], shown["revoked_why"]) == ("revoked", "Another sat the test.")
    (row,) = results(school, session)
    assert row["revoked"]
    assert proof(school, row["run_id"]).ok


def test_scoring_again_makes_a_new_version(school: School, problem: Check, tmp_path: Path) -> None:
    session, row, sitting = certified(school)
    candidate_id = row["candidate_id"]
    problem(decide(school, session, candidate_id, "rescore", why="x"), 409, "not-now", "nothing new")
    old = school.done("GET", "/v1/certificate", holder(school, sitting))
    school.done("PATCH", f"/v1/certificates/{old['id']}", holder(school, sitting), json={"shows_name": True})
    with recalibrated(school, tmp_path, shifted(0.6)):
        assert decide(school, session, candidate_id, "rescore", why="Calibrated in June.").status_code == 204
        (again,) = results(school, session)
        assert (again["state"], again["scoring"], len(again["scorings"])) == ("decided", 2, 2)
        assert again["scorings"][1]["why"] == "Calibrated in June."
        assert sum(told["level"] for told in again["competences"]) > sum(told["level"] for told in row["competences"])
        assert school.done("GET", "/v1/certificate", holder(school, sitting))["status"] == "valid"
        assert proof(school, row["run_id"]).ok
        published(school, session)
        (again,) = results(school, session)
        assert [one["status"] for one in again["certificates"]] == ["replaced", "valid"]
        new = school.done("GET", "/v1/certificate", holder(school, sitting))
        assert (new["scoring"], new["shows_name"], new["shows_levels"]) == (2, True, False)
        assert new["code"] != old["code"]
        kept = school.done("GET", f"/v1/certificates/{old['id']}")
        assert (kept["status"], kept["replaced_by"], kept["levels"]) == ("replaced", new["id"], old["levels"])
        shown = proof(school, row["run_id"])
        assert shown.ok, shown.difference
        audit = school.call("GET", f"/v1/certificates/{new['id']}/audit").content
        (tmp_path / "audit.json").write_bytes(audit)
        assert check_audit(tmp_path / "audit.json") == shown


def test_a_scoring_that_does_not_validate_any_more_revokes(school: School, tmp_path: Path) -> None:
    session, row, _ = certified(school)
    with recalibrated(school, tmp_path, shifted(-6.0)):
        assert decide(school, session, row["candidate_id"], "rescore", why="The cuts were wrong.").status_code == 204
        (again,) = results(school, session)
        if again["outcome"] == "to_review":
            body = {"outcome": "rejected", "why": "Nothing is certified."}
            assert decide(school, session, row["candidate_id"], "review", **body).status_code == 204
        published(school, session)
        (again,) = results(school, session)
        assert [one["status"] for one in again["certificates"]] == ["revoked"]
        shown = proof(school, row["run_id"])
        assert shown.ok, shown.difference


def test_a_bank_that_lacks_an_item_cannot_score(school: School, problem: Check, tmp_path: Path) -> None:
    session, row, _ = certified(school)
    asked = evidence(school, session, row["candidate_id"])["questions"][0]["item"]

    def without(line: dict[str, str]) -> None:
        if line["id"] == asked:
            line["id"] = ""

    with recalibrated(school, tmp_path, without):
        problem(decide(school, session, row["candidate_id"], "rescore", why="x"), 409, "not-now", asked)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/finalise", {}),
        ("POST", "/publish", None),
        ("GET", "/results", None),
        ("GET", "/candidates/{id}/evidence", None),
        ("POST", "/candidates/{id}/review", {"outcome": "validated", "why": "x"}),
        ("POST", "/candidates/{id}/revoke", {"why": "x"}),
        ("POST", "/candidates/{id}/rescore", {"why": "x"}),
    ],
)
def test_only_the_platform_and_administrators_decide(
    school: School, problem: Check, method: str, path: str, body: Any
) -> None:
    session, row, sitting = certified(school)
    address = f"/v1/sessions/{session['id']}{path.format(id=row['candidate_id'])}"

    def refused(token: str, status: int, slug: str) -> None:
        problem(school.call(method, address, token, **({} if body is None else {"json": body})), status, slug)

    refused(school.invigilator.token, 403, "not-allowed")
    refused(sitting.token, 401, "unauthenticated")
    refused(holder(school, sitting), 401, "unauthenticated")
    refused("jmt_nobody", 401, "unauthenticated")
    refused(school.world.another_platform(), 404, "unknown-session")
    refused(another_admin(school), 404, "unknown-session")
    refused(school.world.token_for(school.world.client_id, RUNS_READ), 403, "not-allowed")
    if method == "POST":
        refused(school.world.token_for(school.world.client_id, CERTIFICATION_READ), 403, "not-allowed")
    else:
        assert school.call(
            method, address, school.world.token_for(school.world.client_id, CERTIFICATION_READ)
        ).is_success


def another_admin(school: School) -> str:
    """Token of the administrator of another organisation of the platform."""
    organisation = school.as_platform("POST", "/v1/organisations", json={"name": "Collège Voisin"})
    body = {"name": "Anne", "role": "admin"}
    made = school.as_platform("POST", f"/v1/organisations/{organisation['id']}/members", json=body)
    token: str = made["token"]
    return token


def test_candidates_of_other_sessions_are_unknown(school: School, problem: Check) -> None:
    session, row, _ = certified(school)
    other = school.session()
    for what, body in (("review", {"outcome": "validated", "why": "x"}), ("revoke", {"why": "x"})):
        problem(decide(school, other, row["candidate_id"], what, **body), 404, "unknown-candidate")
    client_id, _ = create_client(school.world.context.database, "Third", (CERTIFICATION_READ,))
    token = school.world.token_for(client_id, CERTIFICATION_READ)
    problem(school.call("GET", f"/v1/sessions/{session['id']}/results", token), 404, "unknown-session")
