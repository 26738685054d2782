"""A school on a real server: its sessions and learners are made through the API, and what matters through pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

from api.clock import now
from itembank.items import Item
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.certification.school import MONDAY, School
from tests.pages.server import Site, serving, settings


class Line(httpx.Client):
    """A client of the API that knows the application, as the test client does."""

    def __init__(self, site: Site) -> None:
        super().__init__(base_url=site.url, timeout=60)
        self.app = site.app


class Campus(School):
    """A school whose clock runs, from eight o'clock of a Monday on."""

    def __init__(self, site: Site, world: World) -> None:
        super().__init__(world)
        self.site = site

    @property
    def url(self) -> str:
        return self.site.url

    @property
    def items(self) -> dict[str, Item]:
        """Items of the bank by id, with their keys."""
        return self._items

    def room(self, session: Any) -> Any:
        """Everybody in the room, as the API shows them."""
        return self.done("GET", f"/v1/sessions/{session['id']}/room")["candidates"]


@contextmanager
def campus_in(folder: Path, **chosen: object) -> Iterator[Campus]:
    clock = MovableClock()
    clock.moved = MONDAY - now()
    chosen = {"token_rate": "10000/minute"} | chosen
    told = settings(folder, **chosen)  # type: ignore[arg-type]
    with serving(told, clock) as site, Line(site) as line:
        yield Campus(site, World(line, told, clock))  # type: ignore[arg-type]
