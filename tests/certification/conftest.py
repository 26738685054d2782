from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.api.conftest import World
from tests.api.conftest import problem as problem
from tests.api.conftest import settings as settings
from tests.api.movable_clock import MovableClock
from tests.certification.school import MONDAY, School
from tests.certification.seats import MONDAY as NINE
from tests.certification.seats import Room, furnished


@pytest.fixture
def school(settings: Settings) -> Iterator[School]:
    clock = MovableClock(MONDAY)
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as client:
        yield School(World(client, settings, clock))


@pytest.fixture
def room(settings: Settings) -> Iterator[Room]:
    """One candidate in an open session, put straight into the database."""
    clock = MovableClock(NINE)
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as client:
        yield furnished(World(client, settings, clock))
