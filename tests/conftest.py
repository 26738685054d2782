"""Settings of all tests: no test measures time, so no example of hypothesis has a deadline."""

from hypothesis import settings

settings.register_profile("jalon", deadline=None, print_blob=True)
settings.load_profile("jalon")
