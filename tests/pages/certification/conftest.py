from collections.abc import Iterator

import pytest

from tests.pages.certification.campus import Campus, campus_in


@pytest.fixture(scope="session")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campus]:
    """A school on the shipped bank, whose clock runs."""
    with campus_in(tmp_path_factory.mktemp("campus")) as school:
        yield school
