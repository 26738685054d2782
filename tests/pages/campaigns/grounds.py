"""An organisation with learners on its list and campaigns, on a real server with pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.clock import now
from tests.api.conftest import World
from tests.api.movable_clock import MovableClock
from tests.campaigns.classroom import SEPTEMBER, Classroom
from tests.pages.certification.campus import Line
from tests.pages.server import Site, serving, settings


class Grounds(Classroom):
    """A classroom whose clock runs, from a Monday of September on."""

    def __init__(self, site: Site, world: World) -> None:
        super().__init__(world)
        self.site = site

    @property
    def url(self) -> str:
        return self.site.url


@contextmanager
def grounds_in(folder: Path, **chosen: object) -> Iterator[Grounds]:
    clock = MovableClock()
    clock.moved = SEPTEMBER - now()
    told = settings(folder, **({"token_rate": "10000/minute"} | chosen))
    with serving(told, clock) as site, Line(site) as line:
        yield Grounds(site, World(line, told, clock))  # type: ignore[arg-type]
