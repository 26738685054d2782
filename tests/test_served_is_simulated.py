"""What is simulated is what is served: the same seeds go through the HTTP API and through ``simulate``."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.oauth.clients import create_client
from api.oauth.scopes import SCOPES
from api.settings import Settings
from engine.responses import SKIPPED
from itembank.bank import ItemBank
from itembank.files import save_bank, shipped_bank
from itembank.items import Item
from itembank.marking import mark
from itembank.positioning import positioning_design
from itembank.snapshot import Snapshot
from simulations.behaviours import behaving
from simulations.learners import draw
from simulations.run import Result, simulate
from tests.itembank.examples import right_answer
from tests.load.answers import answer_to

LEARNERS, SEED = 6, 20


def wrong_answer(item: Item) -> Any:
    """Answer that the key calls wrong."""
    view = {"kind": item.kind, "choices": [{"code": code} for code in getattr(item, "choices", {})]}
    if item.kind == "matching":
        view["options"] = [{"code": code} for code in item.options]
    tries = [answer_to(view)]
    if item.kind == "single_choice":
        tries += list(item.choices)
    elif item.kind in ("multiple_choice", "ordering"):
        tries += [tries[0][::-1], list(item.choices)]
    elif item.kind == "matching":
        tries += [dict.fromkeys(item.choices, option) for option in item.options]
    elif item.kind == "number":
        tries += [-987654]
    return next(answer for answer in tries if mark(item, answer) == 0)


def tied(bank: ItemBank) -> ItemBank:
    """Bank in which most items are exact ties of others."""
    return replace(
        bank,
        parameters={
            id: replace(row, model="2PL", discrimination=1.0, guessing=0.0, difficulty=round(row.location * 2) / 2)
            for id, row in bank.parameters.items()
        },
    )


def serve(settings: Settings, snapshot: Snapshot, simulated: Result, competences: list[str] | None) -> list[Any]:
    """Put the simulees through the API, checking each question; the profiles at the end."""
    profiles = []
    with TestClient(create_app(settings)) as client:
        client_id, secret = create_client(client.app.state.context.database, "simulees", SCOPES)
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        token = client.post("/oauth/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        for simulee in range(len(simulated)):
            learner = client.post("/v1/learners", json={}).json()["id"]
            order = {"learner_id": learner, "competences": competences, "seed": int(simulated.seeds[simulee])}
            run = client.post("/v1/runs", json=order).json()
            pending, asked = run["pending"], []
            for position in range(int(simulated.length[simulee])):
                row, response = simulated.items[simulee, position], simulated.responses[simulee, position]
                asked.append(pending["item"]["id"])
                assert asked[-1] == snapshot.ids[row], f"simulee {simulee}, question {position}"
                item = snapshot.items[row]
                reply = {"skipped": True} if response == SKIPPED else {"answer": right_answer(item)}
                if response == 0:
                    reply = {"answer": wrong_answer(item)}
                body = {"position": position, "item": item.id, "seconds": 30.0, **reply}
                pending = client.post(f"/v1/runs/{run['id']}/answers", json=body).json()["pending"]
            assert pending is None
            profiles.append(client.get(f"/v1/learners/{learner}/profile").json())
    return profiles


@pytest.mark.parametrize("change", [lambda bank: bank, tied], ids=["shipped", "tied"])
@pytest.mark.parametrize("competences", [None, ["1.1", "3.4"]], ids=["all", "two"])
def test_the_api_asks_and_concludes_as_the_simulation_does(
    tmp_path: Path, change: Callable[[ItemBank], ItemBank], competences: list[str] | None
) -> None:
    bank = change(shipped_bank())
    save_bank(bank, tmp_path / "bank")
    snapshot = Snapshot.of(bank)
    design = positioning_design(bank.framework, competences)
    learners = draw(design.latent, LEARNERS, SEED)
    behaviours = behaving(skipping=0.5)
    simulated = simulate(design, snapshot.table(design), learners, behaviours)
    assert (simulated.responses == SKIPPED).any()
    settings = Settings(database=f"sqlite:///{tmp_path / 'jalon.db'}", bank=tmp_path / "bank")
    profiles = serve(settings, snapshot, simulated, competences)
    for simulee, profile in enumerate(profiles):
        for row, told in enumerate(profile["competences"]):
            np.testing.assert_allclose(told["mean"], simulated.mean[simulee, row], atol=2e-6)
            np.testing.assert_allclose(told["sd"], simulated.sd[simulee, row], atol=2e-6)
            np.testing.assert_allclose(told["probabilities"], simulated.levels[simulee, row], atol=2e-6)


def test_three_hundred_together_are_three_hundred_alone() -> None:
    bank = tied(shipped_bank())
    snapshot = Snapshot.of(bank)
    design = positioning_design(bank.framework, ["1.1", "2.1", "5.2"])
    table = snapshot.table(design)
    learners = draw(design.latent, 300, SEED)
    together = simulate(design, table, learners, behaving(skipping=0.3), chunk=300)
    alone = simulate(design, table, learners, behaving(skipping=0.3), chunk=1)
    np.testing.assert_array_equal(together.items, alone.items)
    np.testing.assert_array_equal(together.responses, alone.responses)
    np.testing.assert_allclose(together.mean, alone.mean, atol=1e-9)
