"""Settings of all tests: no test measures time, so no example of hypothesis has a deadline; and their databases."""

from hypothesis import settings

from tests.databases import migrated_postgresql as migrated_postgresql
from tests.databases import migrated_sqlite as migrated_sqlite

settings.register_profile("jalon", deadline=None, print_blob=True)
settings.load_profile("jalon")
