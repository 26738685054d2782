from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.clock import now
from api.identifiers import CODE_ALPHABET
from api.problems import Problem
from api.runs.codes import enter_code
from api.runs.earlier import Retaking
from api.runs.facts import Run
from api.runs.lookup import current_run
from api.runs.start import Order, open_own_run
from api.settings import Settings
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.load.answers import answer_to
from tests.pages.server import every_kind
from tests.pages.server import settings as settings_in

SECRETS = ("key", "why", "typos", "tolerance", "level", "credit")


def call(world: World, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call an asynchronous service inside the server's event loop."""
    portal = world.client.portal
    assert portal is not None
    return portal.call(function, world.context, *arguments)


def test_a_run_from_end_to_end(world: World) -> None:
    run = world.open(competences=None, length=None)
    assert run["state"] == "open"
    assert run["progress"] == {"answered": 0, "at_most": 48}
    assert run["result"] is None
    code = run["access_code"].replace("-", "")
    assert len(code) >= 8
    assert set(code) <= set(CODE_ALPHABET)
    over = world.finish(run)
    assert over["state"] == "finished"
    assert over["pending"] is None
    assert over["progress"]["answered"] == 48
    assert over["finished_at"] > over["created_at"]
    profile = world.call("GET", f"/v1/learners/{run['learner_id']}/profile").json()
    assert profile["run_id"] == run["id"]
    assert profile["competences"] == over["result"]
    for entry in over["result"]:
        assert entry["state"] in ("measured", "estimated")
        assert sum(entry["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert entry["probabilities"][entry["level"]] == pytest.approx(entry["probability"])
        assert 0 < entry["sd"] < 1


def test_the_key_is_never_served(world: World) -> None:
    run = world.open(competences=None, length=None)
    pending = run["pending"]
    while pending is not None:
        assert not set(pending["item"]) & set(SECRETS)
        pending = world.answer(run["id"], pending, skipped=True).json()["pending"]


def test_competences_out_of_scope_are_estimated(world: World) -> None:
    over = world.finish(world.open(competences=["1.1"], length=12))
    states = {entry["competence"]: entry["state"] for entry in over["result"]}
    assert states.pop("1.1") == "measured"
    assert set(states.values()) == {"estimated"}


def test_reading_a_run_twice_gives_the_same_item(world: World) -> None:
    run = world.open()
    one, other = (world.call("GET", f"/v1/runs/{run['id']}").json() for _ in range(2))
    assert one["pending"] == other["pending"] == run["pending"]


def test_a_run_resumes_on_another_device(world: World) -> None:
    run = world.open()
    world.answer(run["id"], run["pending"])
    world.context.live_runs.drop(run["id"])
    entered = call(world, enter_code, run["access_code"].lower().replace("-", " "), "192.0.2.1")
    assert (entered.run_id, entered.token) == (run["id"], run["learner_token"])
    there = world.call("GET", f"/v1/runs/{run['id']}", entered.token).json()
    assert there["progress"]["answered"] == 1
    assert there["pending"]["position"] == 1


@pytest.mark.parametrize("typed", ["", "222-222-222", "nonsense", "0" * 400, "é"])
def test_an_unknown_code_opens_nothing(world: World, typed: str) -> None:
    with pytest.raises(Problem, match="access code"):
        call(world, enter_code, typed, "192.0.2.1")


def test_codes_cannot_be_guessed_for_long(world: World) -> None:
    for _ in range(120):
        with pytest.raises(Problem, match="access code"):
            call(world, enter_code, "222-222-222", "192.0.2.9")
    with pytest.raises(Problem, match="wait"):
        call(world, enter_code, "222-222-222", "192.0.2.9")


def test_a_visitor_may_open_a_run_where_self_service_is_on(world: World) -> None:
    opened = call(world, open_own_run, Order(competences=("1.1",), length=3), "here")
    seen = world.call("GET", f"/v1/runs/{opened.live.run.id}", opened.token)
    assert seen.json()["state"] == "open"
    assert world.call("GET", f"/v1/runs/{opened.live.run.id}").status_code == 404


def test_a_visitor_who_goes_on_is_the_same_learner(world: World) -> None:
    order = Order(competences=("1.1",), length=3)
    first = call(world, open_own_run, order, "here")
    again = call(world, open_own_run, order, "here", first.live.run)
    stranger = call(world, open_own_run, order, "here")
    assert again.live.run.learner_id == first.live.run.learner_id != stranger.live.run.learner_id
    of_platform = call(world, current_run, world.open()["id"]).run
    assert call(world, open_own_run, order, "here", of_platform).live.run.learner_id != of_platform.learner_id


def test_visitors_cannot_fill_the_database_from_one_address(tmp_path: Path) -> None:
    settings = Settings(database=f"sqlite:///{tmp_path / 'jalon.db'}", self_service=True, start_rate="2/minute")
    with TestClient(create_app(settings)) as client:
        form, headers = {"scope": "some", "competence": "1.1"}, {"Origin": "http://testserver"}
        answers = [client.post("/start", data=form, headers=headers, follow_redirects=False) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert int(answers[2].headers["retry-after"]) > 0


def test_opening_is_idempotent_with_a_key(world: World, problem: Callable[..., Any]) -> None:
    learner = world.learner()
    body = {"learner_id": learner["id"], "competences": ["1.1"]}
    key = {"Idempotency-Key": "open-1"}
    first = world.call("POST", "/v1/runs", json=body, headers=key).json()
    world.answer(first["id"], first["pending"])
    again = world.call("POST", "/v1/runs", json=body, headers=key)
    assert (again.status_code, again.json()) == (201, first)
    assert len(world.call("GET", f"/v1/learners/{learner['id']}/runs").json()["items"]) == 1
    other = world.call("POST", "/v1/runs", json=body | {"length": 3}, headers=key)
    problem(other, 409, "idempotency-key-reused")


def test_the_same_seed_asks_the_same_items(world: World) -> None:
    def asked(seed: int) -> list[str]:
        run = world.open(competences=None, length=16, seed=seed)
        items, pending = [], run["pending"]
        while pending is not None:
            items.append(pending["item"]["id"])
            pending = world.answer(run["id"], pending).json()["pending"]
        return items

    assert asked(7) == asked(7)
    assert asked(7) != asked(2**63 - 1024)


def test_only_accessible_items_are_asked(world: World) -> None:
    run = world.open(competences=None, length=16, accessible=["blind"])
    bank = world.context.served.bank("fr").snapshot
    pending = run["pending"]
    while pending is not None:
        assert bank.items[bank.row(pending["item"]["id"])].accessible.blind
        pending = world.answer(run["id"], pending, skipped=True).json()["pending"]


def test_the_server_measures_the_time_that_is_not_told(world: World) -> None:
    run = world.open()
    body = {"position": 0, "item": run["pending"]["item"]["id"], "skipped": True}
    assert world.call("POST", f"/v1/runs/{run['id']}/answers", json=body).status_code == 200
    state = world.context.live_runs.get(run["id"])
    assert state is not None
    assert 0 < float(state.state.elapsed) < 60


def test_a_timed_item_left_for_long_has_timed_out(tmp_path: Path) -> None:
    settings, clock = settings_in(tmp_path, every_kind()), MovableClock()
    with TestClient(create_app(settings, clock)) as client:
        world = World(client, settings, clock)
        run = world.open(length=10)
        pending = run["pending"]
        while pending["item"].get("limit") is None:
            pending = world.answer(run["id"], pending).json()["pending"]
        clock.move(minutes=30)
        reply = {"answer": answer_to(pending["item"]), "seconds": None}
        assert world.answer(run["id"], pending, **reply).json()["outcome"] == "timed_out"


def test_retaking_starts_from_the_earlier_evidence(world: World) -> None:
    first = world.open(competences=["1.1"], length=10)
    over = world.finish(first)
    second = world.open(first["learner_id"], competences=["1.1"], length=10)
    live = world.context.live_runs.get(second["id"])
    assert live is not None
    ((run_id, weight),) = live.run.earlier
    assert run_id == first["id"]
    assert weight == pytest.approx(1, abs=1e-4)
    assert len(live.run.excluded) == 10
    again = world.finish(second)
    assert again["result"][0]["sd"] < over["result"][0]["sd"]


def test_items_come_back_when_too_few_others_remain(world: World) -> None:
    bank = world.context.served.bank("fr")
    allowed = bank.snapshot.allowed(competences=["1.1"])
    ids = [bank.snapshot.ids[row] for row in allowed.nonzero()[0]]
    rule = Retaking(least_items=8)
    assert set(rule.excluded(bank, allowed, [ids[:5], ids[5:8]])) == set(ids[:8])
    assert set(rule.excluded(bank, allowed, [ids[:2], ids[2:3], ids[3:9]])) == set(ids[:3])
    assert rule.excluded(bank, allowed, [ids[: len(ids) - 7]]) == ()


def test_earlier_runs_fade(world: World) -> None:
    at = now()

    def run(days: float) -> Run:
        ended = at - timedelta(days=days)
        return Run("r", "l", None, "s", "d", 0, "fr", (), (), (), (), "c", ended, ended)

    rule = Retaking(half_life_days=180, least_weight=0.01)
    weights = rule.weights([run(0), run(180), run(360), run(180 * 7)], at)
    assert [weight for _, weight in weights] == pytest.approx([1, 0.5, 0.25])


def test_skips_and_answers_are_told_apart(world: World) -> None:
    run = world.open()
    skipped = world.answer(run["id"], run["pending"], skipped=True).json()
    assert skipped["outcome"] == "skipped"
    answered = world.answer(run["id"], skipped["pending"], answer=answer_to(skipped["pending"]["item"])).json()
    assert answered["outcome"] == "answered"
