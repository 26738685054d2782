"""Steps taken together are the steps that each run would take alone."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from api.runs.live import Live
from api.runs.stepper import Stepper, Taken, step_all, step_one
from engine import responses
from engine.errors import ResponseError
from tests.api.conftest import World


def lives(world: World, count: int) -> list[Live]:
    """Runs at different positions, some with skips."""
    found = []
    for number in range(count):
        run = world.open(competences=None, length=16, seed=number)
        pending = run["pending"]
        for _ in range(number % 5):
            skip = {"skipped": True} if number % 2 else {}
            pending = world.answer(run["id"], pending, **skip).json()["pending"]
        live = world.context.live_runs.get(run["id"])
        assert live is not None
        found.append(live)
    return found


def taken(live: Live, number: int) -> Taken:
    assert live.pending is not None
    return Taken(live, live.pending, (0, 1, responses.SKIPPED)[number % 3], 10.0 + number)


@pytest.mark.parametrize("count", [1, 2, 17])
def test_together_is_alone(world: World, count: int) -> None:
    batch = [taken(live, number) for number, live in enumerate(lives(world, count))]
    for one, (state, decision) in zip(batch, step_all(batch[0].live.test, batch), strict=True):
        alone, decided = step_one(one)
        assert int(decision.item) == int(decided.item)
        for here, there in zip(state, alone, strict=True):
            np.testing.assert_array_equal(here, there)


def test_an_error_reaches_everybody_who_waits(world: World) -> None:
    one, other = (taken(live, 0) for live in lives(world, 2))

    async def scenario() -> list[object]:
        stepper = Stepper(asyncio.get_running_loop().call_soon)
        wrong = replace(other, response=99)
        return await asyncio.gather(stepper.step(one), stepper.step(wrong), return_exceptions=True)

    assert all(isinstance(outcome, ResponseError) for outcome in asyncio.run(scenario()))
