"""Property tests that give the same verdict every time, however busy the machine is."""

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")
