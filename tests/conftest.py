"""Settings of all tests: no test measures time, so no example of hypothesis has a deadline; databases to copy."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings

from tests.databases import PostgresqlTemplate, SqliteTemplate
from tests.load.postgresql import NoPostgresqlError
from tests.load.postgresql import postgresql as running

settings.register_profile("jalon", deadline=None, print_blob=True)
settings.load_profile("jalon")

POSTGRESQL = os.environ.get("JALON_TEST_POSTGRESQL")
"""URL of a PostgreSQL server where the tests may create databases; they start one of their own when it is not set."""


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """Tables in a file."""
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlTemplate]:
    """Tables on a server."""
    with ExitStack() as leaving:
        try:
            url = POSTGRESQL or leaving.enter_context(running(durable=False))
        except NoPostgresqlError as error:
            pytest.skip(f"{error}; set JALON_TEST_POSTGRESQL to the URL of a server for the tests")
        template = PostgresqlTemplate(url)
        leaving.callback(template.close)
        yield template
