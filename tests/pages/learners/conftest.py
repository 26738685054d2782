from collections.abc import Iterator

import pytest

from tests.pages.campaigns.grounds import Grounds, grounds_in


@pytest.fixture(scope="session")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    """A school on the shipped bank, whose clock runs."""
    with grounds_in(tmp_path_factory.mktemp("grounds")) as school:
        yield school
