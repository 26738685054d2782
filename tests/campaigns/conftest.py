from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.api.conftest import World
from tests.api.conftest import problem as problem
from tests.api.conftest import settings as settings
from tests.api.movable_clock import MovableClock
from tests.campaigns.classroom import SEPTEMBER, Classroom


@pytest.fixture
def classroom(settings: Settings) -> Iterator[Classroom]:
    clock = MovableClock(SEPTEMBER)
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as client:
        yield Classroom(World(client, settings, clock))
