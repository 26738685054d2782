"""A stored run is proved from its facts; whatever is altered afterwards is found."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from api.database import Database
from api.runs.replay import prove
from engine.errors import SettingError
from tests.api.conftest import World
from tests.load.answers import answer_to


def database_file(world: World) -> Path:
    return Path(world.settings.database.removeprefix("sqlite:///"))


def tamper(world: World, *statements: str) -> None:
    """Change what is stored with SQLite's own tools, triggers out of the way, as a forger would."""
    if world.context.database.dialect != "sqlite":
        pytest.skip("the forger knows SQLite only")
    connection = sqlite3.connect(database_file(world))
    connection.execute("DROP TRIGGER facts_no_update")
    connection.execute("DROP TRIGGER facts_no_delete")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0
    connection.commit()
    connection.close()


def finished(world: World) -> str:
    skipping = world.open(competences=["1.1", "2.1"], length=8, seed=11)
    world.finish(skipping, lambda pending: {"skipped": True} if pending["position"] % 3 == 1 else {})
    run_id: str = skipping["id"]
    return run_id


def proof(world: World, run_id: str) -> Any:
    with Database(world.settings.database) as database:
        return prove(database, run_id)


def test_a_finished_run_is_proved(world: World) -> None:
    shown = proof(world, finished(world))
    assert shown.ok
    assert shown.finished
    assert shown.decisions == 9


def test_an_open_run_is_proved_as_far_as_it_goes(world: World) -> None:
    run = world.open()
    world.answer(run["id"], run["pending"])
    shown = proof(world, run["id"])
    assert shown.ok
    assert not shown.finished
    assert shown.decisions == 2


def test_a_full_run_answered_in_batches_is_proved(world: World) -> None:
    run = world.open(competences=None, length=None)
    world.finish(run)
    assert proof(world, run["id"]).ok


def test_a_retaken_run_is_proved_with_its_earlier_evidence(world: World) -> None:
    first = world.open(competences=None, length=16)
    world.finish(first)
    second = world.open(first["learner_id"], competences=None, length=16)
    world.finish(second)
    third = world.open(first["learner_id"], competences=["1.1"])
    for run in (second, third):
        assert proof(world, run["id"]).ok


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["UPDATE facts SET response = 1 - response WHERE kind = 'answered' AND position = 0"], "Position 0"),
        (["UPDATE facts SET item = 'crcn-1.1-24' WHERE position = 2 AND item <> 'crcn-1.1-24'"], "Position 2"),
        (["UPDATE facts SET parameters = '{}' WHERE kind = 'asked' AND position = 3"], "parameters"),
        (["DELETE FROM facts WHERE position = 4 AND part = 1"], "missing"),
        (["UPDATE facts SET reason = 'nothing_left' WHERE kind = 'ended'"], "ended by"),
        (["UPDATE facts SET kind = 'skipped' WHERE kind = 'answered' AND position = 2"], "Position"),
        (["UPDATE facts SET at = '2020-01-01 00:00:00.000000' WHERE position = 5 AND part = 1"], "older"),
        (
            [
                "INSERT INTO facts (run_id, position, part, kind, at) "
                "SELECT run_id, position, 1, 'skipped', at FROM facts WHERE kind = 'ended'"
            ],
            "after the end",
        ),
        (["UPDATE runs SET finished_at = NULL"], "finish"),
        (["UPDATE runs SET seed = 12"], "should have been"),
        (["UPDATE snapshots SET content = replace(content, '1.1', '1.2')"], "pins"),
        (["UPDATE designs SET content = replace(content, '\"items\": 8', '\"items\": 9')"], "hash"),
    ],
)
def test_what_was_altered_is_found(world: World, statements: list[str], words: str) -> None:
    run_id = finished(world)
    tamper(world, *statements)
    shown = proof(world, run_id)
    assert not shown.ok
    assert words in shown.difference


def test_an_altered_result_is_found(world: World) -> None:
    run_id = finished(world)
    if world.context.database.dialect != "sqlite":
        pytest.skip("the forger knows SQLite only")
    connection = sqlite3.connect(database_file(world))
    (told,) = connection.execute("SELECT result FROM facts WHERE kind = 'ended'").fetchone()
    connection.close()
    result = json.loads(told)
    result[0]["level"] += 1
    tamper(world, f"UPDATE facts SET result = '{json.dumps(result)}' WHERE kind = 'ended'")
    assert "level" in proof(world, run_id).difference


@pytest.mark.parametrize("run_id", ["nonsense", "01890000-0000-7000-8000-000000000000"])
def test_an_unknown_run_is_told_so(world: World, run_id: str) -> None:
    with pytest.raises(SettingError, match="check the id"):
        proof(world, run_id)


def test_a_run_is_proved_whose_clock_was_set_back(world: World) -> None:
    run = world.open()
    world.clock.move(hours=-1)
    replied = world.answer(run["id"], run["pending"], answer=answer_to(run["pending"]["item"]), seconds=None).json()
    assert replied["at"] >= run["created_at"]
    world.finish({**run, "pending": replied["pending"]})
    assert proof(world, run["id"]).ok
