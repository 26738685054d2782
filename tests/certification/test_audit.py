"""A stored certification is proved from its facts, also by a third party; whatever is altered afterwards is found."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.certification.audit import audit_of, check_audit
from api.database import Database
from api.runs.replay import prove
from api.settings import Settings
from engine.errors import SettingError
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.certification.decided import (
    Sitting,
    certified,
    finalised,
    forge,
    holder,
    proof,
    published,
    results,
    seated,
    tamper,
)
from tests.certification.school import MONDAY, School


def audit(school: School, run_id: str, folder: Path) -> Path:
    """Audit file of a run, as it stands."""
    with school.world.context.database.reading() as connection:
        content = audit_of(connection, run_id)
    file = folder / "audit.json"
    file.write_bytes(content)
    return file


def whole(school: School) -> tuple[Any, Any, Sitting]:
    """A certified test with everything that happens to a clock: a pause, a report accepted and one dismissed."""
    session, (candidate, other) = school.open_session(2)
    sitting, beside = seated(school, session, candidate), seated(school, session, other)
    sitting.answer(2)
    sitting.act("pause", why="A fire drill.")
    school.world.clock.move(minutes=20)
    sitting.act("resume")
    for decision in ("accept", "dismiss"):
        sitting.answer(1)
        pending = sitting.view["pending"]
        school.world.clock.move(seconds=15)
        sitting.do("reports", position=pending["position"], item=pending["item"]["id"], why="It is cut off.")
        school.world.clock.move(minutes=2)
        sitting.act(decision, why="Seen.")
    sitting.answer(1, reply=lambda item: {"skipped": True})
    sitting.answer(level=5)
    beside.answer(3)
    finalised(school, session, **{other["id"]: {"end": "technical", "why": "The power went off."}})
    row = next(row for row in results(school, session) if row["candidate_id"] == candidate["id"])
    if row["outcome"] == "to_review":
        path = f"/v1/sessions/{session['id']}/candidates/{candidate['id']}/review"
        school.done("POST", path, json={"outcome": "validated", "why": "Known."})
    published(school, session)
    row = next(row for row in results(school, session) if row["candidate_id"] == candidate["id"])
    return session, row, sitting


def test_everything_that_happened_is_proved_and_audited(school: School, tmp_path: Path) -> None:
    session, row, _ = whole(school)
    for one in results(school, session):
        shown = proof(school, one["run_id"])
        assert shown.ok, shown.difference
        assert shown.finished
        again = check_audit(audit(school, one["run_id"], tmp_path))
        assert again == shown
    assert shown.decisions < proof(school, row["run_id"]).decisions


@pytest.mark.parametrize("until", ["started", "paused", "frozen", "time", "left"])
def test_a_test_is_proved_as_far_as_it_goes(school: School, until: str) -> None:
    session, (candidate,) = school.open_session()
    sitting = seated(school, session, candidate)
    if until != "started":
        sitting.answer(3)
    if until == "paused":
        sitting.act("pause")
    elif until == "frozen":
        pending = sitting.view["pending"]
        sitting.do("reports", position=pending["position"], item=pending["item"]["id"], why="It is cut off.")
    elif until == "time":
        school.world.clock.move(hours=3)
        assert sitting.view["phase"] == "ended"
    elif until == "left":
        sitting.do("end", confirm=True)
    run_id = results(school, session)[0]["run_id"]
    shown = proof(school, run_id)
    assert shown.ok, shown.difference
    assert shown.finished == (until in ("time", "left"))


def test_extra_time_and_accommodations_are_proved(school: School) -> None:
    session = school.session()
    candidate = school.enrol(session, extra_time=100 / 3)
    sitting = seated(school, school.opened(session), candidate)
    sitting.answer(2, seconds=4_000)
    pending = sitting.view["pending"]
    assert pending is not None  # after 8,000 s of 9,600
    sitting.answer(1, seconds=1_599.999)
    school.world.clock.move(seconds=10)
    assert sitting.view["end"] == "time"
    run_id = results(school, session)[0]["run_id"]
    shown = proof(school, run_id)
    assert shown.ok, shown.difference


def test_a_revoked_one_and_one_that_was_entered_again_are_proved(school: School, tmp_path: Path) -> None:
    session, (candidate,) = school.open_session()
    seated(school, session, candidate).answer(5)
    again = seated_elsewhere(school, session, candidate)
    again.answer()
    finalised(school, session)
    (row,) = results(school, session)
    if row["outcome"] == "to_review":
        path = f"/v1/sessions/{session['id']}/candidates/{candidate['id']}/review"
        school.done("POST", path, json={"outcome": "validated", "why": "Known."})
    published(school, session)
    path = f"/v1/sessions/{session['id']}/candidates/{candidate['id']}/revoke"
    school.done("POST", path, json={"why": "Another sat the test."})
    assert proof(school, row["run_id"]).ok
    assert check_audit(audit(school, row["run_id"], tmp_path)).ok


def seated_elsewhere(school: School, session: Any, candidate: Any) -> Sitting:
    """The candidate at another machine, where the test goes on."""
    who = {name: candidate[name] for name in ("first_name", "last_name", "birth_date")}
    entry = school.world.client.post("/v1/session-entries", json={"code": session["access_code"], **who}).json()
    sitting = Sitting(school, session, candidate, entry["token"])
    sitting.act("authorise")
    sitting.do("return")
    return sitting


def test_a_second_certification_of_a_learner_is_proved(school: School, tmp_path: Path) -> None:
    _, row, _ = certified(school)
    session = school.session()
    candidate = school.enrol(session, row["learner_id"])
    sitting = seated(school, school.opened(session), candidate)
    sitting.answer()
    finalised(school, session)
    (again,) = results(school, session)
    shown = proof(school, again["run_id"])
    assert shown.ok, shown.difference
    assert check_audit(audit(school, again["run_id"], tmp_path)) == shown


FACT = "UPDATE candidate_facts SET"
RUN = "run_id IN (SELECT id FROM runs WHERE rules_hash IS NOT NULL)"
ALTERED = {
    "an answer": (
        f"UPDATE facts SET response = 1 - response WHERE {RUN} AND kind = 'answered' AND position = 0",
        "marking",
    ),
    "a time": (f"UPDATE facts SET seconds = seconds + 1 WHERE {RUN} AND position = 1 AND part = 1", "of the clock"),
    "a withdrawal": (
        f"UPDATE facts SET kind = 'skipped', seconds = 15.0 WHERE {RUN} AND kind = 'withdrawn'",
        "osition",
    ),
    "an acceptance": (f"{FACT} kind = 'dismissed' WHERE kind = 'accepted'", "no report"),
    "a report": (f"{FACT} data = replace(data, 'crcn-', 'crcx-') WHERE kind = 'reported'", "not asked"),
    "a report's moment": (f"{FACT} data = replace(data, '07:2', '07:1') WHERE kind = 'reported'", "not asked"),
    "a pause": (f"{FACT} at = '2027-01-11 07:01:00.000000' WHERE kind = 'paused'", "clock stood still"),
    "a resumption": (f"{FACT} at = '2027-01-11 07:01:21.000000' WHERE kind = 'resumed'", "osition"),
    "the start": (f"{FACT} at = '2027-01-11 07:00:01.000000' WHERE kind = 'started'", "began"),
    "who": (f"{FACT} who = 'member:x' WHERE kind = 'decided'", "decision"),
    "the end": (f"{FACT} data = replace(data, 'completed', 'time') WHERE kind = 'ended'", "ended by"),
    "the end's moment": (
        f"{FACT} at = '2027-01-11 07:59:00.000000' WHERE kind IN ('ended', 'decided', 'published')",
        "another moment",
    ),
    "an outcome": (f"{FACT} data = replace(data, 'validated', 'rejected') WHERE kind = 'decided'", "decision"),
    "a missing fact": ("DELETE FROM candidate_facts WHERE kind = 'authorised' AND number = 3", "gap"),
    "an authorisation": (f"{FACT} kind = 'incident' WHERE kind = 'authorised'", "cannot have happened"),
    "an authorisation's moment": (
        f"{FACT} at = '2027-01-11 06:00:00.000000' WHERE kind IN ('enrolled', 'arrived', 'authorised')",
        "cannot have happened",
    ),
    "a state": ("UPDATE candidates SET state = 'decided'", "stored as"),
    "a level of the profile": (
        "UPDATE candidates SET profile = replace(profile, '\"levels\": [', '\"levels\": [1')",
        "levels",
    ),
    "what is certifiable": ("UPDATE candidates SET profile = replace(profile, '\"1.1\"', '\"1.3\"')", "certifiable"),
    "a weight of the profile": ("UPDATE candidates SET profile = replace(profile, ', 1.0]', ', 0.5]')", "earlier"),
    "extra time": ("UPDATE candidates SET extra_time = 50.0", "extra_time"),
    "the language": ("UPDATE candidates SET locale = 'en'", "locale"),
    "the competences": (
        f"UPDATE runs SET competences = replace(competences, '\"1.1\", ', '') WHERE {RUN.replace('run_id', 'id')}",
        "",
    ),
    "what was seen": (f"UPDATE runs SET excluded = '[]' WHERE {RUN.replace('run_id', 'id')}", ""),
    "the session": ("UPDATE sessions SET state = 'open'", "stored as"),
    "a session's fact": ("DELETE FROM session_facts WHERE number = 2", "session"),
    "a level": (
        'UPDATE scorings SET result = replace(result, \'"status": "lowered"\', \'"status": "confirmed"\')',
        "status",
    ),
    "a probability": (
        "UPDATE scorings SET result = replace(result, '\"probability\": 0.', '\"probability\": 0.0')",
        "probability",
    ),
    "a statistic": ("UPDATE scorings SET result = replace(result, '\"overall\": 0.', '\"overall\": 0.0')", "overall"),
    "a reason": (
        'UPDATE scorings SET result = replace(result, \'"reasons": [\', \'"reasons": ["times", \')',
        "reasons",
    ),
    "an outcome of a scoring": ("UPDATE scorings SET outcome = 'rejected'", "decision"),
    "an end that was judged": ("UPDATE scorings SET \"end\" = 'technical'", "judged"),
    "copies": ("UPDATE scorings SET copied = replace(copied, '\"alike\": ', '\"alike\": 1')", "copied"),
    "a scoring": ("DELETE FROM scorings", "scorings"),
    "when a certificate ends": (
        "UPDATE certificates SET expires_at = '2099-01-11 07:24:00.000000'",
        "valid for 3 years",
    ),
    "a certificate": ("DELETE FROM certificates", "certificates"),
    "a revocation": ("UPDATE certificates SET revoked_at = issued_at", "revoked"),
    "a replacement": ("UPDATE certificates SET replaced_by = id", "replaced"),
    "the positioning": (
        f"UPDATE facts SET response = 1 - response WHERE NOT {RUN} AND kind = 'answered' AND position = 0",
        "counts in this one",
    ),
    "the profile's result": (
        f"UPDATE facts SET result = replace(result, '\"level\": ', '\"level\": 1') WHERE NOT {RUN} AND kind = 'ended'",
        "counts in this one",
    ),
    "the calibration": (
        "UPDATE snapshots SET content = replace(content, '\"difficulty\":0', '\"difficulty\":1')",
        "pins",
    ),
    "the rules": ("UPDATE designs SET content = replace(content, '\"minutes\": 120', '\"minutes\": 180')", ""),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A database file with everything that may happen, and the run of its certificate."""
    file = tmp_path_factory.mktemp("stored") / "jalon.db"
    settings, clock = Settings(database=f"sqlite:///{file}"), MovableClock(MONDAY)
    with TestClient(create_app(settings, clock)) as client:
        _, row, _ = whole(School(World(client, settings, clock)))
    return file, row["run_id"]


@pytest.mark.parametrize("what", list(ALTERED))
def test_what_was_altered_is_found(stored: tuple[Path, str], tmp_path: Path, what: str) -> None:
    statement, words = ALTERED[what]
    file, run_id = stored
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(file)) as connection, closing(sqlite3.connect(copy)) as other:
        connection.backup(other)
    forge(copy, statement)
    with Database(f"sqlite:///{copy}") as database:
        shown = prove(database, run_id)
    assert shown.difference is not None
    assert words in shown.difference, shown.difference
    assert shown.difference.endswith(".")


def test_a_reply_after_the_deadline_is_found(school: School, tmp_path: Path) -> None:
    session, (candidate,) = school.open_session()
    sitting = seated(school, session, candidate)
    sitting.answer(2)
    sitting.do("end", confirm=True)
    run_id = results(school, session)[0]["run_id"]
    where = f"run_id = '{run_id.replace('-', '')}' AND"
    later = "'2027-01-11 09:00:01.000000'"
    tamper(
        school,
        f"UPDATE facts SET at = {later} WHERE {where} position = 1 AND part = 1",
        f"UPDATE facts SET at = {later} WHERE {where} position >= 2",
        f"UPDATE runs SET finished_at = {later} WHERE id = '{run_id.replace('-', '')}'",
        f"UPDATE candidate_facts SET at = {later} WHERE kind = 'ended'",
    )
    assert "after the deadline" in (proof(school, run_id).difference or "")


def test_an_audit_file_names_nobody(school: School, tmp_path: Path) -> None:
    session, row, sitting = whole(school)
    token = holder(school, sitting)
    certificate = school.done("GET", "/v1/certificate", token)
    content = school.call("GET", f"/v1/certificates/{certificate['id']}/audit", token).text
    other = next(one for one in results(school, session) if one["candidate_id"] != row["candidate_id"])
    secrets = ("Martin 1", "Martin 2", "2009-05-17", "Lycée des Tests", "B 12", session["access_code"], other["run_id"])
    for secret in (*secrets, other["candidate_id"], certificate["code"].replace("-", ""), sitting.view["access_code"]):
        assert secret not in content, secret
    file = tmp_path / "given.json"
    file.write_text(content, encoding="utf-8")
    assert check_audit(file).ok


def change(content: Any, table: str, alter: Callable[[dict[str, Any]], None]) -> Any:
    for row in content["rows"][table]:
        alter(row)
    return content


@pytest.mark.parametrize(
    ("table", "alter", "words"),
    [
        ("scorings", lambda row: row.update(outcome="rejected"), "decision"),
        ("scorings", lambda row: row["result"]["competences"][0].update(level=8), "level"),
        ("certificates", lambda row: row.update(expires_at="2099-01-01T00:00:00.000000Z"), "valid for"),
        ("facts", lambda row: row.update(response=1) if row["response"] == 0 else None, "marking"),
        ("candidates", lambda row: row.update(extra_time=33.0), "extra_time"),
        ("snapshots", lambda row: row.update(content=row["content"].replace("difficulty", "difficulté")), "pins"),
        ("candidate_facts", lambda row: row.update(who="x") if row["kind"] == "decided" else None, "decision"),
    ],
)
def test_an_altered_audit_file_is_found(
    school: School, tmp_path: Path, table: str, alter: Callable[[dict[str, Any]], None], words: str
) -> None:
    _, row, _ = certified(school)
    file = audit(school, row["run_id"], tmp_path)
    file.write_text(json.dumps(change(json.loads(file.read_text(encoding="utf-8")), table, alter)), encoding="utf-8")
    assert words in (check_audit(file).difference or "")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: "nonsense",
        lambda content: "[]",
        lambda content: json.dumps({**content, "format": 2}),
        lambda content: json.dumps({**content, "rows": []}),
        lambda content: json.dumps({**content, "run_id": "01890000-0000-7000-8000-000000000000"}),
        lambda content: json.dumps({**content, "rows": {**content["rows"], "runs": []}}),
        lambda content: json.dumps({**content, "rows": {**content["rows"], "snapshots": []}}),
        lambda content: json.dumps({**content, "rows": {**content["rows"], "facts": [{}]}}),
        lambda content: json.dumps({**content, "rows": {**content["rows"], "candidate_facts": [3]}}),
    ],
)
def test_a_file_that_is_none_is_told_so(school: School, tmp_path: Path, spoil: Callable[[Any], str]) -> None:
    _, row, _ = certified(school)
    file = audit(school, row["run_id"], tmp_path)
    file.write_text(spoil(json.loads(file.read_text(encoding="utf-8"))), encoding="utf-8")
    with pytest.raises(SettingError):
        check_audit(file)
    with pytest.raises(SettingError, match="cannot be read"):
        check_audit(tmp_path / "missing.json")
